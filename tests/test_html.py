"""A student's page: what it says, that everybody can read it, and that no text of a student's is more than text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from courses import grade_text, make_course
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pages import check_page
from test_kinds import CASE, LAYER, TANH, TANH_BACK
from test_markdown import REPORTS, anywhere

from grader import cli
from grader.assignment import Assignment
from grader.report import html
from grader.report.html import MOST_BYTES, render_html, visible
from grader.report.model import CurveReport, ErrorMapReport, Report
from grader.report.pictures import bars, heat_map, loss_curve

WRONG = TANH + TANH_BACK.replace(".sum(0)", ".mean(0)")
TRAINING = (
    'name = "train"\nkind = "training"\ntrain = "train"\nreference = "train"\nevaluate = "loss"\n'
    'inputs.w = { axes = "D" }\ninputs.x = { axes = "N D" }\ninputs.y = { axes = "N" }\n'
    "arguments = { lr = 0.1, batch = 3, steps = 8 }\npoints = { trajectory = 2 }\n"
    + CASE
    + "sizes = { N = 6, D = 2 }\n",
    "def loss(w, x, y):\n    return ((x @ w - y) ** 2).mean(), 0.0\n"
    "def train(w, x, y, lr, batch, steps):\n    losses = []\n    for step in range(steps):\n"
    "        rows = [(step * batch + i) % len(x) for i in range(batch)]\n"
    "        w = w.detach().requires_grad_()\n        value, _ = loss(w, x[rows], y[rows])\n"
    "        (g,) = torch.autograd.grad(value, w)\n        losses.append(float(value))\n        w = w - lr * g\n"
    "    return w.detach(), losses\n",
)
TRAIN = """
def train(w, x, y, lr, batch, steps):
    losses = []
    for step in range(steps):
        rows = np.arange(step * batch, step * batch + batch) % len(x)
        e = x[rows] @ w - y[rows]
        losses.append((e ** 2).mean())
        w = w - lr * 2 * x[rows].T @ e / batch
    return w, losses
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """As in tests/test_markdown.py: a layer, and a function whose reference fails."""
    other = (
        '[[exercise]]\nname = "other"\nkind = "function"\nfunction = "g"\nreference = "g"\ninputs = { x = "N" }\n'
        "points = { value = 2.5 }\n" + CASE + "sizes = { N = 3 }\n"
    )
    reference = LAYER[1] + "def g(x):\n    return x.nope\n"
    return make_course(tmp_path_factory.mktemp("course"), LAYER[0] + other, reference)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return grade_text(make_course(tmp_path_factory.mktemp("layer"), *LAYER), WRONG)


def trained(folder: Path, code: str) -> Report:
    return grade_text(make_course(folder, *TRAINING), code)


