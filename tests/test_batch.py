"""A class: every hand-in gets its report, whatever is killed, full, changed or handed in."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from courses import grade_text, make_course

from grader import cli
from grader.assignment import Assignment
from grader.batch import judges
from grader.batch.cluster import grade_on_cluster
from grader.batch.handins import read_class
from grader.batch.running import Pass, begin, patience
from grader.batch.summary import scores_csv
from grader.batch.work import Graded, Order, Task
from grader.calls import Rung
from grader.cli import classes
from grader.errors import MachineError
from grader.gradebook import Gradebook, seal
from grader.report.model import validate
from grader.submission import Submission, read_submission

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds and kills processes by /proc")

EXERCISE = """
name = "double"
kind = "function"
function = "double"
reference = "double"
inputs = { x = "N" }
points = { value = 2 }
case = [{ name = "small", sizes = { N = 3 } }, { name = "hidden", sizes = { N = 5 }, hidden = true }]
"""
REFERENCE = "def double(x):\n    return 2 * x\n"
RIGHT = "def double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return 3 * x\n"
SLOW = "import time\ndef double(x):\n    time.sleep({seconds})\n    return 2 * x\n"


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    """A course of one function."""
    (tmp_path / "course").mkdir()
    return make_course(tmp_path / "course", EXERCISE, REFERENCE)


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """A class of five."""
    folder = tmp_path / "handed_in"
    folder.mkdir()
    (folder / "ada.py").write_text(RIGHT)
    (folder / "bob.py").write_text(WRONG)
    (folder / "eve").mkdir()
    (folder / "eve" / "t.py").write_text("import os\nos._exit(0)\n")
    (folder / "joe.zip").write_bytes(b"PK\x03\x04 and then nothing")
    (folder / "liz.pdf").write_bytes(b"%PDF-1.7")
    return folder


def grade(folder: Path, course: Assignment, out: Path, *more: object) -> int:
    """`grader batch` in this process, behind whatever wall there is."""
    argv = ["batch", folder, "--assignment", course.manifest, "--out", out, "--require", "none", *more]
    return cli.main([str(item) for item in argv])


def points(out: Path) -> dict[str, str]:
    """Points by student, as scores.csv has them."""
    with (out / "scores.csv").open() as file:
        return {row["student"]: row["earned"] for row in csv.DictReader(file)}


def json_of(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """What --format json printed."""
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------------- what is told


def test_everyone_gets_a_report(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grade(handed_in, course, tmp_path / "run") == cli.PASSED
    assert capsys.readouterr().out.startswith("t: 5 students, 1 with all 2 points, 4 with none; mean 0.4, median 0\n")
    assert points(tmp_path / "run") == {"ada": "2", "bob": "0", "eve": "0", "joe": "0", "liz": "0"}
    with Gradebook(tmp_path / "run") as book:
        for recorded in book.current():
            report = book.report(recorded.row, recorded.attempt.student)
            validate(json.loads(msgspec.json.encode(report)))
            assert report.submission.name == recorded.attempt.student
            codes = {
                finding.code
                for part in report.exercises[0].parts
                for check in part.checks
                for finding in check.findings
            }
            expected = {"ada": set(), "bob": {"WRONG_VALUE"}, "eve": {"DOES_NOT_LOAD"}}
            assert codes == expected.get(recorded.attempt.student, {"SUBMISSION_UNREADABLE"})
            assert str(tmp_path) not in str(report)  # no path of this machine


def test_what_is_known_is_not_graded_again(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    grade(handed_in, course, run)
    before = (run / "scores.csv").read_bytes()
    capsys.readouterr()
    grade(handed_in, course, run, "--format", "json")
    told = json_of(capsys)
    assert (told["handins"], told["graded"], told["known"]) == (5, 0, 5)
    assert (run / "scores.csv").read_bytes() == before
    (handed_in / "bob.py").write_text(RIGHT)
    (handed_in / "ann.py").write_text(WRONG)
    grade(handed_in, course, run, "--format", "json")
    assert json_of(capsys)["graded"] == 2
    assert points(run) == {"ada": "2", "ann": "0", "bob": "2", "eve": "0", "joe": "0", "liz": "0"}
    assert cli.main(["show", str(run), "bob", "--history"]) == cli.PASSED
    assert [line.split("  ")[1] for line in capsys.readouterr().out.splitlines()] == ["0 of 2", "2 of 2"]


def test_the_same_bytes_are_graded_once_and_each_has_a_report(
    course: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for student in ("ada", "bob", "eve"):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "t.py").write_text(WRONG)
    grade(tmp_path / "class", course, tmp_path / "run")
    with Gradebook(tmp_path / "run") as book:
        found = list(book.current())
        assert [recorded.attempt.student for recorded in found] == ["ada", "bob", "eve"]
        assert len({recorded.row for recorded in found}) == 1
    capsys.readouterr()
    assert cli.main(["show", str(tmp_path / "run"), "eve", "--format", "json"]) == cli.PASSED
    told = capsys.readouterr().out
    assert json.loads(told)["submission"]["name"] == "eve"
    assert "ada" not in told


def test_another_seed_or_assignment_is_not_mixed_in(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grade(handed_in, course, tmp_path / "run")
    capsys.readouterr()
    assert grade(handed_in, course, tmp_path / "run", "--seed", 5) == cli.UNDECIDED
    assert "was graded with another seed of the hidden cases" in capsys.readouterr().err
    course.reference.write_text("import torch\ndef double(x):\n    return x + x\n")
    assert grade(handed_in, course, tmp_path / "run") == cli.UNDECIDED
    assert "was graded with another assignment. `grader regrade" in capsys.readouterr().err


def test_a_private_seed_is_in_no_report(course: Assignment, handed_in: Path, tmp_path: Path) -> None:
    seed = 918273645
    grade(handed_in, course, tmp_path / "run", "--seed", seed)
    with Gradebook(tmp_path / "run") as book:
        assert book.about("seed") == str(seed)
        for recorded in book.current():
            assert str(seed) not in str(book.report(recorded.row))
    assert str(seed) not in (tmp_path / "run" / "scores.csv").read_text()


def test_a_fault_of_the_course_is_undecided_and_2(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course.reference.write_text("import torch\ndef double(x):\n    raise KeyError('w')\n")
    assert grade(handed_in, course, tmp_path / "run") == cli.UNDECIDED
    told = capsys.readouterr()
    assert "ada: 2 points, the course at fault" in told.out
    assert "ada: undecided, the course is at fault" in told.err


def test_a_mistake_of_ours_in_reading_is_the_machines_fault(
    course: Assignment, handed_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(path: Path, *args: object) -> Submission:
        if "bob" in path.name:
            raise RecursionError("too deep")
        return read_submission(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr("grader.batch.running.read_submission", fails)
    assert grade(handed_in, course, tmp_path / "run") == cli.UNDECIDED
    with Gradebook(tmp_path / "run") as book:
        faults = {recorded.attempt.student: recorded.sealed.faults for recorded in book.current()}
    assert faults == {"ada": (), "bob": ("machine",), "eve": (), "joe": (), "liz": ()}


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--assignment", "nothing"], "there is no assignment 'nothing'"),
        (["--shard", "3/2"], "'3/2' is not one of n shares"),
        (["--workers", "0"], "0 is not in the range"),
        (["--out", "{handed_in}/run"], "would be a hand-in there"),
        (["--dask", "tcp://127.0.0.1:9"], "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_mistakes_of_the_caller_are_told_in_a_line(
    course: Assignment,
    handed_in: Path,
    tmp_path: Path,
    argv: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grader.batch.cluster._CONNECT_SECONDS", 1)
    argv = [item.format(handed_in=handed_in) for item in argv]
    assert grade(handed_in, course, tmp_path / "run", *argv) == cli.UNDECIDED
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


# ---------------------------------------------------------------------------------------------------- grading again


def test_regrade_tells_first_and_replaces_then(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    grade(handed_in, course, run)
    before = (run / "scores.csv").read_bytes()
    course.reference.write_text("import torch\ndef double(x):\n    return 3 * x\n")
    capsys.readouterr()
    assert cli.main(["regrade", str(run), "--require", "none", "--diff"]) == cli.PASSED
    told = capsys.readouterr().out
    assert told.startswith("2 of 5 students would have other points, because of the assignment")
    assert (
        "\nbob: 0 of 2 -> 2 of 2\n  double / value: 0 of 2 -> 2 of 2\n"
        "    small: failed (out is not right: 3 of 3 elements differ) -> passed\n" in told
    )
    assert (run / "scores.csv").read_bytes() == before
    with Gradebook(run) as book:
        assert all(recorded.attempt.why == "batch" for recorded in book.current())
    assert cli.main(["regrade", str(run), "--require", "none"]) == cli.PASSED
    assert points(run) == {"ada": "0", "bob": "2", "eve": "0", "joe": "0", "liz": "0"}
    with Gradebook(run) as book:
        assert [recorded.sealed.points.earned for recorded in book.history("bob")] == [0, 2]
        rows = [recorded.row for recorded in book.history()]
    capsys.readouterr()
    assert cli.main(["regrade", str(run), "--require", "none", "--diff"]) == cli.PASSED  # all known: nothing to grade
    assert capsys.readouterr().out.startswith("0 of 5 students would have other points\n")
    assert grade(handed_in, course, run) == cli.PASSED  # and the batch goes on from the new state
    with Gradebook(run) as book:
        assert [recorded.row for recorded in book.history()] == rows


def test_regrade_needs_a_gradebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["regrade", str(tmp_path), "--diff"]) == cli.UNDECIDED
    assert "holds no gradebook" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_regrade_needs_the_submissions(
    course: Assignment, handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grade(handed_in, course, tmp_path / "run")
    handed_in.rename(tmp_path / "elsewhere")
    assert cli.main(["regrade", str(tmp_path / "run"), "--diff"]) == cli.UNDECIDED
    assert f"the submissions are not at {handed_in} any more" in capsys.readouterr().err
    argv = [
        "regrade",
        str(tmp_path / "run"),
        "--diff",
        "--require",
        "none",
        "--submissions",
        str(tmp_path / "elsewhere"),
    ]
    assert cli.main(argv) == cli.PASSED


# ------------------------------------------------------------------------------------------------------ many machines


def test_three_shards_merged_are_one_run(course: Assignment, tmp_path: Path) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    for number in range(12):
        (folder / f"s{number}.py").write_text((RIGHT, WRONG)[number % 2])
    grade(folder, course, tmp_path / "whole")
    shares = [tmp_path / f"share{i}" for i in (1, 2, 3)]
    for i, share in enumerate(shares, start=1):
        grade(folder, course, share, "--shard", f"{i}/3")
    assert sum(len(points(share)) for share in shares) == 12
    first = points(shares[0])
    assert cli.main(["regrade", str(shares[0]), "--require", "none"]) == cli.PASSED  # its share, and no more
    assert points(shares[0]) == first
    assert all(points(share) for share in shares)
    assert cli.main(["merge", *map(str, shares), "--out", str(tmp_path / "merged")]) == cli.PASSED
    assert (tmp_path / "merged" / "scores.csv").read_bytes() == (tmp_path / "whole" / "scores.csv").read_bytes()


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A real Dask cluster of two worker processes on this machine."""
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set(
            {"distributed.scheduler.allowed-failures": 1, "distributed.admin.system-monitor.gil.enabled": False}
        ),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0"
        ) as found,
    ):
        yield found


