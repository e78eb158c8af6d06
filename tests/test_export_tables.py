"""Gradebooks' tables: who is who, one column of somebody else's file, and text that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import consumer_rules as rules
import pytest
from consumer_rules import User
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.gradebook import Points
from grader.report.exports.canvas import canvas, fill_canvas
from grader.report.exports.classes import Line
from grader.report.exports.grades import Undecided
from grader.report.exports.moodle import fill_moodle, moodle
from grader.report.exports.roster import read_roster, with_roster
from grader.report.exports.sheets import cell, filled, read_sheet, table
from grader.report.exports.spreadsheet import spreadsheet
from grader.report.exports.students import Kind, Student, match

HOLD = Undecided.HOLD


def line(student: str | Student, earned: float = 7.5, undecided: float = 0.0, pending: float = 0.0) -> Line:
    """Somebody with so many of 10 points."""
    who = Student(handin=student) if isinstance(student, str) else student
    points = Points(earned=earned, undecided=undecided, pending=pending, possible=10.0)
    verdict = "undecided" if undecided else "failed"
    faults = ("course",) if undecided else ()
    return Line(student=who, points=points, parts={"a / b": points}, verdict=verdict, faults=faults, handed_in="h.zip")


# ---------------------------------------------------------------------------------------------------- cells and files


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("=1+1", "'=1+1"),
        ("+49 151", "'+49 151"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'    =1"),
        ("\r=1", "'\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("Ada", "Ada"),
        ("a=b", "a=b"),
        ("x\x1b[31m", "x\\x1b[31m"),
        ("", ""),
    ],
)
def test_a_text_is_no_formula(text: str, harmless: str) -> None:
    assert cell(text) == harmless


def test_numbers_of_our_own_stay_numbers() -> None:
    assert table([["-1", -1.5, 0.125, 10.0]]) == "'-1,-1.5,0.125,10\n"


SHEETS = {
    "plain": b"a,b\n1,2\n",
    "byte order mark, CRLF": b"\xef\xbb\xbfa,b\r\n1,2\r\n",
    "no end": b"a,b\n1,2",
    "an empty last cell": b"a,b\n1,",
    "quotes": b'"a","b, ""c""\nd"\n1,"2"\n',
    "semicolons": b"a;b,c;d\n1;2;3\n",
    "semicolons and quotes": b'"a";"b,c"\n"1";"2"\n',
    "tabs": b"a\tb\n1\t2\n",
    "empty lines": b"a,b\n\n1,2\n\n\n",
    "old Macintosh": b"a,b\r1,2\r",
    "ragged": b"a,b\n1\n1,2,3\n",
    "a quote inside": b'a,b "c" d\n1,2\n',
}


@pytest.mark.parametrize("data", SHEETS.values(), ids=SHEETS)
def test_a_file_in_which_nothing_is_filled_stays_as_it_is(data: bytes) -> None:
    sheet = read_sheet(data)
    assert filled(sheet, {}) == data
    same = {(row, at): sheet.value(row, at) for row in range(len(sheet.rows)) for at in range(len(sheet.rows[row]))}
    again = read_sheet(filled(sheet, same))
    assert [again.values(row) for row in range(len(again.rows))] == [sheet.values(r) for r in range(len(sheet.rows))]


def test_one_cell_is_filled_and_keeps_its_quotes() -> None:
    sheet = read_sheet(SHEETS["quotes"])
    assert sheet.values(0) == ["a", 'b, "c"\nd']
    assert sheet.line(1) == 3
    assert filled(sheet, {(1, 1): "9"}) == SHEETS["quotes"].replace(b'"2"', b'"9"')
    assert filled(sheet, {(1, 0): "x,y"}) == SHEETS["quotes"].replace(b"1,", b'"x,y",')


@given(st.lists(st.lists(st.text('ab ,;"\n\r=é', max_size=5), min_size=2, max_size=4), min_size=1, max_size=4))
@settings(max_examples=60)
@example([['"', ""], ["\r\n", ","]])
def test_law_what_a_csv_writer_writes_is_read_and_kept(rows: list[list[str]]) -> None:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text).writerows([["h1", "h2", "h3", "h4", "h5"], *rows])
    sheet = read_sheet(text.getvalue().encode())
    assert [sheet.values(row) for row in range(1, len(sheet.rows))] == rows
    assert filled(sheet, {}) == text.getvalue().encode()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a,b\n\xff,2\n", "byte 4 is not UTF-8: save it as CSV in UTF-8"),
        (b'a,b\n1,"2\n3,4\n', "line 2: a quote is not closed, or something follows it"),
        (b'a,b\n1,"2"x\n', "line 2: a quote is not closed, or something follows it"),
        (b"\xef\xbb\xbf \n", "it is empty"),
    ],
)
def test_what_is_no_table_is_told_with_its_place(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        read_sheet(data)


# ----------------------------------------------------------------------------------------------------------- who is who

PEOPLE = [
    {Kind.CANVAS: "11", Kind.SIS: "s1", Kind.LOGIN: "ada", Kind.NAME: "Lovelace, Ada"},
    {Kind.CANVAS: "12", Kind.SIS: "s2", Kind.LOGIN: "bob", Kind.NAME: "Bob Ross"},
    {Kind.CANVAS: "13", Kind.SIS: "11", Kind.LOGIN: "eve", Kind.NAME: "Bob Ross"},
    {Kind.CANVAS: "", Kind.SIS: "", Kind.LOGIN: "", Kind.NAME: ""},
]


@pytest.mark.parametrize(
    ("student", "found"),
    [
        (Student(handin="12"), 1),
        (Student(handin="S2"), 1),
        (Student(handin="ada"), 0),
        (Student(handin="Ada  Lovelace"), 0),
        (Student(handin="lovelace, ada"), 0),
        (Student(handin="x", ids={Kind.NAME: "Ada Lovelace"}), 0),
        (Student(handin="11", kind=Kind.CANVAS), 0),
        (Student(handin="11", kind=Kind.SIS), 2),
        (Student(handin="11"), (0, 2)),  # an id of whom?
        (Student(handin="Bob Ross"), (1, 2)),  # two of one name
        (Student(handin="12", kind=Kind.PARTICIPANT, ids={Kind.NAME: "nobody"}), None),
        (Student(handin="x", kind=Kind.HANDIN, ids={Kind.SIS: "s1", Kind.LOGIN: "bob"}), (0, 1)),  # they disagree
        (Student(handin="x", ids={Kind.LOGIN: "eve", Kind.NAME: "Ada Lovelace"}), 2),  # an id before a name
        (Student(handin="ad"), None),
        (Student(handin=""), None),
    ],
)
def test_a_student_is_found_by_ids_then_by_name_and_never_guessed(student: Student, found: object) -> None:
    matches = match([student], PEOPLE)
    match found:
        case None:
            assert matches.unmatched == (student.handin,)
        case int():
            assert matches.found == {student.handin: found}
        case _:
            assert matches.ambiguous == {student.handin: found}


def test_two_hand_ins_that_one_row_fits_get_nothing() -> None:
    matches = match([Student(handin="ada"), Student(handin="s1"), Student(handin="bob")], PEOPLE)
    assert (matches.found, matches.ambiguous) == ({"bob": 1}, {"ada": (0,), "s1": (0,)})


def test_a_roster_says_who_is_called_how() -> None:
    roster = read_roster(b"Handin,Email,ID,Name\nTeam 1,ada@x.org,11,\n,nobody@x.org,9,\n")
    who = with_roster(Student(handin="team 1"), roster)
    assert (who.kind, who.ids) == (Kind.HANDIN, {Kind.EMAIL: "ada@x.org", Kind.CANVAS: "11"})
    assert with_roster(Student(handin="other"), roster) == Student(handin="other")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"name,email\n", "a roster has a column called handin or hand-in or student, .* this one has name, email"),
        (b"handin,phone\n", "one or more of canvas id, id, .* this one has handin, phone"),
        (b"handin,email\nada,a\nADA,b\n", "line 3: ADA stands there twice"),
    ],
)
def test_a_roster_that_is_none_says_what_it_lacks(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_roster(data)


# --------------------------------------------------------------------------------------------------------------- Canvas

EXPORT = (
    b'\xef\xbb\xbfStudent,ID,SIS User ID,SIS Login ID,Section,Quiz (7),"Nets, by hand (8)",Final Score\r\n'
    b',,,,,,"Manual Posting",\r\n'
    b'"    Points Possible",,,,,5,10,(read only)\r\n'
    b'"Lovelace, Ada",11,s1,ada,"A ""1""",4.50,,88.1\r\n'
    b"Bob Ross,12,s2,bob,A,,EX,\r\n"
    b'Eve,13,,eve,A,=1+1,"3",\r\n'
    b"Mallory,14,,mal,A,1,2.00,-\r\n"
    b'"Student, Test",15,,abc,A,,,\r\n'
)
USERS = [User(id=11), User(id=12), User(id=13), User(id=14), User(id=15)]
TITLES = ["Nets, by hand", "nets"]


