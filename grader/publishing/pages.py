"""The pages about a class, from its tally. Pure: no file is touched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.publishing.lesson import Lesson, anchor_for
from grader.publishing.tally import BINS, ClassTally, Mistake, Outcome, PartTally, Seen, bin_of
from grader.report.console import points
from grader.report.html import part_anchor, render_page

__all__ = ["FEWEST", "About", "lesson_page", "mistake_page", "overview_page", "part_page"]

FEWEST: Final = 5
"""Students, of whom a page without names may tell at least; and whom it leaves at least untold."""
MOST_MISTAKES: Final = 80
"""On the overview; what fewer made has a page of its own all the same."""
_OUTCOMES: Final[tuple[Outcome, ...]] = ("right", "partly", "wrong", "not written", "undecided", "pending")
_COLOURS: Final[Mapping[Outcome, str]] = {
    "right": "earned",
    "partly": "half",
    "wrong": "missed",
    "not written": "lost",
    "undecided": "open",
    "pending": "open",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What all pages of a site say of it."""

    assignment: str
    title: str
    recorded: str
    """When the last of the results was recorded."""
    lesson: Lesson | None
    anonymous: bool


# ------------------------------------------------------------------------------------------------------- the overview


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bin:
    """A column of the distribution."""

    index: int
    label: str
    count: int
    height: int
    """In hundredths of the highest."""
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartRow:
    """A part of the assignment on the overview."""

    tally: PartTally
    href: str
    shares: tuple[tuple[str, float], ...]
    words: str
    right: str
    difficulty: str
    tells: str
    warns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _MistakeRow:
    """A mistake on the overview."""

    mistake: Mistake
    href: str
    count: str
    share: int
    """Of the class, in thousandths."""
    lessons: tuple[tuple[str, str], ...]
    """Exercise, and where the lesson tells of it."""


def overview_page(about: About, tally: ClassTally) -> str:
    """The page that opens the site."""
    size = len(tally.students)
    full, nothing = len(tally.bins[-1]), sum(not one.points.earned for one in tally.students)
    shown = [
        (number, mistake)
        for number, mistake in enumerate(tally.mistakes)
        if not about.anonymous or len(mistake.students) >= FEWEST
    ]
    rows = [_mistake_row(about, number, mistake, size) for number, mistake in shown[:MOST_MISTAKES]]
    return render_page(
        "overview.html",
        about=about,
        tally=tally,
        size=size,
        full=_count(full, size, about.anonymous),
        nothing=_count(nothing, size, about.anonymous),
        troubled=[] if about.anonymous else [one for one in tally.students if one.troubles],
        undecided=_count(sum(bool(one.troubles) for one in tally.students), size, about.anonymous),
        pending=_count(sum(bool(one.points.pending) for one in tally.students), size, about.anonymous),
        bins=_merged(tally) if about.anonymous else _bins(tally),
        causes=[row for row in rows if row.mistake.known],
        seen=[row for row in rows if not row.mistake.known],
        more_mistakes=len(tally.mistakes) - len(rows),
        parts=[_part_row(about, number, part, size) for number, part in enumerate(tally.parts)],
        rows=[] if about.anonymous else list(_rows(tally)),
        outcomes=[
            (outcome, _COLOURS[outcome])
            for outcome in _OUTCOMES
            if any(outcome in part.outcomes for part in tally.parts)
        ],
    )


def _count(count: int, size: int, anonymous: bool) -> str:
    """A number of students; in words where a few would stand out."""
    if not anonymous or count == 0 or FEWEST <= count <= size - FEWEST:
        return str(count)
    return f"fewer than {FEWEST}" if count < FEWEST else "all" if count == size else "nearly all"


def _bins(tally: ClassTally) -> list[_Bin]:
    highest = max(map(len, tally.bins))
    return [_bin(tally, index, index + 1, len(students), highest) for index, students in enumerate(tally.bins)]


def _merged(tally: ClassTally) -> list[_Bin]:
    """Columns of nobody or of at least FEWEST students, each of as many tenths as that takes."""
    columns: list[tuple[int, int, int]] = []
    for index, students in enumerate(tally.bins):
        if columns and 0 < columns[-1][2] < FEWEST:
            first, _, count = columns.pop()
            columns.append((first, index + 1, count + len(students)))
        else:
            columns.append((index, index + 1, len(students)))
    while len(columns) > 1 and 0 < columns[-1][2] < FEWEST:
        (first, _, before), (_, end, count) = columns[-2:]
        columns[-2:] = [(first, end, before + count)]
    highest = max(count for _, _, count in columns)
    return [_bin(tally, first, end, count, highest) for first, end, count in columns]


