def l2_penalty(weights, reg):
    penalty = 0.0
    for w in weights:
        penalty += reg * (w * w).sum()
    penalty += reg * (weights[-1] ** 2).sum()
    return penalty, [2 * reg * w for w in weights]
