"""The commands about a class: grade it, grade it again, put gradebooks together, look into one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from grader.calls import Rung
from grader.cli.terminal import PASSED, UNDECIDED, Progress, painted, say, tell, warn_of_no_wall
from grader.devices import require as require_device
from grader.errors import CourseError, GradebookError, MachineError
from grader.settings import Device
from grader.topics import find_manifest

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.batch.handins import Class
    from grader.batch.running import Graders, Shard, Tally
    from grader.batch.work import Graded, Order, Task
    from grader.gradebook import Gradebook

__all__ = ["batch_command", "merge_command", "regrade_command", "show_command"]

SCORES: Final = "scores.csv"
MAX_LISTED: Final = 20
_LINE_SECONDS: Final = 60.0
"""Between two lines of progress where there is no terminal: enough to show that it lives, few enough for a log."""


def _shard(_: click.Context, __: click.Parameter, value: str | None) -> Shard:
    """`2/3`: the second of three. All of them if it is not given."""
    return _shard_of(value or "1/1")


def _shard_of(value: str) -> Shard:
    from grader.batch.running import Shard

    first, slash, second = value.partition("/")
    if not slash or not (first.isdecimal() and second.isdecimal()) or not 1 <= int(first) <= int(second):
        raise click.BadParameter(f"{value!r} is not one of n shares, such as 2/3")
    return Shard(i=int(first), n=int(second))


def _how(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say who grades, and behind which wall."""
    for option in (
        click.option(
            "--unsafe",
            is_flag=True,
            help="Take the wall down: the code can do whatever you can. The reports say so. For code that you trust.",
        ),
        click.option(
            "--require",
            type=click.Choice([rung.value for rung in (Rung.FULL, Rung.SECCOMP, Rung.NONE)]),
            default=Rung.SECCOMP.value,
            show_default=True,
            help="Least wall to run the code behind; as for `grader grade`.",
        ),
        click.option(
            "--device",
            type=click.Choice([device.value for device in Device]),
            default=Device.AUTO.value,
            show_default=True,
            help="As for `grader grade`. With a GPU, what was pending in RUN is graded again.",
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Grade on this Dask cluster: address of its scheduler, or its scheduler file. Needs gradmark[dask].",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="Submissions graded at once on this machine. Default: one a core.",
        ),
    ):
        command = option(command)
    return command


@click.command(
    "batch",
    epilog="""\b
Examples:
  grader batch submissions/ --assignment mlp --out run
  grader batch submissions.zip --assignment mlp --out run --seed 8671
  grader batch submissions/ --assignment mlp --out run --dask tcp://10.0.0.1:8786
  grader batch submissions/ --assignment mlp --out run2 --shard 2/3

\b
Exit codes: 0 every submission is graded, 2 some could not be (the list says
whose fault that is), 130 interrupted: the same command goes on.
""",
)
@click.argument("submissions", type=click.Path(exists=True, path_type=Path))
@click.option("--assignment", required=True, metavar="NAME|PATH", help="Topic, or folder of an assignment.toml.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="RUN",
    help="Folder of the gradebook and of scores.csv; made if it is not there.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    envvar="GRADMARK_SEED",
    show_envvar=True,
    help="Private seed of the hidden cases. It is kept in RUN, and in no report.",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=_shard,
    help="Grade only the I-th of N shares; `grader merge` puts them together.",
)
@_how
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the output."
)
def batch_command(
    submissions: Path,
    assignment: str,
    out: Path,
    seed: int | None,
    shard: Shard,
    form: str,
    **how: Any,
) -> int:
    """Grade a class: SUBMISSIONS is a folder, a zip, or what Canvas, Moodle or Gradescope let you download.

    Each result is in RUN before the next one is taken: whatever ends this command, given again it goes on, and grades
    only what is new or was handed in anew. Of several hand-ins of one student the last one counts; late ones count
    and are marked. What is left out is listed.
    """
    if out.resolve().is_relative_to(submissions.resolve()):
        raise click.BadParameter(f"{out} lies in {submissions}, and would be a hand-in there", param_hint="'--out'")
    loaded, order = _order(assignment, seed, how)
    handed_in = _read(submissions, shard)
    from grader.batch.running import Pass, begin
    from grader.gradebook import Gradebook

    with Gradebook(out, write=True) as book:
        begin(book, loaded, order, submissions, shard)
        with _Telling(len(handed_in.handins)) as telling:
            whole = Pass(book, loaded, order, told=telling)
            with _scores_in_the_end(book, telling):
                whole.grade(handed_in.handins, _graders(loaded, order, how, telling))
        return _told_of_class(book, loaded, whole.tally, handed_in, form)


