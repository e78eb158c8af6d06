"""One slip costs once: a network whose layer is wrong is judged with the layer's calls answered by the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from courses import HEAD, codes, grade_text, make_course

from grader import grading
from grader.answering import Answers, answered_for, callees_first
from grader.assignment import Assignment
from grader.calls import NotAnswered, Profile, Role, Source
from grader.errors import ManifestError
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.console import render
from grader.report.markdown import render_markdown
from grader.report.model import Report
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.submission import Submission

AFFINE = """name = "affine"
kind = "layer"
forward = "affine_forward"
backward = "affine_backward"
reference = "affine"
inputs = { x = "N D", w = "D M", b = "M" }
output = "N M"
points = { forward = 1, backward = 2 }
[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4, M = 5 }
"""
LOSS = """[[exercise]]
name = "loss"
kind = "loss"
loss = "square_loss"
reference = "square_loss"
inputs = { scores = "N C", y = { axes = "N", draw = "classes", of = "C" } }
gradients = ["scores"]
points = { value = 1, gradient = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 3, C = 4 }
"""
NETWORK = """[[exercise]]
name = "network"
kind = "model"
forward = "net_forward"
backward = "net_backward"
reference = "net"
inputs = { params = { W = "D H", b = "H", V = "H C", c = "C" }, x = "N D" }
gradients = ["params"]
output = "N C"
points = { forward = 1, backward = 2 }
[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4, H = 6, C = 5 }
[[exercise.case]]
name = "hidden"
sizes = { N = 2, D = 3, H = 4, C = 5 }
hidden = true
"""
SCORE = """[[exercise]]
name = "objective"
kind = "loss"
loss = "objective"
reference = "objective"
inputs.params = { W = "D H", b = "H", V = "H C", c = "C" }
inputs.x = "N D"
inputs.y = { axes = "N", draw = "classes", of = "C" }
gradients = ["params"]
points = { value = 1, gradient = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4, H = 6, C = 5 }
"""
REFERENCE = """
def affine(x, w, b):
    return x @ w + b
def square_loss(scores, y):
    return ((scores - y[:, None]) ** 2).mean()
def net(params, x):
    return affine(torch.tanh(affine(x, params["W"], params["b"])), params["V"], params["c"])
def objective(params, x, y):
    return square_loss(net(params, x), y)
"""
FORWARD = """
def affine_forward(x, w, b):
    return x @ w + b, (x, w)
"""
BACKWARD = """
def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)
"""
SQUARE = """
def square_loss(scores, y):
    d = scores - y[:, None]
    return (d ** 2).mean(), 2 * d / d.size
"""
NET = """
def net_forward(params, x):
    h, first = affine_forward(x, params["W"], params["b"])
    t = np.tanh(h)
    out, second = affine_forward(t, params["V"], params["c"])
    return out, (first, t, second)
def net_backward(dout, cache):
    first, t, second = cache
    dt, dV, dc = affine_backward(dout, second)
    _, dW, db = affine_backward(dt * (1 - t ** 2), first)
    return {"W": dW, "b": db, "V": dV, "c": dc}
"""
OBJECTIVE = """
def objective(params, x, y):
    out, cache = net_forward(params, x)
    loss, dout = square_loss(out, y)
    return loss, net_backward(dout, cache)
