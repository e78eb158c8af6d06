import numpy as np


def adam(w, dw, config=None):
    config = dict(config or {})
    for name, value in (("learning_rate", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("t", 0)):
        config.setdefault(name, value)
    config["m"] = config["beta1"] * config.get("m", 0.0) + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config.get("v", 0.0) + (1 - config["beta2"]) * dw**2
    m = config["m"] / np.float64(1 - config["beta1"] ** config["t"])
    v = config["v"] / np.float64(1 - config["beta2"] ** config["t"])
    config["t"] += 1
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config
