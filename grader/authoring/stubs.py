"""From a worked solution to the student's stub, and from a small slip to a whole wrong submission.

The worked solution is the only file written by hand. What a student is to write stands in it between two marker
lines; cutting the stub replaces each such region:

    def relu_forward(x):                        def relu_forward(x):
        '''Docstring.'''                            '''Docstring.'''
        # solution                                  raise NotImplementedError("relu_forward is not written yet")
        return np.maximum(x, 0), x
        # end solution

A region at the left margin (a function of the solution that students should not see) vanishes. Everything else is
kept to the letter, so the stub is checked in and a test holds it equal to what would be cut.

A slip is one mistake, written as only the functions and classes that differ from the worked solution. Overlaying puts
them in place of those of the same name: the result is one file, as a student would have handed it in.
"""

from __future__ import annotations

import argparse
import ast
import re
from pathlib import Path

from grader.errors import CourseError
from grader.rewriting import BEGIN, END

__all__ = ["BEGIN", "END", "cut_stub", "main", "overlay"]

_DEF = re.compile(r"(?P<indent>\s*)(?:async\s+)?(?P<kind>def|class)\s+(?P<name>\w+)")


def cut_stub(source: str) -> str:
    """The stub of a worked solution: each marked region replaced by a NotImplementedError that names its function.

    Raises:
        CourseError: a marker without its other half, a region in a region, an indented region outside a function,
            no region at all; the message names the line.
    """
    lines: list[str] = []
    owner = name = ""
    begun = 0  # line of the open region's first marker, or 0
    regions = 0
    for number, line in enumerate(source.splitlines(), start=1):
        if line.strip() == BEGIN:
            if begun:
                raise CourseError(f"line {number}: '{BEGIN}' inside the region that line {begun} begins")
            begun, regions = number, regions + 1
            lines += _placeholder(line, name, number)
        elif line.strip() == END:
            if not begun:
                raise CourseError(f"line {number}: '{END}' without '{BEGIN}' before it")
            begun = 0
        elif not begun:
            definition = _DEF.match(line)
            if definition and definition["kind"] == "class":
                owner = f"{definition['name']}." if not definition["indent"] else owner
            elif definition:
                name = f"{owner if definition['indent'] else ''}{definition['name']}"
            lines.append(line)
    if begun:
        raise CourseError(f"line {begun}: '{BEGIN}' without '{END}' after it")
    if not regions:
        raise CourseError(f"no '{BEGIN}' line: a stub would be the whole solution")
    return "\n".join(lines) + "\n"


def _placeholder(marker: str, function: str, number: int) -> list[str]:
    indent = marker[: len(marker) - len(marker.lstrip())]
    if not indent:
        return []
    if not function:
        raise CourseError(f"line {number}: an indented '{BEGIN}' outside a function")
    return [f'{indent}raise NotImplementedError("{function} is not written yet")']


def overlay(solution: str, slip: str) -> str:
    """The worked solution with the slip's functions and methods in place of its own of the same name.

    What else the slip holds (imports, helpers, statements) goes before the first function or class of the solution,
    and what else a class of the solution holds in the slip before the first method of that class; both in the slip's
    order. The solution's markers and the slip's docstring are dropped.

    Raises:
        CourseError: either file does not parse, or the slip rewrites no function of the solution.
    """
    theirs = _parse(solution, "the solution")
    rewritten = _parse(slip, "the slip")
    known = _functions(theirs)
    replaced = {name: span for name, span in _functions(rewritten).items() if name in known}
    if not replaced:
        raise CourseError(f"the slip rewrites none of the solution's functions: {', '.join(known)}")
    slip_lines = slip.splitlines()
    taken = {number for span in replaced.values() for number in span} | set(_docstring(rewritten))
    put = {known[name].start: [slip_lines[number - 1] for number in span] for name, span in replaced.items()}
    dropped = {number for name in replaced for number in known[name]}
    before: dict[int, list[str]] = {}
    for name, span in _classes(rewritten).items():
        first = min((lines.start for method, lines in known.items() if method.startswith(f"{name}.")), default=None)
        if first is not None:
            inside = [number for number in span if number not in taken]
            before[first] = [slip_lines[number - 1] for number in inside[1:]]  # all but the line that begins the class
            taken |= set(inside)
    rest = [line for number, line in enumerate(slip_lines, start=1) if number not in taken]
    first = min(span.start for span in (*_classes(theirs).values(), *known.values()))
    before[first] = [*rest, "", "", *before.get(first, [])]
    lines: list[str] = []
    for number, line in enumerate(solution.splitlines(), start=1):
        lines += before.get(number, [])
        if number in put:
            lines += put[number]
        elif number not in dropped and line.strip() not in (BEGIN, END):
            lines.append(line)
    return "\n".join(lines) + "\n"


def _parse(source: str, whose: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{whose} does not parse: line {error.lineno}: {error.msg}") from error


def _functions(module: ast.Module) -> dict[str, range]:
    """Lines, counted from 1, of each function of the module's top level and each method, decorators among them."""
    functions = [(node.name, node) for node in module.body if isinstance(node, ast.FunctionDef)]
    for owner in module.body:
        if isinstance(owner, ast.ClassDef):
            functions += [
                (f"{owner.name}.{node.name}", node) for node in owner.body if isinstance(node, ast.FunctionDef)
            ]
    return {name: _lines(node) for name, node in functions}


def _classes(module: ast.Module) -> dict[str, range]:
    """Lines of each class of the module's top level."""
    return {node.name: _lines(node) for node in module.body if isinstance(node, ast.ClassDef)}


def _lines(node: ast.FunctionDef | ast.ClassDef) -> range:
    return range(min([node.lineno, *(d.lineno for d in node.decorator_list)]), (node.end_lineno or 0) + 1)


def _docstring(module: ast.Module) -> range:
    """Lines of the module's docstring; none where there is none."""
    if ast.get_docstring(module, clean=False) is None:
        return range(0)
    return range(module.body[0].lineno, (module.body[0].end_lineno or 0) + 1)


def main(argv: list[str] | None = None) -> None:
    """Write the stub of a worked solution."""
    parser = argparse.ArgumentParser(prog="python -m grader.authoring.stubs", description=main.__doc__)
    parser.add_argument("solution", type=Path, metavar="SOLUTION", help="worked solution, with its markers")
    parser.add_argument("stub", type=Path, metavar="STUB", help="file to write")
    arguments = parser.parse_args(argv)
    try:
        stub = cut_stub(arguments.solution.read_text(encoding="utf-8"))
    except CourseError as error:
        parser.error(f"{arguments.solution}: {error}")
    arguments.stub.write_text(stub, encoding="utf-8")


if __name__ == "__main__":
    main()
