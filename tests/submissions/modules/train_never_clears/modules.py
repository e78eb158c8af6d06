def train(model, optimizer, x, y, batch, steps):
    criterion, losses = SoftmaxLoss(), []
    for step in range(steps):
        rows = (np.arange(batch) + step * batch) % len(x)
        losses.append(float(criterion.forward(model.forward(x[rows]), y[rows])))
        model.backward(criterion.backward())
        optimizer.step()
    return losses


import numpy as np