def test_a_dask_cluster_of_which_a_worker_is_killed_grades_all(
    course: Assignment, tmp_path: Path, cluster: object
) -> None:
    folder = a_class(tmp_path / "class", 12)
    order = Order(manifest=course.manifest, require=Rung.NONE)
    killed: list[int] = []

    def kill(graded: int) -> None:
        if graded == 2:
            worker = next(iter(cluster.workers.values()))  # type: ignore[attr-defined]
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)

    with Gradebook(tmp_path / "run", write=True) as book:
        whole = Pass(book, course, order, told=lambda tally: kill(tally.graded))
        address = cluster.scheduler_address  # type: ignore[attr-defined]
        tally = whole.grade(
            read_class(folder).handins,
            lambda tasks: grade_on_cluster(order, tasks, address=address, waiting=lambda busy: None),
        )
        assert killed
        assert tally.graded == len(list(folder.iterdir()))
        assert scores_csv(book) == scores_of_an_undisturbed_run(folder, course, tmp_path)
    assert grade(folder, course, tmp_path / "again", "--dask", address) == cli.PASSED
    assert points(tmp_path / "again") == points(tmp_path / "undisturbed")


# ------------------------------------------------------------------------------------------------- whatever is killed


def a_class(folder: Path, size: int) -> Path:
    """Right ones, wrong ones, some that take a while, some that end their process, one that is no archive."""
    folder.mkdir()
    texts = (
        RIGHT,
        WRONG,
        SLOW.format(seconds=0.2),
        "import os\ndef double(x):\n    os.abort()\n",
        SLOW.format(seconds=0.1),
    )
    for number in range(size):
        (folder / f"s{number:02}.py").write_text(texts[number % len(texts)] + f"# {number}\n")
    (folder / "broken.zip").write_bytes(b"PK")
    return folder


