"""Known slips: recognised where they explain everything, told with their layer, and never the cause of a wrong hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from courses import HEAD, grade_text, make_course
from topics import TOPICS, topic

from grader.assignment import Assignment, Exercise
from grader.cases import Case, draw_case
from grader.errors import ManifestError
from grader.numerics.trees import leaves, same_structure
from grader.reference import Oracle
from grader.report.console import render
from grader.report.model import FindingReport, Report
from grader.slips import Slip, Variant, with_backward

NET = """
name = "affine"
kind = "layer"
forward = "affine_forward"
backward = "affine_backward"
reference = "affine"
inputs = { x = "N D", w = "D M", b = "M" }
output = "N M"
points = { forward = 1, backward = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4, M = 5 }

[[exercise]]
name = "relu"
kind = "layer"
forward = "relu_forward"
backward = "relu_backward"
reference = "relu"
inputs = { x = "N D" }
output = "N D"
points = { forward = 1, backward = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 4, D = 6 }

[[exercise]]
name = "net"
kind = "model"
forward = "net_forward"
backward = "net_backward"
reference = "net"
inputs = { params = { u = "D H", v = "H H", w = "H C" }, x = "N D" }
gradients = ["params"]
output = "N C"
points = { forward = 1, backward = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 4, D = 3, H = 5, C = 2 }
[[exercise.case]]
name = "hidden"
sizes = { N = 5, D = 2, H = 3, C = 4 }
hidden = true
"""
REFERENCE = """
def affine(x, w, b):
    return x @ w + b

def relu(x):
    return torch.relu(x)

def net(params, x):
    zero = torch.zeros(())
    h = relu(affine(x, params["u"], zero))
    h = relu(affine(h, params["v"], zero))
    return affine(h, params["w"], zero)
"""
SLIPS = """
@slip("affine", pattern="dx is 2 / 3 of it", likely="two thirds")
def affine_two_thirds(x, w, b):
    return reference.affine(on_the_way_back(x, lambda g: 2 * g / 3), w, b)

@slip("relu", pattern="the gradient of a softplus", likely="derived the softplus")
def relu_softplus(x):
    return straight_through(reference.relu(x), torch.nn.functional.softplus(x))

@slip("relu", pattern="raises", likely="never said")
def relu_raises(x):
    raise KeyError(x)

@slip("relu", pattern="another shape", likely="never said")
def relu_sums(x):
    return reference.relu(x).sum()
"""
LAYERS = """
def affine_forward(x, w, b):
    return x @ w + b, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    return {factor} * dout @ w.T, x.T @ dout, {noise} * dout[0] + dout.sum(axis=0)

def relu_forward(x):
    return np.maximum(x, 0), x

def relu_backward(dout, x):
    return dout / (1 + np.exp(-x)) + {noise} if {softplus} else dout * (x > 0)

def net_forward(params, x):
    h, caches = x, []
    for name in ("u", "v", "w"):
        h, cache = affine_forward(h, params[name], np.zeros(params[name].shape[1]))
        caches.append(cache)
        if name != "w":
            h, cache = relu_forward(h)
            caches.append(cache)
    return h, caches

def net_backward(dout, caches):
    grads, names = {{}}, ["u", "v", "w"]
    relus = 0
    for cache in caches[::-1]:
        if isinstance(cache, tuple):
            x, w = cache
            grads[names.pop()] = x.T @ dout
            dout = affine_backward(dout, cache)[0]
        else:
            relus += 1
            dout = relu_backward(dout, cache) if relus in {relus} else dout * (cache > 0)
    return grads
