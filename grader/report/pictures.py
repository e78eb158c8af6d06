"""Pictures of a report as numbers: what a template draws as SVG, and the words that say the same.

Both are drawn in whole units of a small grid, so that they are the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grader.numerics.errormap import LEVELS, MOST
from grader.report.model import CurveReport, ErrorMapReport, Number

__all__ = ["Bar", "HeatMap", "Line", "LossCurve", "Shade", "bars", "heat_map", "loss_curve", "power_of_ten"]

_SHADES: Final = (
    ("of the size of the largest", 0),
    ("a third of it", 1),
    ("a tenth", 2),
    ("a thirtieth", 3),
    ("a hundredth", 4),
    ("less", 5),
)
"""A half decade each, counted down from the largest error of the array."""


# ------------------------------------------------------------------------------------------- where an array is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """One colour of a map: what it stands for, how many cells have it, and where they are, as a path of SVG."""

    name: str
    meaning: str
    cells: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """A map of errors."""

    what: str
    shape: str
    """`4 × 5`."""
    width: int
    height: int
    shades: tuple[Shade, ...]
    grid: str
    """Lines between the cells, as a path of SVG."""
    words: str
    """The same in a sentence or two."""
    blocks: str
    """How many elements a cell stands for; empty if one."""


def heat_map(what: str, errors: ErrorMapReport, most: int = MOST) -> HeatMap:
    """Draw a map of no more than `most` by `most` cells."""
    cells = _coarser([[LEVELS.index(letter) for letter in row] for row in errors.rows], most)
    height, width = len(cells), max(map(len, cells), default=0)
    largest = max((level for row in cells for level in row if level < len(LEVELS) - 1), default=0)
    names = [[_shade(level, largest) for level in row] for row in cells]
    counts = Counter(name for row in names for name in row)
    meanings = {"ok": "right", **{f"e{number}": meaning for meaning, number in _SHADES}, "nan": "NaN or infinite"}
    shades = tuple(
        Shade(name=name, meaning=meaning, cells=counts[name], path="".join(_runs(names, name)))
        for name, meaning in meanings.items()
        if counts[name]
    )
    return HeatMap(
        what=what,
        shape=" × ".join(map(str, errors.shape)),
        width=width,
        height=height,
        shades=shades,
        grid="".join([*(f"M{x} 0V{height}" for x in range(1, width)), *(f"M0 {y}H{width}" for y in range(1, height))]),
        words=_map_in_words(names, largest),
        blocks=_blocks(errors.shape, height, width),
    )


def _coarser(cells: list[list[int]], most: int) -> list[list[int]]:
    """The same map of fewer cells, each the largest of those it stands for."""
    down, across = -(-len(cells) // most), -(-max(map(len, cells), default=0) // most)
    if down <= 1 and across <= 1:
        return cells
    strips = [cells[start : start + down] for start in range(0, len(cells), down)]
    joined = [[max(column) for column in zip(*strip, strict=True)] for strip in strips]
    return [[max(row[start : start + across]) for start in range(0, len(row), across)] for row in joined]


def _shade(level: int, largest: int) -> str:
    if level == len(LEVELS) - 1:
        return "nan"
    return f"e{min(largest - level, len(_SHADES) - 1)}" if level else "ok"


def _runs(names: list[list[str]], name: str) -> Iterator[str]:
    """Cells of a shade, those side by side in one rectangle."""
    for y, row in enumerate(names):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end] == name:
                end += 1
            if end > x:
                yield f"M{x} {y}h{end - x}v1h-{end - x}z"
            x = max(end, x + 1)


def _map_in_words(names: list[list[str]], largest: int) -> str:
    height, width = len(names), len(names[0]) if names else 0
    rows = [y for y, row in enumerate(names) if any(name != "ok" for name in row)]
    columns = [x for x in range(width) if any(row[x] != "ok" for row in names)]
    wrong = sum(name != "ok" for row in names for name in row)
    size = f"The largest error is {_times(largest)} what is allowed." if largest else ""
    if wrong == height * width:
        return f"Every cell is wrong. {size}".strip()
    where = [
        text
        for text in (
            _some("row", rows, height) if height > 1 else "",
            _some("column", columns, width) if width > 1 else "",
        )
        if text
    ]
    place = f", all in {' and '.join(where)}" if where else ""
    return f"{wrong} of {height * width} cells are wrong{place}. {size}".strip()


def _some(axis: str, found: Sequence[int], size: int) -> str:
    """`row 0`, `columns 2, 3`; empty where it is all of them, or too many to name."""
    if len(found) == size or len(found) > 4:
        return ""
    return f"{axis}{'s' * (len(found) > 1)} {', '.join(map(str, found))}"


def _times(level: int) -> str:
    """The upper end of a level, in words a reader can take in."""
    power, half = divmod(level, 2)
    number = 10**power * (3 if half else 1)
    return f"up to {number:,} times" if power < 7 else f"about {power_of_ten(power)} times"


def power_of_ten(power: int) -> str:
    """`10⁹`."""
    return f"10{str(power).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def _blocks(shape: Sequence[int], height: int, width: int) -> str:
    elements = math.prod(shape)
    return "" if elements == height * width else f"a cell is the worst of about {round(elements / (height * width))}"


# ----------------------------------------------------------------------------------------------------- losses, in lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of SVG; broken where a loss is not finite."""

    path: str
    end: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurve:
    """Two lines in a frame of WIDE by HIGH units, ticks of both axes, and the words."""

    actual: Line
    expected: Line
    ticks: tuple[tuple[int, str], ...]
    """Height and label."""
    first: int
    last: int
    log: bool
    words: str
    rows: tuple[tuple[int, str, str], ...]
    """Step, yours, the reference's: a few of them."""