@click.command(
    "regrade",
    epilog="""\b
Examples:
  grader regrade run --diff          after mending the assignment: whose points change?
  grader regrade run                 have the new points count
  grader regrade run --seed 99 --diff

\b
Exit codes: 0 done, 2 some could not be graded, 130 interrupted.
""",
)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--diff", is_flag=True, help="Grade, and say whose points would change and why; nothing counts yet.")
@click.option("--submissions", type=click.Path(exists=True, path_type=Path), help="Default: where they lay before.")
@click.option("--assignment", metavar="NAME|PATH", help="Default: the one before, as it is now.")
@click.option(
    "--seed", type=click.IntRange(min=0), metavar="N", help="Private seed of the hidden cases. Default: the one before."
)
@_how
def regrade_command(
    run: Path, diff: bool, submissions: Path | None, assignment: str | None, seed: int | None, **how: Any
) -> int:
    """Grade the class of RUN again, with the assignment and gradmark as they are now.

    With --diff nothing is replaced. Without it the new results count from then on, and what was is kept: `grader show
    RUN STUDENT --history`. What has been graded for --diff is not graded a second time.
    """
    from grader.batch.comparing import causes, changes, render_changes
    from grader.batch.running import Pass, begin, common_key
    from grader.gradebook import Gradebook

    Gradebook(run).close()  # there must be one: to write to it would make it
    with Gradebook(run, write=True) as book:
        kept = book.about("seed")
        if seed is None and kept:
            seed = int(kept)
        loaded, order = _order(assignment or book.about("manifest") or "", seed, how)
        shard = _shard_of(book.about("shard") or "1/1")
        where = submissions or Path(book.about("submissions") or "nowhere")
        if not where.exists():
            raise GradebookError(f"the submissions are not at {where} any more: say where, with --submissions")
        handed_in = _read(where, shard)
        with _Telling(len(handed_in.handins)) as telling:
            whole = Pass(book, loaded, order, counts=False, told=telling)
            whole.grade(handed_in.handins, _graders(loaded, order, how, telling))
        before = {recorded.attempt.student: recorded for recorded in book.current()}
        common = common_key(loaded, order)
        why = sorted({cause for recorded in before.values() for cause in causes(recorded.key, common)})
        say(render_changes(list(changes(book, whole.found)), why, len(before)))
        new = [item for student, item in whole.found.items() if student not in before or before[student].row != item[0]]
        if diff:
            say(f"\nNothing is replaced. `grader regrade {run}` has {len(new)} new results count.")
        else:
            book.count(new)
            begin(book, loaded, order, where, shard, anew=True)
            _write_scores(book)
        undecided = any(book.sealed(row).points.undecided for row, _ in whole.found.values())
        return UNDECIDED if undecided else PASSED


@click.command(
    "merge",
    epilog="""\b
Example:
  grader batch class.zip --assignment mlp --out part1 --shard 1/2     on one machine
  grader batch class.zip --assignment mlp --out part2 --shard 2/2     on another
  grader merge part1 part2 --out run
""",
)
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="RUN",
    help="Folder of the gradebook to add them to; made if it is not there.",
)
def merge_command(runs: Sequence[Path], out: Path) -> int:
    """Put the gradebooks of RUNS together, those of shards for instance.

    They must have been graded with the same assignment, gradmark and seed. Where a student has a result in several,
    the one recorded last counts. Merging twice changes nothing.
    """
    from grader.batch.merging import merge
    from grader.gradebook import Gradebook

    merged = merge(runs, out)
    with Gradebook(out, write=True) as book:
        _write_scores(book)
    say(f"{merged.students} students, {merged.added} results added; scores in {out / SCORES}")
    for line in _listed(merged.twice):
        tell(f"in several, the one recorded last counts: {line}")
    return PASSED


