import numpy as np


def confusion_matrix(predicted, y, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    matrix[y, predicted] += 1
    return matrix