"""
RIGHT = FORWARD + BACKWARD + SQUARE + NET + OBJECTIVE
MEAN = BACKWARD.replace("x.T @ dout", "x.T @ dout / len(x)")
AVERAGES = FORWARD + MEAN + SQUARE + NET + OBJECTIVE


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return course_of(tmp_path_factory.mktemp("course"), AFFINE + LOSS + NETWORK + SCORE)


def course_of(folder: Path, exercises: str, reference: str = REFERENCE, head: str = HEAD) -> Assignment:
    return make_course(folder, exercises, reference, head)


def submission(text: str, more: Mapping[str, str] | None = None) -> Submission:
    files = {"t.py": "import numpy as np\n" + text, **(more or {})}
    source = Source(entry="t.py", files={name: content.encode() for name, content in files.items()})
    return Submission(name="t", path="t.py", source=source, notes=())


Grade = Callable[..., Report]
ORACLES: dict[str, Oracle] = {}


def grade(assignment: Assignment, handed_in: Submission, **options: Any) -> Report:
    """Grade it; the reference is asked once for all tests."""
    oracle = ORACLES.setdefault(assignment.digest, Oracle(assignment))
    return grading.grade(assignment, handed_in, oracle=oracle, **options)


@pytest.fixture(params=["a process behind a wall", "a process", "this process"])
def graded(request: pytest.FixtureRequest, course: Assignment) -> Grade:
    """Grades a text of the course at one of the three places that there are."""
    where = request.param

    def grade_it(text: str, more: Mapping[str, str] | None = None, assignment: Assignment = course) -> Report:
        handed_in = submission(text, more)
        if where == "this process":
            return grade(assignment, handed_in, evaluator=InProcess(handed_in.source))
        place = "sandbox" if where.endswith("wall") else "unwalled"
        return grade(assignment, handed_in, sandbox=request.getfixturevalue(place))

    return grade_it


def judged(report: Report) -> dict[str, tuple[str, set[str]]]:
    """Verdict and codes of each part with something to say."""
    found = {
        f"{exercise.name}/{part.name}": (part.verdict, codes(part))
        for exercise in report.exercises
        for part in exercise.parts
    }
    return {name: told for name, told in found.items() if told != ("passed", set())}


ONLY_AFFINE = {
    "affine/backward": ("failed", {"WRONG_GRADIENT"}),
    "network/backward": ("passed", {"ANSWERED"}),
    "objective/gradient": ("passed", {"ANSWERED"}),
}


def test_a_right_submission_is_never_judged_twice(graded: Grade) -> None:
    assert judged(graded(RIGHT)) == {}


def test_a_slip_of_a_layer_costs_the_layer_alone(graded: Grade) -> None:
    report = graded(AVERAGES)
    assert judged(report) == ONLY_AFFINE
    assert report.score.earned == report.score.possible - 2
    answered = {
        tuple(check.answered) for exercise in report.exercises for part in exercise.parts for check in part.checks
    }
    assert answered == {(), ("affine_forward", "affine_backward")}


def test_the_report_says_so_in_a_line(course: Assignment, golden: Callable[[str, str], None]) -> None:
    report = grade_text(course, AVERAGES)
    golden("messages/one_slip_costs_once.txt", render(report) + "\n")
    assert "answered by the reference, since affine / backward fails" in render_markdown(report)


# ------------------------------------------------------------------------------------------- how the layer is missing

NOT_THERE = {
    "not written": (FORWARD + BACKWARD.replace("x, w = cache", 'raise NotImplementedError("not written")'), {}),
    "missing": (FORWARD, {}),
    "both missing": ("", {}),
    "never returns a pair": (FORWARD.replace(", (x, w)", "") + BACKWARD, {}),
    "ends the process": (FORWARD + "import os\ndef affine_backward(dout, cache):\n    os.abort()\n", {}),
    "from a file that was not handed in": ("from layers import affine_forward, affine_backward\n", {}),
    "in a file of its own": ("from layers import *\n", {"layers.py": FORWARD + MEAN}),
    "by another name": ("import layers\nfrom layers import affine_forward as a\n"
                        "def affine_forward(*args):\n    return a(*args)\n"
                        "def affine_backward(*args):\n    return layers.affine_backward(*args)\n",
                        {"layers.py": FORWARD + MEAN}),
    "with default values": (FORWARD.replace("(x, w, b)", "(x, w, b, more=0.1)").replace("+ b,", "+ b + more,")
                            + BACKWARD, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_THERE)
def test_however_the_layer_fails(name: str, course: Assignment, sandbox: Sandbox) -> None:
    text, more = NOT_THERE[name]
    for evaluator in (None, InProcess(submission(text + SQUARE + NET + OBJECTIVE, more).source)):
        if name == "ends the process" and evaluator is not None:
            continue
        report = grade(course, submission(text + SQUARE + NET + OBJECTIVE, more), evaluator=evaluator, sandbox=sandbox)
        found = judged(report)
        assert found.pop("affine/backward", None) or found.pop("affine/forward", None)
        found.pop("affine/forward", None)
        assert {verdict for verdict, _ in found.values()} == {"passed"}, found
        assert found["network/backward"][1] == {"ANSWERED"}


def test_arguments_go_by_the_students_own_names(graded: Grade) -> None:
    text = AVERAGES.replace("affine_forward(x, params", "affine_forward(w=params").replace(
        '["W"], params["b"])', '["W"], x=x, b=params["b"])'
    )
    text = text.replace("affine_backward(dout, second)", "affine_backward(cache=second, dout=dout)")
    assert judged(graded(text)) == ONLY_AFFINE


def test_methods_of_a_class(tmp_path: Path, sandbox: Sandbox) -> None:
    exercises = (
        (AFFINE + NETWORK)
        .replace('"affine_forward"', '"Affine.forward"')
        .replace('"affine_backward"', '"Affine.backward"')
    )
    assignment = course_of(tmp_path, exercises)
    body = (FORWARD + MEAN).replace("affine_forward", "forward").replace("affine_backward", "backward")
    body = body.replace("def", "@staticmethod\ndef").replace("\n", "\n    ")
    text = "class Affine:\n" + body + NET.replace("affine_", "Affine.")
    text = text.replace("\nclass", "class")
    for evaluator in (None, InProcess(submission(text).source)):
        found = judged(grade(assignment, submission(text), evaluator=evaluator, sandbox=sandbox))
        assert found == {name: told for name, told in ONLY_AFFINE.items() if name in found}
        assert found["network/backward"] == ("passed", {"ANSWERED"})


def test_afterwards_everything_is_as_it_was(course: Assignment) -> None:
    """Where the code is in this process, the functions are the student's own again."""
    place = InProcess(submission(AVERAGES).source)
    first = judged(grade(course, submission(AVERAGES), evaluator=place))
    assert judged(grade(course, submission(AVERAGES), evaluator=place)) == first == ONLY_AFFINE


