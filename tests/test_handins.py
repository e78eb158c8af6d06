"""Whose hand-in is which: the names platforms give, what counts, and that nothing is lost or read that shouldn't be."""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grader.batch.contents
from grader.archive import MAX_FILES, printable
from grader.batch.contents import MAX_HANDIN_BYTES, Content, unpack
from grader.batch.downloads import Export, Layout, Submitter, labels, layout_of, read_metadata, unnumbered
from grader.batch.handins import RULE, Class, Handin, LeftOut, read_class
from grader.errors import MachineError, SubmissionError
from grader.submission import load_submission

Tree = dict[str, bytes]
CODE = b"def affine_forward(x, w, b):\n    return x @ w + b, None\n"


def build_folder(root: Path, files: Tree) -> Path:
    """Folder of these files; a name that ends in "/" is an empty folder."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(content)
    return root


def build_zip(path: Path, files: Tree, wrapper: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(wrapper + name, content)
    return path


def zipped(files: Tree) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return build_zip(Path(folder, "a.zip"), files).read_bytes()


def both(tmp_path: Path, files: Tree) -> Class:
    """The class as a folder, having checked that the same class comes of its zip archive."""
    found = read_class(build_folder(tmp_path / "class", files))
    assert read_class(build_zip(tmp_path / "class.zip", files, wrapper="class/")) == found
    assert read_class(build_zip(tmp_path / "bare.zip", {**files, "__MACOSX/._a": b""})) == found
    return found


def read(handin: Handin, entry: str = "mlp.py") -> dict[str, bytes]:
    with handin.opened() as path:
        return dict(load_submission(path, entry, ["affine_forward"]).source.files)


def problem(handin: Handin, entry: str = "mlp.py") -> str:
    with pytest.raises(SubmissionError) as error:
        read(handin, entry)
    return str(error.value)


def by_id(found: Class) -> dict[str, Handin]:
    assert len({handin.student for handin in found.handins}) == len(found.handins)
    return {handin.student: handin for handin in found.handins}


CANVAS = {
    "on time": ("doejane_1234_5678_mlp.py", ("1234", "doejane", False, "mlp.py")),
    "late": ("doejane_LATE_1234_5678_mlp.py", ("1234", "doejane", True, "mlp.py")),
    "of an earlier Canvas": ("doe--jane_1234_5678_mlp.py", ("1234", "doe--jane", False, "mlp.py")),
    "late, of an earlier Canvas": ("doe--jane-late_1234_5678_mlp.py", ("1234", "doe--jane", True, "mlp.py")),
    "anonymous": ("anon_Xy3zQ_5678_mlp.py", ("anon_Xy3zQ", "", False, "mlp.py")),
    "anonymous and late": ("LATE_anon_Xy3zQ_5678_mlp.py", ("anon_Xy3zQ", "", True, "mlp.py")),
    "typed in": ("doejane_1234_text.html", ("1234", "doejane", False, "text.html")),
    "an address": ("doejane_LATE_1234_link.html", ("1234", "doejane", True, "link.html")),
    "numbers in the file's name": ("doejane_12_34_hw_56_78_x.py", ("12", "doejane", False, "hw_56_78_x.py")),
    "numbers in the user's name": ("group_42_12_34_x.py", ("42", "group", False, "34_x.py")),  # Canvas removes the "_"
    "a group": ("groupa1_99_100_hw.tar.gz", ("99", "groupa1", False, "hw.tar.gz")),
    "letters": ("müllerzoë_1234_5678_größe.py", ("1234", "müllerzoë", False, "größe.py")),
    "no letters": ("_1234_5678_mlp.py", ("1234", "", False, "mlp.py")),
    "of another shard": ("doejane_150620000000012345_5678_a b.py", ("150620000000012345", "doejane", False, "a b.py")),
    "not Canvas's": ("doejane_mlp.py", None),
    "an archive unpacked beside itself": ("doejane_1234_5678_hw/", ("1234", "doejane", False, "hw")),
    "too long": (f"doejane_1234_5678_{'a' * 300}.py", None),
}
MOODLE = {
    "folder": ("Jane Doe_1234_assignsubmission_file/", ("1234", "Jane Doe", False, "file")),
    "folder of an earlier Moodle": ("Jane Doe_1234_assignsubmission_file_/", ("1234", "Jane Doe", False, "file")),
    "group": ("Group A-Jane Doe_1234_assignsubmission_file_/", ("1234", "Group A-Jane Doe", False, "file")),
    "team": ("Team 1_77_assignsubmission_file/", ("77", "Team 1", False, "file")),
    "no team": ("Default group_assignsubmission_file/", ("Default group", "Default group", False, "file")),
    "blind": ("Participant_1234_assignsubmission_file_/", ("1234", "Participant", False, "file")),
    "typed in": ("Jane Doe_1234_assignsubmission_onlinetext_/", ("1234", "Jane Doe", False, "onlinetext")),
    "file": ("Jane Doe_1234_assignsubmission_file_my_mlp.py", ("1234", "Jane Doe", False, "my_mlp.py")),
    "letters": ("Zoë Nuñez O'Neil_12_assignsubmission_file_/", ("12", "Zoë Nuñez O'Neil", False, "file")),
    "not Moodle's": ("Jane Doe_1234/", None),
    "nobody's": ("_assignsubmission_file_/", None),
}


@pytest.mark.parametrize(
    ("layout", "name", "told"),
    [(layout, *row) for layout, table in ((Layout.CANVAS, CANVAS), (Layout.MOODLE, MOODLE)) for row in table.values()],
    ids=[f"{layout}, {row}" for layout, table in (("Canvas", CANVAS), ("Moodle", MOODLE)) for row in table],
)
def test_names_of_platforms(layout: Layout, name: str, told: tuple[str, str, bool, str] | None) -> None:
    found = labels(layout, name.rstrip("/"), name.endswith("/"), {})
    assert [(label.student, label.name, label.late, label.file) for label in found] == ([told] if told else [])


NUMBERED = {
    "mlp-1.py": "mlp.py",
    "mlp-12.py": "mlp.py",
    "a-3.tar.gz": "a.tar.gz",
    "Makefile-2": "Makefile",
    "mlp-3f2504e0-4f89-11d3-9a0c-0305e82c3301.py": "mlp.py",
    "mlp-2026.py": "mlp-2026.py",
    "mlp.py": "mlp.py",
    "-1.py": "-1.py",
}


@pytest.mark.parametrize(("name", "own"), NUMBERED.items())
def test_numbers_that_canvas_adds(name: str, own: str) -> None:
    assert unnumbered(name) == own


LAYOUTS = {
    "Canvas": (["doejane_1_10_mlp.py", "roejohn_2_11_mlp.py"], Layout.CANVAS),
    "Canvas, and something beside it": (["doejane_1_10_mlp.py", "roejohn_2_11_mlp.py", "notes.txt"], Layout.CANVAS),
    "Canvas, of a group graded one by one": (["doejane_1_10_a.py", "roejohn_2_10_a.py"], Layout.CANVAS),
    "Canvas, unpacked": (["doejane_1_10_hw.zip", "doejane_1_10_hw/", "roejohn_2_11_mlp.py"], Layout.CANVAS),
    "folders with numbers": (["hw_1_10_alice/", "hw_1_11_bob/"], Layout.PLAIN),
    "dates": (["hw_2026_11_alice.py", "hw_2026_11_bob.py"], Layout.PLAIN),
    "one number, two names": (["alice_1_10_a.py", "bob_1_11_a.py"], Layout.PLAIN),
    "Moodle": (["Jane Doe_1_assignsubmission_file_/", "John Roe_2_assignsubmission_file_/"], Layout.MOODLE),
    "Gradescope": (["submission_1/", "submission_2/"], Layout.GRADESCOPE),
    "Gradescope's metadata": (["a.pdf", "submission_metadata.yml"], Layout.GRADESCOPE),
    "plain": (["alice/", "bob.py", "carol.zip"], Layout.PLAIN),
    "mostly plain": (["alice/", "bob.py", "submission_1/"], Layout.PLAIN),
    "nothing": ([], Layout.PLAIN),
}


@pytest.mark.parametrize(("names", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(names: list[str], layout: Layout) -> None:
    assert layout_of([(name.rstrip("/"), name.endswith("/")) for name in names]) is layout


def test_plain_folder(tmp_path: Path) -> None:
    found = both(
        tmp_path,
        {
            "alice/mlp.py": CODE,
            "alice/data/x.npz": b"",
            "bob.py": CODE,
            "carol.zip": zipped({"hw/mlp.py": CODE}),
            "dave.ipynb": b"{}",
            "erin/": b"",
            "frank.pdf": b"%PDF",
            "gina/hw 1.zip": zipped({"mlp.py": CODE}),
            "hugo.tar.gz": b"",
            "J. R. R. Tolkien/mlp.py": CODE,
        },
    )
    handins = by_id(found)
    students = ["J. R. R. Tolkien", "alice", "bob", "carol", "dave", "erin", "frank", "gina", "hugo"]
    assert list(handins) == students
    assert found.layout == "a plain folder"
    assert found.left_out == ()
    assert {handin.where for handin in found.handins} == {
        *("alice", "bob.py", "carol.zip", "dave.ipynb", "erin", "frank.pdf", "gina", "hugo.tar.gz", "J. R. R. Tolkien")
    }
    assert not any(handin.late or handin.notes or handin.name for handin in found.handins)
    expected = {"alice": "mlp.py", "bob": "bob.py", "carol": "mlp.py", "gina": "mlp.py", "J. R. R. Tolkien": "mlp.py"}
    for from_zip in (False, True):
        handins = by_id(read_class(tmp_path / ("class.zip" if from_zip else "class")))
        assert {student: read(handins[student]) for student in expected} == {
            student: {file: CODE} for student, file in expected.items()
        }
        neither = "is neither a folder nor a .py, .ipynb or .zip file"
        assert problem(handins["frank"]) == f"frank.pdf: {neither}"
        assert problem(handins["hugo"]) == f"hugo.tar.gz: {neither}"
        assert problem(handins["erin"]) == "erin: holds no Python file; expected mlp.py or mlp.ipynb"
        assert problem(handins["dave"]) == "dave.ipynb: is not a notebook: cells: missing, or not a list"


def test_what_is_unpacked_is_gone_afterwards_and_nothing_else_was(tmp_path: Path) -> None:
    files = {"alice/mlp.py": CODE, "alice/big.npz": b"\0" * 100, "alice/old.zip": b"no zip", "alice/.git/a.py": b""}
    (handin,) = read_class(build_zip(tmp_path / "a.zip", {f"class/{name}": files[name] for name in files})).handins
    with handin.opened() as path:
        assert path.name == "alice"
        assert {file.name: file.read_bytes() for file in path.iterdir()} == {"mlp.py": CODE, "old.zip": b""}
        assert load_submission(path, "mlp.py").notes == ("archives inside are not opened: old.zip",)
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), handin.opened() as path:
        raise ZeroDivisionError
    assert not path.exists()


def test_opened_elsewhere(tmp_path: Path) -> None:
    (handin, _) = read_class(build_zip(tmp_path / "a.zip", {"alice/mlp.py": CODE, "bob.py": b""})).handins
    sent = pickle.loads(pickle.dumps(handin))
    assert sent == handin
    assert read(sent) == {"mlp.py": CODE}


STEMS = {
    "a file and a folder": ({"alice/mlp.py": CODE, "alice.zip": b"PK"}, "alice, alice.zip", {"alice/mlp.py": CODE}),
    "code and its print": ({"alice.py": CODE, "alice.pdf": b""}, "alice.pdf, alice.py", {"alice.py": CODE}),
    "an archive and a print": (
        {"alice.zip": zipped({"mlp.py": CODE}), "alice.pdf": b""},
        "alice.pdf, alice.zip",
        {"mlp.py": CODE},
    ),
}


@pytest.mark.parametrize(("files", "where", "content"), STEMS.values(), ids=STEMS)
def test_files_of_one_student_are_one_handin(files: Tree, where: str, content: Tree, tmp_path: Path) -> None:
    found = both(tmp_path, {**files, "bob.py": b""})
    alice, _ = found.handins
    assert (alice.student, alice.where) == ("alice", where)
    assert read(alice) == content
    assert read(read_class(tmp_path / "class.zip").handins[0]) == content


def test_a_name_composed_and_decomposed_is_one_students(tmp_path: Path) -> None:
    (handin,) = both(tmp_path, {"Zo\u00eb.py": CODE, "Zoe\u0308.pdf": b""}).handins
    assert handin.student == "Zo\u00eb"
    assert read(handin) == {"Zo\u00eb.py": CODE}


def test_two_students_are_never_one(tmp_path: Path) -> None:
    files = {"Alice.py": b"1", "alice.zip": zipped({"mlp.py": b"2"}), "ALICE/mlp.py": b"3", "alice (2).py": b"4"}
    found = read_class(build_zip(tmp_path / "a.zip", files))
    assert [(handin.student, handin.where) for handin in found.handins] == [
        ("ALICE", "ALICE"),
        ("Alice (2)", "Alice.py"),
        ("alice (2) (2)", "alice (2).py"),
        ("alice (3)", "alice.zip"),
    ]
    assert sorted(b"".join(read(handin).values()) for handin in found.handins) == [b"1", b"2", b"3", b"4"]


def test_canvas_download(tmp_path: Path) -> None:
    found = both(
        tmp_path,
        {
            "doejane_1_10_mlp.py": CODE,
            "doejane_1_11_report.pdf": b"",
            "roejohn_LATE_2_20_hw.zip": zipped({"hw/mlp.py": CODE}),
            "roejohn_LATE_2_21_notes.txt": b"",
            "linda_3_text.html": b"",
            "poe_4_40_hw.zip": zipped({"hw/mlp.py": b"packed"}),
            "poe_4_40_hw/mlp.py": CODE,
            "quinn_5_50_data.csv": b"",
            "anon_Xy3zQ_40_mlp.ipynb": b"{}",
            "grades.csv": b"",
            "index.html": b"",
            "mlp.py": b"the instructor's own",
        },
    )
    assert found.layout == "a Canvas download"
    assert [(handin.student, handin.name, handin.late, handin.where) for handin in found.handins] == [
        ("1", "doejane", False, "doejane_1_10_mlp.py, doejane_1_11_report.pdf"),
        ("2", "roejohn", True, "roejohn_LATE_2_20_hw.zip, roejohn_LATE_2_21_notes.txt"),
        ("3", "linda", False, "linda_3_text.html"),
        ("4", "poe", False, "poe_4_40_hw, poe_4_40_hw.zip"),
        ("5", "quinn", False, "quinn_5_50_data.csv"),
        ("anon_Xy3zQ", "", False, "anon_Xy3zQ_40_mlp.ipynb"),
        ("mlp", "", False, "mlp.py"),
    ]
    why = "is a table or page, not a hand-in"
    assert found.left_out == (LeftOut(where="grades.csv", why=why), LeftOut(where="index.html", why=why))
    assert found.handins[6].notes == (
        "mlp.py is not named as in a Canvas download: its own name is taken for the student's id",
    )
    for path in (tmp_path / "class", tmp_path / "class.zip"):
        jane, john, linda, poe, *_ = read_class(path).handins
        assert read(jane) == read(john) == {"mlp.py": CODE}
        assert read(poe) == {"hw/mlp.py": CODE}
        assert problem(linda) == "linda_3_text.html: is neither a folder nor a .py, .ipynb or .zip file"


AGAIN = {
    "the only one": (["mlp-1.py", "layers-2.py"], ["layers.py", "mlp.py"], []),
    "an earlier download beside it": (["mlp.py", "mlp-1.py", "layers.py"], ["layers.py", "mlp.py"], ["mlp.py"]),
    "two of them": (["mlp.py", "mlp-1.py", "mlp-2.py"], ["mlp.py"], ["mlp-1.py", "mlp.py"]),
    "the user's own numbers": (["q-1.py", "q-2.py"], ["q-1.py", "q.py"], []),
    "typed in beside it": (["mlp.py"], ["mlp.py"], []),
}


@pytest.mark.parametrize(("names", "counting", "left"), AGAIN.values(), ids=AGAIN)
def test_handed_in_again_to_canvas(names: list[str], counting: list[str], left: list[str], tmp_path: Path) -> None:
    """A later copy has a greater number, and takes the place and the name of those before it."""
    files = {f"doejane_{'LATE_' if i else ''}1_{99 + i}_{name}": name.encode() for i, name in enumerate(names)}
    found = both(tmp_path, {**files, "doejane_1_text.html": b""})
    (handin,) = found.handins
    inside = read(handin, entry=counting[-1])
    assert sorted(inside) == counting
    assert inside[counting[-1]] == next(name for name in reversed(names) if unnumbered(name) == counting[-1]).encode()
    assert handin.late is (len(names) > 1)
    wheres = {name: f"doejane_{'LATE_' if i else ''}1_{99 + i}_{name}" for i, name in enumerate(names)}
    assert found.left_out == tuple(
        LeftOut(where=w, why="1 handed in again later") for w in sorted(wheres[n] for n in left)
    )
    told = ", ".join(wheres[name] for name in sorted(left, key=names.index))
    assert handin.notes == ((f"left out, as handed in before: {told}",) if left else ())


def test_moodle_download(tmp_path: Path) -> None:
    found = both(
        tmp_path,
        {
            "Jane Doe_12_assignsubmission_file_/mlp.py": CODE,
            "Jane Doe_12_assignsubmission_onlinetext_/onlinetext.html": b"",
            "Jane Doe_7_assignsubmission_file_/Abgabe/hw.zip": zipped({"hw/mlp.py": CODE}),
            "Group A-John Roe_9_assignsubmission_file_/src/net/mlp.py": CODE,
            "Zoë_100_assignsubmission_onlinetext_/onlinetext.html": b"",
            "Max_5_assignsubmission_file_mlp.py": CODE,
            "Max_5_assignsubmission_file_layers.py": CODE,
        },
    )
    assert found.layout == "a Moodle download"
    assert found.left_out == ()
    assert [(handin.student, handin.name) for handin in found.handins] == [
        *(("100", "Zoë"), ("12", "Jane Doe"), ("5", "Max"), ("7", "Jane Doe"), ("9", "Group A-John Roe"))
    ]
    for path in (tmp_path / "class", tmp_path / "class.zip"):
        zoe, jane, maximilian, other, john = read_class(path).handins
        assert "holds no Python file" in problem(zoe)
        assert read(jane) == {"file/mlp.py": CODE}
        assert read(maximilian) == {"mlp.py": CODE, "layers.py": CODE}
        assert read(other) == {"mlp.py": CODE}
        assert read(john) == {"src/net/mlp.py": CODE}


def test_one_students_moodle_download(tmp_path: Path) -> None:
    """Its only folder is no wrapper."""
    (handin,) = both(tmp_path, {"Jane Doe_12_assignsubmission_file_/mlp.py": CODE}).handins
    assert (handin.student, read(handin)) == ("12", {"mlp.py": CODE})


METADATA_FILE = """---
submission_101:
  :submitters:
  - :name: Ada Example
    :sid: '007'
    :email: ada@example.edu
  - :sid: 8
    :email: bob@example.edu
    :name: "Bob \\u00D6 \\"B\\" \\U0001F600\\q\\xZZ"
  :created_at: 2026-04-26 17:34:00.861687000 Z
  :score: 2.0
  :results:
    tests:
    - name: printed
      output: 'Don''t worry, this is
        submission_999:
          :submitters:
          - :sid: ''666''

