from torch.nn import functional as F


def temporal_softmax_loss(x, y, ignore_index=None):
    return F.cross_entropy(x.permute(0, 2, 1), y, ignore_index=ignore_index, reduction="mean")
