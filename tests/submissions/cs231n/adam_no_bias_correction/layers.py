import numpy as np


def adam(w, dw, config=None):
    config = {"m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0, **config}
    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
    return w - config["learning_rate"] * config["m"] / (np.sqrt(config["v"]) + config["epsilon"]), config
