import torch


def sum_in_order(x):
    rows = x.float()
    total = rows[0]
    for n in range(1, len(rows)):
        total = total + rows[n]
    return total


def compensated_sum(x):
    total = x.new_zeros(x.shape[1], dtype=torch.float32)
    c = torch.zeros_like(total)
    for n in range(x.shape[0]):
        y = x[n].float() - c
        t = total + y
        c = (t - total) - y
        total = t
    return [total, -c]
