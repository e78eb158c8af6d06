"""The arrows between modules, and what each of them exports.

The table below is the design's. A new module must be placed in it before it can be imported: where it stands is a
decision, not an accident. Imports inside functions count like any other, and so does importlib.import_module of a
name written out.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import grader

LAYERS = (
    "errors",
    "numerics",
    "grader",  # the package itself: its version, and two names of numerics loaded when first used
    "sizes slips calls settings topics operations graphs random_graphs "
    "assignment manifest cases archive notebook submission",
    "sandbox",
    "reference devices",
    "answering findings",
    "checks scoring",
    "report",
    "grading",
    "batch gradebook publishing authoring demo doctor",
    "cli pytest_plugin",
    "__main__",
)
"""Modules and packages directly below grader, lowest layer first. Each may import lower layers, and its neighbours as
long as no circle comes of it."""

ONLY = {
    "numerics": ("grader.errors", "grader.numerics"),
    "sandbox": ("grader.calls", "grader.errors", "grader.numerics.trees", "grader.sandbox"),
}
"""Packages that may import these of ours and no others, and of other people's only NumPy."""

IMPORTERS = {
    # Beside the oracle just the modules of the sandbox that the profiles of torch need. They import it in functions
    # that only these profiles call: in the process of a NumPy submission, which loads the rest of the sandbox, there is
    # no torch, and test_importing_loads_no_torch holds them to it.
    "torch": (
        "reference",
        "grader.sandbox.autograd",
        "grader.sandbox.cuda",
        "grader.sandbox.pretend_cuda",
        "grader.sandbox.pretend_runtime",
        "grader.sandbox.tensors",
    ),
    "jax": ("grader.sandbox.jaxarrays",),
    "array_api_compat": ("graphs", "grader.sandbox.jaxarrays"),
    "grader.cli": ("__main__",),
    "grader.pytest_plugin": (),
}
"""What only these may import: places of the table, or modules by their whole name."""

RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer.split()}

