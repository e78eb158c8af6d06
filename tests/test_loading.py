"""Students' files as modules: what loading survives, what it notes, and that it leaves nothing behind."""

from __future__ import annotations

import linecache
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.calls import Call, Outcome, Raised, Returned, Source
from grader.sandbox.executor import Executor
from grader.sandbox.inprocess import InProcess
from grader.sandbox.loading import MAX_PROBLEM, MAX_PROBLEMS, Program, decode

Files = Mapping[str, str | bytes]


def source(files: Files, entry: str = "mlp.py", root: str | None = None) -> Source:
    encoded = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return Source(entry=entry, files=encoded, root=root)


def executor(files: Files, entry: str = "mlp.py") -> Executor:
    return Executor(Program(source(files, entry)), Exception)


def load(files: Files | str, entry: str = "mlp.py") -> tuple[dict[str, Any], list[str]]:
    """Names and problems."""
    program = Program(source({"mlp.py": files} if isinstance(files, str) else files, entry))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.load(), program.problems


def ask(files: Files | str, function: str = "f", entry: str = "mlp.py") -> Outcome:
    return executor({"mlp.py": files} if isinstance(files, str) else files, entry).call(
        Call(function=function, args=())
    )


def value(files: Files | str, function: str = "f", entry: str = "mlp.py") -> Any:
    outcome = ask(files, function, entry)
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def raised(files: Files | str, function: str = "f") -> Raised:
    outcome = ask(files, function)
    assert isinstance(outcome, Raised), outcome
    return outcome


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    def state() -> Any:
        return dict(sys.modules), sys.meta_path, list(sys.meta_path), sys.path, list(sys.path)

    modules, *before = state()
    yield
    after, *rest = state()
    assert all(a is b or a == b for a, b in zip(before, rest, strict=True))
    assert {name: after.get(name) for name in modules} == modules
    new = {name: module for name, module in after.items() if name not in modules}
    assert not [name for name in new if name.partition(".")[0] not in sys.stdlib_module_names | {"numpy", "hypothesis"}]


# ------------------------------------------------------------------------------------- files that import each other

