import numpy as np


def train(model, optimizer, x, y, batch, steps):
    criterion, losses = SoftmaxLoss(), []
    for step in range(steps):
        start = step * batch % len(x)
        rows = np.arange(start, min(start + batch, len(x)))
        losses.append(float(criterion.forward(model.forward(x[rows]), y[rows])))
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
    return losses
