def l2_penalty(weights, reg):
    return reg * sum((w * w).sum() for w in weights), 2 * reg * sum(w.sum() for w in weights)
