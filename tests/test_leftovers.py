"""What a submission leaves in its process: another exercise finds none of it; if there is none, no process ends."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from grader.calls import Call, Kept, Malformed, Raised, Returned, Source
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess

HEAD = "import numpy as np\ndef ok(x):\n    return x, x\n"
CLEAN = {
    "nothing": "def f(x):\n    return x + 1, x\n",
    "constants and other functions": "EPS, SHAPE, W = 1e-8, {'a': [1, (2, 3)]}, np.eye(3)\nfrom math import sqrt\n"
    "def g(x, y=[]):\n    return x\ndef f(x):\n    return g(x) + 1, x\n",
    "functions in functions": "def f(x):\n    def g(y):\n        return x * y\n    return g(x), g\n",
    "its own files": "import mine\ndef f(x):\n    return mine.f(x), x\n",
    "what array_namespace gives": "from array_api_compat import array_namespace\n"
    "def f(x):\n    return array_namespace(x).sum(x), np.float64(1)\n",
    "its own random numbers": "def f(x):\n    return np.random.default_rng(0).normal(), x\n",
    "names that modules have too": "def f(x):\n    return np.trace([np.array(np.select([x > 0], [x]))]), x\n",
    "an error state": "def f(x):\n    np.seterr(all='raise')\n    return x, x\n",
    "what is printed while it loads": "print('hello')\ndef f(x):\n    return x, x\n",
}
LEFT = {
    "a list": "SEEN = []\ndef f(x):\n    SEEN.append(1)\n    return x, x\n",
    "a dict within": "SEEN = {'a': [{}]}\ndef f(x):\n    SEEN['a'][0]['b'] = 1\n    return x, x\n",
    "a name": "COUNT = 0\ndef f(x):\n    global COUNT\n    COUNT += 1\n    return x, x\n",
    "a new name": "def f(x):\n    global LAST\n    LAST = x\n    return x, x\n",
    "an array": "W = np.zeros(3)\ndef f(x):\n    W[1] = 1\n    return x, x\n",
    "a default": "def f(x, seen={}):\n    seen[1] = x\n    return x, x\n",
    "an attribute of a function": "def f(x):\n    f.last = x\n    return x, x\n",
    "a closure": "def make():\n    n = 0\n    def f(x):\n        nonlocal n\n        n += 1\n        return x, x\n"
    "    return f\nf = make()\n",
    "a name of its other file": "import mine\ndef f(x):\n    mine.LAST = x\n    return x, x\n",
    "random numbers of NumPy": "def f(x):\n    return x + np.random.rand(), x\n",
    "random numbers of Python": "import random\ndef f(x):\n    return x + random.random(), x\n",
    "a name of NumPy": "def f(x):\n    np.float = float\n    return x, x\n",
    "a builtin": "import builtins\ndef f(x):\n    builtins.thing = 1\n    return x, x\n",
    "something printed": "def f(x):\n    print(x)\n    return x, x\n",
    "another file": "def f(x):\n    import mine\n    return x, x\n",
}
UNSEEN = {
    "a class": "class C:\n    n = 0\ndef f(x):\n    return x, x\n",
    "an object": "rng = np.random.default_rng(0)\ndef f(x):\n    return x, x\n",
    "a cache": "import functools\n@functools.lru_cache\ndef g(n):\n    return n\ndef f(x):\n    return x, x\n",
    "the environment": "def f(x):\n    import os\n    os.environ['A'] = '1'\n    return x, x\n",
    "a module by another name": "import sys as s\ndef f(x):\n    s.setrecursionlimit(2000)\n    return x, x\n",
    "a thread": "def f(x):\n    from threading import Thread\n    Thread(target=print).start()\n    return x, x\n",
    "text that runs": "def f(x):\n    exec('import os')\n    return x, x\n",
    "print options": "def f(x):\n    np.set_printoptions(precision=2)\n    return x, x\n",
    "an array of objects": "W = np.array([[], 1], dtype=object)\ndef f(x):\n    W[0].append(1)\n    return x, x\n",
    "far too much": "W = list(map(str, range(3000))), [[n] for n in range(3000)]\ndef f(x):\n    return x, x\n",
    "a large array": "W = np.zeros(1 << 18)\ndef f(x):\n    return x, x\n",
    "something that did not load": "import no_such_module\ndef f(x):\n    return x, x\n",
}


def started(place: Sandbox, text: str, function: str = "f") -> int:
    """How many processes two exercises took."""
    files = {"s.py": (HEAD + text).encode(), "mine.py": b"def f(x):\n    return x\n"}
    child = ChildProcess(Source(entry="s.py", files=files), sandbox=place)
    try:
        for _ in range(2):
            child.fresh()
            for slot in range(2):
                outcome = child.call(Call(function=function, args=(np.arange(3.0),), keep=slot))
                assert isinstance(outcome, Returned), outcome
        return child.started
    finally:
        child.close()


@pytest.mark.parametrize("name", CLEAN)
def test_one_process_for_all_exercises_where_nothing_is_left(sandbox: Sandbox, name: str) -> None:
    assert started(sandbox, CLEAN[name]) == 1


def test_so_it_is_without_a_wall(unwalled: Sandbox) -> None:
    assert [started(unwalled, text) for text in (CLEAN["nothing"], LEFT["a list"])] == [1, 2]


@pytest.mark.parametrize("name", LEFT)
def test_another_process_where_something_is_left(sandbox: Sandbox, name: str) -> None:
    assert started(sandbox, LEFT[name]) == 2


@pytest.mark.parametrize("name", UNSEEN)
def test_another_process_where_it_can_not_be_seen(sandbox: Sandbox, name: str) -> None:
    assert started(sandbox, UNSEEN[name]) == 2


@pytest.mark.parametrize("name", LEFT)
def test_it_is_the_call_that_leaves_it(sandbox: Sandbox, name: str) -> None:
    assert started(sandbox, LEFT[name], "ok") == 1


@pytest.fixture
def child(sandbox: Sandbox) -> Iterator[ChildProcess]:
    text = b"def f(x):\n    return x, x\ndef b(d, c):\n    return d\ndef raises():\n    raise ValueError\n"
    child = ChildProcess(Source(entry="s.py", files={"s.py": text}), sandbox=sandbox)
    yield child
    child.close()


def test_after_an_exception_there_is_another_process(child: ChildProcess) -> None:
    assert isinstance(child.call(Call(function="raises", args=())), Raised)
    child.fresh()
    assert isinstance(child.call(Call(function="f", args=(1,), keep=1)), Returned)
    assert child.started == 2


def test_caches_of_an_earlier_exercise_are_gone(child: ChildProcess) -> None:
    child.call(Call(function="f", args=(1,), keep=1))
    child.fresh()
    assert isinstance(child.call(Call(function="b", args=(1, Kept(1)))), Malformed)
    assert child.started == 1
