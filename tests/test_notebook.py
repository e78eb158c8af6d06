"""Notebooks as Python source: what is kept, what is left out, and that the other cells always survive."""

from __future__ import annotations

import ast
import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import SubmissionError
from grader.notebook import MAX_PARSED, convert_notebook, parse_python


def code(source: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}


def notebook(*cells: Any) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}).encode()


def converted(text: str) -> list[str]:
    """Lines that a cell turns into."""
    header, heading, *lines, end = convert_notebook(notebook(code(text)), "a.ipynb").source.decode().split("\n")
    assert (header, heading, end) == ("# -*- coding: utf-8 -*-", "# cell 1", "")
    return lines


CELLS = {
    "plain": ("x = 1\ny = 2", ["x = 1", "y = 2"]),
    "magic": ("%matplotlib inline\nx = 1", ["pass  # %matplotlib inline", "x = 1"]),
    "shell": ("!pip install 'torch\nx = 1", ["pass  # !pip install 'torch", "x = 1"]),
    "shell over two lines": ("!pip install \\\n  torch\nx = 1", ["pass  # !pip install \\", "#   torch", "x = 1"]),
    "in a block": ("if a:\n    !ls\nelse:\n\t%cd b", ["if a:", "    pass  # !ls", "else:", "\tpass  # %cd b"]),
    "help": ("?np.sum\nnp.sum?\nnp.sum??\nx = 1", ["pass  # ?np.sum", "pass  # np.sum?", "pass  # np.sum??", "x = 1"]),
    "assigned": ("files = !ls\na = %pwd", ["pass  # files = !ls", "pass  # a = %pwd"]),
    "bare pip": ("pip install torch\nx = 1", ["pass  # pip install torch", "x = 1"]),
    "cell magic around Python": ("%%time\nx = 1", ["# %%time", "x = 1"]),
    "cell magics in one another": ("\n# slow\n%%capture out\n%%timeit -n 1\n!ls\nx = 1",
                                   ["", "# slow", "# %%capture out", "# %%timeit -n 1", "pass  # !ls", "x = 1"]),
    "another language": ("%%bash\nls | wc", ["# %%bash", "# ls | wc"]),
    "cell magic not first": ("x = 1\n%%time\ny = 2", ["x = 1", "pass  # %%time", "y = 2"]),
    "percent in a string": ('!ls\ns = """\n%d items\n!\n"""', ["pass  # !ls", 's = """', "%d items", "!", '"""']),
    "percent in brackets": ("!ls\nx = (a\n% b)", ["pass  # !ls", "x = (a", "% b)"]),
    "percent after a backslash": ("!ls\nx = a \\\n% b", ["pass  # !ls", "x = a \\", "% b"]),
    "string over a backslash": ("s = 'it\\\n%s'\n!ls", ["s = 'it\\", "%s'", "pass  # !ls"]),
    "quotes in comments": ("x = 1  # don't (\n!ls", ["x = 1  # don't (", "pass  # !ls"]),
    "escaped quotes": ("s = 'don\\'t ('\n!ls", ["s = 'don\\'t ('", "pass  # !ls"]),
    "syntax error": ("def f(:\n  pass\n\nx", ["# def f(:", "#   pass", "#", "# x"]),
    "Python 2": ("print 1", ["# print 1"]),
    "await": ("await f()", ["await f()"]),
    "get_ipython": ("get_ipython().system('ls')", ["get_ipython().system('ls')"]),
    "Windows line ends": ("x = 1\r\ny = 2\rz = 3", ["x = 1", "y = 2", "z = 3"]),
    "empty": ("", [""]),
    "zero byte": ("x = '\0'", ["x = '\ufffd'"]),
    "lone surrogate": ("x = '\ud800'", ["x = '?'"]),
    "list of lines": (["x = 1\n", "y = 2"], ["x = 1", "y = 2"]),
    "list of lines without their ends": (["x = 1", "y = 2"], ["x = 1", "y = 2"]),
    "no lines": ([], [""]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CELLS.values(), ids=CELLS)
def test_cell(text: str, expected: list[str]) -> None:
    assert converted(text) == expected


NOTES = {
    "fine": ("!ls\n%%time\nx = 1", ()),
    "syntax error": ("x = 1\n\ndef f(:\n", ("cell 1, line 3: invalid syntax; the cell is left out",)),
    "another language": ("%%writefile a.py\nx", ("cell 1 (%%writefile) is not Python; the cell is left out",)),
    "a magic that moves the cursor": ("%%\x1b[2J\n", ("cell 1 (%%\\x1b[2J) is not Python; the cell is left out",)),
    "a magic as long as a page": (
        "%%" + "a" * 5000,
        ("cell 1 (%%" + "a" * 80 + ") is not Python; the cell is left out",),
    ),
    "too long": ("# " + MAX_PARSED * "a", ("cell 1: longer than 300000 characters; the cell is left out",)),
    "too deep": (10_000 * "-" + "1", ("cell 1: too deeply nested; the cell is left out",)),
}


@pytest.mark.parametrize(("text", "expected"), NOTES.values(), ids=NOTES)
def test_notes(text: str, expected: tuple[str, ...]) -> None:
    assert convert_notebook(notebook(code(text)), "a.ipynb").notes == expected


def test_text_cells_are_counted_and_a_broken_cell_leaves_the_others() -> None:
    result = convert_notebook(
        notebook({"cell_type": "markdown", "source": "# Title"}, code("x = 1"), code("x = ="), code("y = 2\nz = 3")),
        "a.ipynb",
    )
    expected = "# -*- coding: utf-8 -*-\n# cell 2\nx = 1\n# cell 3\n# x = =\n# cell 4\ny = 2\nz = 3\n"
    assert result.source.decode() == expected
    assert result.notes == ("cell 3, line 1: invalid syntax; the cell is left out",)


def test_declared_encoding_of_a_cell_is_not_the_files() -> None:
    source = convert_notebook(notebook(code("# coding: latin-1\nx = 'é'")), "a.ipynb").source
    names: dict[str, str] = {}
    exec(compile(source, "a.py", "exec"), names)
    assert names["x"] == "é"


def test_format_3() -> None:
    cells = [{"cell_type": "heading", "source": "T"}, {"cell_type": "code", "input": ["x = 1\n", "y = 2"]}]
    data = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}, {"cells": [cells[1]]}]}).encode()
    source = convert_notebook(data, "a.ipynb").source.decode()
    assert source == "# -*- coding: utf-8 -*-\n# cell 2\nx = 1\ny = 2\n# cell 3\nx = 1\ny = 2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_json(encoding: str) -> None:
    data = notebook(code("x = 'é'")).decode().encode(encoding)
    assert convert_notebook(data, "a.ipynb").source.endswith("x = 'é'\n".encode())


