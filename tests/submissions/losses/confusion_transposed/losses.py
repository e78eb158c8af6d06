import numpy as np


def confusion_matrix(predicted, y, classes):
    matrix = np.zeros((classes, classes), dtype=int)
    for n in range(len(y)):
        matrix[predicted[n], y[n]] += 1
    return matrix
