import numpy as np


def macro_f1(predicted, y, classes):
    seen = np.unique(np.concatenate([y, predicted]))
    p, r = precision(predicted, y, classes)[seen].mean(), recall(predicted, y, classes)[seen].mean()
    return 2 * p * r / (p + r)
