import numpy as np


def sgd_momentum(w, dw, config=None):
    config["velocity"] = 0.9 * config.get("velocity", np.zeros_like(w)) - config["learning_rate"] * dw
    return w + config["velocity"], config