# ------------------------------------------------------------------------------------------------ what stays a failure

OWN = NET.replace("(1 - t ** 2)", "(1 - t)")


def test_a_slip_of_the_networks_own_is_told_beside_that_of_the_layer(graded: Grade) -> None:
    report = graded(FORWARD + MEAN + SQUARE + OWN + OBJECTIVE)
    found = judged(report)
    assert found["network/backward"] == ("failed", {"WRONG_GRADIENT", "ANSWERED"})
    assert found["objective/gradient"] == ("passed", {"ANSWERED"}), "the network's functions are answered too"
    wrong = next(part for part in report.exercises[2].parts if part.name == "backward").checks[0]
    assert "what is wrong here is something else" in wrong.findings[-1].headline
    assert "V" in wrong.findings[0].also, "dV and dc are right, as they are behind a right layer"


def test_who_opens_the_cache_fails_as_before(graded: Grade) -> None:
    opens = NET.replace("t = np.tanh(h)", "t = np.tanh(first[0] @ first[1] + params['b'])")
    text = FORWARD.replace("+ b,", "+ b + 1,") + BACKWARD + SQUARE + opens + OBJECTIVE
    found = judged(graded(text))
    assert found["network/forward"] == ("failed", {"WRONG_VALUE", "NOT_APART"})