def fill(lines: list[Line], undecided: Undecided = HOLD, export: bytes = EXPORT, **more: object):  # type: ignore[no-untyped-def]
    return fill_canvas(export, lines, undecided, **{"titles": TITLES, "scale": False, **more})  # type: ignore[arg-type]


def test_canvas_one_column_is_filled_and_every_other_byte_stays() -> None:
    done = fill([line("ada"), line("12"), line("eve", 9.999), line("mal", 4, undecided=2)])
    expected = EXPORT.replace(b"4.50,,88.1", b"4.50,7.5,88.1").replace(b'=1+1,"3"', b'=1+1,"9.99"')
    assert done.data == expected
    assert (done.written, done.held, done.missing) == (2, ("mal",), ())
    assert done.notes == ("1 excused (EX) stay so", "1 row is of nobody who handed in, and stays")
    # What Canvas makes of it: EX and held ones as they were, nobody without a row touched.
    taken = rules.canvas(expected.replace(b"=1+1", b""), USERS, "Nets, by hand (8)")
    assert taken == {11: "7.5", 12: "EX", 13: "9.99", 14: "2.00", 15: ""}


def test_canvas_whoever_is_not_found_for_certain_is_listed() -> None:
    export = EXPORT.replace(b"Mallory,14", b"Bob Ross,14")
    done = fill([line("Bob Ross"), line("joe"), line("11"), line("s1")], export=export)
    assert done.data == export
    assert done.missing == (
        "Bob Ross: lines 5, 7 all fit",
        "joe: no row has this id or name",
        "11: line 4 fits another hand-in as well",
        "s1: line 4 fits another hand-in as well",
    )


