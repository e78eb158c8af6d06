"""Known slips of the convolutional network: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Params = dict[str, dict[str, Tensor]]
Keep = Callable[[Tensor, Tensor], Tensor]
"""(what the windows before have left, what this one brings) -> what is kept."""


def _add(old: Tensor, new: Tensor) -> Tensor:
    return old + new


def _assign(old: Tensor, new: Tensor) -> Tensor:
    return new


def _padded(x: Tensor, pad: int) -> Tensor:
    return functional.pad(x, (pad, pad, pad, pad))


# --------------------------------------------------------------------------------------------- conv: on the way back


def _with_loops(
    x: Tensor,
    w: Tensor,
    b: Tensor,
    stride: int,
    pad: int,
    *,
    down: int | None = None,
    right: int | None = None,
    seen: Tensor | None = None,
    upto: tuple[int, ...] | None = None,
    keep_x: Keep = _add,
    keep_w: Keep = _add,
) -> Tensor:
    """The convolution with the usual backward, a loop over the windows: how far, on what, how many, what is kept.

    What is not given is right.
    """
    padded = (_padded(x, pad) if seen is None else seen).detach()
    H, W = x.shape[2:]

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dpadded, dw = torch.zeros_like(_padded(x, pad)), torch.zeros_like(w)
        OH, OW = g[:, :, : upto[0], : upto[1]].shape[2:] if upto else g.shape[2:]
        for p in range(OH):
            for q in range(OW):
                top, left = p * (down or stride), q * (right or stride)
                rows, columns = slice(top, top + w.shape[2]), slice(left, left + w.shape[3])
                here = g[:, :, p, q]
                dw = keep_w(dw, torch.einsum("nf,nchw->fchw", here, padded[:, :, rows, columns]))
                brought = torch.einsum("nf,fchw->nchw", here, w)
                dpadded[:, :, rows, columns] = keep_x(dpadded[:, :, rows, columns], brought)
        return dpadded[:, :, pad : pad + H, pad : pad + W], dw, g.sum(dim=(0, 2, 3))

    return with_backward(reference.conv(x, w, b, stride, pad), back, x, w, b)


_ADD = "add what each window brings (+=), do not assign it"


@slip(
    "conv",
    pattern="dx is what is left where the windows overwrite each other",
    likely=_ADD,
)
def conv_dx_assigned(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, keep_x=_assign)


@slip(
    "conv",
    pattern="dw is that of the last window alone",
    likely=_ADD,
)
def conv_dw_assigned(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, keep_w=_assign)


@slip(
    "conv",
    pattern="dx and dw are those of the last window that reaches them",
    likely=_ADD,
)
def conv_both_assigned(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, keep_x=_assign, keep_w=_assign)


def _batch_once(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, image: int) -> Tensor:
    """The filter's gradient is that of one image."""
    one = x[image : image + 1 or None].detach()
    slope = torch.zeros_like(reference.conv(x, w, b, stride, pad))
    slope[image] = reference.conv(one, w, torch.zeros_like(b), stride, pad)[0]
    right = reference.conv(x, w.detach(), b, stride, pad)
    return straight_through(right, right + slope)


@slip(
    "conv",
    pattern="dw is that of the last image alone",
    likely="dw is a sum over the batch: add what each image brings (+=), do not assign it",
)
def conv_dw_last_image(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _batch_once(x, w, b, stride, pad, -1)


@slip(
    "conv",
    pattern="dw is that of the first image alone",
    likely="dw is a sum over the batch: go through all images before you return",
)
def conv_dw_first_image(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _batch_once(x, w, b, stride, pad, 0)


@slip(
    "conv",
    pattern="dx is that of the filter turned by half a turn",
    likely="the filter stands the wrong way round in dx: turned where it must not be, or not turned where it must",
)
def conv_dx_not_flipped(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    right = reference.conv(x.detach(), w, b, stride, pad)
    turned = reference.conv(x, w.detach().flip(2, 3), torch.zeros_like(b), stride, pad)
    return straight_through(right, right + turned)


@slip(
    "conv",
    pattern="dw is turned by half a turn",
    likely="the entries of dw stand where those of a turned filter would: nothing is flipped in dw",
)
def conv_dw_flipped(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, on_the_way_back(w, lambda g: g.flip(2, 3)), b, stride, pad)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def conv_stride_ignored_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, down=1, right=1)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1 along the columns",
    likely="the backward ignores the stride along the columns",
)
def conv_stride_on_rows_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, right=1)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1 along the rows",
    likely="the backward ignores the stride along the rows",
)
def conv_stride_on_columns_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, down=1)


