import numpy as np


def precision(predicted, y, classes):
    m = confusion_matrix(predicted, y, classes)
    return np.diag(m) / m.sum(axis=0)