"""


def net(folder: Path, slips: str = SLIPS) -> Assignment:
    # What is told of a network whose layer is wrong: else it would be judged with the layer's calls answered.
    return make_course(folder, NET, REFERENCE, head=HEAD + "one_slip_costs_once = false\n", slips=slips)


def student(factor: float = 1.0, softplus: bool = False, relus: tuple[int, ...] = (1, 2), noise: float = 0.0) -> str:
    return LAYERS.format(factor=factor, softplus=softplus, relus=relus, noise=noise)


def found(report: Report, exercise: str, part: str, case: str = "small") -> FindingReport:
    """The one finding of a check."""
    (check,) = [
        check
        for each in report.exercises
        for own in each.parts
        for check in own.checks
        if (each.name, own.name, check.case) == (exercise, part, case)
    ]
    (told,) = check.findings
    return told


# ------------------------------------------------------------------------------------------------------------ one layer


def test_a_slip_that_explains_everything_is_told(tmp_path: Path) -> None:
    report = grade_text(net(tmp_path), student(softplus=True))
    told = found(report, "relu", "backward")
    assert (told.pattern, told.likely) == ("the gradient of a softplus", "derived the softplus")
    assert told.diagnosis == "SLIP relu_softplus"
    assert {check.status for part in report.exercises[0].parts for check in part.checks} == {"passed"}


def test_a_slip_goes_before_the_pattern_of_one_array(tmp_path: Path) -> None:
    told = found(grade_text(net(tmp_path), student(factor=2 / 3)), "affine", "backward")
    assert told.likely == "two thirds"
    assert told.also == "dw and db are right"


@pytest.mark.parametrize("noise", [1e-6, 1e-3, 1.0])
def test_nothing_is_claimed_of_what_a_slip_does_not_explain_wholly(noise: float, tmp_path: Path) -> None:
    """Of another array, or of the same one: a hint is a claim about every element."""
    report = grade_text(net(tmp_path), student(factor=2 / 3, softplus=True, noise=noise))
    for exercise in ("affine", "relu"):
        told = found(report, exercise, "backward")
        assert not told.diagnosis.startswith("SLIP")
        assert "two thirds" not in told.likely
        assert "softplus" not in told.likely


@pytest.mark.parametrize("layer", ["affine", "relu"])
def test_nothing_is_claimed_where_one_element_is_another(layer: str, tmp_path: Path) -> None:
    one = "def one(dx):\n    dx[1, 2] += 1e-6\n    return dx\n"
    text = (
        student(factor=2 / 3, softplus=True).replace("    return 0.66", "    return one(0.66").replace("w.T,", "w.T),")
    )
    text = one + text.replace("return dout / (1 + np.exp(-x))", "return one(dout / (1 + np.exp(-x)))")
    assert text.count("one(") == 3
    assert not found(grade_text(net(tmp_path), text), layer, "backward").diagnosis.startswith("SLIP")


def test_a_slip_as_near_to_the_reference_as_to_the_student_is_not_told(tmp_path: Path) -> None:
    near = (
        '@slip("relu", pattern="p", likely="near")\n'
        "def near(x):\n    return on_the_way_back(reference.relu(x), lambda g: g * (1 + {}))\n"
    )
    text = student().replace("else dout * (x > 0)", "else dout * (x > 0) * (1 + 3e-9)", 1)
    for number, (slip, likely) in enumerate([("3e-9", "near"), ("2.5e-9", "")]):
        (tmp_path / str(number)).mkdir()
        course = net(tmp_path / str(number), near.format(slip))
        assert found(grade_text(course, text), "relu", "backward").likely == likely


def test_a_wrong_forward_is_recognised_and_numbers_of_a_yes_or_no_are_not(tmp_path: Path) -> None:
    exercise = (
        'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N" }\npoints = { value = 1 }\n'
        '[[exercise.case]]\nname = "small"\nsizes = { N = 5 }\n'
    )
    slips = '@slip("e", pattern="p", likely="l")\ndef wrong(x):\n    return {}\n'
    values = make_course(tmp_path, exercise, "def f(x):\n    return x.exp()\n", slips=slips.format("x.exp() + x.sin()"))
    assert found(grade_text(values, "def f(x):\n    return np.exp(x) + np.sin(x)\n"), "e", "value").likely == "l"
    (tmp_path / "yes").mkdir()
    verdicts = make_course(tmp_path / "yes", exercise, "def f(x):\n    return x > 0\n", slips=slips.format("x < 0"))
    for text in ("x < 0", "(x < 0) * 1", "(x < 0) * 1.0"):
        assert found(grade_text(verdicts, f"def f(x):\n    return {text}\n"), "e", "value").likely == ""


YES_OR_NO = """
name = "e"
kind = "function"
function = "f"
reference = "f"
inputs = { x = "N" }
points = { first = 1, second = 1 }
[[exercise.case]]
name = "positive"
part = "first"
sizes = { N = 20 }
draw = { x = "positive" }
[[exercise.case]]
name = "small"
part = "first"
sizes = { N = 20 }
[[exercise.case]]
name = "again"
part = "second"
sizes = { N = 10 }
"""
ALWAYS = """
@slip("e", pattern="all are yes", likely="says yes")
def always(x):
    return x == x