@slip(
    "conv",
    pattern="dw is that of an image that is padded twice",
    likely="the backward pads an image that is padded already: keep x in the cache, or do not pad again",
)
def conv_padded_twice_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, seen=_padded(x, 2 * pad))


@slip(
    "conv",
    pattern="the gradients lack the windows past the rows and columns of the image",
    likely="the backward loops over the rows and columns of x: loop over the windows, the rows and columns of dout",
)
def conv_loops_over_image_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _with_loops(x, w, b, stride, pad, upto=tuple(x.shape[2:]))


@slip("conv", pattern="db is a mean over images and windows", likely="db is a sum over images and windows, not a mean")
def conv_db_mean(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    out = reference.conv(x, w, b, stride, pad)
    count = out[:, 0].numel()
    return reference.conv(x, w, on_the_way_back(b, lambda g: g / count), stride, pad)


@slip("conv", pattern="db is divided by the number of images", likely="db is a sum over the batch, not a mean")
def conv_db_mean_over_batch(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, w, on_the_way_back(b, lambda g: g / len(x)), stride, pad)


@slip("conv", pattern="dw is divided by the number of images", likely="dw is a sum over the batch, not a mean")
def conv_dw_mean_over_batch(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, on_the_way_back(w, lambda g: g / len(x)), b, stride, pad)


@slip(
    "conv",
    pattern="db is the sum of the whole upstream gradient, the same for each filter",
    likely="db is summed over images and windows alone: one number for each filter",
)
def conv_db_one_sum(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, w, on_the_way_back(b, lambda g: g.sum().expand(g.shape)), stride, pad)


@slip(
    "conv",
    pattern="db is that of the last window alone",
    likely="add what each window brings to db (+=), do not assign it",
)
def conv_db_last_window(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    right = reference.conv(x, w, b.detach(), stride, pad)
    corner = torch.zeros_like(right)
    corner[:, :, -1, -1] = b.expand(len(x), -1)
    return straight_through(right, right + corner)


# ---------------------------------------------------------------------------------------------------- conv: forward


@slip("conv", pattern="the result is without b", likely="b is not added: b[f] belongs to every window of filter f")
def conv_no_bias(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return straight_through(
        reference.conv(x, w, torch.zeros_like(b), stride, pad), reference.conv(x, w, b, stride, pad)
    )


@slip(
    "conv",
    pattern="the last windows are 0: those that the image without its padding has no room for",
    likely="the loops end too early: there are (H + 2 * pad - HH) // stride + 1 windows below each other",
)
def conv_bounds_from_input(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    right = reference.conv(x, w, b, stride, pad)
    value = torch.zeros_like(right)
    rows, columns = ((size - own) // stride + 1 for size, own in zip(x.shape[2:], w.shape[2:], strict=True))
    value[:, :, : max(rows, 0), : max(columns, 0)] = right[:, :, : max(rows, 0), : max(columns, 0)]
    return straight_through(value, right)


def _counted(right: Tensor, rows: int, columns: int) -> Tensor:
    """The result of loops over so many windows: too many don't fit into the image."""
    if not (0 <= rows <= right.shape[2] and 0 <= columns <= right.shape[3]):
        raise IndexError
    return right[:, :, :rows, :columns]


@slip(
    "conv",
    pattern="there are as many windows side by side as if they were as wide as high",
    likely="the number of windows side by side is counted with the filter's height: the width belongs there",
)
def conv_width_from_height(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    right = reference.conv(x, w, b, stride, pad)
    return _counted(right, right.shape[2], (x.shape[3] + 2 * pad - w.shape[2]) // stride + 1)


@slip(
    "conv",
    pattern="there are as many windows below each other as if they were as high as wide",
    likely="the number of windows below each other is counted with the filter's width: the height belongs there",
)
def conv_height_from_width(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    right = reference.conv(x, w, b, stride, pad)
    return _counted(right, (x.shape[2] + 2 * pad - w.shape[3]) // stride + 1, right.shape[3])


@slip(
    "conv",
    pattern="there are H // stride windows below each other and W // stride side by side",
    likely="how many windows fit depends on the filter's size and on pad too: count where the last one can start",
)
def conv_windows_of_the_image(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _counted(reference.conv(x, w, b, stride, pad), x.shape[2] // stride, x.shape[3] // stride)


_FLIPPED = "the filter is laid on the window as it is: nothing is flipped"


@slip("conv", pattern="the result is that of the filter turned by half a turn", likely=_FLIPPED)
def conv_flipped(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return straight_through(reference.conv(x, w.flip(2, 3), b, stride, pad), reference.conv(x, w, b, stride, pad))


@slip("conv", pattern="the gradients are those of the filter turned by half a turn", likely=_FLIPPED)
def conv_flipped_both_ways(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, w.flip(2, 3), b, stride, pad)


_CHANNELS = "add up the products over all channels of the image"


@slip("conv", pattern="the result is that of the first channel alone", likely=_CHANNELS)
def conv_first_channel(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return straight_through(reference.conv(x[:, :1], w[:, :1], b, stride, pad), reference.conv(x, w, b, stride, pad))


@slip("conv", pattern="the result is that of the last channel alone", likely=_CHANNELS)
def conv_last_channel(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return straight_through(reference.conv(x[:, -1:], w[:, -1:], b, stride, pad), reference.conv(x, w, b, stride, pad))


def _cut(out: Tensor, right: Tensor) -> Tensor:
    return out[:, :, : right.shape[2], : right.shape[3]]


@slip(
    "conv",
    pattern="the result is that of an image padded by 1",
    likely="the padding is 1 whatever pad says",
)
def conv_pads_by_one(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _cut(reference.conv(x, w, b, stride, 1), reference.conv(x, w, b, stride, pad))


_ZEROS = "pad with zeros, not with the pixels at the edge"


@slip("conv", pattern="the result is that of an image padded with the pixels at its edge", likely=_ZEROS)
def conv_pads_with_edge(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(functional.pad(x, (pad,) * 4, mode="replicate"), w, b, stride, 0)


@slip("conv", pattern="the gradients are those of an image padded with the pixels at its edge", likely=_ZEROS)
def conv_pads_with_edge_forward(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    edge = functional.pad(x, (pad,) * 4, mode="replicate")
    moved = edge.detach() + _padded(x - x.detach(), pad)
    return reference.conv(moved, w, b, stride, 0)


@slip(
    "conv",
    pattern="the result is that of an image padded with its mirror image",
    likely="pad with zeros, not with a mirror image of the pixels",
)
def conv_pads_with_mirror(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(functional.pad(x, (pad,) * 4, mode="reflect"), w, b, stride, 0)


def _strides(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, down: int, right: int) -> Tensor:
    """The convolution of other strides, its gradients those of the right one."""
    good = reference.conv(x, w, b, stride, pad)
    return straight_through(_cut(functional.conv2d(x, w, b, stride=(down, right), padding=pad), good), good)


@slip(
    "conv",
    pattern="the windows move by 1 along the columns",
    likely="the stride is missing along the columns: window q starts at q * stride",
)
def conv_stride_on_rows(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _strides(x, w, b, stride, pad, stride, 1)


@slip(
    "conv",
    pattern="the windows move by 1 along the rows",
    likely="the stride is missing along the rows: window p starts at p * stride",
)
def conv_stride_on_columns(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _strides(x, w, b, stride, pad, 1, stride)


@slip(
    "conv",
    pattern="the windows move by 1",
    likely="the stride is ignored: window (p, q) starts at p * stride, q * stride",
)
def conv_stride_ignored(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _strides(x, w, b, stride, pad, 1, 1)


@slip(
    "conv",
    pattern="the sums are divided by the number of entries of a filter",
    likely="a window's products are summed: no mean is taken",
)
def conv_mean(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return reference.conv(x, w / w[0].numel(), b, stride, pad)


# --------------------------------------------------------------------------------------------------------- in groups


@slip(
    "groups",
    pattern="every group's result is that of the first group's channels",
    likely="each group of filters sees its own channels: cut x along axis 1, too",
)
def groups_first_channels(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, groups: int) -> Tensor:
    first = x.chunk(groups, dim=1)[0].repeat(1, groups, 1, 1)
    # The usual backward hands each group's dx to the channels that the group should have seen.
    return reference.grouped_conv(first.detach() + (x - x.detach()), w, b, stride, pad, groups)


@slip(
    "groups",
    pattern="the filters of a group are each groups-th one",
    likely="the filters of a group lie side by side: the first F / groups are those of the first group",
)
def groups_interleaved(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, groups: int) -> Tensor:
    dealt = torch.arange(len(w)).reshape(-1, groups).T.flatten()
    # The usual backward puts the groups' dw and db side by side.
    moved_w, moved_b = w[dealt].detach() + (w - w.detach()), b[dealt].detach() + (b - b.detach())
    return reference.grouped_conv(x, moved_w, moved_b, stride, pad, groups)


@slip(
    "groups",
    pattern="the channels of a group are each groups-th one",
    likely="the channels of a group lie side by side: the first C / groups are those of the first group",
)
def groups_channels_interleaved(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, groups: int) -> Tensor:
    dealt = torch.arange(x.shape[1]).reshape(-1, groups).T.flatten()
    return reference.grouped_conv(x[:, dealt], w, b, stride, pad, groups)


# ------------------------------------------------------------------------------------------------------------- pools


def _windows(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """(N, C, OH, OW, height, width)."""
    return x.unfold(2, height, stride).unfold(3, width, stride)


def _max_with_loops(
    x: Tensor,
    height: int,
    width: int,
    stride: int,
    *,
    down: int | None = None,
    right: int | None = None,
    keep: Keep = _add,
    upstream: bool = True,
) -> Tensor:
    """Max pooling with the usual backward, a mask for each window: how far they move, and what is kept."""
    out = reference.max_pool(x, height, width, stride)

    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                top, left = p * (down or stride), q * (right or stride)
                rows, columns = slice(top, top + height), slice(left, left + width)
                mask = (x[:, :, rows, columns] == out[:, :, p : p + 1, q : q + 1]).to(x)
                brought = mask * g[:, :, p : p + 1, q : q + 1] if upstream else mask
                dx[:, :, rows, columns] = keep(dx[:, :, rows, columns], brought)
        return (dx,)

    return with_backward(out, back, x)


def _max_at(x: Tensor, height: int, width: int, stride: int, row_length: int) -> Tensor:
    """Max pooling with a backward by flat indices of the maxima, taken apart by this length of a row."""

    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        largest = _windows(x, height, width, stride).flatten(start_dim=4).argmax(dim=-1)
        for n, c, p, q in torch.ones_like(largest).nonzero().tolist():
            i, j = divmod(int(largest[n, c, p, q]), row_length)
            dx[n, c, p * stride + i, q * stride + j] += g[n, c, p, q]
        return (dx,)

    return with_backward(reference.max_pool(x, height, width, stride), back, x)


_FLAT = "argmax counts along the rows of the window: its index is taken apart by the length of such a row"


@slip(
    "max_pool",
    pattern="dx has the gradients where an index taken apart by the height points to",
    likely=_FLAT,
)
def max_pool_flat_index_by_height(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_at(x, height, width, stride, height)


_OVERLAP = "the windows overlap: add what each one brings to dx (+=), do not assign it"


@slip("max_pool", pattern="dx is what is left where the windows overwrite each other", likely=_OVERLAP)
def max_pool_assigned(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_with_loops(x, height, width, stride, keep=_assign)


@slip(
    "max_pool",
    pattern="dx counts in how many windows an element is the largest",
    likely="the mask is not multiplied by the upstream gradient",
)
def max_pool_counts(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_with_loops(x, height, width, stride, upstream=False)


@slip(
    "max_pool",
    pattern="the gradients are those of windows that move by 1 along the columns",
    likely="the backward ignores the stride along the columns",
)
def max_pool_stride_on_rows_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_with_loops(x, height, width, stride, right=1)


@slip(
    "max_pool",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def max_pool_stride_ignored_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_with_loops(x, height, width, stride, down=1, right=1)


_TO_LARGEST = "the gradient goes to the element that is the largest of its window"


@slip("max_pool", pattern="the last element of each window receives the gradient", likely=_TO_LARGEST)
def max_pool_to_the_last(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return straight_through(
        reference.max_pool(x, height, width, stride), _windows(x, height, width, stride)[..., -1, -1]
    )


@slip("max_pool", pattern="the first element of each window receives the gradient", likely=_TO_LARGEST)
def max_pool_to_the_first(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return straight_through(reference.max_pool(x, height, width, stride), _windows(x, height, width, stride)[..., 0, 0])


@slip("max_pool", pattern="each element of a window receives the whole gradient", likely=_TO_LARGEST)
def max_pool_to_all(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return straight_through(
        reference.max_pool(x, height, width, stride), _windows(x, height, width, stride).sum(dim=(-2, -1))
    )


@slip(
    "max_pool",
    pattern="the result is the largest element of all channels",
    likely="each channel has a maximum of its own: take it over the window's rows and columns alone",
)
def max_pool_over_channels(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return reference.max_pool(x, height, width, stride).amax(dim=1, keepdim=True).expand(-1, x.shape[1], -1, -1)


@slip(
    "max_pool",
    pattern="no element of the result is negative",
    likely="the maximum starts from 0: start from -inf, or from the window's first element",
)
def max_pool_from_zero(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return reference.max_pool(x, height, width, stride).clamp(min=0)


def _max_cut(
    x: Tensor, height: int, width: int, stride: int, tall: int, wide: int, count: tuple[int, int] | None = None
) -> Tensor:
    """Maxima of windows of another size, or of another number of them, which end with the image."""
    OH, OW = count or reference.max_pool(x, height, width, stride).shape[2:]
    rows = [
        torch.stack(
            [
                x[:, :, p * stride : p * stride + tall, q * stride : q * stride + wide].amax(dim=(2, 3))
                for q in range(OW)
            ],
            dim=-1,
        )
        for p in range(OH)
    ]
    return torch.stack(rows, dim=2)


@slip(
    "max_pool",
    pattern="there are as many windows as lie side by side without overlapping",
    likely="H // height counts windows that move by their own height: these move by the stride, and may overlap",
)
def max_pool_count_side_by_side(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_cut(x, height, width, stride, height, width, (x.shape[2] // height, x.shape[3] // width))


@slip(
    "max_pool",
    pattern="windows that hang over the edge of the image count too",
    likely="the last window ends inside the image: count where it can start so that it still fits",
)
def max_pool_over_the_edge(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    count = ((x.shape[2] - 1) // stride + 1, (x.shape[3] - 1) // stride + 1)
    return _max_cut(x, height, width, stride, height, width, count)


@slip(
    "max_pool",
    pattern="the windows are as wide as high",
    likely="the window's height is taken for its width",
)
def max_pool_height_for_width(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_cut(x, height, width, stride, height, height)


@slip(
    "max_pool",
    pattern="the windows are as high as wide",
    likely="the window's width is taken for its height",
)
def max_pool_width_for_height(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_cut(x, height, width, stride, width, width)


@slip(
    "max_pool",
    pattern="height and width of the windows are exchanged",
    likely="the window has `height` rows and `width` columns",
)
def max_pool_turned(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _max_cut(x, height, width, stride, width, height)


@slip("max_pool", pattern="the result is the mean of each window", likely="take the largest element, not the mean")
def max_pool_mean(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return reference.avg_pool(x, height, width, stride)


@slip("max_pool", pattern="the result is the smallest element of each window", likely="take the largest element")
def max_pool_min(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return -reference.max_pool(-x, height, width, stride)


@slip("avg_pool", pattern="dx is what is left where the windows overwrite each other", likely=_OVERLAP)
def avg_pool_assigned(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                rows, columns = slice(p * stride, p * stride + height), slice(q * stride, q * stride + width)
                dx[:, :, rows, columns] = g[:, :, p : p + 1, q : q + 1] / (height * width)
        return (dx,)

    return with_backward(reference.avg_pool(x, height, width, stride), back, x)


def _divided(x: Tensor, height: int, width: int, stride: int, size: float) -> Tensor:
    """The sum of each window, divided by a number."""
    return reference.avg_pool(x, height, width, stride) * (height * width) / size


def _divided_back(x: Tensor, height: int, width: int, stride: int, size: float) -> Tensor:
    return straight_through(reference.avg_pool(x, height, width, stride), _divided(x, height, width, stride, size))


_COUNT = "a window has height * width elements: divide by that"


@slip(
    "avg_pool",
    pattern="each element of a window receives the whole gradient",
    likely="each element of a window counts 1 / (height * width) in its mean: divide the gradient by that, too",
)
def avg_pool_not_divided_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided_back(x, height, width, stride, 1)


@slip("avg_pool", pattern="the gradient is divided by height squared", likely=_COUNT)
def avg_pool_height_squared_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided_back(x, height, width, stride, height**2)


@slip("avg_pool", pattern="the gradient is divided by width squared", likely=_COUNT)
def avg_pool_width_squared_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided_back(x, height, width, stride, width**2)


@slip("avg_pool", pattern="the gradient is divided by the stride squared", likely=_COUNT)
def avg_pool_stride_squared_back(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided_back(x, height, width, stride, stride**2)


@slip("avg_pool", pattern="the result is the sum of each window", likely="divide the sum by height * width")
def avg_pool_sum(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided(x, height, width, stride, 1)


@slip("avg_pool", pattern="the sum of a window is divided by the stride squared", likely=_COUNT)
def avg_pool_stride_squared(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided(x, height, width, stride, stride**2)


@slip("avg_pool", pattern="the sum of a window is divided by height squared", likely=_COUNT)
def avg_pool_height_squared(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return _divided(x, height, width, stride, height**2)


@slip("avg_pool", pattern="the result is the largest element of each window", likely="take the mean, not the maximum")
def avg_pool_max(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    return reference.max_pool(x, height, width, stride)


# ----------------------------------------------------------------------------------------------------------- flatten


_BACK = "put the numbers back as they were read: reshape to the shape of x, and exchange no axes"


@slip("flatten", pattern="rows and columns of dx are exchanged", likely=_BACK)
def flatten_transposed_back(x: Tensor) -> Tensor:
    N, C, H, W = x.shape
    return reference.flatten(on_the_way_back(x, lambda g: g.reshape(N, C, W, H).mT))


@slip("flatten", pattern="dx is read as if its channels came last", likely=_BACK)
def flatten_channels_last_back(x: Tensor) -> Tensor:
    N, C, H, W = x.shape
    return reference.flatten(on_the_way_back(x, lambda g: g.reshape(N, H, W, C).permute(0, 3, 1, 2)))


_ORDER = "the numbers stay in the order of x: channel by channel, row by row; a reshape does it, and no axis moves"


@slip("flatten", pattern="the channels of each pixel come first", likely=_ORDER)
def flatten_channels_last(x: Tensor) -> Tensor:
    return straight_through(x.permute(0, 2, 3, 1).flatten(1), reference.flatten(x))


@slip("flatten", pattern="the gradient of the order in which the channels of each pixel come first", likely=_ORDER)
def flatten_channels_last_both_ways(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(1)


@slip("flatten", pattern="the numbers are read column by column", likely=_ORDER)
def flatten_columns_first(x: Tensor) -> Tensor:
    return straight_through(x.mT.flatten(1), reference.flatten(x))


# --------------------------------------------------------------------------------------------- relu, affine, softmax


@slip("relu", pattern="the upstream gradient is passed on as it is", likely="the mask is missing: multiply by x > 0")
def relu_mask_missing(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), x)


@slip(
    "relu",
    pattern="the gradient passes where x is not positive",
    likely="the mask is inverted: the gradient passes where x > 0",
)
def relu_mask_inverted(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), torch.where(x <= 0, x, 0))


@slip(
    "relu",
    pattern="the gradient passes where the upstream gradient is positive",
    likely="the mask is that of x, not of the upstream gradient",
)
def relu_mask_of_the_gradient(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), on_the_way_back(x, lambda g: g.clamp(min=0)))


@slip("affine", pattern="dw is divided by the number of rows", likely="dw is a sum over the batch, not a mean")
def affine_dw_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, on_the_way_back(w, lambda g: g / len(x)), b)


@slip("affine", pattern="db is divided by the number of rows", likely="db is a sum over the batch, not a mean")
def affine_db_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, w, on_the_way_back(b, lambda g: g / len(x)))


@slip(
    "affine",
    pattern="every gradient is divided by the number of rows",
    likely="nothing is averaged in a backward: the 1/N belongs to the loss and is already inside dout",
)
def affine_all_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.affine(x, w, b), lambda g: g / len(x))


@slip("affine", pattern="the result is without b", likely="b is not added")
def affine_no_bias(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return straight_through(x @ w, reference.affine(x, w, b))


@slip(
    "softmax",
    pattern="loss and gradient are sums over the batch",
    likely="the loss is the mean over the batch: divide by N, the gradient too",
)
def softmax_sum(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(scores, y) * len(y)


@slip(
    "softmax", pattern="the gradient is a sum over the batch", likely="the 1/N of the mean is missing in the gradient"
)
def softmax_gradient_without_mean(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: g * len(y)), y)


@slip(
    "softmax",
    pattern="the gradient is p/N",
    likely="the 1 at the right class is not taken off",
)
def softmax_no_minus_one(scores: Tensor, y: Tensor) -> Tensor:
    return straight_through(reference.softmax_loss(scores, y), scores.logsumexp(dim=1).mean())


@slip(
    "softmax",
    pattern="the probabilities of a column add up to 1, those of a row do not",
    likely="the softmax is over the classes, axis 1",
)
def softmax_wrong_axis(scores: Tensor, y: Tensor) -> Tensor:
    right = functional.one_hot(y.long(), scores.shape[1]).to(scores)
    loss = -(right * scores.log_softmax(dim=0)).sum() / len(y)
    # The usual p - onehot of these probabilities: it is not the derivative of this loss.
    return straight_through(loss, ((scores.softmax(dim=0).detach() - right) * scores).sum() / len(y))


# --------------------------------------------------------------------------------------------------------------- sgd


class _Step(torch.optim.Optimizer):
    """Each array by a rule: (parameter, gradient) -> new parameter."""

    def __init__(self, params: list[Tensor], rule: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__(params, {})
        self.rule = rule

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            p.copy_(self.rule(p.clone(), p.grad))


@slip("sgd", pattern="the parameters move along the gradient", likely="subtract the step: the gradient points uphill")
def sgd_ascends(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g: p + lr * g)


@slip("sgd", pattern="the step is the gradient", likely="multiply the gradient by the learning rate")
def sgd_rate_missing(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return reference.sgd(params, 1.0)


@slip("sgd", pattern="the gradients are returned", likely="return the new parameters")
def sgd_returns_gradients(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g: g)


@slip("sgd", pattern="the weights move and the biases stay as they were", likely="update every array, the biases too")
def sgd_skips_biases(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g: p if p.ndim == 1 else p - lr * g)


# --------------------------------------------------------------------------------------------------------------- cnn


_RELU = "the ReLU between the convolution and the pooling is missing"


@slip("cnn", pattern="the result is that of a network without a ReLU", likely=_RELU)
def cnn_no_relu(params: Params, x: Tensor, pad: int) -> Tensor:
    hidden = reference.conv(x, params["conv"]["w"], params["conv"]["b"], 1, pad)
    return reference.affine(
        reference.flatten(reference.avg_pool(hidden, 2, 2, 2)), params["affine"]["w"], params["affine"]["b"]
    )


@slip(
    "cnn",
    pattern="no score is negative: there is a ReLU on the scores",
    likely="the scores come from the affine layer as they are",
)
def cnn_relu_on_scores(params: Params, x: Tensor, pad: int) -> Tensor:
    return torch.relu(reference.cnn(params, x, pad))


@slip(
    "cnn",
    pattern="the pooling stands before the ReLU",
    likely="the order is convolution, ReLU, pooling",
)
def cnn_pools_before_relu(params: Params, x: Tensor, pad: int) -> Tensor:
    hidden = reference.avg_pool(reference.conv(x, params["conv"]["w"], params["conv"]["b"], 1, pad), 2, 2, 2)
    return reference.affine(reference.flatten(torch.relu(hidden)), params["affine"]["w"], params["affine"]["b"])


@slip("cnn", pattern="the pooling takes maxima", likely="this network has average pooling")
def cnn_max_pool(params: Params, x: Tensor, pad: int) -> Tensor:
    hidden = torch.relu(reference.conv(x, params["conv"]["w"], params["conv"]["b"], 1, pad))
    return reference.affine(
        reference.flatten(reference.max_pool(hidden, 2, 2, 2)), params["affine"]["w"], params["affine"]["b"]
    )


@slip(
    "cnn",
    pattern="the result is the softmax of the scores",
    likely="return the scores: the softmax is in the loss",
)
def cnn_softmax_scores(params: Params, x: Tensor, pad: int) -> Tensor:
    scores = reference.cnn(params, x, pad)
    return straight_through(scores.softmax(dim=1), scores)


# ----------------------------------------------------------------------------------------------------------- prepare


def _cropped(images: Tensor, first: int = 4) -> Tensor:
    return images[:, None, first : first + 20, first : first + 20]


def _halved(images: Tensor) -> Tensor:
    return reference.avg_pool(_cropped(images), 2, 2, 2)


@slip(
    "prepare",
    pattern="the pixels are divided by 255",
    likely="the pixels are from 0 to 1 already: nothing is to be divided by 255",
)
def prepare_divided_again(images: Tensor) -> Tensor:
    return reference.prepare(images / 255)


@slip(
    "prepare",
    pattern="every second pixel is taken",
    likely="halve by means of 2 x 2 pixels, not by leaving pixels out",
)
def prepare_every_second(images: Tensor) -> Tensor:
    return (_cropped(images)[:, :, ::2, ::2] - reference.MEAN) / reference.STD


@slip("prepare", pattern="the halved pixels are the largest of each 2 x 2", likely="halve by means, not by maxima")
def prepare_maxima(images: Tensor) -> Tensor:
    return (reference.max_pool(_cropped(images), 2, 2, 2) - reference.MEAN) / reference.STD


_GIVEN = "use MEAN and STD, which are given: what is at hand is not what the network was made for"


@slip("prepare", pattern="mean and deviation are those of the images at hand", likely=_GIVEN)
def prepare_own_statistics(images: Tensor) -> Tensor:
    halved = _halved(images)
    return (halved - halved.mean()) / halved.std(unbiased=False)


@slip("prepare", pattern="mean and deviation are those of each image", likely=_GIVEN)
def prepare_statistics_of_each(images: Tensor) -> Tensor:
    halved = _halved(images)
    mean, var = halved.mean(dim=(1, 2, 3), keepdim=True), halved.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
    return (halved - mean) / var.sqrt()


@slip("prepare", pattern="the pixels are not standardised", likely="subtract MEAN and divide by STD")
def prepare_not_standardised(images: Tensor) -> Tensor:
    return _halved(images)


@slip("prepare", pattern="the pixels are divided by STD, and MEAN is not taken off", likely="subtract MEAN first")
def prepare_mean_kept(images: Tensor) -> Tensor:
    return _halved(images) / reference.STD


@slip("prepare", pattern="MEAN is taken off, and the pixels are not divided", likely="divide by STD as well")
def prepare_not_scaled(images: Tensor) -> Tensor:
    return _halved(images) - reference.MEAN


@slip("prepare", pattern="the pixels are divided before MEAN is taken off", likely="the order is (pixels - MEAN) / STD")
def prepare_divided_first(images: Tensor) -> Tensor:
    return _halved(images) / reference.STD - reference.MEAN


@slip("prepare", pattern="the crop starts in the corner", likely="take the middle 20 x 20 of the 28 x 28 pixels")
def prepare_corner(images: Tensor) -> Tensor:
    return (reference.avg_pool(_cropped(images, 0), 2, 2, 2) - reference.MEAN) / reference.STD


# ---------------------------------------------------------------------------------------------------------- accuracy


@slip(
    "accuracy",
    pattern="the number of right answers",
    likely="accuracy is their share: divide by the number of examples",
)
def accuracy_counts(scores: Tensor, y: Tensor) -> Tensor:
    return reference.accuracy(scores, y) * len(y)


@slip(
    "accuracy",
    pattern="the share of examples whose score is the largest of its class",
    likely="the answer to an example is its own largest score: take the maximum along axis 1, over the classes",
)
def accuracy_over_batch(scores: Tensor, y: Tensor) -> Tensor:
    return (scores.gather(1, y.long()[:, None])[:, 0] == scores.amax(dim=0)[y.long()]).double().mean()


@slip("accuracy", pattern="the share of wrong answers", likely="accuracy is the share of right answers")
def accuracy_of_errors(scores: Tensor, y: Tensor) -> Tensor:
    return 1 - reference.accuracy(scores, y)


@slip("accuracy", pattern="the share as a percentage", likely="return a share from 0 to 1")
def accuracy_percent(scores: Tensor, y: Tensor) -> Tensor:
    return reference.accuracy(scores, y) * 100


@slip(
    "accuracy",
    pattern="the share of examples whose smallest score is that of their class",
    likely="the answer is the class of the largest score: argmax",
)
def accuracy_argmin(scores: Tensor, y: Tensor) -> Tensor:
    return (scores.argmin(dim=1) == y).double().mean()


# ---------------------------------------------------------------------------------------------------------- training


@slip(
    "training",
    pattern="the parameters are right; the losses are those of the batches after their updates",
    likely="measure the loss before the update, with the scores that gave it",
)
def train_loss_after_update(
    params: Params, images: Tensor, labels: Tensor, lr: float, batch: int, steps: int
) -> tuple[dict[str, Any], list[float]]:
    losses, x = [], reference.prepare(images)
    for step in range(1, steps + 1):
        trained, _ = reference.train(params, images, labels, lr, batch, step)
        rows = ((step - 1) * batch + torch.arange(batch)) % len(x)
        losses.append(reference.softmax_loss(reference.cnn(trained, x[rows], 1), labels[rows]).item())
    return trained, losses
