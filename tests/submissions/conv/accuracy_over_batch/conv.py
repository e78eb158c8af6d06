def accuracy(scores, y):
    return float((scores[range(len(y)), y] == scores.max(axis=0)[y]).mean())