'
      output: |+
        submission_998:
          :submitters:
          - :sid: 665

  :history:
  - :submitters: []
    :created_at: 2026-04-20 17:34:00.861687000 Z
    :id: 99
  - :submitters:
    - :sid: '404'
    :created_at: 2026-04-21 17:34:00.861687000 Z
...
submission_102:
  submitters:
    - name: 'Al O''Hara'
      email: al@example.edu
      sid:
  created_at: 2026-04-25 10:00:00.000000000 Z
submission_103:
  :submitters:
  - :name: "A long name that
      :sid: '667'
      - :sid: '668'
      goes on"
    :email: long@example.edu
submission_104:
  :submitters: []
'105.pdf':
  :submitters:
  - :name: Ida
"""


def test_metadata_of_gradescope() -> None:
    ada = Submitter(sid="007", email="ada@example.edu", name="Ada Example")
    bob = Submitter(sid="8", email="bob@example.edu", name='Bob Ö "B" \U0001f600q\\xZZ')
    assert read_metadata(METADATA_FILE.split("\n")) == {
        "submission_101": Export(submitters=[ada, bob], created_at="2026-04-26 17:34:00.861687000 Z", others=2),
        "submission_102": Export(
            submitters=[Submitter(email="al@example.edu", name="Al O'Hara")],
            created_at="2026-04-25 10:00:00.000000000 Z",
        ),
        "submission_103": Export(submitters=[Submitter(email="long@example.edu", name='"A long name that')]),
        "submission_104": Export(),
        "105.pdf": Export(submitters=[Submitter(name="Ida")]),
    }


@given(
    lines=st.lists(st.text(alphabet=" -:'\"\\xuU1asidnme\n") | st.sampled_from(METADATA_FILE.split("\n")), max_size=30)
)
def test_law_any_lines_are_read(lines: list[str]) -> None:
    assert all(isinstance(export, Export) for export in read_metadata(lines).values())


def test_gradescope_export(tmp_path: Path) -> None:
    files = {
        "submission_metadata.yml": METADATA_FILE.encode(),
        "submission_101/mlp.py": CODE,
        "submission_102/mlp.py": b"x",
        "submission_103/mlp.py": b"x",
        "submission_104/mlp.py": b"x",
        "submission_106/mlp.py": b"x",
        "105.pdf": b"",
    }
    found = both(tmp_path, files)
    together = 'handed in together by Ada Example, Bob Ö "B" \U0001f600q\\xZZ'
    others = "2 more in Gradescope, not active there, left out"
    unknown = "submission_metadata.yml doesn't tell whose this is"
    assert found.layout == "a Gradescope export"
    assert found.left_out == ()
    assert [(handin.student, handin.name, handin.where, handin.notes) for handin in found.handins] == [
        ("007", "Ada Example", "submission_101", (others, together)),
        ("8", 'Bob Ö "B" \U0001f600q\\xZZ', "submission_101", (others, together)),
        ("Ida", "Ida", "105.pdf", ()),
        ("al@example.edu", "Al O'Hara", "submission_102", ()),
        ("long@example.edu", '"A long name that', "submission_103", ()),
        ("submission_104", "", "submission_104", (unknown,)),
        ("submission_106", "", "submission_106", (unknown,)),
    ]
    assert [read(handin) for handin in found.handins[:2]] == [{"mlp.py": CODE}] * 2
    wrapped = build_folder(tmp_path / "more", {f"assignment_5_export/{name}": files[name] for name in files})
    assert read_class(wrapped) == found
    assert read_class(build_zip(tmp_path / "more.zip", files, wrapper="downloads/assignment_5_export/")) == found


def test_the_last_of_a_students_gradescope_submissions_counts(tmp_path: Path) -> None:
    def one(number: int, day: int, *sids: str) -> str:
        who = "".join(f"  - :sid: '{sid}'\n" for sid in sids)
        return f"submission_{number}:\n  :submitters:\n{who}  :created_at: 2026-04-{day:02} 00:00:00.000000000 Z\n"

    metadata = one(3, 1, "1", "2") + one(1, 9, "2") + one(2, 5, "2")
    files = {f"submission_{n}/mlp.py": str(n).encode() for n in (1, 2, 3)}
    found = both(tmp_path, {"submission_metadata.yml": metadata.encode(), **files})
    assert {handin.student: read(handin) for handin in found.handins} == {"1": {"mlp.py": b"3"}, "2": {"mlp.py": b"1"}}
    assert found.left_out == (
        LeftOut(where="submission_2", why="2 handed in again later"),
        LeftOut(where="submission_3", why="2 handed in again later"),
    )
    assert found.handins[1].notes == ("left out, as handed in before: submission_3, submission_2",)


def test_gradescope_without_its_metadata(tmp_path: Path) -> None:
    found = both(tmp_path, {"submission_1/mlp.py": CODE, "submission_2/mlp.py": CODE})
    unknown = "submission_metadata.yml doesn't tell whose this is"
    assert [(handin.student, handin.notes) for handin in found.handins] == [
        *(("submission_1", (unknown,)), ("submission_2", (unknown,)))
    ]
    (tmp_path / "class" / "submission_metadata.yml").symlink_to("/etc/passwd")
    assert read_class(tmp_path / "class") == found
    files = {
        "submission_metadata.yml": METADATA_FILE.encode(),
        "submission_1/mlp.py": CODE,
        "submission_2/mlp.py": CODE,
    }
    path = build_zip(tmp_path / "locked.zip", files)
    encrypted = HOSTILE_MEMBERS["encrypted"][1]
    assert read_class(patched(path, b"submission_metadata.yml", encrypted)) == found


WRAPPERS = {
    "an archive's only folder": ("a.zip", {"hw1/alice/mlp.py": b"", "hw1/bob.py": b""}, ["alice", "bob"]),
    "an archive's only folder, once": ("a.zip", {"hw1/alice/src/mlp.py": b""}, ["alice"]),
    "beside litter": ("a.zip", {"hw1/alice.py": b"", "__MACOSX/hw1/._alice.py": b"", ".DS_Store": b""}, ["alice"]),
    "beside something": ("a.zip", {"hw1/alice.py": b"", "bob.py": b""}, ["bob", "hw1"]),
    "a folder's only folder": ("a", {"alice/mlp.py": b"", "alice/layers.py": b""}, ["alice"]),
    "empty folders": ("a.zip", {"alice/": b"", "bob/": b""}, ["alice", "bob"]),
    "a folder's only folder, empty": ("a", {"alice/": b""}, ["alice"]),
}


@pytest.mark.parametrize(("name", "files", "students"), WRAPPERS.values(), ids=WRAPPERS)
def test_wrappers(name: str, files: Tree, students: list[str], tmp_path: Path) -> None:
    build = build_zip if name.endswith(".zip") else build_folder
    assert list(by_id(read_class(build(tmp_path / name, files)))) == students


LITTER = [
    *("__MACOSX/._a.py", ".DS_Store", "._alice.py", ".git/config", ".hidden.py", "Thumbs.db", "desktop.ini"),
    *("Desktop.INI", "__pycache__/a.pyc", ".ipynb_checkpoints/a.ipynb", "Icon\r"),
]


@pytest.mark.parametrize("name", LITTER)
def test_litter_is_nobodys(name: str, tmp_path: Path) -> None:
    found = both(tmp_path, {"alice.py": b"", "bob/mlp.py": b"", name: b""})
    assert (list(by_id(found)), found.left_out) == (["alice", "bob"], ())


@pytest.mark.parametrize("name", ["grades.csv", "Index.HTML", "roster.xlsx", "a.tsv"])
def test_tables_and_pages_are_left_out(name: str, tmp_path: Path) -> None:
    found = both(tmp_path, {"alice.py": b"", "bob.py": b"", name: b""})
    assert list(by_id(found)) == ["alice", "bob"]
    assert found.left_out == (LeftOut(where=name, why="is a table or page, not a hand-in"),)


NOTHING = {
    "missing": (None, "does not exist"),
    "empty folder": ({}, "holds no hand-in"),
    "litter": ({".DS_Store": b""}, "holds no hand-in"),
    "a table": ({"a.csv": b""}, "holds no hand-in; left out: a.csv is a table or page, not a hand-in"),
}


@pytest.mark.parametrize(("files", "told"), NOTHING.values(), ids=NOTHING)
def test_nothing_to_grade(files: Tree | None, told: str, tmp_path: Path) -> None:
    path = tmp_path / "class"
    if files is not None:
        build_folder(path, files)
    with pytest.raises(SubmissionError) as error:
        read_class(path)
    assert str(error.value) == f"{path}: {told}"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.zip", b"no zip", "is not a whole zip archive (File is not a zip file)"),
        ("a.zip", zipped({}), "holds no hand-in"),
        ("a.zip", zipped({"class/": b"", "class/.DS_Store": b""}), "holds no hand-in"),
        ("a.py", b"", "is neither a folder nor a zip archive of hand-ins"),
        ("a.tar.gz", b"", "is neither a folder nor a zip archive of hand-ins"),
        (
            "a.zip",
            zipped({"../a.py": b""}),
            "holds no hand-in; left out: ../a.py holds a name that leads out of the archive: ../a.py",
        ),
    ],
)
def test_files_that_are_no_class(name: str, data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SubmissionError) as error:
        read_class(tmp_path / name)
    assert str(error.value) == f"{tmp_path / name}: {told}"


def test_long_table_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build_zip(tmp_path / "a.zip", {f"{i}.py": b"" for i in range(1000)})
    assert len(read_class(path).handins) == 1000
    monkeypatch.setattr(grader.batch.contents, "MAX_CONTENTS_BYTES", 10_000)
    with pytest.raises(SubmissionError, match="too long a table of contents"):
        read_class(path)


def test_pipes_and_unreadable_folders_are_reports(tmp_path: Path) -> None:
    build_folder(tmp_path, {"alice/mlp.py": CODE, "bob.py": CODE})
    os.mkfifo(tmp_path / "carol.py")
    os.mkfifo(tmp_path / "bob.zip")
    os.mkfifo(tmp_path / "alice" / "hw.zip")
    alice, bob, carol = read_class(tmp_path).handins
    assert problem(carol) == "carol.py: is neither a file nor a folder"
    assert problem(bob) == "bob.py, bob.zip: is neither a file nor a folder"
    assert read(alice)
    shutil.rmtree(tmp_path / "alice")
    assert problem(alice) == "alice: does not exist"


def test_links_on_the_disk_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "mlp.py").write_bytes(b"secret")
    (tmp_path / "secret.zip").write_bytes(zipped({"mlp.py": b"secret"}))
    root = build_folder(tmp_path / "class", {"dora/mlp.py": CODE, "erin/notes.txt": b"", "fay.py": CODE, "fay/": b""})
    for name, target in {"alice": "secret", "bob.py": "secret/mlp.py", "carl.zip": "secret.zip"}.items():
        (root / name).symlink_to(tmp_path / target)
    (root / "dora" / "more.py").symlink_to(tmp_path / "secret" / "mlp.py")
    (root / "erin" / "hw.zip").symlink_to(tmp_path / "secret.zip")
    (root / "fay" / "mlp.py").symlink_to(tmp_path / "secret" / "mlp.py")
    alice, bob, carl, dora, erin, fay = read_class(root).handins
    for handin, where in ((alice, "alice"), (bob, "bob.py"), (carl, "carl.zip")):
        assert problem(handin) == f"{where}: is a link, and links are not followed"
    assert read(dora) == {"mlp.py": CODE}
    assert "holds no Python file" in problem(erin)
    assert read(fay) == {"fay.py": CODE}


def raw_zip(path: Path, members: list[tuple[str, bytes, int]]) -> Path:
    """Zip archive of names as they are, the same one twice too, each with the mode of a file of Unix."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            member = zipfile.ZipInfo("x")
            member.filename = name
            member.external_attr = mode << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return path