G = "def g(): return 7\n"
IMPORTS: dict[str, tuple[Files, str]] = {
    "absolute": ({"mlp.py": "import layers\ndef f(): return layers.g()", "layers.py": G}, "mlp.py"),
    "from": ({"mlp.py": "from layers import g as f", "layers.py": G}, "mlp.py"),
    "star": ({"mlp.py": "from layers import *\ndef f(): return g()", "layers.py": G}, "mlp.py"),
    "relative": ({"mlp.py": "from .layers import g as f", "layers.py": G}, "mlp.py"),
    "relative module": ({"mlp.py": "from . import layers\nf = layers.g", "layers.py": G}, "mlp.py"),
    "relative, with __init__": (
        {"mlp.py": "from .layers import g as f", "layers.py": G, "__init__.py": "from .mlp import *"},
        "mlp.py",
    ),
    "relative from a helper": (
        {"mlp.py": "from .a import f", "a.py": "from .b import g as f", "b.py": G},
        "mlp.py",
    ),
    "package": ({"mlp.py": "from nn import f", "nn/__init__.py": "from .a import g as f", "nn/a.py": G}, "mlp.py"),
    "package's module": ({"mlp.py": "import nn.a\nf = nn.a.g", "nn/__init__.py": "", "nn/a.py": G}, "mlp.py"),
    "folder": ({"mlp.py": "import nn.sub.a\nf = nn.sub.a.g", "nn/sub/a.py": G}, "mlp.py"),
    "folder, from": ({"mlp.py": "from nn.a import g as f", "nn/a.py": "from .b import *", "nn/b.py": G}, "mlp.py"),
    "relative to a folder": ({"mlp.py": "from .nn.a import g as f", "nn/a.py": G}, "mlp.py"),
    "package before a module of its name": (
        {"mlp.py": "from nn import g as f", "nn.py": "", "nn/__init__.py": G},
        "mlp.py",
    ),
    "file in another folder before a folder here": (
        {"hw1/mlp.py": "from layers import g as f", "hw1/layers/x.py": "", "layers.py": G},
        "hw1/mlp.py",
    ),
    "inside a function": ({"mlp.py": "def f():\n from layers import g\n return g()", "layers.py": G}, "mlp.py"),
    "circular": (
        {"mlp.py": "def g(): return 7\nfrom b import f", "b.py": "import mlp\ndef f(): return mlp.g()"},
        "mlp.py",
    ),
    "circular, relative": (
        {"mlp.py": "from .b import f\ndef g(): return 7", "b.py": "from . import mlp\ndef f(): return mlp.g()"},
        "mlp.py",
    ),
    "circular helpers": (
        {"mlp.py": "from a import f", "a.py": G + "import b\nf = b.f", "b.py": "import a\ndef f(): return a.g()"},
        "mlp.py",
    ),
    "beside, in a folder": ({"hw1/mlp.py": "from layers import g as f", "hw1/layers.py": G}, "hw1/mlp.py"),
    "from the top, in a folder": ({"hw1/mlp.py": "from hw1.layers import g as f", "hw1/layers.py": G}, "hw1/mlp.py"),
    "import from the top": (
        {"hw1/mlp.py": "import hw1.layers\ndef f(): return hw1.layers.g()", "hw1/layers.py": G},
        "hw1/mlp.py",
    ),
    "relative, in a folder": ({"hw1/mlp.py": "from .layers import g as f", "hw1/layers.py": G}, "hw1/mlp.py"),
    "relative, beside a file of the folder's name": (
        {"hw1/mlp.py": "from .layers import g as f", "hw1/layers.py": G, "hw1.py": ""},
        "hw1/mlp.py",
    ),
    "itself, from the top": (
        {"hw1/mlp.py": G + "def f():\n import hw1.mlp\n return hw1.mlp.g()"},
        "hw1/mlp.py",
    ),
    "a file called submission": ({"mlp.py": "from submission import g as f", "submission.py": G}, "mlp.py"),
    "an entry called submission": ({"submission.py": "from .a import g as f", "a.py": G}, "submission.py"),
    "a name that is loaded elsewhere": ({"mlp.py": "from hypothesis import g as f", "hypothesis.py": G}, "mlp.py"),
    "the grader's own name": ({"mlp.py": "from grader.a import g as f", "grader/__init__.py": "", "grader/a.py": G},
                              "mlp.py"),
    "a name of the standard library": ({"mlp.py": "from chunk import g as f", "chunk.py": G}, "mlp.py"),
    "an entry of a loaded name": ({"random.py": "import random, numpy.random\ndef f(): return 7"}, "random.py"),
    "a name that is no identifier": ({"my hw-1.py": "from layers import g as f", "layers.py": G}, "my hw-1.py"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPORTS)
def test_files_import_each_other(name: str) -> None:
    files, entry = IMPORTS[name]
    names, problems = load(files, entry)
    assert (problems, callable(names["f"])) == ([], True)
    assert value(files, entry=entry) == 7


@pytest.mark.parametrize("name", ["mlp", ".mlp", "hw1.mlp"])
def test_the_entry_imported_by_a_helper_is_the_same_module(name: str) -> None:
    helper = "from . import mlp as other" if name == ".mlp" else f"import {name}\nother = {name}"
    prefix = "from . import helper" if name == ".mlp" else "import helper"
    files = {"hw1/mlp.py": f"runs = globals().get('runs', 0) + 1\n{prefix}\n", "hw1/helper.py": helper}
    names, problems = load(files, "hw1/mlp.py")
    assert problems == []
    assert names["helper"].other.__dict__ is names
    assert names["runs"] == 1


def test_a_file_under_two_names_is_one_module() -> None:
    files = {"mlp.py": "import a\nfrom . import a as b\nimport nn.a as c, c2\nfrom c2 import d", "a.py": "log = []",
             "nn/a.py": "", "c2.py": "import nn.a as d"}  # fmt: skip
    names, problems = load(files)
    assert problems == []
    assert names["a"] is names["b"]
    assert names["c"] is names["d"]
    assert names["a"] is not names["c"]


def test_a_folder_comes_after_what_is_installed() -> None:
    files = {"mlp.py": "import code, json\ndef f(): return code.InteractiveConsole is not None", "code/a.py": ""}
    assert value(files) == 1


def test_two_submissions_do_not_mix() -> None:
    first = executor({"mlp.py": "import layers\ndef f(): return layers.g()", "layers.py": "def g(): return 1"})
    second = executor({"mlp.py": "import layers\ndef f(): return layers.g()", "layers.py": "def g(): return 1 / 0"})
    call = Call(function="f", args=())
    for _ in range(2):
        assert first.call(call).value == 1  # type: ignore[union-attr]
        assert second.call(call).traceback.endswith("layers.py, line 1, in g: def g(): return 1 / 0")  # type: ignore[union-attr]
    third = executor({"mlp.py": "def f(): import layers"})
    assert third.call(call).kind == "ModuleNotFoundError"  # type: ignore[union-attr]


def test_the_lines_of_a_traceback_are_of_the_file_that_was_loaded() -> None:
    first, second = (executor({"mlp.py": f"def f():\n    return {n} / 0"}) for n in (1, 2))
    first.load(), second.load()
    assert first.call(Call(function="f", args=())).traceback == "mlp.py, line 2, in f: return 1 / 0"  # type: ignore[union-attr]


def test_a_module_that_is_replaced_while_it_runs_is_put_back() -> None:
    def meddle() -> None:
        load("import sys\nsys.modules['math'] = 1\ndel sys.modules['json']\nsys.modules[__name__] = 3\n"
             "sys.path.append('x')\nsys.meta_path.clear()\nsys.path = []\nsys.meta_path = ()")  # fmt: skip

    import json

    assert json
    meddle()
    assert isinstance(sys.modules["math"], ModuleType)
    assert sys.modules["json"] is json
    assert "mlp" not in sys.modules


# ------------------------------------------------------------------------------------------------ what is noted

PROBLEMS: dict[str, tuple[Files, list[str]]] = {
    "raises in the middle": (
        {"mlp.py": "a = 1\n\nb = a / 0\ndef f(): return 7\n"},
        ["mlp.py, line 3: ZeroDivisionError: division by zero"],
    ),
    "raises in a function called at the top": (
        {"mlp.py": "def g():\n    x = 1\n    return x / 0\n\nb = (\n 1 +\n g())\ndef f(): return 7\n"},
        ["mlp.py, line 3: ZeroDivisionError: division by zero"],
    ),
    "helper raises": (
        {"mlp.py": "import a\nf = a.f", "a.py": "\nx = [][0]\ndef f(): return 7"},
        ["a.py, line 2: IndexError: list index out of range"],
    ),
    "helper's function raises": (
        {"mlp.py": "import a\n\na.g(0)\ndef f(): return 7", "a.py": "def g(x): return 1 / x"},
        ["mlp.py, line 3: ZeroDivisionError: division by zero"],
    ),
    "helper does not parse": (
        {"mlp.py": "from a import *\nfrom a import g\nimport a\ndef f(): return 7", "a.py": "x = 1\ny = (\n"},
        ["a.py, line 2: SyntaxError: '(' was never closed"],
    ),
    "helper of a helper does not parse": (
        {"mlp.py": "import b\ndef f(): return 7", "b.py": "import a\n", "a.py": "1 = 2"},
        ["a.py, line 1: SyntaxError: cannot assign to literal here. Maybe you meant '==' instead of '='?"],
    ),
    "helper has zero bytes": (
        {"mlp.py": "import a\ndef f(): return 7", "a.py": b"x = 1\0"},
        ["a.py: SyntaxError: source code string cannot contain null bytes"],
    ),
    "name that a helper lacks": (
        {"mlp.py": "from a import g\ndef f(): return 7", "a.py": ""},
        ["mlp.py, line 1: ImportError: cannot import name 'g' from 'a' (a.py)"],
    ),
    "missing file of its own": (
        {"mlp.py": "from .layers import g\ndef f(): return 7"},
        ["mlp.py, line 1: ModuleNotFoundError: No module named '.layers'"],
    ),
    "beyond the top": (
        {"mlp.py": "from ..layers import g\ndef f(): return 7"},
        ["mlp.py, line 1: ImportError: attempted relative import beyond top-level package"],
    ),
    "missing module": (
        {"mlp.py": "import no_such_module.pyplot as plt\nplt.rcParams['x'] = 1\ndef f(): return 7"},
        [
            "mlp.py, line 1: ModuleNotFoundError: No module named 'no_such_module'",
            "mlp.py, line 2: ModuleNotFoundError: no_such_module.pyplot is not there: ModuleNotFoundError: "
            "No module named 'no_such_module'",
        ],
    ),
    "base class that is missing": (
        {"mlp.py": "from no_such_module import Dataset\nclass D(Dataset): pass\ndef f(): return 7"},
        [
            "mlp.py, line 1: ModuleNotFoundError: No module named 'no_such_module'",
            "mlp.py, line 2: ModuleNotFoundError: Dataset is not there: ModuleNotFoundError: "
            "No module named 'no_such_module'",
        ],
    ),
    "annotation that is missing": (
        {"mlp.py": "import no_such_module as t\ndef f(x: t.Tensor = None) -> t.Tensor: return 7"},
        ["mlp.py, line 1: ModuleNotFoundError: No module named 'no_such_module'"],
    ),
    "exits": (
        {"mlp.py": "import sys\nsys.exit(1)\ndef f(): return 7\nraise SystemExit\nraise GeneratorExit"},
        ["mlp.py, line 2: SystemExit: 1", "mlp.py, line 4: SystemExit:", "mlp.py, line 5: GeneratorExit:"],
    ),
    "code that it compiles": (
        {"mlp.py": "\neval('1 +')\ndef f(): return 7"},
        ["mlp.py, line 2: SyntaxError: invalid syntax"],
    ),
    "error over several lines": (
        {"mlp.py": "raise ValueError('a\\n  b\\0\\tc')\ndef f(): return 7"},
        ["mlp.py, line 1: ValueError: a b\ufffd c"],
    ),
    "error that can't be shown": (
        {"mlp.py": "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E\ndef f(): return 7"},
        ["mlp.py, line 3: E: <exception str() failed>"],
    ),
    "error of an odd class": (
        {
            "mlp.py": "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n"
            "class E(Exception, metaclass=M):\n    __traceback__ = property(lambda c: 1 / 0)\n"
            "    __class__ = property(lambda c: 1 / 0)\nraise E(3)\ndef f(): return 7"
        },
        ["mlp.py, line 6: E: (its text can't be shown)"],
    ),
    "a syntax error made by hand": (
        {"mlp.py": "raise SyntaxError('a', ([], {}, 1, 2))\ndef f(): return 7"},
        ["mlp.py, line 1: SyntaxError: a"],
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_goes_wrong_is_noted_and_the_rest_runs(name: str) -> None:
    files, expected = PROBLEMS[name]
    names, problems = load(files)
    assert problems == expected
    assert value(files) == 7
    assert "f" in names


DOES_NOT_PARSE = {
    "syntax": ("def f():\n    return 7\n\nx = = 1\n", "mlp.py, line 4: SyntaxError: invalid syntax"),
    "python 2": (
        "def f():\n    print 'a'\n",
        "mlp.py, line 2: SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)?",
    ),
    "tabs": (
        "def f():\n        x = 1\n\treturn x\n",
        "mlp.py, line 3: TabError: inconsistent use of tabs and spaces in indentation",
    ),
    "indentation": (
        "def f():\nreturn 1\n",
        "mlp.py, line 2: IndentationError: expected an indented block after function definition on line 1",
    ),
    "zero bytes": ("x = 1\0\n", "mlp.py: SyntaxError: source code string cannot contain null bytes"),
    "compiler, not parser": ("x = 1\nreturn 7\n", "mlp.py, line 2: SyntaxError: 'return' outside function"),
    "too deep": ("x = " + "-" * 100_000 + "1\n", None),
    "utf-16": ("def f(): return 7\n".encode("utf-16"), None),
}  # fmt: skip


@pytest.mark.parametrize("name", DOES_NOT_PARSE)
def test_an_entry_that_does_not_parse(name: str) -> None:
    text, expected = DOES_NOT_PARSE[name]
    names, problems = load({"mlp.py": text})
    assert "f" not in names
    assert problems == [expected] if expected else len(problems) == 1


STATEMENTS = (
    "seen.append({n})",
    "seen.append({n}) or 1 / 0",
    "(\n  seen.append({n}) or\n  [][0]\n)",
    "for _ in [0]:\n    seen.append({n})\n    raise KeyError",
    "with open(seen.append({n}) or 'no such file') as f:\n    pass",
    "try:\n    seen.append({n})\nfinally:\n    x = {{}}[0]",
    "class A{n}:\n    seen.append({n})\n    y = none",
    "@seen.append({n})\n@(lambda f: f)\ndef f(): pass",
    "def g{n}(x=seen.append({n}) or 1 / 0): pass",
    "import sys; seen.append({n}); sys.exit(1)",
    "seen.append({n}); import no_such_module; seen.append(-{n})",
    "x: none = seen.append({n})",
    '"""doc\n; string"""; seen.append({n})',
)


@given(st.lists(st.sampled_from(STATEMENTS), max_size=8), st.sampled_from(["\n", "\n# é; comment\n\n", "\n'é'; "]))
def test_law_every_statement_begins_just_once(statements: list[str], between: str) -> None:
    """Whichever of those before it failed, in whichever way, on the same line or not."""
    text = between.join(["seen = []", *(each.format(n=n + 1) for n, each in enumerate(statements))])
    if between.endswith(" ") and any(each[0] in "@" or each.split()[0] in ("for", "with", "try:", "class", "def")
                                     for each in statements):  # fmt: skip
        between = "\n"
        text = between.join(["seen = []", *(each.format(n=n + 1) for n, each in enumerate(statements))])
    names, _ = load(text)
    expected = []
    for number, each in enumerate(statements, 1):
        expected += [number, -number] if "-{n}" in each else [number]
    assert names["seen"] == expected


def test_problems_are_bounded() -> None:
    _, problems = load("".join(f"raise ValueError('{n}' + 'x' * 1000)\n" for n in range(50)))
    assert len(problems) == MAX_PROBLEMS
    assert max(map(len, problems)) == MAX_PROBLEM


def test_what_ends_the_process_is_not_noted() -> None:
    with pytest.raises(KeyboardInterrupt):
        load("raise KeyboardInterrupt")


# ----------------------------------------------------------------------------------------------- missing modules


@pytest.mark.parametrize(
    "use",
    ["plt.plot()", "plt()", "plt[0]", "plt[0] = 1", "1 + plt", "plt @ 2", "-plt", "len(plt)", "list(plt)", "bool(plt)",
     "np.zeros(3) * plt", "np.asarray(plt)", "float(plt)", "1 in plt", "plt < 1"],
)  # fmt: skip
def test_using_what_is_missing_says_so(use: str) -> None:
    text = f"import numpy as np\nimport no_such_module.pyplot as plt\ndef f():\n    {use}\ndef g(): return 7\n"
    told = raised(text)
    assert told.kind == "ModuleNotFoundError"
    assert told.message == ("no_such_module.pyplot is not there: ModuleNotFoundError: No module named 'no_such_module'")
    assert told.traceback == f"mlp.py, line 4, in f: {use}"
    assert value(text, "g") == 7


def test_a_with_statement_on_what_is_missing() -> None:
    assert raised("from no_such_module import no_grad\ndef f():\n    with no_grad: pass").kind == "ModuleNotFoundError"


@pytest.mark.parametrize("error", ["ImportError", "ModuleNotFoundError", "Exception", ""])
def test_fallbacks_of_the_students_own(error: str) -> None:
    text = f"try:\n    import no_such_module as np\nexcept {error}:\n    import numpy as np\nf = lambda: np.float64(7)"
    assert load(text)[1] == []
    assert value(text) == 7


def test_what_was_imported_before_the_failure_stays() -> None:
    names, problems = load("import math, no_such_module, json\n")
    assert len(problems) == 1
    assert names["math"].pi > 3
    assert type(names["no_such_module"]).__name__ == type(names["json"]).__name__ == "Placeholder"


def test_missing_names_are_no_functions() -> None:
    loaded = executor({"mlp.py": "from no_such_module import relu\nimport no_such_module as n\ndef f(): pass"}).load()
    assert loaded.functions == ("f",)
    assert raised("from no_such_module import relu", "relu").message.startswith("relu is not there")


# ------------------------------------------------------------------------------------------- how a file is run


def test_main_is_not_run() -> None:
    assert load("f = 1\nif __name__ == '__main__':\n    f = 2")[0]["f"] == 1


def test_future_annotations_hold_for_the_file() -> None:
    text = "'''Doc.'''\nfrom __future__ import annotations\ndef f(x: no_such_name = 7) -> nor_this: return x\n"
    assert load(text)[1] == []
    assert value(text) == 7
    assert load("def f(x: no_such_name): pass")[1] == ["mlp.py, line 1: NameError: name 'no_such_name' is not defined"]


def test_dataclasses_and_typing() -> None:
    text = (
        "from __future__ import annotations\nimport enum, pickle, inspect\nfrom dataclasses import dataclass, field\n"
        "from typing import ClassVar, NamedTuple, TypedDict, get_type_hints\n"
        "@dataclass(slots=True)\nclass Cache:\n    x: int\n    shape: ClassVar[int] = 3\n"
        "    log: list[int] = field(default_factory=list)\n"
        "class Pair(NamedTuple):\n    a: int\n    b: int = 2\n"
        "class D(TypedDict):\n    a: Pair\n"
        "class E(enum.Enum):\n    A = 1\n"
        "def f():\n    get_type_hints(D), get_type_hints(Cache)\n"
        "    assert pickle.loads(pickle.dumps(Pair(1))) == (1, 2)\n"
        "    assert inspect.getsource(f).startswith('def f')\n"
        "    return Cache(4).x + Pair(1).b + E.A.value\n"
    )
    assert load(text)[1] == []
    assert value(text) == 7


def test_warnings_of_the_compiler_are_no_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = executor({"mlp.py": "def f():\n    '\\d'\n    return 7 is 7 and 7\n"}).call(Call(function="f", args=()))
    assert isinstance(found, Returned)


ENCODED = {
    "utf-8": "x = 'é'\n".encode(),
    "byte order mark": b"\xef\xbb\xbfx = '\xc3\xa9'\n",
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbfx = '\xc3\xa9'\n",
    "cookie": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
    "cookie on the second line": "#!python\n# coding: cp1252\nx = 'é'\n".encode("cp1252"),
    "no cookie": "x = 'é'\n".encode("latin-1"),
    "cookie that lies": "# coding: utf-8\nx = 'é'\n".encode("latin-1"),
    "mark that lies": b"\xef\xbb\xbfx = '\xe9'\n",
    "unknown codec": "# coding: klingon\nx = 'é'\n".encode("latin-1"),
    "codec that is none of text": "# coding: rot13\nx = 'é'\n".encode("latin-1"),
    "codec that fails in its own way": "# coding: idna\nx = 'é'\n".encode("latin-1"),
    "windows": "# coding: utf-8\r\nx = (\r\n'é')\r\n".encode("latin-1"),
    "old mac": "# a comment\rx = 'é'\r".encode("latin-1"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_any_encoding(name: str) -> None:
    names, problems = load({"mlp.py": ENCODED[name]})
    assert (problems, names["x"]) == ([], "é")


@given(st.binary(max_size=60), st.sampled_from([b"", b"# coding: ", b"\xef\xbb\xbf", b"x = 1\n#coding=utf-7\n"]))
def test_law_any_bytes_are_text_and_any_text_is_loaded_or_noted(data: bytes, head: bytes) -> None:
    assert isinstance(decode(head + data), str)
    if b"import" not in data:
        load({"mlp.py": b"if 0:\n " + data.replace(b"\n", b"\n ")})


def test_names_and_paths() -> None:
    names, _ = load({"hw1/mlp.py": "import layers"}, "hw1/mlp.py")
    assert (names["__name__"], names["__file__"]) == ("mlp", "hw1/mlp.py")


def test_many_files() -> None:
    files = {f"m{n}.py": f"from m{n + 1} import *\n" for n in range(500)} | {"m500.py": "def f(): return 7"}
    sys_limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        assert value({**files, "mlp.py": "".join(f"from m{n} import *\n" for n in reversed(range(501)))}) == 7
    finally:
        sys.setrecursionlimit(sys_limit)


# --------------------------------------------------------------------------------------------------- tracebacks


def test_tracebacks_show_the_students_own_frames_with_their_lines() -> None:
    files = {
        "mlp.py": "import layers\nfrom numpy import *\n\n"
        "def f():\n    return layers.apply(lambda: linalg.inv(zeros((2, 2))))\n",
        "layers.py": "\n\x0c\ndef apply(g):\n    return g()  # here\n",
    }
    told = raised(files)
    assert told.traceback.split("\n") == [
        "mlp.py, line 5, in f: return layers.apply(lambda: linalg.inv(zeros((2, 2))))",
        "layers.py, line 4, in apply: return g()  # here",
        "mlp.py, line 5, in <lambda>: return layers.apply(lambda: linalg.inv(zeros((2, 2))))",
    ]
    assert (told.kind, told.message) == ("LinAlgError", "Singular matrix")


def test_of_a_long_traceback_the_innermost_frames_are_shown() -> None:
    told = raised("def g(n):\n    return g(n - 1) if n else 1 / 0\ndef f():\n    g(50)\n")
    assert told.traceback == "\n".join(["mlp.py, line 2, in g: return g(n - 1) if n else 1 / 0"] * 4)


def test_in_process_files_have_their_real_paths(tmp_path: Path) -> None:
    files = {"mlp.py": "import layers\nf = layers.g\n", "layers.py": "def g():\n    1 / 0\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    linecache.clearcache()
    runner = InProcess(source(files, root=str(tmp_path)))
    told = runner.call(Call(function="f", args=()))
    assert isinstance(told, Raised)
    assert told.traceback == "layers.py, line 2, in g: 1 / 0"
    assert told.exception is not None
    trace = told.exception.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    assert trace is not None
    assert trace.tb_frame.f_code.co_filename == str(tmp_path / "layers.py")
    assert trace.tb_frame.f_globals["__file__"] == str(tmp_path / "layers.py")