def test_what_the_reference_does_not_take_is_not_held_against_the_network(course: Assignment) -> None:
    """It passes the bias twice as wide to a layer of its own that takes that: another layer than the course's."""
    text = AVERAGES.replace('params["c"])', 'np.stack([params["c"]] * 7))').replace(
        "x @ w + b,", "x @ w + b[..., :1, :].sum(0) + 1,"
    )
    found = judged(grade_text(course, text))
    assert found["network/forward"][0] == "failed"
    assert "NOT_APART" in found["network/forward"][1]


def test_a_network_that_is_not_written_is_not_judged_again(course: Assignment, sandbox: Sandbox) -> None:
    text = FORWARD + MEAN + SQUARE
    text += 'def net_forward(params, x):\n    raise NotImplementedError("net_forward is not written")\n'
    found = judged(grade(course, submission(text), sandbox=sandbox))
    assert found["network/forward"] == ("failed", {"NOT_WRITTEN"})
    assert found["objective/value"] == ("failed", {"MISSING_FUNCTION"})
    assert started(course, text, sandbox) == started(off(course), text, sandbox)


def test_who_calls_nothing_that_is_wrong_is_told_what_was_told_before(course: Assignment, sandbox: Sandbox) -> None:
    alone = NET.replace('affine_forward(x, params["W"], params["b"])', '(x @ params["W"], None)')
    alone = alone.replace('affine_forward(t, params["V"], params["c"])', '(t @ params["V"], None)')
    text = FORWARD + MEAN + SQUARE + alone
    assert judged(grade(course, submission(text), sandbox=sandbox))["network/forward"] == ("failed", {"WRONG_VALUE"})
    assert started(course, text, sandbox) == started(off(course), text, sandbox) + 2, "one for each part"


def test_a_process_that_was_given_answers_is_ended_with_its_part(course: Assignment, sandbox: Sandbox) -> None:
    children = processes(course, AVERAGES, sandbox)
    assert len(children) == started(off(course), AVERAGES, sandbox) + 2
    assert all(child.ended for child in children)


def off(course: Assignment) -> Assignment:
    return replace(course, one_slip_costs_once=False)


def started(course: Assignment, text: str, sandbox: Sandbox) -> int:
    return len(processes(course, text, sandbox))


# ------------------------------------------------------------------------------------------------------------- order


def test_the_order_of_the_manifest_does_not_matter_between_layers_and_models(tmp_path: Path, sandbox: Sandbox) -> None:
    network = NETWORK.removeprefix("[[exercise]]\n")
    assignment = course_of(tmp_path, network + "[[exercise]]\n" + AFFINE)
    assert [exercise.name for exercise in assignment.exercises] == ["network", "affine"]
    assert [exercise.name for exercise in callees_first(assignment)] == ["affine", "network"]
    found = judged(grade(assignment, submission(FORWARD + MEAN + NET), sandbox=sandbox))
    assert found == {name: told for name, told in ONLY_AFFINE.items() if name in found}
    assert len(found) == 2


FUNCTION = """name = "{name}"
kind = "function"
function = "{name}"
reference = "{reference}"
inputs = {{ x = "N" }}
points = {{ value = 1 }}
[[exercise.case]]
name = "small"
sizes = {{ N = 3 }}
"""
TWO = "def f(x):\n    return 2 * x\ndef g(x):\n    return torch.sin(2 * x)\n"


def functions(*named: tuple[str, str]) -> str:
    return "[[exercise]]\n".join(FUNCTION.format(name=name, reference=reference) for name, reference in named)


def test_two_that_call_each_other_earn_nothing(tmp_path: Path) -> None:
    assignment = course_of(tmp_path, functions(("f", "f"), ("g", "g")), TWO)
    f, g = assignment.exercises
    assert (answered_for(assignment, f), answered_for(assignment, g)) == ([], [f])
    found = judged(
        grade_text(assignment, "def f(x):\n    return np.arcsin(g(x))\ndef g(x):\n    return np.sin(f(x))\n")
    )
    assert [told[0] for told in found.values()] == ["failed", "passed"], "g is right, given f; f is not written"