PROBLEMS = {
    "empty": (b" \n", "is empty"),
    "truncated": (b'{"cells": [', "is not a whole notebook: line 1, column 12: Expecting value"),
    "not text": (b'{"\xff\xfe": 1}', "is not a notebook: not text in UTF-8"),
    "deep": (b"[" * 100_000, "is not a notebook: nested too deeply"),
    "a list": (b"[]", "is not a notebook: the top level is not an object"),
    "no cells": (b"{}", "is not a notebook: cells: missing, or not a list"),
    "cells not a list": (b'{"cells": {}}', "is not a notebook: cells: missing, or not a list"),
    "worksheets not a list": (b'{"worksheets": 1}', "is not a notebook: worksheets: missing, or not a list"),
    "no cells in a worksheet": (b'{"worksheets": [{}]}', "is not a notebook: worksheets[0].cells: missing, or not a "
                                "list"),
    "worksheet not an object": (b'{"worksheets": [1]}', "is not a notebook: worksheets[0].cells: missing, or not a "
                                "list"),
    "cell not an object": (notebook(code("x"), 1), "cells[1]: not an object"),
    "no type": (notebook({"source": "x"}), "cells[0].cell_type: missing, or not a text"),
    "no source": (notebook({"cell_type": "code"}), "cells[0].source: missing, or neither a text nor a list of lines"),
    "source a number": (notebook(code(1)), "cells[0].source: missing, or neither a text nor a list of lines"),
    "line a number": (notebook(code(["x", 1])), "cells[0].source: missing, or neither a text nor a list of lines"),
    "input a number": (b'{"worksheets": [{"cells": [{"cell_type": "code", "input": 1}]}]}',
                       "worksheets[0].cells[0].input: missing, or neither a text nor a list of lines"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem(data: bytes, problem: str) -> None:
    with pytest.raises(SubmissionError) as error:
        convert_notebook(data, "ann/a.ipynb")
    assert (error.value.path, error.value.problem) == ("ann/a.ipynb", problem)


DEEP = ["-" * 50_000 + "1", "(" * 50_000, "a" + ".a" * 50_000, "1+" * 50_000 + "1", "a" + "()" * 50_000, "x = '\0'"]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_parse_python_raises_syntax_error_only(text: str) -> None:
    with pytest.raises(SyntaxError):
        parse_python(text)


def test_doubtful_escape_is_no_warning() -> None:
    assert parse_python(r"x = '\d'").body


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 100_000, "'\"" * 100_000, " " * 200_000 + "= ", "x?" + " " * 200_000 + "y"]
)
def test_time_is_linear_in_the_text(text: str) -> None:
    """Each of these would take hours under a scan that starts again at every quote or blank."""
    assert len(converted(f"!ls\n{text}")) == 2