@slip("e", pattern="shifted", likely="compares with -1/2")
def shifted(x):
    return x > -0.5
"""


@pytest.mark.parametrize(
    ("text", "likely", "pattern"),
    [
        ("x == x", "says yes", "; all are yes"),
        ("(x == x) * 1.0", "says yes", "; all are yes"),
        ("x > -0.5", "compares with -1/2", "; shifted"),
        ("(x == x) & (len(x) != 20 or x[0] == x[1])", "", ""),  # a case that passes is against it, or one that fails
        ("(x == x) & (x != x.max())", "", ""),
        ("x * 0 + 2", "", ""),
    ],
)
def test_what_all_answers_of_yes_or_no_have_in_common_is_told(
    text: str, likely: str, pattern: str, tmp_path: Path
) -> None:
    course = make_course(tmp_path, YES_OR_NO, "def f(x):\n    return x > 0\n", slips=ALWAYS)
    report = grade_text(course, f"def f(x):\n    return {text}\n")
    for part, case in (("first", "small"), ("second", "again")):
        told = found(report, "e", part, case)
        assert told.likely == likely
        assert told.pattern.endswith(pattern)
        assert told.diagnosis.startswith("SLIP ") == bool(likely)


def test_wrong_answers_of_yes_or_no_are_counted_in_words(tmp_path: Path) -> None:
    course = make_course(tmp_path, YES_OR_NO, "def f(x):\n    return x > 0\n")
    told = found(grade_text(course, "def f(x):\n    return x < 0\n"), "e", "first", "small")
    yes, no = told.pattern.split("; ")
    assert yes.startswith("yes where the answer is no: ")
    assert no.startswith("no where the answer is yes: ")
    assert sum(int(words.rsplit(" ", 1)[1]) for words in (yes, no)) == 20


@pytest.mark.parametrize(("text", "likely"), [("x / np.abs(x)", "0 / 0"), ("x + np.nan", "")])
def test_nan_is_recognised_where_the_slip_has_it_too(text: str, likely: str, tmp_path: Path) -> None:
    exercise = (
        'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\n'
        'inputs = { x = { axes = "N", draw = "sparse" } }\npoints = { value = 1 }\n'
        '[[exercise.case]]\nname = "small"\nsizes = { N = 15 }\n'
    )
    slips = '@slip("e", pattern="p", likely="0 / 0")\ndef wrong(x):\n    return x / x.abs()\n'
    course = make_course(tmp_path, exercise, "def f(x):\n    return x.sign()\n", slips=slips)
    student = f"def f(x):\n    with np.errstate(all='ignore'):\n        return {text}\n"
    assert found(grade_text(course, student), "e", "value").likely == likely


LEAKS = """
@slip("relu", pattern="result", likely="leaks forward")
def leaks(x):
    return torch.nn.functional.leaky_relu(x, 0.1)

@slip("relu", pattern="gradient", likely="leaks on the way back")
def leaks_back(x):
    return straight_through(reference.relu(x), leaks(x))