def patched(path: Path, name: bytes, changes: Callable[[bytearray, int, int], None]) -> Path:
    """Zip archive with one member's entries, central and local, changed."""
    data = bytearray(path.read_bytes())
    central = data.rindex(b"PK\x01\x02", 0, data.rindex(name))
    local = data.rindex(b"PK\x03\x04", 0, data.index(name))
    changes(data, central, local)
    path.write_bytes(data)
    return path


HOSTILE_NAMES = {
    "climbs": ("eve/../../mlp.py", "eve: holds a name that leads out of the archive: class/eve/../../mlp.py"),
    "climbs at once": ("eve/../bob/mlp.py", "eve: holds a name that leads out of the archive: class/eve/../bob/mlp.py"),
    "backslash": ("eve/hw\\mlp.py", "eve: holds a name with a backslash or a zero byte: class/eve/hw\\mlp.py; zip the "
                                   "folder again"),
    "climbs with backslashes": ("eve/..\\..\\a.txt", "eve: holds a name that leads out of the archive: "
                                                     "class/eve/..\\..\\a.txt"),
    "deep": ("eve/" + "a/" * 200 + "mlp.py", "eve: holds a name below more than 100 folders: ..."),
    "long": ("eve/" + "a" * 300 + ".py", f"eve: holds {'a' * 300}.py, which can't be unpacked: File name too long"),
    "a folder as a file": ("eve/mlp.py/x.py", "eve: holds mlp.py/x.py, which can't be unpacked: File exists"),
    "there twice": ("eve/mlp.py", "eve: holds mlp.py twice; which one is meant?"),
    "there twice, otherwise written": ("eve/./mlp.py", "eve: holds mlp.py twice; which one is meant?"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(("name", "told"), HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_a_hostile_name_is_its_owners_alone(name: str, told: str, tmp_path: Path) -> None:
    good = [("class/bob/mlp.py", CODE, 0o644), ("class/carol.py", CODE, 0o644), ("class/eve/mlp.py", CODE, 0o644)]
    found = read_class(raw_zip(tmp_path / "a.zip", [*good, (f"class/{name}", b"evil", 0o644)]))
    bob, carol, eve = found.handins
    assert found.left_out == ()
    assert (read(bob), read(carol)) == ({"mlp.py": CODE}, {"carol.py": CODE})
    assert problem(eve).startswith(told) if told.endswith("...") else problem(eve) == told


NOBODYS = {
    "absolute": "/etc/mlp.py",
    "climbs": "../mlp.py",
    "climbs out of the wrapper": "class/../eve.py",
    "drive": "C:/mlp.py",
    "drive only": "C:mlp.py",
    "share": "\\\\host\\mlp.py",
    "climbs with backslashes": "class\\..\\mlp.txt",
}


@pytest.mark.parametrize("name", NOBODYS.values(), ids=NOBODYS)
def test_a_hostile_name_of_nobody_is_left_out(name: str, tmp_path: Path) -> None:
    good = [("class/bob/mlp.py", CODE, 0o644), ("class/carol.py", CODE, 0o644)]
    found = read_class(raw_zip(tmp_path / "a.zip", [*good, (name, b"evil", 0o644)]))
    assert list(by_id(found)) == ["bob", "carol"]
    assert found.left_out == (LeftOut(where=name, why=f"holds a name that leads out of the archive: {name}"),)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice(tmp_path: Path) -> None:
    found = read_class(raw_zip(tmp_path / "a.zip", [("eve.py", b"1", 0), ("bob.py", CODE, 0), ("eve.py", b"2", 0)]))
    bob, eve = found.handins
    assert read(bob)
    assert problem(eve) == "eve.py: is there twice; which one is meant?"


HOSTILE_MEMBERS: dict[str, tuple[bytes, Callable[[bytearray, int, int], None], str]] = {
    "encrypted": (
        CODE,
        lambda data, central, local: struct.pack_into("<H", data, central + 8, 1),
        "is encrypted; zip it without a password",
    ),
    "checksum": (
        CODE,
        lambda data, central, local: struct.pack_into("<I", data, central + 16, 1),
        "is not a whole zip archive (Bad CRC-32 for file ",
    ),
    "method": (
        CODE,
        lambda data, central, local: struct.pack_into("<H", data, central + 10, 12),
        "is compressed in an unusual way",
    ),
    "declares more": (
        CODE,
        lambda data, central, local: struct.pack_into("<I", data, central + 24, 1000),
        f"has {len(CODE)} bytes where the archive declares 1000",
    ),
    "declares less, a bomb": (
        b"#" * 50_000_000,
        lambda data, central, local: struct.pack_into("<I", data, central + 24, 1000),
        "is not a whole zip archive (Bad CRC-32 for file ",
    ),
    "a bomb": (b"#" * 1_900_000, lambda data, central, local: None, "would unpack to more than 200 times its size"),
    "too large": (b"#" * 2_000_001, lambda data, central, local: None, "is larger than 2 MB, the most for such a file"),
    "no header": (
        CODE,
        lambda data, central, local: struct.pack_into("<I", data, local, 0),
        "is not a whole zip archive (Bad magic number for file header)",
    ),
    "elsewhere": (
        CODE,
        lambda data, central, local: struct.pack_into("<I", data, central + 42, 1 << 30),
        "is not a whole zip archive (",
    ),
    "a link": (
        b"/etc/passwd",
        lambda data, central, local: struct.pack_into("<I", data, central + 38, (stat.S_IFLNK | 0o777) << 16),
        "is a link or a device, not a file",
    ),
}


@pytest.mark.parametrize("name", ["eve.py", "eve/mlp.py"])
@pytest.mark.parametrize(("content", "change", "told"), HOSTILE_MEMBERS.values(), ids=HOSTILE_MEMBERS)
def test_a_hostile_member_is_its_owners_alone(
    content: bytes, change: Callable[[bytearray, int, int], None], told: str, name: str, tmp_path: Path
) -> None:
    path = build_zip(tmp_path / "a.zip", {"bob.py": CODE, name: content, "zoe.zip": zipped({"mlp.py": CODE})})
    bob, eve, zoe = read_class(patched(path, name.encode(), change)).handins
    assert (read(bob), read(zoe)) == ({"bob.py": CODE}, {"mlp.py": CODE})
    assert problem(eve).startswith(f"{name}: {told}")


def test_hostile_archives_of_students(tmp_path: Path) -> None:
    bomb = zipped({"mlp.py": b"#" * 1_500_000})
    files = {"bob.zip": zipped({"mlp.py": CODE}), "eve.zip": bomb, "fay/hw.zip": bomb, "gil.zip": b"no zip"}
    found = read_class(build_zip(tmp_path / "a.zip", files))
    bob, eve, fay, gil = found.handins
    assert read(bob) == {"mlp.py": CODE}
    refused = "would unpack to more than 200 times its size: refused as a zip bomb"
    assert problem(eve) == f"eve.zip/mlp.py: {refused}"
    assert problem(fay) == f"fay/hw.zip/mlp.py: {refused}"
    assert problem(gil) == "gil.zip: is not a whole zip archive (File is not a zip file)"


def test_too_much_of_one_handin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"eve/{i}.py": b"" for i in range(MAX_FILES + 1)}
    files |= {"bob/a.ipynb": b"a" * 600, "bob/b.ipynb": b"b" * 600, "carol.zip": b"c" * 1100, "dan.py": CODE}
    bob, carol, dan, eve = read_class(build_zip(tmp_path / "a.zip", files)).handins
    with pytest.raises(SubmissionError) as error, eve.opened():
        pytest.fail("so many are not unpacked")
    assert str(error.value) == "eve: holds more than 500 Python files; hand in only your own"
    monkeypatch.setattr(grader.batch.contents, "MAX_HANDIN_BYTES", 1000)
    assert problem(bob) == "bob: holds more than 0 MB to read; hand in only your own"
    assert problem(carol) == "carol.zip: holds more than 0 MB to read; hand in only your own"
    assert read(dan)
    assert MAX_HANDIN_BYTES >= MAX_FILES * 100_000


def test_names_that_are_one_to_the_disk(tmp_path: Path) -> None:
    """A.py and a.py, where capitals don't count."""
    content = Content(path="a.py", size=1, pieces=lambda: iter([b"x"]))
    with pytest.raises(SubmissionError, match=r"holds a\.py twice; which one is meant"):
        unpack([content, content], tmp_path)


def test_a_full_disk_is_the_machines_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, _ = read_class(build_zip(tmp_path / "a.zip", {"bob.py": CODE, "carol.py": CODE})).handins
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(MachineError, match="no temporary folder can be made"), bob.opened():
        pass
    monkeypatch.undo()
    (tmp_path / "a.zip").unlink()
    with pytest.raises(MachineError, match="a hand-in can't be unpacked on this machine: "), bob.opened():
        pass


ENCODED = {
    "UTF-8, not declared": ("größe.py".encode(), 0, "größe"),
    "code page 437": ("größe.py".encode("cp437"), 0, "größe"),
    "another code page": ("表.py".encode("gbk"), 0, "▒φ"),
    "control characters": (b"a\x1b[31m.py", 0, "a_x1b[31m"),
    "of another system": (b'a"b:c|d<?*>.py', 0, "a_b_c_d____"),
}


@pytest.mark.parametrize(("raw", "flag", "student"), ENCODED.values(), ids=ENCODED)
def test_names_in_any_encoding(raw: bytes, flag: int, student: str, tmp_path: Path) -> None:
    stand_in = b"n" * (len(raw) - 3) + b".py"
    path = build_zip(tmp_path / "a.zip", {stand_in.decode(): CODE, "zoe.py": CODE})
    path.write_bytes(path.read_bytes().replace(stand_in, raw))
    handin = by_id(read_class(path))[student]
    assert handin.where.isprintable()
    assert list(read(handin).values()) == [CODE]


STUDENTS = {
    "CON:aux/..": "CON_aux_..".rstrip("."),
    "..": "_",
    ".hidden": "_hidden",
    " spaces. ": "spaces",
    "": "_",
    "é": "é",
    "ada@example.edu": "ada@example.edu",
}


@pytest.mark.parametrize(("sid", "student"), STUDENTS.items())
def test_an_id_can_name_a_file(sid: str, student: str, tmp_path: Path) -> None:
    """Whatever a platform's record holds: results are kept by it."""
    metadata = f"submission_1:\n  :submitters:\n  - :sid: '{sid}'\n    :name: '{sid or '/'}'\n"
    files = {"submission_metadata.yml": metadata.encode(), "submission_1/mlp.py": CODE}
    (handin,) = both(tmp_path, files).handins
    assert handin.student == student
    assert read(handin) == {"mlp.py": CODE}
    assert bool(handin.notes) is (sid != student and sid != "é")


def test_long_ids_are_cut_and_stay_apart(tmp_path: Path) -> None:
    names = ["ä" * 100 + f"{i}.py" for i in range(3)] + ["b" * 60_000 + ".py"]
    found = read_class(build_zip(tmp_path / "a.zip", dict.fromkeys(names, CODE)))
    assert len(by_id(found)) == 4
    assert all(len(handin.student.encode()) <= 120 for handin in found.handins)
    assert all(len(handin.where) <= 80 for handin in found.handins)


def test_the_rule_fits_a_help_text() -> None:
    assert len(RULE) < 1000
    assert all(len(line) <= 120 for line in RULE.splitlines())


PART = st.sampled_from(
    [
        *("alice", "Alice", "bob", "é", "e\u0301", "a b", "a.b", "x-1", "submission_1", "doejane_1_2_mlp-1", "..."),
        *("doejane_LATE_1_3_mlp", "doejane_1_5_mlp", "roe_2_4_mlp", "J D_7_assignsubmission_file_", "Thumbs", "index"),
        *("J D_7_assignsubmission_onlinetext_", "E F_8_assignsubmission_file", "J D_7_assignsubmission_file_mlp"),
    ]
)
SUFFIX = st.sampled_from(["", ".py", ".ipynb", ".zip", ".pdf", ".html", ".csv", ".tar.gz", ".db", ".yml"])
FILE = st.builds(
    lambda folders, name, suffix: "/".join([*folders, name + suffix]), st.lists(PART, max_size=2), PART, SUFFIX
)


@st.composite
def trees(draw: st.DrawFn) -> list[str]:
    """Paths of files, two or more of them at the top, none of which is another one's folder."""
    names = draw(st.lists(FILE, min_size=2, max_size=8, unique_by=lambda name: name.casefold()))
    folders = {name[:i] for name in names for i in range(len(name)) if name[i] == "/"}
    return [name for name in names if name not in folders]


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def read_or_none(path: Path) -> Class | None:
    try:
        return read_class(path)
    except SubmissionError:
        return None


def side_by_side(names: list[str]) -> set[str]:
    """What stands at the top, but for litter."""
    tops = {name.split("/")[0] for name in names}
    return {top for top in tops if not top.startswith(".") and top.casefold() != "thumbs.db"}


@given(names=trees())
def test_law_a_folder_and_its_archive_are_the_same_class_and_nothing_is_lost(names: list[str], scratch: Path) -> None:
    with tempfile.TemporaryDirectory(dir=scratch) as root:
        files = {name: name.encode() for name in names}
        folder = read_or_none(build_folder(Path(root, "class"), files))
        wrapped = read_or_none(build_zip(Path(root, "a.zip"), files, wrapper="class/"))
        assert wrapped == folder
        if len(side_by_side(names)) > 1:
            assert read_or_none(build_zip(Path(root, "b.zip"), files)) == folder
    if folder is None:
        return
    ids = [handin.student for handin in folder.handins]
    assert len({ident.casefold() for ident in ids}) == len(ids)
    assert ids == sorted(ids)
    if len(side_by_side(names)) < 2:  # then it may be a wrapper
        return
    counting = {thing.name for handin in folder.handins for _, thing in handin._parts}
    assert counting | {left.where for left in folder.left_out} == side_by_side(names)


@given(names=trees(), data=st.data())
def test_law_the_order_of_members_does_not_matter(names: list[str], data: st.DataObject, scratch: Path) -> None:
    files = dict.fromkeys(names, b"")
    shuffled = dict.fromkeys(data.draw(st.permutations(names)), b"")
    assert read_or_none(build_zip(scratch / "a.zip", files)) == read_or_none(build_zip(scratch / "b.zip", shuffled))


@given(names=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), min_size=1, max_size=5))
def test_law_any_names_give_ids_for_files_and_stay_inside(names: list[str], scratch: Path) -> None:
    path = raw_zip(scratch / "a.zip", [(name, CODE, 0) for name in dict.fromkeys(names)])
    found = read_or_none(path)
    if found is None:
        return
    with tempfile.TemporaryDirectory(dir=scratch) as folder, mock.patch.object(tempfile, "tempdir", folder):
        for handin in found.handins:
            assert handin.student == printable(handin.student)
            assert not set(handin.student) & set('<>:"/\\|?*')
            assert not handin.student.startswith(".")
            assert handin.student.strip(". ")
            with contextlib.suppress(SubmissionError), handin.opened() as opened:
                (root,) = Path(folder).iterdir()
                assert list(root.iterdir()) == [root / handin.student]
                assert opened.is_relative_to(root / handin.student)
            assert not os.listdir(folder)


@given(data=st.binary(max_size=200))
def test_law_arbitrary_bytes_are_refused(data: bytes, scratch: Path) -> None:
    (scratch / "c.zip").write_bytes(data)
    assert read_or_none(scratch / "c.zip") is None


@given(cut=st.integers(0, 400), changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=4))
def test_law_damaged_archives_are_read_or_refused(cut: int, changes: list[tuple[int, int]], scratch: Path) -> None:
    whole = build_zip(scratch / "d.zip", {"alice/mlp.py": CODE, "bob.zip": zipped({"mlp.py": CODE}), "carol.pdf": b""})
    data = bytearray(whole.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    whole.write_bytes(data[: len(data) - cut] if cut % 3 == 0 else data)
    for handin in (read_or_none(whole) or Class(handins=(), left_out=(), layout="")).handins:
        try:
            read(copy.deepcopy(handin))
        except SubmissionError:
            continue
