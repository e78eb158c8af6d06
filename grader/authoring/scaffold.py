"""A new topic to begin with: small, whole, and graded as it stands (`grader new`).

It has one exercise, a layer with a parameter, and all that a topic has: manifest, reference, worked solution, stub,
lesson, a slip. It passes `grader lint`, and `grader calibrate` finds no hole in its cases. Whoever makes a topic of
their own changes one thing at a time, and sees at once what no longer fits.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Final

from grader.authoring.stubs import cut_stub
from grader.errors import MachineError

__all__ = ["scaffold", "write_scaffold"]

_MANIFEST: Final = """\
# What each key means: the text at the top of grader/manifest.py.
format = 1
name = "{topic}"
title = "{title}"
file = "{topic}.py"
reference = "{topic}.py"
solution = "solutions/{topic}.py"
slips = "slips/{topic}.py"
seed = {seed}

[[exercise]]
name = "scaled tanh"
kind = "layer"
forward = "scaled_tanh_forward"
backward = "scaled_tanh_backward"
reference = "scaled_tanh"
inputs = {{ x = "N D", g = "D" }}
output = "N D"
points = {{ forward = 1, backward = 2 }}

[[exercise.case]]
name = "small"
sizes = {{ N = 3, D = 4 }}

[[exercise.case]]
name = "batch of 1"
sizes = {{ N = 1, D = 5 }}

[[exercise.case]]
name = "tiny and huge"
sizes = {{ N = 6, D = 2 }}
draw = {{ x = "tiny", g = "huge" }}

[[exercise.case]]
name = "hidden sizes"
sizes = {{ N = [2, 9], D = [2, 9] }}
hidden = true
repeat = 2
"""

_REFERENCE: Final = '''\
"""The references of {topic}: torch, float64, forward only; autograd gives the gradients."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["scaled_tanh"]


def scaled_tanh(x: Tensor, g: Tensor) -> Tensor:
    """g tanh(x), a factor for each column: (N, D), (D,) -> (N, D)."""
    return g * torch.tanh(x)
'''

_SOLUTION: Final = '''\
"""{title}.

Fill in the functions below. The lesson in README.md says what they compute and why; `pytest` in this folder says how
far you are. N is the number of examples in a batch, D the number of columns.
"""

from array_api_compat import array_namespace


def scaled_tanh_forward(x, g):
    """out[n, d] = g[d] tanh(x[n, d]).

    Args:
        x: (N, D).
        g: (D,), a factor for each column.

    Returns:
        out: (N, D).
        cache: whatever the backward pass will need.
    """
    # solution
    t = array_namespace(x).tanh(x)
    return g * t, (t, g)
    # end solution


def scaled_tanh_backward(dout, cache):
    """The gradients of sum(dout * out).

    Args:
        dout: (N, D), the upstream gradient.
        cache: what the forward pass returned.

    Returns:
        dx: (N, D).
        dg: (D,).
    """
    # solution
    t, g = cache
    return dout * g * (1 - t * t), array_namespace(dout).sum(dout * t, axis=0)
    # end solution
'''

_SLIPS: Final = '''\
"""Mistakes that are known, as wrong references: who makes one is told which. How to write one: grader/slips.py."""

from __future__ import annotations

import torch
from torch import Tensor

from grader.slips import slip, straight_through


@slip(
    "scaled tanh",
    pattern="dx is that of a tanh whose derivative is 1 - tanh(x)",
    likely="the derivative of tanh is 1 - tanh(x)^2: the square is missing",
)
def no_square(x: Tensor, g: Tensor) -> Tensor:
    t = torch.tanh(x)
    slope = x * (1 - t).detach()
    return g * straight_through(t, slope)
'''

_LESSON: Final = """\
# {title}

One layer, to begin with: a tanh whose columns have a factor each. Edit `{topic}.py` in this folder; `pytest` in it says
how far you are.

## Forward

    out[n, d] = g[d] tanh(x[n, d])

Keep in the cache what the way back will need.

## Backward

`dout[n, d]` says how much a loss grows with `out[n, d]`. By the chain rule each number that went in gets the sum, over
all results that it went into, of `dout` times a derivative. `x[n, d]` goes into one result, `g[d]` into N of them.
The derivative of tanh is 1 - tanh^2.
"""


def scaffold(topic: str, title: str) -> dict[str, str]:
    """The files of a new topic by POSIX path.

    Raises:
        ValueError: the topic's name is not one that a Python file can have, or the title has more than a line.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", topic) or keyword.iskeyword(topic):
        problem = "small letters, digits and _, since a Python file is named so (at most 40)"
        raise ValueError(f"{topic!r} is not a topic's name: {problem}")
    if not title.isprintable() or '"' in title or "\\" in title:
        raise ValueError(f'the title {title!r} must be one line, without " and \\')
    seed = int.from_bytes(topic.encode(), "big") % 10**8
    fill = {"topic": topic, "title": title}
    solution = _SOLUTION.format(**fill)
    return {
        f"assignments/{topic}/assignment.toml": _MANIFEST.format(**fill, seed=seed),
        f"assignments/{topic}/{topic}.py": cut_stub(solution),
        f"assignments/{topic}/README.md": _LESSON.format(**fill),
        f"reference/{topic}.py": _REFERENCE.format(**fill),
        f"reference/solutions/{topic}.py": solution,
        f"reference/slips/{topic}.py": _SLIPS,
    }


def write_scaffold(topic: str, title: str, course: Path) -> tuple[Path, ...]:
    """Write a new topic into the folder of a course, which need not exist.

    Returns:
        The files.

    Raises:
        ValueError: the name or the title won't do.
        FileExistsError: one of the files is there already. Nothing was written then.
        MachineError: it can't be written.
    """
    files = {course / path: text for path, text in scaffold(topic, title).items()}
    for path in files:
        if path.exists():
            raise FileExistsError(f"{path} is there already: nothing is written over")
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{error.filename} can't be written: {error.strerror or error}") from error
    return tuple(files)
