def accuracy(predicted, y):
    return int((predicted == y).sum())
