import torch


def rmsprop(w, dw, config=None):
    config.setdefault("cache", torch.zeros_like(w))
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / torch.sqrt(config["cache"] + config["epsilon"]), config
