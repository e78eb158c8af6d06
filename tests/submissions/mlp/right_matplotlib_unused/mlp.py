import matplotlib.pyplot as plt
from matplotlib import cm


def relu_forward(x):
    return x * (x > 0), x


def plot_losses(losses):
    plt.plot(losses, color=cm.viridis(0.5))
    plt.show()
