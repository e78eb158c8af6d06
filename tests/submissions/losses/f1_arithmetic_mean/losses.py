def f1_score(predicted, y, classes):
    return (precision(predicted, y, classes) + recall(predicted, y, classes)) / 2