def _bin(tally: ClassTally, first: int, end: int, count: int, highest: int) -> _Bin:
    low, high = tally.possible * first / BINS, tally.possible * min(end, BINS) / BINS
    everything = first == BINS
    range_ = f"all {points(tally.possible)}" if everything else f"{points(low)} to {points(high)}"
    return _Bin(
        index=first,
        label="all" if everything else points(low),
        count=count,
        height=round(100 * count / highest) if highest else 0,
        words=f"{count} student{'' if count == 1 else 's'} with {range_} points",
    )


def _part_row(about: About, number: int, part: PartTally, size: int) -> _PartRow:
    counts = {outcome: len(part.outcomes.get(outcome, ())) for outcome in _OUTCOMES}
    right = counts["right"]
    if about.anonymous:
        total = sum(counts.values()) or 1
        share = 5 * round(20 * right / total)
        shares: tuple[tuple[str, float], ...] = (("earned", share), ("lost", 100 - share))
        return _PartRow(
            tally=part, href="", shares=shares, words=f"about {share} %", right=f"about {share} %",
            difficulty="", tells="", warns=False,
        )  # fmt: skip
    return _PartRow(
        tally=part,
        href=f"parts/{number + 1}.html",
        shares=tuple((_COLOURS[outcome], count) for outcome, count in counts.items()),
        words=", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count),
        right=str(right),
        difficulty="–" if part.difficulty is None else f"{part.difficulty:.2f}",
        tells="–" if part.discrimination is None else f"{part.discrimination:+.2f}".replace("-", "−"),
        warns=part.discrimination is not None and part.discrimination < 0.1,
    )


def _mistake_row(about: About, number: int, mistake: Mistake, size: int) -> _MistakeRow:
    count = len(mistake.students)
    exercises = dict.fromkeys(part.partition(" / ")[0] for part in mistake.parts)
    found = [(exercise, _lesson(about, exercise)) for exercise in exercises]
    return _MistakeRow(
        mistake=mistake,
        href="" if about.anonymous else f"mistakes/{number + 1}.html",
        count=_count(count, size, about.anonymous),
        share=round(1000 * count / size),
        lessons=tuple((exercise, href) for exercise, href in found[:4] if href),
    )


def _lesson(about: About, exercise: str) -> str:
    """Where the lesson tells of an exercise, from the overview; empty if there is no lesson."""
    if about.lesson is None:
        return ""
    where = "lesson.html" if about.anonymous else "students/lesson.html"
    return f"{where}{anchor_for(about.lesson, exercise)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A student in the table."""

    seen: Seen
    bin: int
    first: bool
    """Of its bin: what a link to the bin leads to."""
    words: str


def _rows(tally: ClassTally) -> list[_Row]:
    rows, told = [], set()
    for one in tally.students:
        index = bin_of(one.points)
        words = [one.verdict, *(["late"] if one.late else [])]
        rows.append(_Row(seen=one, bin=index, first=index not in told, words=" ".join(words)))
        told.add(index)
    return rows


# ------------------------------------------------------------------------------------------- who is behind a number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A student on a page of evidence."""

    seen: Seen
    href: str
    points: str
    told: tuple[tuple[str, str], ...]
    """What was found, and its worst element."""


def part_page(about: About, tally: ClassTally, number: int) -> str:
    """Everybody, by how one part ended."""
    part = tally.parts[number]
    groups = [
        (outcome, [_line(tally.students[place], part.name) for place in part.outcomes[outcome]])
        for outcome in ("wrong", "partly", "undecided", "pending", "not written", "right")
        if outcome in part.outcomes
    ]
    return render_page("part.html", about=about, part=part, groups=groups, size=len(tally.students))


def mistake_page(about: About, tally: ClassTally, number: int) -> str:
    """Everybody who made one mistake."""
    mistake = tally.mistakes[number]
    row = _mistake_row(about, number, mistake, len(tally.students))
    lines = [
        _Line(
            seen=tally.students[place],
            href=_href(tally.students[place], found[0].part),
            points=points(tally.students[place].points.earned),
            told=tuple((f"{one.part}: {one.headline}", one.worst) for one in found),
        )
        for place, found in mistake.students.items()
    ]
    return render_page("mistake.html", about=about, mistake=mistake, row=row, lines=lines, size=len(tally.students))


def lesson_page(about: About, lesson: Lesson) -> str:
    """The lesson."""
    return render_page("lesson.html", about=about, lesson=lesson)


def _line(seen: Seen, part: str) -> _Line:
    found = [one for one in seen.found if one.part == part]
    earned, _ = seen.parts[part]
    return _Line(
        seen=seen,
        href=_href(seen, part),
        points=points(earned.earned),
        told=tuple((one.headline, one.worst) for one in found),
    )


def _href(seen: Seen, part: str) -> str:
    """A part on a student's page, from a page of evidence."""
    return f"../students/{seen.address}#{part_anchor(_place(seen.parts, part))}"


def _place(parts: Mapping[str, object], name: str) -> int:
    order: Sequence[str] = list(parts)
    return order.index(name)
