"""Cutting stubs and composing slips: exact texts, the faults of an author named by line, and what the README shows."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from grader.authoring.stubs import cut_stub, main, overlay
from grader.errors import CourseError
from grader.grading import grade_path
from grader.manifest import load_assignment

README = Path(__file__).parents[1] / "README.md"

SOLUTION = '''"""Layers."""

import numpy as np


def double(x):
    """Two x."""
    # solution
    y = x + x
    return y
    # end solution


# solution
def secret(x):
    return x


# end solution
def triple(x):
    """Three x."""
    if x is None:
        # solution
        return None
        # end solution
    return 3 * x
'''

STUB = '''"""Layers."""

import numpy as np


def double(x):
    """Two x."""
    raise NotImplementedError("double is not written yet")


def triple(x):
    """Three x."""
    if x is None:
        raise NotImplementedError("triple is not written yet")
    return 3 * x
'''


def test_each_region_becomes_an_error_that_names_its_function():
    assert cut_stub(SOLUTION) == STUB


def test_a_method_is_named_with_its_class():
    source = "class Box:\n    def get(self):\n        # solution\n        return 1\n        # end solution\n"
    source += "\ndef get():\n    # solution\n    return 2\n    # end solution\n"
    stub = cut_stub(source)
    assert '        raise NotImplementedError("Box.get is not written yet")' in stub
    assert '\n    raise NotImplementedError("get is not written yet")' in stub


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def f():\n    # solution\n    return 1\n", "line 2: '# solution' without '# end solution' after it"),
        ("def f():\n    return 1\n    # end solution\n", "line 3: '# end solution' without '# solution' before it"),
        (
            "def f():\n    # solution\n    # solution\n    # end solution\n",
            "line 3: '# solution' inside the region that line 2 begins",
        ),
        ("if True:\n    # solution\n    x = 1\n    # end solution\n", "line 2: an indented '# solution' outside"),
        ("def f():\n    return 1\n", "no '# solution' line"),
    ],
)
def test_an_unbalanced_marker_is_the_authors_error_and_names_its_line(source: str, problem: str):
    with pytest.raises(CourseError, match=problem):
        cut_stub(source)


def test_the_command_writes_the_stub(tmp_path: Path):
    solution, stub = tmp_path / "solution.py", tmp_path / "stub.py"
    solution.write_text(SOLUTION, encoding="utf-8")
    main([str(solution), str(stub)])
    assert stub.read_text(encoding="utf-8") == STUB


def test_the_command_refuses_a_solution_without_markers_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    solution, stub = tmp_path / "solution.py", tmp_path / "stub.py"
    solution.write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        main([str(solution), str(stub)])
    assert "no '# solution' line" in capsys.readouterr().err
    assert not stub.exists()


def test_a_slip_takes_the_place_of_the_function_it_rewrites():
    solution = '"""Layers."""\nimport numpy as np\n\ndef double(x):\n    # solution\n    y = x + x\n    return y\n'
    solution += "    # end solution\n\ndef triple(x):\n    # solution\n    return 3 * x\n    # end solution\n"
    slip = '"""What went wrong."""\nimport math\n\ndef double(x):\n    return helper(x)\n\n'
    slip += "def helper(x):\n    return math.pi * x\n"
    composed = [line for line in overlay(solution, slip).splitlines() if line]
    assert composed == [
        '"""Layers."""',
        "import numpy as np",
        "import math",
        "def helper(x):",
        "    return math.pi * x",
        "def double(x):",
        "    return helper(x)",
        "def triple(x):",
        "    return 3 * x",
    ]


def test_decorators_go_with_their_function():
    slip = "import functools\n\n\n@functools.cache\ndef double(x):\n    return 5\n"
    composed = overlay("@print\ndef double(x):\n    return 2\n", slip)
    assert "@functools.cache\ndef double(x):\n    return 5" in composed
    assert "@print" not in composed


def test_a_slip_takes_the_place_of_the_methods_it_rewrites_and_adds_those_that_it_needs():
    solution = "class Box:\n    size = 1\n\n    def get(self):\n        # solution\n        return 1\n"
    solution += "        # end solution\n\n    def put(self):\n        return 2\n\n\ndef other():\n    return Box()\n"
    slip = "import math\n\n\nclass Box:\n    @property\n    def put(self):\n        return self.half()\n\n"
    slip += "    def half(self):\n        return math.pi\n"
    composed = [line for line in overlay(solution, slip).splitlines() if line]
    assert composed == [
        "import math",
        "class Box:",
        "    size = 1",
        "    def half(self):",
        "        return math.pi",
        "    def get(self):",
        "        return 1",
        "    @property",
        "    def put(self):",
        "        return self.half()",
        "def other():",
        "    return Box()",
    ]


@pytest.mark.parametrize(
    ("slip", "problem"),
    [
        ("def other(x):\n    return x\n", "rewrites none of the solution's functions: double, secret, triple"),
        ("def double(x:\n", "the slip does not parse: line 1"),
    ],
)
def test_a_slip_that_changes_nothing_is_the_authors_error(slip: str, problem: str):
    with pytest.raises(CourseError, match=problem):
        overlay(SOLUTION, slip)


# ------------------------------------------------------------------------------------------------- the README


def blocks(language: str) -> list[str]:
    """The README's pieces of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_an_exercise_added_as_the_readme_says_is_graded(tmp_path: Path) -> None:
    torch_function, solution = (block for block in blocks("python") if "silu" in block)
    (exercise,) = blocks("toml")
    head = 'format = 1\nname = "act"\ntitle = "Activations"\nfile = "act.py"\nreference = "act.py"\nseed = 1\n\n'
    manifest, reference = tmp_path / "assignments" / "act" / "assignment.toml", tmp_path / "reference" / "act.py"
    for path, text in (
        (manifest, head + exercise),
        (reference, "import torch\n\n\n" + torch_function),
        (reference.parent / "solutions" / "act.py", "import numpy as np\n\n\n" + solution),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    main([str(reference.parent / "solutions" / "act.py"), str(manifest.parent / "act.py")])
    assignment = load_assignment(manifest)
    stub = grade_path(assignment, manifest.parent)
    right = grade_path(assignment, reference.parent / "solutions" / "act.py")
    assert (stub.score.earned, right.score.earned, right.score.possible) == (0, 3, 3)


def test_the_readme_s_gradient_check_passes(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (block for block in blocks("python") if "check_gradients" in block)
    np.random.seed(0)
    exec(program, {})
    assert capsys.readouterr().out.startswith("gradient check passed")