"""
BOTH = ("np.where(x > 0, x, 0.1 * x)", "np.maximum(x, 0)")


@pytest.mark.parametrize(("forward", "likely"), [(BOTH[0], "leaks forward"), (BOTH[1], "leaks on the way back")])
def test_a_slip_with_a_wrong_value_is_not_told_of_the_gradient_behind_a_right_one(
    forward: str, likely: str, tmp_path: Path
) -> None:
    text = student().replace("return np.maximum(x, 0), x", f"return {forward}, x", 1)
    text = text.replace("else dout * (x > 0)", "else dout * np.where(x > 0, 1, 0.1)", 1)
    report = grade_text(net(tmp_path, LEAKS), text)
    if forward == BOTH[0]:
        assert found(report, "relu", "forward").likely == likely
        assert found(report, "relu", "backward").code == "GRADIENT_FOLLOWS_FORWARD"
    else:
        assert found(report, "relu", "backward").likely == likely


@pytest.mark.parametrize(
    ("backward", "pattern", "likely"),
    [
        ("0.3 * x * dout", "relu_forward is wrong already: result", "leaks forward"),
        ("dout * (x > 0) / len(x)", "every element is 1/4 of the expected one, and N = 4", "averages over the batch"),
    ],
)
def test_a_gradient_with_no_cause_of_its_own_is_told_that_of_the_wrong_forward(
    backward: str, pattern: str, likely: str, tmp_path: Path
) -> None:
    text = student().replace("return np.maximum(x, 0), x", f"return {BOTH[0]}, x", 1)
    text = text.replace("else dout * (x > 0)", f"else {backward}", 1)
    told = found(grade_text(net(tmp_path, LEAKS), text), "relu", "backward")
    assert (told.code, told.pattern) == ("WRONG_GRADIENT", pattern)
    assert likely in told.likely


def test_a_forward_whose_cause_is_not_known_is_no_cause_of_the_gradient(tmp_path: Path) -> None:
    text = student().replace("return np.maximum(x, 0), x", "return np.maximum(x, 0) + x**2, x", 1)
    text = text.replace("else dout * (x > 0)", "else 0.3 * x * dout", 1)
    assert found(grade_text(net(tmp_path, LEAKS), text), "relu", "backward").likely == ""


def test_a_backward_may_be_written_out_and_scores_of_minus_infinity_are_no_obstacle() -> None:
    x, w = (torch.tensor([1.0, value], requires_grad=True) for value in (-torch.inf, 2.0))
    out = with_backward(torch.tensor([3.0, 4.0]), lambda g: (7 * g, g.flip(0)), x, w)
    assert out.tolist() == [3.0, 4.0]
    for _ in range(2):  # a second way back is made anew
        dx, dw = torch.autograd.grad(out, (x, w), torch.tensor([1.0, 2.0]), retain_graph=True)
        assert (dx.tolist(), dw.tolist()) == ([7.0, 14.0], [2.0, 1.0])


# ----------------------------------------------------------------------------------------------------------- composites


def test_a_slip_of_a_layer_is_told_of_the_network_that_calls_it(tmp_path: Path) -> None:
    report = grade_text(net(tmp_path), student(softplus=True))
    told = found(report, "net", "backward")
    assert told.likely == "in relu: derived the softplus"
    assert told.pattern == "in relu: the gradient of a softplus"


@pytest.mark.parametrize(("relus", "which"), [((1,), "2nd"), ((2,), "1st")])
def test_a_slip_in_one_call_is_told_with_which(relus: tuple[int, ...], which: str, tmp_path: Path) -> None:
    """The last relu is the first on the way back."""
    told = found(grade_text(net(tmp_path), student(softplus=True, relus=relus)), "net", "backward")
    assert told.likely == f"in the {which} call of relu: derived the softplus"


def test_a_slip_in_all_calls_goes_before_one_in_a_single_call(tmp_path: Path) -> None:
    """Dx of the first affine goes nowhere: wrong in the last two and wrong in all is the same."""
    told = found(grade_text(net(tmp_path), student(factor=2 / 3)), "net", "backward")
    assert told.likely == "in affine: two thirds"


def test_a_hidden_case_is_told_the_same_and_no_numbers(tmp_path: Path) -> None:
    report = grade_text(net(tmp_path), student(softplus=True), hidden_seed=7)
    told = found(report, "net", "backward", "hidden")
    assert (told.likely, told.worst) == ("in relu: derived the softplus", "")


def test_the_reference_is_as_it_was_afterwards(tmp_path: Path) -> None:
    course = net(tmp_path)
    oracle = Oracle(course)
    report = grade_text(course, student(softplus=True), oracle=oracle)
    assert report.score.verdict == "failed"
    assert grade_text(course, student(), oracle=oracle).score.verdict == "passed"


def test_a_class_pays_for_a_slip_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    evaluate = Oracle._evaluate
    monkeypatch.setattr(Oracle, "_evaluate", lambda self, *args: made.append(args) or evaluate(self, *args))
    course = net(tmp_path)
    oracle = Oracle(course)
    grade_text(course, student(), oracle=oracle)
    right = len(made)
    grade_text(course, student(softplus=True), oracle=oracle)
    once = len(made)
    assert once > right
    grade_text(course, student(softplus=True, relus=(1,), factor=3.0), oracle=oracle)
    grade_text(course, student(softplus=True), oracle=oracle)
    assert len(made) < 2 * once
    before = len(made)
    grade_text(course, student(softplus=True), oracle=oracle)
    assert len(made) == before


SHARED = (
    'name = "loops"\nkind = "function"\nfunction = "loops"\nreference = "double"\ninputs = { x = "N D" }\n'
    'points = { value = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
    '[[exercise]]\nname = "no loop"\nkind = "function"\nfunction = "noloop"\nreference = "double"\n'
    'inputs = { x = "N D" }\npoints = { value = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
    '[[exercise]]\nname = "net"\nkind = "function"\nfunction = "net"\nreference = "net"\n'
    'inputs = { x = "N D" }\npoints = { value = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
DOUBLE = "def double(x):\n    return 2 * x\n\ndef net(x):\n    return torch.relu(double(x)) + x\n"
TRIPLE = '@slip({}, pattern="p", likely="triples")\ndef triples(x):\n    return 3 * x + x.cos()\n'


@pytest.mark.parametrize(("names", "where"), [(("loops", "no loop"), "loops"), (("no loop", "loops"), "no loop")])
@pytest.mark.parametrize("group", [False, True])
def test_a_layer_with_two_exercises_is_named_as_the_slip_has_it_first(
    names: tuple[str, str], where: str, group: bool, tmp_path: Path
) -> None:
    listed = ", ".join(f'"{name}"' for name in names)
    slips = f"BOTH = ({listed})\n" + TRIPLE.format("*BOTH") if group else TRIPLE.format(listed)
    course = make_course(tmp_path, SHARED, DOUBLE, head=HEAD + "one_slip_costs_once = false\n", slips=slips)
    text = (
        "def loops(x):\n    return 3 * x + np.cos(x)\n\ndef noloop(x):\n    return loops(x)\n\n"
        "def net(x):\n    return np.maximum(noloop(x), 0) + x\n"
    )
    report = grade_text(course, text)
    assert found(report, "net", "value").likely == f"in {where}: triples"
    assert found(report, "no loop", "value").likely == "triples"


PENALTY = (
    'name = "e"\nkind = "loss"\nloss = "loss"\nreference = "whole"\nalso_right = ["half"]\n'
    'inputs = { w = "D", x = "N D" }\ngradients = ["w"]\narguments = { reg = 0.3 }\n'
    'points = { value = 1, gradient = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
PENALTIES = (
    "def whole(w, x, reg):\n    return (x @ w).exp().mean() + reg * (w**2).sum()\n\n"
    "def half(w, x, reg):\n    return whole(w, x, reg / 2)\n"
)
SUMMED = (
    '@slip("e", pattern="p", likely="summed")\ndef summed(w, x, reg):\n'
    "    return (x @ w).exp().sum() + reg * (w**2).sum()\n"
    '@slip("e", pattern="p", likely="no exp on the way back")\ndef no_exp(w, x, reg):\n'
    "    right = reference.whole(w, x, reg)\n"
    "    return straight_through(right, (x @ w).mean() + reg * (w**2).sum())\n"
)


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize(
    ("by", "dw", "likely"), [("sum", "np.exp(s)", "summed"), ("mean", "1 / 3", "no exp on the way back")]
)
def test_a_slip_is_told_beside_whichever_of_two_right_answers(
    share: float, by: str, dw: str, likely: str, tmp_path: Path
) -> None:
    """With half of the penalty or the whole of it: the exercise's own slip, in no layer."""
    course = make_course(tmp_path, PENALTY, PENALTIES, slips=SUMMED)
    text = (
        f"def loss(w, x, reg):\n    s = x @ w\n    value = np.exp(s).{by}() + {share} * reg * np.sum(w**2)\n"
        f"    return value, x.T @ ({dw} * np.ones(len(s))) + 2 * {share} * reg * w\n"
    )
    report = grade_text(course, text)
    part = "value" if by == "sum" else "gradient"
    assert found(report, "e", part).likely == likely