def test_time_is_linear_in_the_magics() -> None:
    """Lines of magics would take hours under a scan that starts again at every magic."""
    assert converted("%%time\n" * 30_000 + "!ls")[-2:] == ["# %%time", "pass  # !ls"]


def test_numbers_in_outputs_may_be_of_any_length() -> None:
    """Python's own int refuses more than 4300 digits, which a student may well have printed."""
    cell = {**code("x = 1"), "outputs": [{"data": {"application/json": "HERE"}}]}
    data = notebook(cell).replace(b'"HERE"', b"7" * 5000)
    assert convert_notebook(data, "a.ipynb").source.endswith(b"x = 1\n")


SNIPPETS = st.sampled_from(
    ["!ls", "%time x", "%%time", "%%bash", "x?", "x = 1", "x = 1 \\", "def f():", "    pass", "\treturn", "await x", "",
     '"""', "'''", "'", "f'{x'", "\\", "(", ")", "{", "#", "# coding: nope", "from __future__ import annotations",
     "\f", "\r", "é"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(st.one_of(SNIPPETS, st.text(max_size=5)), max_size=12).map("\n".join))


@given(texts=st.lists(TEXTS, max_size=4))
@example(texts=["x = 1 \\", "y = 2"])
@example(texts=["# coding: nonsense"])
@example(texts=["'''", "'''"])
def test_law_the_file_always_parses_and_keeps_the_count_of_lines(texts: list[str]) -> None:
    source = convert_notebook(notebook(*map(code, texts)), "a.ipynb").source
    ast.parse(source)
    plain = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert source.count(b"\n") == 1 + sum(2 + text.count("\n") for text in plain)


@given(data=st.binary())
def test_law_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SubmissionError):
        convert_notebook(data, "a.ipynb")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "worksheets", "cell_type", "source", "input", "x"]), inner, max_size=4
        )
        | st.fixed_dictionaries({"cell_type": st.just("code"), "source": inner})
    ),
    max_leaves=12,
)


@given(cells=JSON, key=st.sampled_from(["cells", "worksheets"]))
def test_law_any_json_converts_or_is_refused(cells: Any, key: str) -> None:
    with contextlib.suppress(SubmissionError):
        ast.parse(convert_notebook(json.dumps({key: cells}).encode(), "a.ipynb").source)
