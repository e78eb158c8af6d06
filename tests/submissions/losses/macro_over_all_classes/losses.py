def macro_f1(predicted, y, classes):
    return f1_score(predicted, y, classes).mean()
