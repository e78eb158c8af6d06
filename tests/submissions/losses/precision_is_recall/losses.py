import numpy as np


def precision(predicted, y, classes):
    m = confusion_matrix(predicted, y, classes)
    return np.diag(m) / np.maximum(m.sum(axis=1), 1)


def recall(predicted, y, classes):
    m = confusion_matrix(predicted, y, classes)
    return np.diag(m) / np.maximum(m.sum(axis=0), 1)
