import numpy as np


def accuracy(predicted, y):
    return sum(int(p == t) for p, t in zip(predicted, y)) / len(y)


def confusion_matrix(predicted, y, classes):
    return np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def precision(predicted, y, classes):
    result = []
    for c in range(classes):
        tp = int(np.sum((predicted == c) & (y == c)))
        fp = int(np.sum((predicted == c) & (y != c)))
        result.append(tp / (tp + fp) if tp + fp else 0.0)
    return np.array(result)


def f1_score(predicted, y, classes):
    m = confusion_matrix(predicted, y, classes)
    with np.errstate(all="ignore"):
        return np.nan_to_num(2 * np.diag(m) / (m.sum(0) + m.sum(1)))


def macro_f1(predicted, y, classes):
    seen = sorted(set(y.tolist()) | set(predicted.tolist()))
    return float(f1_score(predicted, y, classes)[seen].mean())