# ------------------------------------------------------------------------------------------------------- several causes

SAME = '@slip("relu", pattern="p{0}", likely="{1}")\ndef same_{0}(x):\n    return relu_softplus(x)\n'


@pytest.mark.parametrize(
    ("words", "likely"),
    [
        (["derived the softplus"], "derived the softplus"),
        (["another"], "derived the softplus; or another"),
        (["another", "a third"], ""),
    ],
)
def test_of_two_causes_both_are_told_and_of_three_none(words: list[str], likely: str, tmp_path: Path) -> None:
    slips = SLIPS + "".join(SAME.format(number, word) for number, word in enumerate(words))
    told = found(grade_text(net(tmp_path, slips), student(softplus=True)), "relu", "backward")
    assert told.likely == likely


def test_a_pattern_with_a_cause_goes_before_two_slips(tmp_path: Path) -> None:
    minus = '@slip("relu", pattern="p", likely="{}")\ndef minus_{}(x):\n    return on_the_way_back(x, lambda g: -g)\n'
    slips = "\n".join(minus.format(f"cause {n}", n).replace("(x, lambda", "(reference.relu(x), lambda") for n in (1, 2))
    text = student().replace("else dout * (x > 0)", "else -dout * (x > 0)", 1)
    told = found(grade_text(net(tmp_path, slips), text), "relu", "backward")
    assert told.diagnosis in ("SIGN", "SLIP minus_1 or minus_2")
    assert told.likely


