def sgd_step(params, grads, lr):
    return {
        layer: {name: value - lr * grads[layer][name] if name == "w" else value for name, value in tree.items()}
        for layer, tree in params.items()
    }