# --------------------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize("name", [*REPORTS, "training"])
def test_a_page_reads_as_its_golden_file(
    name: str,
    course: Assignment,
    tmp_path: Path,
    golden: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    makers = {**REPORTS, "training": lambda _, folder: trained(folder, TRAIN.replace("/ batch", ""))}
    report = msgspec.structs.replace(anywhere(makers[name](course, tmp_path)), started="2026-01-02T03:04:05", seconds=1)
    golden(f"html/{name}.txt", settled(check_page(render_html(report)).words))


def settled(words: str) -> str:
    """Without what differs between machines: digests, and odds, which follow from rounding."""
    return re.sub("check in 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+", "check in 10ⁿ", re.sub(r"\b[0-9a-f]{16}\b", "DIGEST", words))


def test_a_right_training_says_that_the_curves_are_the_same(tmp_path: Path) -> None:
    page = check_page(render_html(trained(tmp_path, TRAIN)))
    assert "They are the same at every step that is shown." in page.words
    assert len([svg for svg in page.root.all("svg") if svg.attributes.get("class") == "losses"]) == 1


def test_a_pass_says_how_sure_it_is(tmp_path: Path) -> None:
    page = check_page(render_html(grade_text(make_course(tmp_path, *LAYER), TANH + TANH_BACK)))
    assert re.search(r"as good as certain: were the gradient off by 1 %, 1 check in 10\S+ would miss it", page.words)


def test_settings_have_columns_and_what_is_pending_is_said(wrong: Report) -> None:
    assert "main setting" not in render_html(wrong)
    page = check_page(render_html(in_two_settings(wrong)))
    (table,) = [table for table in page.root.all("table") if table.attributes.get("class") == "points"]
    head, first, second, _ = (row.all("th", "td") for row in table.all("tr"))
    assert [cell.text.strip() for cell in head[3:]] == ["main setting", "torch float32", "result"]
    assert [cell.text.strip() for cell in first[3:5]] == ["✓ all 1 right", "… pending"]
    assert [cell.text.strip() for cell in second[3:5]] == ["✗ 1 of 1 failed", "… pending"]
    assert "1 points pending" in page.words


def in_two_settings(report: Report) -> Report:
    """The same, with every check also asked for in a setting that this machine has not; the forward waits for it."""
    text = msgspec.to_builtins(report)
    for part in text["exercises"][0]["parts"]:
        check = {"status": "pending", "verdict": "pending", "setting": "torch float32", "findings": []}
        part["checks"].append({**part["checks"][0], **check})
    text["exercises"][0]["parts"][0] |= {"earned": 0.0, "pending": 1.0, "verdict": "pending"}
    text["score"] |= {"earned": 0.0, "pending": 1.0}
    return msgspec.convert(text, Report)


# --------------------------------------------------------------------------------------------------------- text is text

LETTERS = st.text(st.characters(exclude_categories=())) | st.text(
    "<>&\"'/=-!{}%# \u202e\u2066\u200b\x00\x1b\n\tscriptalB"
)


def with_text(report: Report, text: str) -> Report:
    """The report with this text wherever a student has a say."""
    document = msgspec.to_builtins(report)
    document["submission"] |= {"name": text, "printed": text, "notes": [text]}
    for part in document["exercises"][0]["parts"]:
        for check in part["checks"]:
            for finding in check.get("findings", []):
                finding |= dict.fromkeys(("headline", "worst", "pattern", "likely", "also", "detail", "graph"), text)
    return msgspec.convert(document, Report)


@pytest.fixture(scope="module")
def plain(wrong: Report) -> list[str]:
    """Elements of the page of a harmless report."""
    return check_page(render_html(with_text(wrong, "xyz"))).tags


@settings(max_examples=30)
@given(text=LETTERS.map(lambda text: f"x{text}"))
@example(text="</title></style></pre></bdi><script>alert(1)</script><img src=x onerror=alert(1)>")
@example(text="\u202e\u2066evil\u2069 \u200b\u00ad\x1b[31m")
@example(text="{{ 7 * 7 }}{% raw %}")
@example(text="\ud800 x")
def test_no_text_makes_an_element_or_hides(wrong: Report, plain: list[str], text: str) -> None:
    page = render_html(with_text(wrong, text))
    assert check_page(page).tags == plain
    assert [letter for letter in page if not letter.isprintable() and letter != "\n"] == []
    page.encode()


def test_letters_that_turn_text_around_are_shown() -> None:
    assert visible("a\u202eb\x00\tc\nd\u05d0") == "a\\u202eb\\x00    c\nd\u05d0"


@pytest.mark.parametrize("length", [1_000, 300_000])
def test_a_page_has_a_size_whatever_is_in_it(wrong: Report, length: int) -> None:
    many = with_text(wrong, "é" * length)
    document = msgspec.to_builtins(many)
    rows = ["".join(".5az!"[(x * y + x) % 5] for x in range(32)) for y in range(32)]
    exercise = document["exercises"][0]
    for check in exercise["parts"][1]["checks"]:
        for comparison in check["comparisons"]:
            comparison |= {"passed": False, "errors": {"shape": [320, 320], "rows": rows}}
    document["exercises"] = [{**exercise, "name": f"e{number}"} for number in range(40)]
    document["score"] |= {name: 40 * document["score"][name] for name in ("earned", "possible", "undecided")}
    page = render_html(msgspec.convert(document, Report))
    check_page(page)
    assert len(page.encode()) <= MOST_BYTES
    assert "The page would be too large with all of the evidence" in page


# ------------------------------------------------------------------------------------------------------------- pictures


def test_a_map_says_in_words_what_it_shows() -> None:
    picture = heat_map("dw", ErrorMapReport(shape=[3, 4], rows=["....", ".5..", ".1.."]))
    where = "2 of 12 cells are wrong, all in rows 1, 2 and column 1."
    assert picture.words == f"{where} The largest error is up to 300 times what is allowed."
    assert [(shade.name, shade.cells, shade.path) for shade in picture.shades] == [
        ("ok", 10, "M0 0h4v1h-4zM0 1h1v1h-1zM2 1h2v1h-2zM0 2h1v1h-1zM2 2h2v1h-2z"),
        ("e0", 1, "M1 1h1v1h-1z"),
        ("e4", 1, "M1 2h1v1h-1z"),
    ]


@given(st.lists(st.text(".19z!", min_size=5, max_size=5), min_size=1, max_size=32), st.integers(1, 32))
def test_every_cell_has_one_colour(rows: list[str], most: int) -> None:
    picture = heat_map("x", ErrorMapReport(shape=[len(rows), 5], rows=rows), most)
    assert max(picture.height, picture.width) <= most
    assert sum(shade.cells for shade in picture.shades) == picture.height * picture.width
    runs = [int(run) for shade in picture.shades for run in re.findall(r"h(\d+)v", shade.path)]
    assert sum(runs) == picture.height * picture.width
    assert ("nan" in {shade.name for shade in picture.shades}) == any("!" in row for row in rows)


def test_a_curve_is_broken_where_a_loss_is_no_number() -> None:
    actual = [2.0, "nan", 1.0, "inf"]
    picture = loss_curve(CurveReport(steps=[1, 2, 3, 4], actual=actual, expected=[2.0, 1.5, 1.2, 1.0]))
    assert picture is not None
    assert picture.actual.path == "M0 0M400 200"
    assert picture.expected.path == "M0 0L200 100L400 160L600 200"
    assert picture.words == "Yours goes from 2 to inf, the reference's to 1. They first differ at step 2."
    assert loss_curve(CurveReport(steps=[1, 2], actual=["nan", "nan"], expected=["nan", "inf"])) is None
    assert loss_curve(CurveReport(steps=[1], actual=[1.0], expected=[1.0])) is None


def test_losses_of_many_sizes_stand_on_a_logarithmic_scale() -> None:
    picture = loss_curve(CurveReport(steps=[1, 2, 3], actual=[100.0, 10.0, 1.0], expected=[100.0, 100.0, 100.0]))
    assert picture is not None
    assert picture.log
    assert picture.actual.path == "M0 0L300 100L600 200"
    flat = loss_curve(CurveReport(steps=[1, 2], actual=[0.0, 0.0], expected=[0.0, 0.0]))
    assert flat is not None
    assert flat.actual.path == "M0 100L600 100"


@given(st.lists(st.floats(0, 1e6), max_size=6))
def test_the_pieces_of_a_bar_fill_it(shares: list[float]) -> None:
    pieces = bars([("x", share) for share in shares])
    assert sum(piece.width for piece in pieces) == (1000 if any(shares) else 0)
    assert all(piece.width >= 0 for piece in pieces)


# -------------------------------------------------------------------------------------------------------------- colours

TEXT = [  # (colour, ground): text of any size; WCAG 2.2, 1.4.3
    *((ink, ground) for ink in ("ink", "muted", "link", "good", "bad", "open") for ground in ("paper", "card")),
    ("ink", "soft"),
]
GRAPHICS = [("yours", "card"), ("theirs", "card"), ("earned", "paper"), ("missed", "paper"), ("e0", "card")]  # 1.4.11


def palettes() -> dict[str, dict[str, str]]:
    css = (Path(html.__file__).parent / "templates" / "style.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.S)[:2]
    first = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return {"light": first, "dark": first | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))}


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_and_drawn_can_be_seen(scheme: str) -> None:
    colours = palettes()[scheme]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    low = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in [*TEXT, *GRAPHICS]}
    assert {pair: low[pair] for pair in TEXT if low[pair] < 4.5} == {}
    assert {pair: low[pair] for pair in GRAPHICS if low[pair] < 3.0} == {}


# ------------------------------------------------------------------------------------------------------------ the doors


def test_grade_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = make_course(tmp_path, *LAYER)
    (tmp_path / "t.py").write_text("import numpy as np\n" + WRONG)
    options = ["--assignment", str(course.manifest), "--require", "none"]
    assert cli.main(["grade", str(tmp_path / "t.py"), *options, "--html", str(tmp_path / "r.html")]) == cli.FAILED
    assert "every element is 1/3 of the expected one" in check_page((tmp_path / "r.html").read_text("utf-8")).words
    assert cli.main(["grade", str(tmp_path / "t.py"), *options, "--html", str(tmp_path / "no" / "r.html")]) == 2
    problem = capsys.readouterr().err.splitlines()[-1]
    assert problem.startswith("grader: this machine is at fault: the page can't be written to ")
