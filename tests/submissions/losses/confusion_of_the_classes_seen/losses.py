import numpy as np


def confusion_matrix(predicted, y, classes):
    seen = np.unique(np.concatenate([y, predicted]))
    return np.array([[np.sum((y == i) & (predicted == j)) for j in seen] for i in seen])
