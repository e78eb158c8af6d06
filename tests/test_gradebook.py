"""The gradebook: what is recorded stays, as it was, whatever happens next."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.batch.merging import merge
from grader.batch.summary import scores_csv
from grader.errors import GradebookError, MachineError
from grader.gradebook import FILE, Attempt, Gradebook, Key, Points, Sealed

KEY = Key(submission="s", assignment="a", grader="g", seed="public")


def sealed(earned: float, *, faults: tuple[str, ...] = (), report: bytes = b"report") -> Sealed:
    """A report of 10 points."""
    points = Points(earned=earned, undecided=2.0 if faults else 0.0, possible=10.0)
    verdict = "undecided" if faults else "passed" if points.full else "failed"
    return Sealed(verdict=verdict, points=points, parts={"a / b": points}, faults=faults, report=report)


def attempt(student: str, **fields: object) -> Attempt:
    """A hand-in."""
    return Attempt(student=student, handin=f"{student}.zip", **fields)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A gradebook's folder that is not there yet."""
    return tmp_path / "run"


def test_what_is_recorded_is_there_for_the_next_process(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        book.record(KEY, sealed(7.5), [attempt("ada", name="Ada L.", late=True, notes=("one", "two"))])
        book.note({"assignment": "mlp"})
    with Gradebook(run) as book:
        (found,) = book.current()
        assert found.attempt == attempt("ada", name="Ada L.", late=True, notes=("one", "two"))
        assert (found.key, found.sealed) == (KEY, sealed(7.5))
        assert book.about("assignment") == "mlp"


@pytest.mark.parametrize("table", ["reports", "attempts"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET recorded = 'never'"])
def test_history_is_never_overwritten(run: Path, table: str, statement: str) -> None:
    with Gradebook(run, write=True) as book:
        book.record(KEY, sealed(7.5), [attempt("ada")])
    with sqlite3.connect(run / FILE) as db, pytest.raises(sqlite3.IntegrityError, match="only added to"):
        db.execute(statement.format(table))
    db.close()


def test_the_latest_attempt_counts_and_the_earlier_ones_stay(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        book.record(KEY, sealed(3), [attempt("ada"), attempt("bob")])
        book.record(replace(KEY, assignment="b"), sealed(9), [attempt("ada", why="regrade")])
        assert {r.attempt.student: r.sealed.points.earned for r in book.current()} == {"ada": 9, "bob": 3}
        assert [r.sealed.points.earned for r in book.history("ada")] == [3, 9]
        latest = book.latest("ada")
        assert latest is not None
        assert latest.attempt.why == "regrade"
        assert book.latest("eve") is None


def test_a_report_without_attempts_counts_for_nobody_yet(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        row = book.record(KEY, sealed(3), [])
        assert list(book.current()) == []
        assert book.known(KEY) == row
        book.count([(row, attempt("ada"))])
        assert [r.row for r in book.current()] == [row]


@pytest.mark.parametrize("field", ["submission", "assignment", "grader", "seed"])
def test_another_key_is_not_known(run: Path, field: str) -> None:
    with Gradebook(run, write=True) as book:
        row = book.record(KEY, sealed(3), [])
        assert book.known(KEY) == row
        assert book.known(replace(KEY, **{field: "another"})) is None


def test_a_machines_fault_is_graded_again_and_a_courses_is_not(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        course = book.record(replace(KEY, submission="c"), sealed(3, faults=("course",)), [])
        book.record(KEY, sealed(3, faults=("course", "machine")), [])
        assert book.known(replace(KEY, submission="c")) == course
        assert book.known(KEY) is None


def test_a_second_writer_is_kept_out_and_a_reader_is_not(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        with pytest.raises(MachineError, match=rf"another process \({os.getpid()}\) is writing to .*run"):
            Gradebook(run, write=True)
        book.record(KEY, sealed(3), [attempt("ada")])
        with Gradebook(run) as reader:
            assert len(list(reader.current())) == 1
    Gradebook(run, write=True).close()


def test_a_writer_that_was_killed_keeps_nobody_out_and_left_whole_results(run: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from grader.gradebook import *
from test_gradebook import KEY, attempt, sealed
book = Gradebook(Path({str(run)!r}), write=True)
book.record(KEY, sealed(3), [attempt("ada")])
book._db.execute("BEGIN IMMEDIATE")
book._report(KEY, sealed(4))
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False, timeout=60)
    assert ended.returncode == -9
    with Gradebook(run, write=True) as book:
        assert [r.sealed.points.earned for r in book.current()] == [3]
        assert book.record(KEY, sealed(5), [attempt("ada")]) == 2  # the one that was not committed is not there


def test_no_gradebook_and_no_database(run: Path) -> None:
    with pytest.raises(GradebookError, match="holds no gradebook"):
        Gradebook(run)
    run.mkdir()
    (run / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(MachineError, match=r"gradebook\.sqlite is damaged, or no gradebook"):
        Gradebook(run)
    (run / FILE).unlink()
    with Gradebook(run, write=True) as book:
        book.note({"format": "2"})
    with pytest.raises(GradebookError, match="of format 2, and this gradmark knows 1"):
        Gradebook(run)


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="can't be written to"):
        Gradebook(tmp_path / "file" / "run", write=True)


def test_a_full_disk_leaves_what_was_recorded_and_goes_on(run: Path) -> None:
    """As SQLite itself says it: a file that may not grow. test_batch fills a real one."""
    with Gradebook(run, write=True) as book:
        book.record(KEY, sealed(3), [attempt("ada")])
        (pages,) = book._db.execute("PRAGMA page_count").fetchone()
        book._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(MachineError, match="is the disk full"):
            book.record(KEY, sealed(4, report=os.urandom(1 << 20)), [attempt("bob")])
        assert [r.attempt.student for r in book.current()] == ["ada"]
        book._db.execute("PRAGMA max_page_count = 100000")
        book.record(KEY, sealed(4), [attempt("bob")])
        assert [r.attempt.student for r in book.current()] == ["ada", "bob"]


def test_a_result_is_on_the_disk_before_record_returns(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        assert book._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert book._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL: fsync at each commit


def test_only_its_owner_may_look_in(run: Path) -> None:
    Gradebook(run, write=True).close()
    assert run.stat().st_mode & 0o077 == 0


# ---------------------------------------------------------------------------------------------------------- merging


def book_of(folder: Path, results: list[tuple[str, int]], about: str = "a") -> Path:
    """A gradebook with these results, in order."""
    with Gradebook(folder, write=True) as book:
        book.note({"assignment": about, "gradmark": "g", "seed of the hidden cases": "public"})
        for student, earned in results:
            key = replace(KEY, submission=f"{student} {earned}")
            if book.known(key) is None:
                book.record(key, sealed(earned, report=f"{student} {earned}".encode()), [attempt(student)])
    return folder


@settings(deadline=None, max_examples=30)
@given(
    results=st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10), max_size=8),
    shards=st.integers(1, 4),
)
def test_shards_merged_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, results: dict[str, int], shards: int
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    every = list(results.items())
    whole = book_of(folder / "whole", every)
    parts = [book_of(folder / str(i), every[i::shards]) for i in range(shards)]
    assert merge(parts, folder / "out").added == len(every)
    assert merge(parts[::-1], folder / "out").added == 0  # done already, in whatever order
    with Gradebook(whole) as one, Gradebook(folder / "out") as other:
        assert scores_csv(one) == scores_csv(other)


def test_the_later_result_counts_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.gradebook._now", lambda: "2026-11-26T12:00:01+00:00")
    later = book_of(tmp_path / "a", [("ada", 9)])
    monkeypatch.setattr("grader.gradebook._now", lambda: "2026-11-26T12:00:00+00:00")
    earlier = book_of(tmp_path / "b", [("ada", 2), ("bob", 5)])
    merged = merge([later, earlier], tmp_path / "out")
    assert (merged.added, merged.students, merged.twice) == (3, 2, ("ada",))
    with Gradebook(tmp_path / "out") as book:
        assert {r.attempt.student: r.sealed.points.earned for r in book.current()} == {"ada": 9, "bob": 5}
        assert [r.sealed.points.earned for r in book.history("ada")] == [2, 9]


def test_gradebooks_of_other_assignments_are_not_merged(tmp_path: Path) -> None:
    books = [book_of(tmp_path / name, [("ada", 1)], about=name) for name in "ab"]
    with pytest.raises(GradebookError, match="another assignment: they can't be merged"):
        merge(books, tmp_path / "out")
    with pytest.raises(GradebookError, match="out holds results with another assignment"):
        merge(books[:1], book_of(tmp_path / "out", [("eve", 3)], about="c"))
    with pytest.raises(GradebookError, match="holds no gradebook"):
        merge([tmp_path / "nowhere"], tmp_path / "out2")
    assert not (tmp_path / "out2").exists()


# ----------------------------------------------------------------------------------------------------------- scores


def test_scores_hold_nothing_that_a_spreadsheet_would_run(run: Path) -> None:
    with Gradebook(run, write=True) as book:
        book.record(KEY, sealed(3), [replace(attempt("=cmd|' /C calc'!A0"), name="@SUM(1)", handin="-2+3, x.zip")])
        book.record(KEY, sealed(4, faults=("machine",)), [attempt("bob", late=True)])
        assert scores_csv(book).splitlines() == [
            "student,name,earned,possible,undecided,pending,verdict,fault,late,handin,a / b",
            "'=cmd|' /C calc'!A0,'@SUM(1),3,10,0,0,failed,,,\"'-2+3, x.zip\",3",
            "bob,,4,10,2,0,undecided,machine,late,bob.zip,",
        ]
