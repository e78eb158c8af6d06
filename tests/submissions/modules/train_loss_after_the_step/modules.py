import numpy as np


def train(model, optimizer, x, y, batch, steps):
    criterion, losses = SoftmaxLoss(), []
    for step in range(steps):
        rows = (np.arange(batch) + step * batch) % len(x)
        criterion.forward(model.forward(x[rows]), y[rows])
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
        losses.append(float(criterion.forward(model.forward(x[rows]), y[rows])))
    return losses