@click.command(
    "show",
    epilog="""\b
Examples:
  grader show run                    the class
  grader show run ada                one student's result
  grader show run ada --history      all results there were
  grader show run ada --format json > ada.json
  grader show run ada --for-student  as much of it as the manifest's feedback lets a student see
  grader show run ada --html ada.html
""",
)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("student", required=False)
@click.option(
    "--for-student", is_flag=True, help="Of one STUDENT's result only what the manifest's `feedback` lets students see."
)
@click.option("--history", is_flag=True, help="List every result of the student, the one that counts last.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the student's page here, and print nothing.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the output."
)
def show_command(run: Path, student: str | None, for_student: bool, history: bool, page: Path | None, form: str) -> int:
    """Show what the gradebook of RUN holds: of the class, or of one STUDENT, all of it unless --for-student."""
    if for_student and student is None:
        raise click.UsageError("--for-student is about one student: say which")
    from grader.batch.summary import render_class
    from grader.gradebook import Gradebook

    if page is not None and (student is None or history):
        raise click.BadParameter("a page is of one STUDENT, and not of a history", param_hint="'--html'")
    with Gradebook(run) as book:
        if student is None:
            say(painted(render_class(book, book.about("name") or run.name)))
            return PASSED
        latest = book.latest(student)
        if latest is None:
            raise GradebookError(f"{run} has nothing of {student!r}")
        if history:
            for recorded in book.history(student):
                attempt = recorded.attempt
                late = ", late" if attempt.late else ""
                say(f"{recorded.recorded}  {recorded.sealed.points}  {attempt.why}: {attempt.handin}{late}")
            return PASSED
        from grader.report import feedback
        from grader.report.console import render
        from grader.report.model import report_json

        report = book.report(latest.row, student)
        report = feedback.for_student(report) if for_student else report
        if page is not None:
            from grader.report.html import write_html

            write_html(report, page)
            return PASSED
        say(report_json(report) if form == "json" else painted(render(report)))
    return PASSED


# ------------------------------------------------------------------------------------------------------ what is graded


def _order(assignment: str, seed: int | None, how: dict[str, Any]) -> tuple[Assignment, Order]:
    from grader.batch.work import Order
    from grader.manifest import load_assignment

    try:
        manifest = find_manifest(assignment)
    except CourseError as error:
        raise click.BadParameter(str(error), param_hint="'--assignment'") from error
    rung = Rung.NONE if how["unsafe"] else Rung.FULL
    if rung is Rung.NONE:
        warn_of_no_wall("--unsafe was given")
    require = Rung.NONE if how["unsafe"] else Rung(how["require"])
    device = Device(how["device"])
    require_device(device)
    order = Order(manifest=manifest.resolve(), seed=seed, rung=rung, require=require, device=device)
    return load_assignment(manifest), order


def _read(submissions: Path, shard: Shard) -> Class:
    """The hand-ins, or those of a share, with what is to be said of them."""
    from grader.batch.handins import read_class

    found = read_class(submissions)
    tell(f"{found.layout}: {len(found.handins)} {'student' if len(found.handins) == 1 else 'students'}")
    for line in _listed([f"{left.where}: {left.why}" for left in found.left_out]):
        tell(f"left out: {line}")
    if shard.n == 1:
        return found
    mine = tuple(handin for handin in found.handins if handin in shard)
    tell(f"share {shard}: {len(mine)} of them")
    return replace(found, handins=mine)