def test_what_has_the_same_reference_is_not_answered(tmp_path: Path) -> None:
    assignment = course_of(tmp_path, functions(("f", "f"), ("g", "f")), TWO)
    found = judged(grade_text(assignment, "def g(x):\n    return f(x)\n"))
    assert {told[0] for told in found.values()} == {"failed"}


def test_an_instructor_can_turn_it_off(tmp_path: Path) -> None:
    assignment = course_of(tmp_path, AFFINE + NETWORK, head=HEAD + "one_slip_costs_once = false\n")
    found = judged(grade_text(assignment, FORWARD + MEAN + NET))
    assert {name for name, told in found.items() if told[0] == "failed"} == {"affine/backward", "network/backward"}
    text = assignment.manifest.read_text().replace("once = false", 'once = "no"')
    assignment.manifest.write_text(text)
    with pytest.raises(ManifestError, match="one_slip_costs_once"):
        load_assignment(assignment.manifest)


def test_an_optimizer_without_a_state_is_answered(course: Assignment, tmp_path: Path, sandbox: Sandbox) -> None:
    step = """name = "sgd"
kind = "step"
step = "sgd"
reference = "sgd"
inputs = { params = { a = "N", b = "M" } }
arguments = { lr = 0.1 }
points = { step = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 2, M = 3 }
[[exercise]]
name = "twice"
kind = "function"
function = "twice"
reference = "twice"
inputs = { params = { a = "N", b = "M" } }
points = { value = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 2, M = 3 }
"""
    reference = """
def sgd(params, lr):
    return torch.optim.SGD(params, lr=lr)
def twice(params):
    return {key: value - 0.5 * value - 0.5 * (value - 0.5 * value) for key, value in params.items()}
"""
    assignment = course_of(tmp_path, step, reference)
    text = """
def sgd(params, grads, lr):
    return {key: value + lr * grads[key] for key, value in params.items()}
def twice(params):
    for _ in range(2):
        params = sgd(params, {key: params[key] for key in reversed(list(params))}, lr=0.5)
    return params
"""
    found = judged(grade(assignment, submission(text), sandbox=sandbox))
    assert found["sgd/step"][0] == "failed"
    assert found["twice/value"] == ("passed", {"ANSWERED"})


# -------------------------------------------------------------------------------------------------------- hostile code

SMUGGLES = """
STOLEN = {}
def net_forward(params, x):
    out, cache = affine_forward(x, params["W"], params["b"])
    STOLEN["affine"] = out
    import builtins, sys
    builtins.STOLEN = np.STOLEN = sys.STOLEN = STOLEN
    return out, None
def affine_backward(dout, cache):
    import builtins, sys
    for place in (builtins, np, sys):
        if hasattr(place, "STOLEN"):
            return place.STOLEN["affine"], None, None
    return None
"""
LOOKS = """
import sys
def affine_forward(x, w, b):
    for place in (sys, np):
        if hasattr(place, "STOLEN"):
            return x @ w + b, None
    return x @ w - b, None
def affine_backward(dout, cache):
    return dout
def net_forward(params, x):
    out, cache = affine_forward(x, params["W"], params["b"])
    sys.STOLEN = np.STOLEN = out
    return out, cache
def net_backward(dout, cache):
    return None
"""


def test_what_was_learned_from_answers_reaches_no_process_that_is_judged(course: Assignment, sandbox: Sandbox) -> None:
    """It behaves once it has seen answers. The layer is judged before, and nowhere behind."""
    for text in (LOOKS, SMUGGLES):
        found = judged(grade(course, submission(text), sandbox=sandbox))
        assert all(told[0] == "failed" for name, told in found.items() if name.startswith(("affine", "network")))