WIDE: Final = 600
HIGH: Final = 200


def loss_curve(curve: CurveReport) -> LossCurve | None:
    """Draw a training beside the reference's; None where there is no line to draw."""
    actual, expected = ([_float(loss) for loss in losses] for losses in (curve.actual, curve.expected))
    finite = [loss for loss in (*actual, *expected) if math.isfinite(loss)]
    if len(curve.steps) < 2 or not finite:
        return None
    low, high = min(finite), max(finite)
    log = low > 0 and high / low > 50
    scale = _Scale(math.log(low) if log else low, math.log(high) if log else high, log)
    marks = (high, math.sqrt(low * high) if log else (low + high) / 2, low) if high > low else (low,)
    at = sorted({round(share * (len(curve.steps) - 1) / 4) for share in range(5)})
    return LossCurve(
        actual=_line(curve.steps, actual, scale),
        expected=_line(curve.steps, expected, scale),
        ticks=tuple((scale.y(mark), f"{mark:.3g}") for mark in marks),
        first=curve.steps[0],
        last=curve.steps[-1],
        log=log,
        words=_curve_in_words(curve.steps, actual, expected),
        rows=tuple((curve.steps[i], f"{actual[i]:.4g}", f"{expected[i]:.4g}") for i in at),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    log: bool

    def y(self, loss: float) -> int:
        """Height of a loss, 0 at the top."""
        value = math.log(loss) if self.log else loss
        return round(HIGH * (self.high - value) / (self.high - self.low)) if self.high > self.low else HIGH // 2


def _line(steps: Sequence[int], losses: Sequence[float], scale: _Scale) -> Line:
    path, end, pen = [], (0, HIGH), "M"
    for step, loss in zip(steps, losses, strict=True):
        if not math.isfinite(loss):
            pen = "M"
            continue
        end = (round(WIDE * (step - steps[0]) / (steps[-1] - steps[0])), scale.y(loss))
        path.append(f"{pen}{end[0]} {end[1]}")
        pen = "L"
    return Line(path="".join(path), end=end)


def _curve_in_words(steps: Sequence[int], actual: Sequence[float], expected: Sequence[float]) -> str:
    apart = next(
        (
            step
            for step, mine, other in zip(steps, actual, expected, strict=True)
            if not math.isclose(mine, other, rel_tol=1e-5, abs_tol=1e-12)
        ),
        None,
    )
    ends = f"Yours goes from {actual[0]:.3g} to {actual[-1]:.3g}, the reference's to {expected[-1]:.3g}."
    if apart is None:
        return f"{ends} They are the same at every step that is shown."
    return f"{ends} They first differ at step {apart}."


def _float(value: Number) -> float:
    return float(value)


# --------------------------------------------------------------------------------------------------------- shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A piece of a bar, in thousandths of its length."""

    name: str
    start: int
    width: int


def bars(shares: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    """Pieces side by side, as long as their shares of the sum; those of nothing are left out."""
    total = sum(share for _, share in shares) or 1.0
    edges = [0.0]
    for _, share in shares:
        edges.append(edges[-1] + share)
    return tuple(
        Bar(name=name, start=round(1000 * start / total), width=round(1000 * end / total) - round(1000 * start / total))
        for (name, _), start, end in zip(shares, edges, edges[1:], strict=False)
        if end > start
    )
