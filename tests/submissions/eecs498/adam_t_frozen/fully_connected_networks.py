import torch


def adam(w, dw, config=None):
    config = {"m": torch.zeros_like(w), "v": torch.zeros_like(w), "t": 0, **config}
    t = config["t"] + 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw * dw
    m, v = config["m"] / (1 - config["beta1"] ** t), config["v"] / (1 - config["beta2"] ** t)
    return w - config["learning_rate"] * m / (v.sqrt() + config["epsilon"]), config