SHARED = FORWARD + MEAN + SQUARE + OBJECTIVE
ATTACKS = {
    "floods": "    while True:\n        affine_forward(x, params['W'], params['b'])\n",
    "asks for a product that fills the machine": (
        "    try:\n        affine_forward(np.zeros((2**20, 1)), np.zeros((1, 2**20)), np.zeros(1))\n"
        "    except ValueError:\n        return x, None\n"
    ),
    "asks in a thread": (
        "    import threading\n    found = []\n"
        "    thread = threading.Thread(target=lambda: found.append(affine_forward(x, params['W'], params['b'])))\n"
        "    thread.start(); thread.join()\n    return found[0]\n"
    ),
    "asks when nobody called": (
        "    import threading, time\n    def later():\n        time.sleep(0.01)\n"
        "        affine_forward(x, params['W'], params['b'])\n"
        "    threading.Thread(target=later).start()\n"
        "    return affine_forward(x, params['W'], params['b'])[0], None\n"
    ),
    "gives text": "    return affine_forward('x', {'a': None}, [x])\n",
    "gives a cyclic list": "    a = []\n    a.append(a)\n    return affine_forward(a, x, x)\n",
    "gives far too much": "    return affine_forward(np.broadcast_to(1.0, (10**7, 10**7)), x, x)\n",
    "forges a token": (
        "    out, token = affine_forward(x, params['W'], params['b'])\n"
        "    forged = object.__new__(type(token))\n"
        "    for name, value in (('_pair', 'affine'), ('_args', (np.zeros((2**12, 2**12)),) * 3)):\n"
        "        type(token).__dict__[name].__set__(forged, value)\n"
        "    return affine_backward(out, forged)\n"
    ),
    "writes a question of its own": (
        "    affine_forward(x, params['W'], params['b'])\n"
        "    import os, struct, sys\n"
        "    frame = sys._getframe()\n"
        "    while 'nonce' not in frame.f_locals:\n        frame = frame.f_back\n"
        "    head = struct.pack('<4sQBQQdHII', b'GMK1', frame.f_locals['nonce'], 5, 0, 0, 0.0, 1, 0, 1)\n"
        "    os.write(3, head + struct.pack('<BB8q', 11, 2, 2**40, 2**40, *[0] * 6))\n    return x, None\n"
    ),
    "asks by a number that is none": (
        "    affine_forward(x, params['W'], params['b'])\n"
        "    import os, struct, sys\n"
        "    frame = sys._getframe()\n"
        "    while 'nonce' not in frame.f_locals:\n        frame = frame.f_back\n"
        "    head = struct.pack('<4sQBQQdHII', b'GMK1', frame.f_locals['nonce'], 5, 0, 0, 0.0, 0, 1, 6)\n"
        "    os.write(3, head + b'N' + b'-1e999')\n    return x, None\n"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_questions_end_in_a_verdict(name: str, course: Assignment, sandbox: Sandbox) -> None:
    limits = msgspec.structs.replace(course.limits, call_seconds=0.3, total_seconds=2.0)
    text = SHARED + "def net_forward(params, x):\n" + ATTACKS[name]
    text += "def net_backward(dout, cache):\n    return {}\n"
    report = grade(replace(course, limits=limits), submission(text), sandbox=sandbox)
    found = judged(report)
    assert found["network/forward"][0] == "failed", found
    assert report.score.undecided == 0
    faults = {check.fault for exercise in report.exercises for part in exercise.parts for check in part.checks}
    assert faults <= {None, "student"}


def test_who_calls_its_layer_in_a_thread_is_not_judged_apart(graded: Grade) -> None:
    """There the channel to the judge would be that of two."""
    first = 'affine_forward(x, params["W"], params["b"])'
    threaded = "import threading\n" + NET.replace(
        f"    h, first = {first}\n",
        f"    found = []\n    thread = threading.Thread(target=lambda: found.append(kept({first[15:-1]})))\n"
        "    thread.start()\n    thread.join()\n    h, first = found[0]\n",
    )
    kept = (
        "def kept(*args):\n    try:\n        return affine_forward(*args)\n    except ValueError:\n"
        "        return None\n"
    )
    found = judged(graded(FORWARD + MEAN + SQUARE + kept + threaded))
    assert found["network/backward"][0] == "failed"


def test_the_time_of_the_answers_is_not_the_students(tmp_path: Path, sandbox: Sandbox) -> None:
    """But it is part of what a submission may take in all."""
    slow = TWO.replace("return 2 * x", "import time\n    time.sleep(0.1)\n    return 2 * x", 1)
    assignment = course_of(tmp_path, functions(("f", "f"), ("g", "g")), slow)
    text = "def f(x):\n    return x\ndef g(x):\n    return np.sin([f(x) for _ in range(5)][0])\n"
    for total, verdict in ((60.0, "passed"), (0.2, "failed")):
        limits = msgspec.structs.replace(assignment.limits, call_seconds=0.3, total_seconds=total)
        found = judged(grade(replace(assignment, limits=limits), submission(text), sandbox=sandbox))
        assert found["g/value"][0] == verdict, total


def test_a_hidden_case_says_nothing_that_its_arrays_could_be_read_from(course: Assignment, sandbox: Sandbox) -> None:
    """What the student's code asks with is its own choice, and so are the shapes that a refusal names."""
    tells = "    return affine_forward(np.zeros((int(abs(x[0, 0]) * 1000), 123)), x, x)\n"
    text = SHARED + "def net_forward(params, x):\n" + tells
    for seed, shown in ((None, True), (5, False)):
        report = grade(course, submission(text), sandbox=sandbox, hidden_seed=seed)
        part = next(part for part in report.exercises[2].parts if part.name == "forward")
        hidden = [finding.headline for finding in part.checks[1].findings]
        assert any("123" in headline for headline in hidden) is shown


def processes(course: Assignment, text: str, sandbox: Sandbox) -> list[Watched]:
    """What a grading starts."""
    counted = Counting(sandbox)
    grade(course, submission(text), sandbox=counted)  # type: ignore[arg-type]
    return counted.children


class Counting:
    """A sandbox that remembers what it started."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.children: list[Watched] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sandbox, name)

    def child(self, *args: Any) -> Watched:
        self.children.append(Watched(self.sandbox.child(*args)))
        return self.children[-1]


class Watched:
    """A process of which it is known whether it was ended."""

    def __init__(self, child: Any) -> None:
        self._child, self.ended = child, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._child, name)

    def kill(self) -> None:
        self.ended = True
        self._child.kill()


# ----------------------------------------------------------------------------------------------- what the judge answers


@pytest.fixture
def answers(course: Assignment) -> Answers:
    return Answers(Oracle(course), course.exercises[:2])


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)


def test_each_role_is_answered_in_its_form(answers: Answers) -> None:
    names = {stand_in.function: number for number, stand_in in enumerate(answers.stand_ins)}
    assert [stand_in.role for stand_in in answers.stand_ins] == [Role.FORWARD, Role.BACKWARD, Role.VALUE]
    x, w, b, up = numbers(3, 4), numbers(4, 5), numbers(5), numbers(3, 5)
    (out,) = answers.answer(names["affine_forward"], (x, w, b))
    dx, dw, db = answers.answer(names["affine_backward"], [up, x, w, b])
    loss, gradient = answers.answer(names["square_loss"], (up, np.array([0.0, 1.0, 4.0])))
    assert np.allclose(out, x @ w + b)
    assert all(map(np.allclose, (dx, dw, db), (up @ w.T, x.T @ up, up.sum(0))))
    assert np.isclose(loss, np.mean((up - np.array([[0], [1], [4]])) ** 2))
    assert gradient.shape == up.shape
    assert list(answers.asked.items()) == [
        ("affine_forward", "affine"), ("affine_backward", "affine"), ("square_loss", "loss")
    ]  # fmt: skip


def test_a_tree_of_another_structure_is_for_the_reference_to_take_or_not(course: Assignment) -> None:
    answers = Answers(Oracle(course), [course.exercise("network")])
    params = {"c": numbers(5), "b": numbers(6), "V": numbers(6, 5), "W": numbers(4, 6)}
    more = {**params, "scale": numbers(2)}
    grads = answers.answer(1, (np.ones((3, 5)), more, numbers(3, 4)))
    assert {key: grad.shape for key, grad in grads.items()} == {key: value.shape for key, value in more.items()}
    assert np.allclose(grads["c"], 3)
    assert not grads["scale"].any()
    for wrong in ({"W": numbers(4, 6)}, [numbers(4, 6)], {}, {**params, "c": None}):
        with pytest.raises(NotAnswered):
            answers.answer(0, (wrong, numbers(3, 4)))


REFUSED: Mapping[str, tuple[int, Any]] = {
    "no function": (7, (numbers(3, 4), numbers(4, 5), numbers(5))),
    "no tuple": (0, numbers(3, 4)),
    "too few": (0, (numbers(3, 4), numbers(4, 5))),
    "too many": (0, (numbers(3, 4), numbers(4, 5), numbers(5), numbers(5))),
    "nothing": (1, ()),
    "another shape": (0, (numbers(3, 4), numbers(5, 5), numbers(5))),
    "an upstream of another shape": (1, (numbers(3, 6), numbers(3, 4), numbers(4, 5), numbers(5))),
    "a dict": (0, ({"x": numbers(3, 4)}, numbers(4, 5), numbers(5))),
    "None": (0, (None, numbers(4, 5), numbers(5))),
    "complex": (0, (numbers(3, 4) * 1j, numbers(4, 5), numbers(5))),
    "classes that are no whole numbers": (2, (numbers(3, 5), np.array([0.5, 1, 2]))),
    "classes that are NaN": (2, (numbers(3, 5), np.array([np.nan, 1, 2]))),
    "classes beyond all bounds": (2, (numbers(3, 5), np.array([2**62, 1, 2]))),
    "a product that fills the memory": (0, (np.zeros((2**20, 1)), np.zeros((1, 2**20)), np.zeros(1))),
    "a product that takes for ever": (0, (np.zeros((2**11, 2**11)), np.zeros((2**11, 2**11)), np.zeros(1))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_reference_does_not_take_is_refused(name: str, answers: Answers) -> None:
    number, args = REFUSED[name]
    with pytest.raises(NotAnswered):
        answers.answer(number, args)
    assert answers.refused
    answers.begin()
    assert not answers.refused
    assert not answers.asked


def test_no_more_is_answered_than_so_often(course: Assignment) -> None:
    answers = Answers(Oracle(course), course.exercises[:1], most=2)
    args = (numbers(3, 4), numbers(4, 5), numbers(5))
    answers.answer(0, args)
    answers.answer(0, args)
    with pytest.raises(NotAnswered, match="too often"):
        answers.answer(0, args)


def test_with_an_adapter_nothing_is_answered(course: Assignment) -> None:
    adapted = replace(course, adapter=b"")
    assert all(answered_for(adapted, exercise) == [] for exercise in adapted.exercises)
    assert [each.name for each in answered_for(course, course.exercise("network"))] == ["affine", "loss"]


def test_with_tensors(course: Assignment) -> None:
    """Autograd is refused to the student, and asked by the reference, both in this process."""
    text = AVERAGES.replace("np.tanh", "torch.tanh").replace("d.size", "d.numel()")
    handed_in = submission("import torch\n" + text)
    assignment = replace(course, profile=Profile.TORCH)
    place = InProcess(handed_in.source, Profile.TORCH)
    assert judged(grade(assignment, handed_in, evaluator=place)) == ONLY_AFFINE
