import torch


def compensated_sum(x):
    total = torch.zeros(x.shape[1], device=x.device, dtype=torch.float64)
    lost = torch.zeros_like(total)
    for row in x.to(torch.float64):
        term = row + lost
        raised = total + term
        lost = term - (raised - total)
        total = raised
    return total, lost
