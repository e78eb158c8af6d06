def accuracy(predicted, y):
    return 100 * (predicted == y).mean()
