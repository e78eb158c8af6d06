import numpy as np


def f1_score(predicted, y, classes):
    p, r = precision(predicted, y, classes), recall(predicted, y, classes)
    return p * r / np.where(p + r > 0, p + r, 1)
