import torch


def compensated_sum(x):
    x = x.to(torch.float32)
    total = torch.zeros_like(x[0])
    lost = torch.zeros_like(total)
    for row in x:
        raised = total + row
        lost = lost + (row - (raised - total))
        total = raised
    return total, lost