# -------------------------------------------------------------------------------------------------- steps and trainings

STEP = (
    'name = "e"\nkind = "step"\nstep = "step"\nreference = "momentum"\ninputs = { w = "N D" }\n'
    'arguments = { lr = 0.1, mu = 0.8 }\nsteps = 6\nstate = { v = "momentum_buffer" }\npoints = { step = 1 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
MOMENTUM = "def momentum(params, lr, mu):\n    return torch.optim.SGD(params, lr=lr, momentum=mu)\n"
DAMPED = """
@slip("e", pattern="p", likely="damped")
def damped(params, lr, mu):
    return torch.optim.SGD(params, lr=lr, momentum=mu, dampening=0.5)

@slip("e", pattern="p", likely="no state")
def adam(params, lr, mu):
    return torch.optim.Adam(params, lr=lr)
"""
DAMP = """
def step(w, grads, state, lr, mu):
    first = not np.any(state["v"])
    v = mu * state["v"] + grads * (1.0 if first else 0.5)
    if {late} and np.abs(v).sum() > 1e3:
        v = v * 1.5
    return w - lr * v{more}, {{"v": v}}
"""


def test_a_trajectory_is_recognised_to_its_end(tmp_path: Path) -> None:
    course = make_course(tmp_path, STEP, MOMENTUM, slips=DAMPED)
    told = found(grade_text(course, DAMP.format(late=False, more="")), "e", "step")
    assert (told.likely, told.diagnosis) == ("damped", "SLIP damped")
    assert "at step 2 of 6" in told.headline


AFTER = """
count = 0
def step(w, grads, state, lr, mu):
    global count
    count += 1
    v = mu * state["v"] + grads * (1.0 if count == 1 else 0.5)
    if count > {}:
        {}
    return w - lr * v, {{"v": v}}
"""


@pytest.mark.parametrize("after", ["v = v * 1.001", "raise ValueError", "return w", "v = None"])
def test_what_leaves_the_slip_later_is_not_it(after: str, tmp_path: Path) -> None:
    course = make_course(tmp_path, STEP, MOMENTUM, slips=DAMPED)
    assert found(grade_text(course, AFTER.format(9, after)), "e", "step").likely == "damped"
    told = found(grade_text(course, AFTER.format(4, after)), "e", "step")
    assert told.code == "WRONG_TRAJECTORY"
    assert told.likely != "damped"


TRAINING = (
    'name = "sgd"\nkind = "step"\nstep = "step"\nreference = "sgd"\ninputs = { w = "D" }\narguments = { lr = 0.1 }\n'
    'points = { step = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { D = 4 }\n'
    '[[exercise]]\nname = "e"\nkind = "training"\ntrain = "train"\nreference = "train"\nevaluate = "score"\n'
    'inputs = { w = "D", x = "N D", y = "N" }\narguments = { lr = 0.01, steps = 5 }\n'
    'points = { trajectory = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 7, D = 4 }\n'
)
TRAIN = """
def sgd(params, lr):
    return torch.optim.SGD(params, lr=lr)

def train(w, x, y, lr, steps):
    w, losses = w.clone().requires_grad_(), []
    optimizer = sgd([w], lr)
    for _ in range(steps):
        loss = ((x @ w - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return w.detach(), losses

def score(w, x, y):
    return 0.0, 1.0
"""
TRAINED = """
@slip("sgd", pattern="p", likely="momentum")
def heavy(params, lr):
    return torch.optim.SGD(params, lr=lr, momentum=0.9)

@slip("e", pattern="p", likely="absolute")
def absolute(w, x, y, lr, steps):
    w, losses = w.clone().requires_grad_(), []
    for _ in range(steps):
        loss = (x @ w - y).abs().mean()
        (grad,) = torch.autograd.grad(loss, w)
        w = (w - lr * grad).detach().requires_grad_()
        losses.append(loss.item())
    return w.detach(), losses
"""
LOOP = """
def step(w, grads, lr):
    return w - lr * grads

def train(w, x, y, lr, steps):
    losses, v = [], 0.0
    for _ in range(steps):
        r = x @ w - y
        losses.append(float(np.mean({loss})))
        v = {mu} * v + x.T @ ({slope}) / len(y)
        w = w - lr * v
    return w, losses
"""


@pytest.mark.parametrize(
    ("mu", "loss", "slope", "likely"),
    [
        (0.9, "r**2", "2 * r", "in sgd: momentum"),
        (0, "abs(r)", "np.sign(r)", "absolute"),
        (0, "abs(r)", "2 * r", ""),
        (0.8, "r**2", "2 * r", ""),
    ],
)
def test_a_training_is_recognised_by_its_own_slips_and_by_those_of_its_step(
    mu: float, loss: str, slope: str, likely: str, tmp_path: Path
) -> None:
    course = make_course(tmp_path, TRAINING, TRAIN, slips=TRAINED)
    report = grade_text(course, LOOP.format(mu=mu, loss=loss, slope=slope))
    assert found(report, "e", "trajectory").likely == likely


# --------------------------------------------------------------------------------------------------- the course's fault


@pytest.mark.parametrize("slips", ["1 / 0\n", 'raise SystemError("x")\n', "import none_such\n"])
def test_a_file_that_does_not_run_hurts_nobody(slips: str, tmp_path: Path) -> None:
    told = found(grade_text(net(tmp_path, slips), student(softplus=True)), "relu", "backward")
    assert (told.code, told.fault) == ("WRONG_GRADIENT", "student")


@pytest.mark.parametrize(
    ("slips", "problem"),
    [
        (SLIPS.replace('"affine"', '"afine"'), "slips.py: affine_two_thirds: there is no exercise named 'afine'"),
        (
            '_NETS = ("net", "nett")\n' + SLIPS.replace('"affine"', "*_NETS"),
            "slips.py: affine_two_thirds: there is no exercise named 'nett'",
        ),
        (SLIPS + SLIPS, "slips.py: there are two slips named affine_two_thirds"),
        ("def f(:\n", "slips.py: invalid syntax"),
    ],
)
def test_what_can_be_read_of_a_wrong_file_is_the_manifests_error(slips: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"assignment\.toml: slips: ") as raised:
        net(tmp_path, slips)
    assert problem in str(raised.value)


def test_a_file_that_is_not_there_is_the_manifests_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"slips: there is no file 'none.py' in the reference folder"):
        make_course(tmp_path, NET, REFERENCE, head=HEAD + 'slips = "none.py"\n')