def scores_of_an_undisturbed_run(folder: Path, course: Assignment, tmp_path: Path) -> str:
    """What scores.csv is to be."""
    grade(folder, course, tmp_path / "undisturbed")
    return (tmp_path / "undisturbed" / "scores.csv").read_text()


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    with contextlib.suppress(OSError):
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return []


def kill(pid: int) -> bool:
    """SIGKILL, unless it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


Hook = Callable[[judges._Room], None]


@pytest.fixture
def grade_with(
    course: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path, Hook], dict[str, str]]]:
    """Grade with two judges, and have something happen to them many times a second; who has which verdict."""
    monkeypatch.setattr(judges, "_TICK", 0.02)
    order = Order(manifest=course.manifest, require=Rung.NONE)

    def grade_with(folder: Path, hook: Hook, workers: int = 2) -> dict[str, str]:
        with judges._Room(order, workers, patience(course)) as room, Gradebook(tmp_path / "run", write=True) as book:
            begin(book, course, order, folder)
            whole = Pass(book, course, order)
            whole.grade(read_class(folder).handins, lambda tasks: room.run(tasks, lambda busy: hook(room)))
            return {recorded.attempt.student: recorded.sealed.verdict for recorded in book.current()}

    before = children(os.getpid())
    yield grade_with
    assert children(os.getpid()) == before


def of(room: judges._Room, student: str) -> judges._Judge | None:
    """The judge that grades a student, once it has begun."""
    return next((j for j in room.judges if j.task and j.ready and j.task.submission.name == student), None)


@pytest.mark.parametrize(("times", "verdict"), [(1, "passed"), (2, "undecided")])
def test_a_submission_that_ends_its_judge_is_tried_twice(
    tmp_path: Path, times: int, verdict: str, grade_with: Callable[[Path, Hook], dict[str, str]]
) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "villain.py").write_text(SLOW.format(seconds=0.4))
    for number in range(4):
        (folder / f"s{number}.py").write_text(RIGHT + f"# {number}")
    killed: set[int] = set()

    def hook(room: judges._Room) -> None:
        judge = of(room, "villain")
        if judge is not None and judge.pid not in killed and len(killed) < times:
            killed.add(judge.pid)
            kill(judge.pid)

    assert grade_with(folder, hook) == {f"s{number}": "passed" for number in range(4)} | {"villain": verdict}
    if verdict == "undecided":
        with Gradebook(tmp_path / "run") as book:
            latest = book.latest("villain")
            assert latest is not None
            assert latest.sealed.faults == ("machine",)
            text = str(book.report(latest.row))
            assert "the judge's own process ended 2 times; the last time it was ended by SIGKILL" in text
        assert grade_with(folder, lambda room: None)["villain"] == "passed"  # a machine's fault is graded again


def test_nobody_is_blamed_for_the_end_of_all_judges(
    tmp_path: Path, grade_with: Callable[[Path, Hook], dict[str, str]]
) -> None:
    folder = a_class(tmp_path / "class", 6)
    killed: set[int] = set()

    def hook(room: judges._Room) -> None:
        bench = room.bench
        if bench is not None and any(judge.task and judge.ready for judge in room.judges) and len(killed) < 3:
            killed.add(bench._process.pid)
            kill(bench._process.pid)

    verdicts = grade_with(folder, hook)
    assert len(killed) == 3
    assert "undecided" not in verdicts.values()
    assert len(verdicts) == 7


def test_a_bench_that_never_starts_is_the_machines_fault(
    tmp_path: Path, grade_with: Callable[[Path, Hook], dict[str, str]]
) -> None:
    def hook(room: judges._Room) -> None:
        if room.bench is not None:
            kill(room.bench._process.pid)

    with pytest.raises(MachineError, match="the process that starts judges"):
        grade_with(a_class(tmp_path / "class", 1), hook)


def test_long_ones_do_not_hold_up_short_ones(
    course: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "LONG", 0.3)
    folder = tmp_path / "class"
    folder.mkdir()
    for number in range(3):  # by name they are the first
        (folder / f"long{number}.py").write_text(SLOW.format(seconds=3) + f"# {number}")
    for number in range(6):
        (folder / f"short{number}.py").write_text(RIGHT + f"# {number}")
    order, done, at_once = Order(manifest=course.manifest, require=Rung.NONE), [], []
    handins = dict(enumerate(read_class(folder).handins))
    with Gradebook(tmp_path / "run", write=True) as book:
        whole = Pass(book, course, order)

        def graders(tasks: Iterator[Task]) -> Iterator[Graded]:
            for graded in judges.grade_here(
                order, tasks, workers=1, patience=patience(course), waiting=lambda busy: at_once.append(len(busy))
            ):
                done.append(handins[graded.number].student)
                yield graded

        whole.grade(handins.values(), graders)
    assert {student[:5] for student in done[:5]} == {"short"}
    assert 3 < max(at_once) <= 1 + judges.LONG_AT_ONCE  # on a busy machine a short one may seem long as well


def test_a_judge_that_never_answers_is_given_up(
    tmp_path: Path, grade_with: Callable[[Path, Hook], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_class(tmp_path / "class", 3)
    stopped: list[int] = []

    def hook(room: judges._Room) -> None:
        judge = next((judge for judge in room.judges if judge.task and judge.ready), None)
        if judge is not None and not stopped:
            stopped.append(judge.pid)
            os.kill(judge.pid, signal.SIGSTOP)
            judge.since -= room.patience  # as if it were long ago

    verdicts = grade_with(folder, hook)
    assert stopped
    assert "undecided" not in verdicts.values()


def test_killed_at_random_moments_it_comes_to_the_same_scores(course: Assignment, tmp_path: Path) -> None:
    """A few times here; tests/benchmarks/test_killed.py does it fifty times."""
    assert kill_at_random_moments(12, course, tmp_path).total() == 12


def kill_at_random_moments(moments: int, course: Assignment, tmp_path: Path) -> Counter[str]:
    """SIGKILL of the batch itself, its bench, a judge or a zygote so many times; who was hit how often."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    folder = a_class(tmp_path / "class", 25)
    expected = scores_of_an_undisturbed_run(folder, course, tmp_path)
    killed = Counter[str]()
    command = [sys.executable, "-m", "grader", "batch", str(folder), "--assignment", str(course.manifest)]
    runs = 0
    while killed.total() < moments:
        runs += 1
        out, code = tmp_path / f"run{runs}", None
        while code != 0:
            process = subprocess.Popen(
                [*command, "--out", str(out), "--require", "none"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while process.poll() is None:
                time.sleep(draw.uniform(0.0, 0.6))
                benches = children(process.pid)
                everyone = [child for bench in benches for child in children(bench)]
                zygotes = [zygote for judge in everyone for zygote in children(judge)]
                candidates = {"batch": [process.pid], "bench": benches, "judge": everyone, "zygote": zygotes}
                role = draw.choice(["batch", "bench", "judge", "judge", "zygote", "zygote"])
                if candidates[role] and zygotes and killed.total() < moments:
                    killed[role] += kill(draw.choice(candidates[role]))
            code = process.returncode
            assert code in (0, 2, -signal.SIGKILL)
        assert (out / "scores.csv").read_text() == expected
    print(dict(killed), "in", runs, "runs")
    return killed


# ------------------------------------------------------------------------------------------- interrupted, and no room


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ended_by_its_user_it_says_how_to_go_on(course: Assignment, tmp_path: Path, number: int, code: int) -> None:
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ada.py").write_text(RIGHT)
    (folder / "bob.py").write_text(SLOW.format(seconds=60))
    run = tmp_path / "run"
    command = [sys.executable, "-m", "grader", "batch", str(folder), "--assignment", str(course.manifest)]
    command += ["--out", str(run), "--require", "none", "--workers", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not recorded(run):
        assert process.poll() is None
        time.sleep(0.05)
    below = [pid for bench in children(process.pid) for pid in (bench, *children(bench))]
    process.send_signal(number)
    out, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert "1 of 2 are graded and kept; the same command goes on from there" in told
    assert "Traceback" not in told
    assert out == ""
    assert points(run) == {"ada": "2"}
    assert below
    assert not [pid for pid in below if Path(f"/proc/{pid}").exists()]
    (folder / "bob.py").write_text(WRONG)
    assert grade(folder, course, run) == cli.PASSED
    assert points(run) == {"ada": "2", "bob": "0"}


def recorded(run: Path) -> int:
    """How many results are in a gradebook that another process writes."""
    if not (run / "gradebook.sqlite").is_file():
        return 0
    try:
        with Gradebook(run) as book:
            return len(list(book.current()))
    except Exception:  # it is being made
        return 0


def test_a_full_disk_is_told_and_the_next_run_goes_on(course: Assignment, tmp_path: Path) -> None:
    """A real one: a file system of 300 kB in a namespace of its own."""
    folder = a_class(tmp_path / "class", 60)
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
mount -t tmpfs -o size=300k none {disk}
batch() {{ {sys.executable} -m grader batch {folder} --assignment {course.manifest} --out {disk}/run --require none; }}
batch; echo "code $?"
mount -o remount,size=30m {disk}
{sys.executable} -m grader show {disk}/run | head -1
batch >/dev/null; echo "code $?"
cat {disk}/run/scores.csv
"""
    command = ["unshare", "--mount", "--map-root-user", "bash", "-c", script]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare(1) here")
    if "unshare:" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.splitlines()[0]}")
    assert "this machine is at fault: the gradebook" in ran.stderr
    assert "is the disk full? What was recorded before is safe: make room and go on" in ran.stderr
    assert "Traceback" not in ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "code 2"
    kept = int(lines[1].split()[1])
    assert 0 < kept < 61
    assert lines[2] == "code 0"
    assert "\n".join([*lines[3:], ""]) == scores_of_an_undisturbed_run(folder, course, tmp_path)


# ----------------------------------------------------------------------------------------- where there is no wall


@pytest.mark.parametrize(
    ("layers", "wall", "rung", "warned"),
    [
        (["process"], Rung.NONE, Rung.FULL, 2),
        (["process"], Rung.NONE, Rung.NONE, 0),  # it was asked for, and said before
        (["seccomp"], Rung.SECCOMP, Rung.FULL, 0),
        ([], Rung.NONE, Rung.FULL, 0),  # nothing of it ran
    ],
)
def test_a_class_without_a_wall_is_told_so_once(
    course: Assignment, capsys: pytest.CaptureFixture[str], layers: list[str], wall: Rung, rung: Rung, warned: int
) -> None:
    report = grade_text(course, "def double(x):\n    return 2 * x\n")
    environment = msgspec.structs.replace(report.environment, isolation=layers, wall=wall)
    sealed = seal(msgspec.structs.replace(report, environment=environment))
    results = [Graded(number=number, sealed=sealed) for number in range(3)]
    order = Order(manifest=course.manifest, rung=rung, require=Rung.NONE)
    assert list(classes._warned_of(iter(results), order)) == results
    assert capsys.readouterr().err.count("WARNING") == warned