ROOT = Path(grader.__file__).parent
MODULES = {
    ".".join(("grader", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if "_topics" not in path.parts  # the assignments, where this is the installed wheel
}


def place(name: str) -> str:
    """Entry of the table for a dotted name below grader: grader.numerics.trees.leaves stands at numerics."""
    first = [*name.split("."), ""][1]
    return first if first in RANK or f"grader.{first}" in MODULES else "grader"


def imported(module: str, source: str, is_package: bool = False) -> Iterator[str]:
    """Every name that a module imports anywhere in it, absolute and dotted: grader.errors.SubmissionError."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=base, names=names, level=level):
                parts = module.split(".")[: None if level == is_package else is_package - level] if level else []
                yield from (".".join([*parts, *([base] if base else []), alias.name]) for alias in names)
            case ast.Call(func=ast.Name(id=f) | ast.Attribute(attr=f), args=[ast.Constant(value=str(name)), *_]) if (
                f in ("import_module", "__import__")
            ):
                yield name


def is_below(name: str, modules: Iterable[str]) -> bool:
    """Whether a dotted name is one of these modules or inside one."""
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


def problems(module: str, source: str, is_package: bool = False) -> list[str]:
    """What is wrong with a module's imports, a line each."""
    here = place(module)
    if here not in RANK:
        return [f"{module} has no place yet: put {here!r} into LAYERS of tests/test_imports.py"]
    found = []
    for name in sorted(set(imported(module, source, is_package))):
        ours, there = is_below(name, ["grader"]), place(name)
        for target, importers in IMPORTERS.items():
            if is_below(name, [target]) and not {here, module} & {place(target), *importers}:
                found.append(f"{module} imports {name}; only {' and '.join(importers) or 'nobody'} may")
        if ours and RANK.get(there, -1) > RANK[here]:
            found.append(f"{module} imports {name}, which stands above it")
        by_name = any(is_below(name, [target]) and module in importers for target, importers in IMPORTERS.items())
        if here in ONLY and not is_below(name, ONLY[here]) and (ours or not (is_standard_or_numpy(name) or by_name)):
            found.append(f"{module} imports {name}; {here} imports only NumPy and {', '.join(ONLY[here])}")
    return found


def is_standard_or_numpy(name: str) -> bool:
    return name.split(".")[0] in {*sys.stdlib_module_names, "numpy"}


def circle(edges: Iterable[tuple[str, str]]) -> list[str]:
    """Places that import each other in a circle, empty if none do."""
    graph: dict[str, set[str]] = {}
    for importer, name in edges:
        if importer != name:
            graph.setdefault(importer, set()).add(name)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def is_package(module: str) -> bool:
    return MODULES[module].name == "__init__.py"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    assert problems(module, MODULES[module].read_text("utf-8"), is_package(module)) == []


def test_neighbours_form_no_circle() -> None:
    edges = [
        (place(module), place(name))
        for module, path in MODULES.items()
        for name in imported(module, path.read_text("utf-8"), is_package(module))
        if is_below(name, ["grader"])
    ]
    assert len(edges) > 20
    assert circle(edges) == []


NUMERICS = "numerics imports only NumPy and grader.errors, grader.numerics"
TORCH = f"only {' and '.join(IMPORTERS['torch'])} may"
SANDBOX = "sandbox imports only NumPy and grader.calls, grader.errors, grader.numerics.trees, grader.sandbox"
VIOLATIONS = {
    "upwards": ("grader.errors", "import grader.calls", "grader.errors imports grader.calls, which stands above it"),
    "upwards, from": ("grader.scoring", "from grader.report.model import Report",
                      "grader.scoring imports grader.report.model.Report, which stands above it"),
    "upwards, as a name of the package": ("grader.findings", "from grader import grading",
                                          "grader.findings imports grader.grading, which stands above it"),
    "upwards, relative": ("grader.checks.judge", "from ..report import model",
                          "grader.checks.judge imports grader.report.model, which stands above it"),
    "upwards, one level": ("grader.cases", "from .grading import grade",
                           "grader.cases imports grader.grading.grade, which stands above it"),
    "upwards, in a function": ("grader.cases", "def f():\n    from grader import checks",
                               "grader.cases imports grader.checks, which stands above it"),
    "upwards, by name": ("grader.cases", "import_module('grader.checks')",
                         "grader.cases imports grader.checks, which stands above it"),
    "upwards, for types": ("grader.calls", "if TYPE_CHECKING:\n    from grader.findings import Finding",
                           "grader.calls imports grader.findings.Finding, which stands above it"),
    "torch": ("grader.grading", "import torch.nn", f"grader.grading imports torch.nn; {TORCH}"),
    "torch, from": ("grader.cli", "from torch import nn", f"grader.cli imports torch.nn; {TORCH}"),
    "torch, in another module of the sandbox": ("grader.sandbox.executor", "import torch",
                                                f"grader.sandbox.executor imports torch; {TORCH}"),
    "torch, in a module below an allowed one": ("grader.sandbox.tensors.more", "import torch",
                                                f"grader.sandbox.tensors.more imports torch; {TORCH}"),
    "the torch profile and more than torch": ("grader.sandbox.tensors", "import sympy",
                                              f"grader.sandbox.tensors imports sympy; {SANDBOX}"),
    "the command line": ("grader.pytest_plugin", "from grader.cli import main",
                         "grader.pytest_plugin imports grader.cli.main; only __main__ may"),
    "the plugin": ("grader.cli", "import grader.pytest_plugin",
                   "grader.cli imports grader.pytest_plugin; only nobody may"),
    "numerics and more than NumPy": ("grader.numerics.a", "import msgspec",
                                     f"grader.numerics.a imports msgspec; {NUMERICS}"),
    "the sandbox and the judging side": ("grader.sandbox.worker", "from grader.assignment import Limits",
                                         f"grader.sandbox.worker imports grader.assignment.Limits; {SANDBOX}"),
    "the sandbox and more of numerics": ("grader.sandbox.wire", "from grader.numerics import tolerance",
                                         f"grader.sandbox.wire imports grader.numerics.tolerance; {SANDBOX}"),
}  # fmt: skip


@pytest.mark.parametrize(("module", "source", "problem"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_is_seen(module: str, source: str, problem: str) -> None:
    assert problem in problems(module, source)


ALLOWED = {
    "downwards": ("grader.grading", "import numpy, msgspec\nfrom grader.checks.judge import judge"),
    "a neighbour": ("grader.submission", "from grader.archive import Listing\nfrom . import notebook"),
    "inside a package": ("grader.checks.judge", "from grader.checks import pairs\nfrom .values import tell"),
    "the version": ("grader.report.build", "from grader import __version__"),
    "the sandbox": ("grader.sandbox.wire", "import json, numpy as np\nfrom grader.numerics.trees import leaves"),
    "torch, in the sandbox": ("grader.sandbox.tensors", "import torch\nfrom torch.utils import data"),
    "a name that looks like torch": ("grader.cli", "import torchlight"),
    "the main module": ("grader.__main__", "from grader.cli import main"),
}


@pytest.mark.parametrize(("module", "source"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed_is_no_violation(module: str, source: str) -> None:
    assert problems(module, source) == []


def test_relative_imports_of_a_package() -> None:
    source = "from . import a\nfrom .b import c\nfrom .. import d"
    inside = ["grader.report.a", "grader.report.b.c", "grader.d"]
    assert list(imported("grader.report", source, is_package=True)) == inside
    assert list(imported("grader.report.model", source)) == inside


def test_a_module_without_a_place_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "grader.utils", Path("utils.py"))
    expected = "grader.utils has no place yet: put 'utils' into LAYERS of tests/test_imports.py"
    assert problems("grader.utils", "") == [expected]


def test_a_circle_is_seen() -> None:
    assert set(circle([("cases", "assignment"), ("assignment", "topics"), ("topics", "cases")])) == {
        "assignment",
        "cases",
        "topics",
    }
    assert circle([("cases", "cases"), ("cases", "topics")]) == []


def bound(body: Iterable[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """Names bound at the top level of a module, and whether each is a function or class defined there."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, True
            case ast.Assign() | ast.AnnAssign():
                yield from ((n.id, False) for n in ast.walk(node) if isinstance(n, ast.Name) and is_stored(n))
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name, False) for alias in names)
            case ast.If(body=inner, orelse=other) | ast.Try(body=inner, orelse=other):
                yield from bound([*inner, *other])


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def wrong_exports(source: str) -> set[str]:
    """Public functions and classes that __all__ lacks, and names in __all__ that the module doesn't have.

    Constants and names of types may be listed or not, and so may what is imported to be passed on.
    """
    tree = ast.parse(source)
    lists = [n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
    declared = set(ast.literal_eval(lists[0])) if lists else set()
    names = dict(bound(tree.body))
    public = {name for name, is_ours in names.items() if is_ours and not name.startswith("_")}
    return (public - declared) | (declared - names.keys())


@pytest.mark.parametrize("module", [name for name in MODULES if "._" not in name])
def test_exports_are_the_public_names(module: str) -> None:
    assert wrong_exports(MODULES[module].read_text("utf-8")) == set()


EXPORTS = {
    "as declared": ("__all__ = ['f', 'C', 'X']\ndef f(): y = 1\nclass C: pass\nX: int = 1\ndef _g(): pass", set()),
    "not declared": ("__all__ = ['f']\ndef f(): pass\nclass C: pass", {"C"}),
    "not there": ("__all__ = ['f', 'g']\ndef f(): pass", {"g"}),
    "only used there": ("__all__ = ['f', 'g']\ndef f(): pass\nx = g", {"g"}),
    "no list": ("async def f(): pass", {"f"}),
    "in a branch": ("__all__ = []\nif True:\n    def f(): pass\nelse:\n    class C: pass", {"f", "C"}),
    "passed on": ("__all__ = ['f', 'h']\nfrom a import f, g as h", set()),
    "passed on under another name": ("__all__ = ['g']\nfrom a import g as h", {"g"}),
    "only for types": ("__all__ = ['f']\nif TYPE_CHECKING:\n    from a import f", set()),
    "constants": ("__all__ = ['X']\nX, Y = 1, 2\nZ: int = 3", set()),
    "nothing": ("", set()),
}


@pytest.mark.parametrize(("source", "wrong"), EXPORTS.values(), ids=EXPORTS)
def test_a_wrong_export_is_seen(source: str, wrong: set[str]) -> None:
    assert wrong_exports(source) == wrong


LOADS = """
import importlib, sys
for module in sys.argv[2:]:
    importlib.import_module(module)
    if sys.argv[1] in sys.modules:
        sys.exit(module + " loads " + sys.argv[1])
print(*sorted(name for name in sys.modules if name.split(".")[0] == "grader"))
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_importing_loads_no_torch() -> None:
    """Torch takes a second to import: help, schemas, reports and a student's process go without."""
    done = run_python(LOADS, "torch", *(name for name in MODULES if not name.endswith("__main__")))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [name for name in MODULES if not name.endswith("__main__")]


def test_loading_something_heavy_is_seen() -> None:
    done = run_python(LOADS, "zipfile", "grader.errors", "grader.archive", "grader.submission")
    assert (done.returncode, done.stderr) == (1, "grader.archive loads zipfile\n")


def test_the_students_process_loads_nothing_of_the_judging_side() -> None:
    if "grader.sandbox.worker" not in MODULES:
        pytest.skip("grader.sandbox.worker is not written yet")
    done = run_python(LOADS, "torch", "grader.sandbox.worker")
    assert (done.returncode, done.stderr) == (0, "")
    allowed = ("grader.calls", "grader.errors", "grader.numerics.trees", "grader.sandbox")
    loaded = set(done.stdout.split()) - {"grader", "grader.numerics"}
    assert loaded
    assert not [name for name in loaded if not is_below(name, allowed)]