def _listed(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MAX_LISTED
    return [*lines[:MAX_LISTED], *([f"and {more} more"] if more > 0 else [])]


def _graders(assignment: Assignment, order: Order, how: dict[str, Any], telling: _Telling) -> Graders:
    from grader.batch.cluster import grade_on_cluster
    from grader.batch.judges import grade_here
    from grader.batch.running import patience

    workers, most = how["workers"] or _cores(), patience(assignment)

    def graders(tasks: Iterator[Task]) -> Iterator[Graded]:
        if how["dask"]:
            return grade_on_cluster(order, tasks, address=how["dask"], waiting=telling.waiting)
        return grade_here(order, tasks, workers=workers, patience=most, waiting=telling.waiting)

    return lambda tasks: _warned_of(graders(tasks), order)


def _warned_of(results: Iterator[Graded], order: Order) -> Iterator[Graded]:
    """The same results, with a warning where the first one that ran something had no wall."""
    from grader.gradebook import unseal

    told = order.rung is Rung.NONE  # it was asked for, and said
    for graded in results:
        if not told:
            environment = unseal(graded.sealed.report).environment
            told = bool(environment.isolation)
            if told and environment.wall is Rung.NONE:
                warn_of_no_wall("this machine can't build one")
        yield graded


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# -------------------------------------------------------------------------------------------------------- what is told


class _Telling:
    """How far a pass is: a line on a terminal, written over and over; else a line a minute."""

    def __init__(self, total: int) -> None:
        self._progress = Progress()
        self._total = total
        self._tally: Tally | None = None
        self._told = 0
        self._last = time.monotonic()
        self._longest = ""

    def __call__(self, tally: Tally) -> None:
        self._tally = tally
        for student, fault in tally.troubles[self._told :]:
            self._progress.erase()
            tell(f"{student}: undecided, the {fault} is at fault")
        self._told = len(tally.troubles)
        self._show()

    def waiting(self, busy: Sequence[tuple[str, float]]) -> None:
        """About twice a second: what is being graded."""
        self._longest = f"  {busy[0][0]} for {busy[0][1]:.0f} s" if busy and busy[0][1] > 2 else ""
        self._show()

    def _show(self) -> None:
        if self._progress.shown:
            self._progress(self._line())
        elif time.monotonic() - self._last > _LINE_SECONDS:
            self._last = time.monotonic()
            tell(self._line())

    def _line(self) -> str:
        tally = self._tally
        if tally is None:
            return f"0/{self._total}  starting{self._longest}"
        counts = ", ".join(f"{tally.verdicts[name]} {name}" for name in ("failed", "undecided") if tally.verdicts[name])
        left = f"  {tally.rate:.1f}/s  {_clock((tally.total - tally.done) / tally.rate)} left" if tally.rate else ""
        return f"{tally.done}/{tally.total}{left}{f'  {counts}' if counts else ''}{self._longest}"

    def so_far(self) -> str:
        """What to say where it ends before the end."""
        done = self._tally.done if self._tally else 0
        return f"{done} of {self._total} are graded and kept; the same command goes on from there"

    def __enter__(self) -> _Telling:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.erase()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@contextmanager
def _scores_in_the_end(book: Gradebook, telling: _Telling) -> Iterator[None]:
    """Write scores.csv of what there is, also where it was interrupted."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, MachineError):
        telling.__exit__()
        tell(telling.so_far())
        try:
            _write_scores(book)
        except MachineError as error:
            tell(str(error))
        raise
    _write_scores(book)


def _write_scores(book: Gradebook) -> None:
    from grader.batch.summary import scores_csv

    path = book.folder / SCORES
    scratch = path.with_name(f".{SCORES}.part")
    try:
        scratch.write_text(scores_csv(book), encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise MachineError(f"{path} can't be written: {error.strerror or error}") from error


def _told_of_class(book: Gradebook, assignment: Assignment, tally: Tally, handed_in: Class, form: str) -> int:
    from grader.batch.summary import render_class

    undecided = [r for r in book.current() if r.sealed.points.undecided]
    if form == "json":
        document = {
            "format": "gradmark-class",
            "version": 1,
            "assignment": assignment.name,
            "handins": tally.total,
            "graded": tally.graded,
            "known": tally.known,
            "seconds": round(tally.seconds, 3),
            "undecided": {r.attempt.student: list(r.sealed.faults) for r in undecided},
            "left_out": [{"where": left.where, "why": left.why} for left in handed_in.left_out],
            "scores": str(book.folder / SCORES),
        }
        say(json.dumps(document, indent=2))
    else:
        say(painted(render_class(book, assignment.name)))
        say(f"{_pace(tally)}. Scores: {book.folder / SCORES}; one student: grader show {book.folder} STUDENT")
    return UNDECIDED if undecided else PASSED


def _pace(tally: Tally) -> str:
    known = f", {tally.known} were known" if tally.known else ""
    rate = f" ({tally.graded / tally.seconds:.1f} a second)" if tally.graded else ""
    return f"{tally.graded} graded in {_clock(tally.seconds)}{rate}{known}"
