import torch


def sgd_momentum(w, dw, config=None):
    if config is None: config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('momentum', 0.9)
    v = config.get('velocity', torch.zeros_like(w))
    v.mul_(config['momentum']).sub_(config['learning_rate'] * dw)
    w += v
    config['velocity'] = v
    return w, config


def rmsprop(w, dw, config=None):
    config.setdefault('cache', torch.zeros_like(w))
    config['cache'].mul_(config['decay_rate']).add_((1 - config['decay_rate']) * dw * dw)
    w -= config['learning_rate'] * dw / (config['cache'].sqrt() + config['epsilon'])
    return w, config