def test_canvas_the_column_is_the_one_that_is_said() -> None:
    for name in ("Quiz (7)", "Quiz", "7"):
        assert b'ada,"A ""1""",3.75,' in fill([line("ada")], column=name, scale=True).data


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"titles": ["x"]}, "no column is called 'x'; say which with --column. There are:\n  Quiz (7)\n  Nets, by"),
        ({"titles": ["Quiz", "Nets, by hand"]}, "2 columns are called 'Quiz' or 'Nets, by hand'; say which with"),
        ({"column": "Final Score"}, "no column is called 'Final Score'"),
        ({"column": "Quiz"}, "10 points are possible in the assignment and 5 in the column Quiz (7): make them equal"),
        ({"export": b"a,b\n1,2\n"}, "the first row is not that of a Canvas gradebook"),
        ({"export": b"a,b\n\xff,2\n"}, "byte 4 is not UTF-8"),
    ],
)  # fmt: skip
def test_canvas_what_can_not_be_filled_is_told(more: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError) as told:  # noqa: PT011
        fill([line("ada")], **more)  # type: ignore[arg-type]
    assert str(told.value).startswith(problem)


def test_canvas_excluded_points_are_scaled_to_what_is_possible_there() -> None:
    done = fill([line("ada", 4, undecided=2), line("mal", 0, pending=10)], Undecided.EXCLUDE)
    assert b",4.50,5,88.1" in done.data
    assert done.held == ("mal",)  # of nothing there is no share
    assert b",4.50,4,88.1" in fill([line("ada", 4, undecided=2)], Undecided.ZERO).data


def test_canvas_a_table_of_its_own_is_imported() -> None:
    known = Student(handin="4711", kind=Kind.CANVAS, ids={Kind.NAME: "=Ada"})
    done = canvas([line(known), line("bob", 10), line("eve", 1, undecided=1)], "Nets (8)", HOLD)
    users = [User(id=4711), User(id=5, login="bob")]
    assert rules.canvas(done.data, users, "Nets (8)") == {4711: "7.5", 5: "10"}
    assert b"\n    Points Possible,,,,,10\n" in done.data
    assert done.held == ("eve",)


# --------------------------------------------------------------------------------------------------------------- Moodle