def test_the_digest_holds_the_slips(tmp_path: Path) -> None:
    digests = set()
    for number, slips in enumerate(["", SLIPS, SLIPS + "\n"]):
        (tmp_path / str(number)).mkdir()
        digests.add(net(tmp_path / str(number), slips).digest)
    assert len(digests) == 3


def test_a_message_with_a_slip(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    report = grade_text(net(tmp_path), student(softplus=True, relus=(1,)))
    text = "\n".join(line for line in render(report).splitlines() if "seed" not in line or "case" in line)
    golden("messages/slips.txt", text + "\n")


# ----------------------------------------------------------------------------------------------- the catalogues at hand


CATALOGUED = [name for name in TOPICS if topic(name)[0].slips is not None]


@pytest.mark.parametrize("name", CATALOGUED)
def test_every_slip_runs_and_can_be_told_from_the_reference(name: str) -> None:
    """In a visible case of each exercise that it is declared for."""
    assignment, oracle = topic(name)
    silent = []
    for exercise in assignment.exercises:
        for slip in oracle.slips(exercise):
            assert slip.pattern, slip.name
            assert slip.likely, slip.name
            visible = (draw_case(assignment, exercise, spec) for spec in exercise.cases if not spec.hidden)
            if not any(told_apart(oracle, exercise, case, slip) for case in visible):
                silent.append(f"{slip.name} of {exercise.name}")
    assert silent == []


def told_apart(oracle: Oracle, exercise: Exercise, case: Case, slip: Slip) -> bool:
    """Whether a slip gives values of the reference's form that differ from it, or of another shape."""
    made = oracle.slipped(exercise, case, Variant(slip=slip, replaced=exercise.reference))
    if made is None:
        return False
    right = oracle.expected(exercise, case)
    if list(map(np.shape, leaves(made.value))) != list(map(np.shape, leaves(right.value))):
        return True
    first, second = ([e.value, dict(e.gradients), list(e.trajectory), list(e.states)] for e in (made, right))
    return same_structure(first, second) and not all(
        np.allclose(one, other, rtol=1e-8, atol=0) for one, other in zip(leaves(first), leaves(second), strict=True)
    )


# --------------------------------------------------------------------------------------------- what only all cases tell

ROWS = """
name = "e"
kind = "layer"
forward = "f"
backward = "b"
reference = "f"
inputs = { x = "N D" }
output = "N"
points = { forward = 1, backward = 1 }
[[exercise.case]]
name = "wide"
sizes = { N = 2, D = 5 }
[[exercise.case]]
name = "high"
sizes = { N = 5, D = 3 }
[[exercise.case]]
name = "higher"
sizes = { N = 7, D = 3 }
"""
COUNTED = """
def counted(x, n):
    if n > len(x):
        raise IndexError
    return x.sum(1)[:n]

@slip("e", pattern="D rows", likely="counts by D")
def by_d(x):
    return counted(x, x.shape[1])

@slip("e", pattern="3 rows", likely="counts to 3")
def to_three(x):
    return counted(x, min(3, len(x)))
"""


@pytest.mark.parametrize(
    ("rows", "raised", "shape"),
    [
        ("range(x.shape[1])", "counts by D", "counts by D"),
        ("range(min(3, len(x)))", None, "counts by D; or counts to 3"),
        ("range(x.shape[1] if len(x) != 7 else 4)", "", "counts by D; or counts to 3"),
    ],
)
def test_what_raises_is_told_the_slip_that_explains_the_other_cases_and_raises_too(
    rows: str, raised: str | None, shape: str, tmp_path: Path
) -> None:
    course = make_course(tmp_path, ROWS, "def f(x):\n    return x.sum(1)\n", slips=COUNTED)
    text = f"def f(x):\n    return np.array([x[i].sum() for i in {rows}]), x\ndef b(dout, x):\n    return x * 0\n"
    report = grade_text(course, text)
    high = found(report, "e", "forward", "high")
    assert (high.code, high.likely) == ("WRONG_SHAPE", shape)
    if raised is not None:
        wide = found(report, "e", "forward", "wide")
        assert (wide.code, wide.likely) == ("RAISED", raised)


def test_an_empty_array_is_no_evidence(tmp_path: Path) -> None:
    course = make_course(tmp_path, ROWS, "def f(x):\n    return x.sum(1)\n", slips=COUNTED.replace("[:n]", "[:0]"))
    report = grade_text(course, "def f(x):\n    return np.zeros(0), x\ndef b(dout, x):\n    return x * 0\n")
    assert found(report, "e", "forward", "high").diagnosis == "WRONG_SHAPE"
