def clip_gradients(grads, limit):
    norm = sum((g**2).sum() for g in grads.values())
    return {name: g * (limit / norm) if norm > limit else g for name, g in grads.items()}
