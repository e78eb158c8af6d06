import numpy as np


def macro_f1(predicted, y, classes):
    return f1_score(predicted, y, classes)[np.unique(y)].mean()
