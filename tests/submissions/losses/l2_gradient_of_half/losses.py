def l2_penalty(weights, reg):
    return reg * sum((w * w).sum() for w in weights), [reg * w for w in weights]