WORKSHEET = (
    b"\xef\xbb\xbfIdentifier,\"Full name\",\"Email address\",Status,Grade,\"Maximum grade\",\"Last modified (grade)\"\n"
    b'"Participant 71","Ada L","ada@x.org",Submitted,,10.00,-\n'
    b'"Participant 72","Bob R","bob@x.org",Submitted,3.00,10.00,-\n'
    b'"Participant 73","Eve","eve@x.org",Submitted,,10.00,-\n'
)  # fmt: skip


def test_moodle_the_worksheet_is_filled_by_participants_numbers() -> None:
    of_moodle = [Student(handin=number, kind=Kind.PARTICIPANT) for number in ("71", "74")]
    done = fill_moodle(WORKSHEET, [*map(line, of_moodle), line("bob@x.org", 2, pending=1)], HOLD, scale=False)
    assert done.data == WORKSHEET.replace(b"Submitted,,10.00", b"Submitted,7.5,10.00", 1)
    assert rules.moodle_worksheet(done.data) == {"71": "7.5", "72": "3.00", "73": ""}
    assert (done.held, done.missing) == (("bob@x.org",), ("74: no row has this id or name",))


def test_moodle_what_is_no_worksheet_is_told() -> None:
    with pytest.raises(ValueError, match=r"it lacks Identifier or Grade\. It has Student, ID"):
        fill_moodle(EXPORT, [line("ada")], HOLD, scale=False)
    with pytest.raises(ValueError, match="10 points are possible in the assignment and 20 in the column Grade"):
        fill_moodle(WORKSHEET.replace(b"10.00", b"20.00"), [line("ada@x.org")], HOLD, scale=False)


def test_moodle_the_import_has_just_whom_it_can_find() -> None:
    lines = [
        line("s7"),
        line("bob@x.org", 10),
        line(Student(handin="71", kind=Kind.PARTICIPANT)),
        line(Student(handin="72", kind=Kind.PARTICIPANT, ids={Kind.EMAIL: "eve@x.org", Kind.NAME: "Y, Eve"}), 2),
        line("s8", 3, undecided=1),
    ]
    done = moodle(lines, "Nets", HOLD)
    users = [User(id=1, sis="s7"), User(id=2, email="bob@x.org"), User(id=3, email="eve@x.org")]
    assert rules.moodle(done.data, users) == {1: 7.5, 2: 10.0, 3: 2.0}
    assert b"\nEve,Y,,eve@x.org,2,a / b: 2 of 10\n" in done.data
    assert done.held == ("s8",)
    assert done.missing[0].startswith("71: Moodle's import does not know this id (Participant).")


# -----------------------------------------------------------------------------------------------------any class at all

STUDENTS = st.lists(
    st.tuples(
        st.sampled_from(["=1+1", "+a", "-2", "@x", "\tb", "a,b", 'q"', "ada", "é", "\x1b", "a\nb", "71"]),
        st.sampled_from([0.0, 0.01, 3.33, 9.99, 10.0]),
        st.sampled_from([0.0, 0.0, 0.5]),
    ),
    max_size=5,
    unique_by=lambda item: item[0],
)


@given(STUDENTS, st.sampled_from(Undecided))
@settings(max_examples=60)
def test_law_any_class_makes_tables_that_no_spreadsheet_runs(
    students: list[tuple[str, float, float]], undecided: Undecided
) -> None:
    lines = [replace(line(name, max(0.0, earned - open_), open_)) for name, earned, open_ in students]
    found = rules.spreadsheet(spreadsheet(lines, undecided).data)
    assert [row["student"] for row in found] == [cell(name) for name, _, _ in students]
    for row, each in zip(found, lines, strict=True):
        held = each.points.undecided and undecided is HOLD
        assert row["score"] == "" if held else float(row["score"]) == each.points.earned
    rules.rows(canvas(lines, "=T", undecided).data)
    rules.rows(moodle(lines, "=T", undecided).data)


def test_tables_read_as_their_golden_files(golden: Callable[[str, str], None]) -> None:
    ada = Student(handin="4711", kind=Kind.CANVAS, ids={Kind.NAME: "Lovelace, Ada", Kind.EMAIL: "ada@x.org"})
    lines = [line(ada, 10), line("bob", 2.5), line("eve", 4, undecided=2, pending=1)]
    golden("exports/class.csv", spreadsheet(lines, HOLD).data.decode())
    golden("exports/class.canvas.csv", canvas(lines, "Nets, by hand", HOLD).data.decode())
    golden("exports/class.moodle.csv", moodle(lines, "Nets, by hand", HOLD).data.decode())
