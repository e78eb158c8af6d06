def accuracy(scores, y):
    return int((scores.argmax(axis=1) == y).sum())
