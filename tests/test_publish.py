"""The site of a class: what it counts, who can see what, and that a folder is replaced whole or not at all."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest
from courses import grade_text, make_course
from pages import check_page
from test_kinds import CASE, LAYER, TANH, TANH_BACK

from grader import cli
from grader.errors import GradebookError, MachineError
from grader.gradebook import Attempt, Gradebook, Key, Points, seal
from grader.publishing.addresses import address, site_key
from grader.publishing.lesson import anchor_for, read_lesson
from grader.publishing.pages import FEWEST
from grader.publishing.site import MARKER, publish
from grader.publishing.tally import BINS, Seen, bin_of, look, tally
from grader.report.model import Report
from grader.topics import assignment_names, find_manifest

MEAN = TANH_BACK.replace(".sum(0)", ".mean(0)")
CODE = {
    "right": TANH + TANH_BACK,
    "averages": TANH + MEAN,
    "raises": TANH + "def b(d, c):\n    return d.nope\n",
    "not written": TANH + "def b(d, c):\n    raise NotImplementedError\n",
    "does not load": "def f(x:\n",
    "course": TANH + TANH_BACK + "def g(x):\n    return x\n",
}
OTHER = (
    '[[exercise]]\nname = "other"\nkind = "function"\nfunction = "g"\nreference = "g"\ninputs = { x = "N" }\n'
    "points = { value = 2 }\n" + CASE + "sizes = { N = 3 }\n"
)
REFERENCE = LAYER[1] + "def g(x):\n    return x.nope\n"
CLASS = {"right": 14, "averages": 8, "raises": 2, "not written": 3, "does not load": 2, "course": 1}
NASTY = "<script>alert(1)</script>\u202eevil"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Report]:
    course = make_course(tmp_path_factory.mktemp("layer"), *LAYER)
    faulty = make_course(tmp_path_factory.mktemp("faulty"), LAYER[0] + OTHER, REFERENCE)
    return {name: grade_text(faulty if name == "course" else course, code) for name, code in CODE.items()}


def students() -> Iterator[tuple[str, str]]:
    """Id of a student, and what that student handed in."""
    number = 0
    for kind, count in CLASS.items():
        for _ in range(count):
            number += 1
            yield f"zz{number:02}", kind


def record(run: Path, reports: Mapping[str, Report], who: Mapping[str, str]) -> None:
    with Gradebook(run, write=True) as book:
        book.note({"name": "t", "manifest": "mlp"})
        for student, kind in who.items():
            name = {"zz01": NASTY, "zz02": "=cmd()"}.get(student, f"Zoe {student}")
            key = Key(submission=student, assignment="", grader="", seed="")
            book.record(key, seal(reports[kind]), [Attempt(student=student, name=name, late=student == "zz03")])


@pytest.fixture(scope="module")
def run(reports: Mapping[str, Report], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class") / "run"
    record(folder, reports, dict(students()))
    return folder


@pytest.fixture(scope="module")
def site(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "site"
    with Gradebook(run) as book:
        publish(book, out, lesson=read_lesson("# T\n\n## 1. E\n\ntext\n\n## Other things\n"))
    return out


def addresses(run: Path) -> dict[str, str]:
    with (run / "addresses.csv").open(newline="", encoding="utf-8") as file:
        return {row["student"]: row["address"] for row in csv.DictReader(file)}


# ------------------------------------------------------------------------------------------------------------ the pages


def test_every_page_is_whole_and_its_links_lead_somewhere(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if path != site / "students" / "index.html"]
    assert len(pages) == 1 + 30 + 1 + 3 + 3  # the overview, students, the lesson, parts, mistakes
    for path in pages:
        check_page(path.read_text("utf-8"), path)


def test_the_overview_tells_of_the_class(site: Path) -> None:
    page = check_page((site / "index.html").read_text("utf-8"))
    words = page.words
    assert "30 students" in words
    assert "Look here first: 1 not decided" in words
    assert "the course at fault: the course's reference failed: reference of other" in words
    assert (
        "8 students\nbackward averages over the batch; the 1/N belongs to the loss and is already inside dout" in words
    )
    assert "2 students\nb raised AttributeError" in words
    assert "2 students\nt.py does not load" in words
    assert words.index("Look here first") < words.index("The mistakes most made") < words.index("Exercises by success")
    numbers = [a for a in page.root.all("a") if a.text.strip()[:1].isdigit()]
    assert len(numbers) >= 3 + 3  # mistakes, parts; and the columns of the distribution
    columns = [a.attributes["href"] for a in page.root.all("a") if "data-bin" in a.attributes]
    assert columns == ["#bin-0", "#bin-3", "#bin-6", "#bin-10"]


def test_evidence_leads_to_the_part_of_the_student(site: Path, run: Path) -> None:
    page = check_page((site / "mistakes" / "1.html").read_text("utf-8"))
    links = [a.attributes["href"] for a in page.root.all("a") if "students/" in a.attributes["href"]]
    averaging = [student for student, kind in students() if kind == "averages"]
    where = addresses(run)
    wanted = {f"../{where[student]}#part-2" for student in averaging}
    assert {link for link in links if "lesson" not in link} == wanted
    assert "../students/lesson.html#e" in links
    assert page.words.count("dw is not the gradient: 4 of 4 elements differ") == len(averaging)


def test_a_students_page_tells_of_nobody_else(site: Path, run: Path) -> None:
    where = {student: Path(place).name for student, place in addresses(run).items()}
    for path in (site / "students").iterdir():
        text = path.read_text("utf-8")
        others = [student for student in where if where[student] != path.name]
        assert [student for student in others if student in text] == [], path.name
        assert [name for name in where.values() if name in text] == []
        assert "../" not in text


def test_names_are_text(site: Path, run: Path) -> None:
    for path in (site / "index.html", site / addresses(run)["zz01"]):
        text = path.read_text("utf-8")
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202eevil" in text
    assert "'=cmd()" in (run / "addresses.csv").read_text("utf-8")


# ------------------------------------------------------------------------------------------------------------ addresses


def test_addresses_stay_and_those_of_who_is_gone_go(run: Path, reports: Mapping[str, Report], tmp_path: Path) -> None:
    out, later = tmp_path / "site", tmp_path / "later"
    who = dict(students())
    with Gradebook(run) as book:
        publish(book, out)
    before = addresses(run)
    del who["zz05"]
    record(later, reports, who)
    shutil.copy(run / "addresses.key", later)
    with Gradebook(later) as book:
        publish(book, out)
    assert {student: place for student, place in before.items() if student != "zz05"} == addresses(later)
    assert (out / before["zz04"]).is_file()
    assert not (out / before["zz05"]).exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_address_can_t_be_guessed(run: Path, tmp_path: Path) -> None:
    key = site_key(run)
    names = {address(key, student) for student, _ in students()} | {address(key, "\ud800"), address(bytes(32), "zz01")}
    assert len(names) == 32
    assert all(len(name) == 26 + len(".html") for name in names)
    assert site_key(run) == key
    assert (run / "addresses.key").stat().st_mode & 0o077 == 0
    (tmp_path / "addresses.key").write_text("1234")
    with pytest.raises(MachineError, match="is not a key"):
        site_key(tmp_path)


def test_whole_addresses_for_a_mail_merge(run: Path, tmp_path: Path) -> None:
    url = "https://example.org/hw1/students"
    assert cli.main(["publish", str(run), "--out", str(tmp_path / "s"), "--url", url]) == cli.PASSED
    places = addresses(run)
    assert all(place.startswith(f"{url}/") for place in places.values())
    assert (tmp_path / "s" / "students" / places["zz07"].rpartition("/")[2]).is_file()


# -------------------------------------------------------------------------------------------------------- without names


def test_without_names_nobody_is_told_of(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "shown"
    with Gradebook(run) as book:
        assert publish(book, out, anonymous=True).addresses is None
    assert sorted(path.name for path in out.iterdir()) == [MARKER, "index.html"]
    text = (out / "index.html").read_text("utf-8")
    page = check_page(text, out / "index.html")
    assert "zz" not in text
    assert "Zoe" not in text
    assert page.root.all("a") == []
    assert page.root.all("script") == []
    assert "8 students\nbackward averages over the batch" in page.words
    assert "b raised" not in page.words  # two students
    assert "fewer than 5" in page.words
    columns = [span.text for span in page.root.all("span") if span.attributes.get("class") == "away"]
    counts = [int(text.split()[0]) for text in columns if re.match(r"\d+ students? with ", text)]
    assert sum(counts) == 30
    assert all(count == 0 or count >= FEWEST for count in counts)


@pytest.mark.parametrize("sizes", [[1, 0, 9], [4, 4, 4], [0, 0, 12, 3], [2, 0, 0, 0, 9, 1], [10, 1]])
def test_no_column_tells_of_a_few(sizes: list[int], tmp_path: Path, reports: Mapping[str, Report]) -> None:
    from grader.publishing.pages import _merged

    counted = tally(seen(earned) for earned, count in enumerate(sizes) for _ in range(count))
    columns = _merged(counted)
    assert sum(column.count for column in columns) == sum(sizes)
    assert all(column.count == 0 or column.count >= FEWEST for column in columns)


def test_a_class_that_is_too_small_is_not_shown(reports: Mapping[str, Report], tmp_path: Path) -> None:
    record(tmp_path / "run", reports, {f"s{number}": "right" for number in range(2 * FEWEST - 1)})
    with Gradebook(tmp_path / "run") as book, pytest.raises(GradebookError, match="a class of 9 is too small"):
        publish(book, tmp_path / "site", anonymous=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


# ------------------------------------------------------------------------------------------------------------- counting


def seen(earned: float, part: float = 0.0, possible: float = 10.0, **changes: object) -> Seen:
    """A student with `earned` of 10 points, `part` of them (of 2) in the part `e / a`."""
    right = Points(earned=part, undecided=0.0, possible=2.0), "right" if part == 2.0 else "wrong"
    rest = Points(earned=earned - part, undecided=0.0, possible=possible - 2.0), "wrong"
    whole = Points(earned=earned, undecided=0.0, possible=possible)
    one = Seen(student="", name="", address="", points=whole, verdict="", late=False,
               parts={"e / a": right, "e / b": rest}, found=(), troubles=())  # fmt: skip
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def test_difficulty_and_discrimination_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(1)
    part = rng.choice([0.0, 2.0], 40)
    rest = np.clip(rng.normal(4 + part, 2), 0, 8).round(1)
    a, _ = tally(seen(float(r + p), float(p)) for r, p in zip(rest, part, strict=True)).parts
    right = part == 2.0
    p, q = right.mean(), 1 - right.mean()
    share = rest / 8
    biserial = (share[right].mean() - share[~right].mean()) / share.std() * np.sqrt(p * q)
    assert a.difficulty == pytest.approx(p)
    assert a.discrimination == pytest.approx(biserial)


def test_what_is_undecided_counts_for_neither() -> None:
    points = Points(earned=0.0, undecided=2.0, possible=2.0)
    others = [seen(5, 2), *[seen(4, 0)] * 3]
    open_ = seen(3, parts={"e / a": (points, "undecided"), "e / b": others[0].parts["e / b"]})
    a, _ = tally([*others, open_]).parts
    assert a.difficulty == 0.25
    assert {outcome: len(places) for outcome, places in a.outcomes.items()} == {"right": 1, "wrong": 3, "undecided": 1}


def test_where_nothing_can_be_told_nothing_is() -> None:
    assert tally([seen(5, 2), seen(3, 0)]).parts[0].discrimination is None  # two students
    assert tally([seen(5, 2)] * 20).parts[0].discrimination is None  # all alike


@pytest.mark.parametrize(("earned", "place"), [(0, 0), (0.99, 0), (1, 1), (9.99, 9), (10, BINS)])
def test_only_all_points_are_in_the_last_column(earned: float, place: int) -> None:
    assert bin_of(Points(earned=earned, undecided=0.0, possible=10.0)) == place


def changed(report: Report, **fields: str) -> Report:
    """A report whose findings are others."""
    document = msgspec.to_builtins(report)
    for part in document["exercises"][0]["parts"]:
        for check in part["checks"]:
            for finding in check.get("findings", []):
                finding |= fields
    return msgspec.convert(document, Report)


SAME = {
    "a cause, with other numbers": ({"likely": "it is 3 times x"}, {"likely": "it is 4 times x"}),
    "a headline, with other numbers": (
        {"likely": "", "headline": "losses must be 7 numbers, it is 8"},
        {"likely": "", "headline": "losses must be 5 numbers, it is 1"},
    ),
    "differences, whatever they were taken of": (
        {"code": "NUMERICAL_DERIVATIVE", "headline": "b differentiates numerically: it calls f"},
        {"likely": "it differentiates numerically: it calls g"},
    ),
}
OTHERS = {
    "another cause": ({"likely": "b is not added"}, {"likely": "w is not added"}),
    "another array": ({"likely": "", "headline": "params['W1'] x"}, {"likely": "", "headline": "params['W2'] x"}),
}


@pytest.mark.parametrize(
    ("one", "other", "count"), [*((*p, 1) for p in SAME.values()), *((*p, 2) for p in OTHERS.values())]
)
def test_the_same_mistake_is_counted_as_one(
    reports: Mapping[str, Report], one: dict[str, str], other: dict[str, str], count: int
) -> None:
    points = Points(earned=1.0, undecided=0.0, possible=3.0)
    looks = [look(Attempt(student="s"), points, changed(reports["averages"], **fields)) for fields in (one, other)]
    assert len(tally(looks).mistakes) == count


def test_what_is_not_written_is_no_mistake(reports: Mapping[str, Report]) -> None:
    points = Points(earned=1.0, undecided=0.0, possible=3.0)
    found = look(Attempt(student="s"), points, reports["not written"])
    assert found.found == ()
    assert [outcome for _, outcome in found.parts.values()] == ["right", "not written"]


# ----------------------------------------------------------------------------------------------------------- the folder


def refused(run: Path, out: Path, **options: bool) -> str:
    with Gradebook(run) as book, pytest.raises(GradebookError) as error:
        publish(book, out, **options)  # type: ignore[arg-type]
    return str(error.value)


def test_only_a_site_of_ours_is_replaced(run: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter1.tex").write_text("x")
    assert "is not empty, and no site of gradmark's" in refused(run, foreign)
    assert (foreign / "chapter1.tex").read_text() == "x"
    site = tmp_path / "site"
    with Gradebook(run) as book:
        publish(book, site)
        publish(book, site)
    (site / "parts" / "notes.txt").write_text("x")
    assert "holds parts/notes.txt, which is not gradmark's" in refused(run, site)
    (site / "parts" / "notes.txt").unlink()
    assert "the pages of students, which would go" in refused(run, site, anonymous=True)
    assert "must not lie in each other" in refused(run, run / "site")
    assert "must not lie in each other" in refused(run, run.parent)
    (tmp_path / "file").write_text("x")
    assert "is no folder" in refused(run, tmp_path / "file")


def test_what_ends_it_on_the_way_leaves_the_old_site(run: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with Gradebook(run) as book:
        publish(book, site)
        before = {path: path.stat().st_ino for path in site.rglob("*")}

        def end(done: int) -> None:
            if done == 7:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            publish(book, site, told=end)
    assert {path: path.stat().st_ino for path in site.rglob("*")} == before
    assert list(tmp_path.iterdir()) == [site]
    (tmp_path / ".site.killed.gradmark").mkdir()  # what SIGKILL leaves
    with Gradebook(run) as book:
        publish(book, site)
    assert list(tmp_path.iterdir()) == [site]


def test_the_same_class_is_the_same_site(run: Path, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        with Gradebook(run) as book:
            publish(book, tmp_path / name)
        made.append(
            {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.html")}
        )
    assert made[0] == made[1]


# ------------------------------------------------------------------------------------------------------------- the door


def test_the_command_loads_no_torch_and_says_what_it_made(run: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom grader import cli\nn = cli.main(sys.argv[1:])\nsys.exit(9 if 'torch' in sys.modules else n)"
    )
    command = [sys.executable, "-c", code, "publish", str(run), "--out", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"30 students: {tmp_path / 'site' / 'index.html'} (")
    assert (
        done.stderr == f"grader: put only {tmp_path / 'site' / 'students'} on the web: the other pages name everybody\n"
    )
    lesson = (tmp_path / "site" / "students" / "lesson.html").read_text("utf-8")
    assert "A two-layer network, by hand" in lesson


WRONG = {
    "no gradebook": (["publish", "EMPTY", "--out", "SITE"], "holds no gradebook"),
    "no address": (["publish", "RUN", "--out", "SITE", "--url", "example.org"], "'--url': 'example.org' is no address"),
    "addresses of nobody": (
        ["publish", "RUN", "--out", "SITE", "--anonymous", "--url", "https://e.org"],
        "no addresses",
    ),
    "no site": (["publish", "RUN"], "Missing option '--out'"),
    "a page of a class": (["show", "RUN", "--html", "SITE"], "a page is of one STUDENT"),
    "a page of nobody": (["show", "RUN", "nobody", "--html", "SITE"], "has nothing of 'nobody'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_told_in_one_message(
    name: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, problem = WRONG[name]
    (tmp_path / "empty").mkdir()
    words = {"RUN": str(run), "SITE": str(tmp_path / "site"), "EMPTY": str(tmp_path / "empty")}
    assert cli.main([words.get(argument, argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert problem in err
    assert "Traceback" not in err
    assert not (tmp_path / "site").exists()


def test_show_writes_the_page_of_a_student(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", str(run), "zz20", "--html", str(tmp_path / "zz20.html")]) == cli.PASSED
    assert capsys.readouterr().out == ""
    assert "zz20" in check_page((tmp_path / "zz20.html").read_text("utf-8")).words


# -------------------------------------------------------------------------------------------------------------- lessons


@pytest.mark.parametrize("topic", assignment_names())
def test_every_lesson_can_be_read(topic: str) -> None:
    from grader.publishing.pages import About, lesson_page

    text = (find_manifest(topic).parent / "README.md").read_text("utf-8")
    lesson = read_lesson(text)
    about = About(assignment=topic, title="", recorded="", lesson=lesson, anonymous=False)
    page = check_page(lesson_page(about, lesson))
    code = [line for line in text.splitlines() if line.startswith((">>> ", "    "))]
    words = {" ".join(line.split()) for line in page.root.text.splitlines()}
    assert [line for line in code if " ".join(line.split()) not in words and "`" not in line][:3] == []
    assert "```" not in page.words


def test_a_lesson_is_text() -> None:
    lesson = read_lesson("# <b>\n\n<script>x</script> **bold** `a*b*` [link](javascript:x) *it*\n\n- a\n  b\n- c\n")
    assert lesson.title == "<b>"
    assert lesson.body == (
        "<p>&lt;script&gt;x&lt;/script&gt; <b>bold</b> <code>a*b*</code> link <em>it</em></p>\n"
        "<ul><li>a b</li><li>c</li></ul>"
    )


def test_a_lesson_is_entered_where_it_tells_of_the_exercise() -> None:
    lesson = read_lesson("# T\n## How to work\n## 1. Max pooling\n## 2. Affine and GELU\n")
    assert [anchor_for(lesson, name) for name in ("gelu", "max_pooling", "sgd")] == [
        "#affine-and-gelu",
        "#max-pooling",
        "",
    ]


def test_the_marker_lists_what_is_there(site: Path) -> None:
    marker = json.loads((site / MARKER).read_text("utf-8"))
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {*marker["files"], MARKER} == there
    assert marker["anonymous"] is False
