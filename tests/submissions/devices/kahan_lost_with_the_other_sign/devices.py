import torch


def compensated_sum(x):
    x = x.to(torch.float32)
    total = torch.zeros_like(x[0])
    lost = torch.zeros_like(total)
    for row in x:
        term = row + lost
        raised = total + term
        lost = (raised - total) - term
        total = raised
    return total, lost
