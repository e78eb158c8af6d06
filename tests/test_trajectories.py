"""Steps and trainings: what is unusual and right passes, and what is wrong is named even where no slip is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts
from test_kinds import ADAM, ADAM_STEP, CASE

from grader.report.model import PartReport

FIT = (
    'name = "e"\nkind = "training"\ntrain = "fit"\nreference = "fit"\nevaluate = "score"\n'
    'inputs = { theta = { w = "D", b = "D" }, data = "N D" }\narguments = { rate = 0.1, epochs = 6 }\n'
    "points = { trajectory = 1, result = 1 }\n"
    + CASE
    + "sizes = { N = 4, D = 3 }\n"
    + CASE.replace("small", "end")
    + 'part = "result"\nloss = 1.0\naccuracy = 0.5\nsizes = { N = 4, D = 3 }\n',
    """
def fit(theta, data, rate, epochs):
    w, losses = theta["w"].clone(), []
    for _ in range(epochs):
        losses.append(((w - data) ** 2).sum(1).mean())
        w = w - rate * 2 * (w - data).mean(0)
    return {"w": w, "b": theta["b"]}, losses

def score(theta, data):
    return ((theta["w"] - data.mean(0)) ** 2).sum(), 1.0
""",
)
LOOP = """
def fit(theta, data, rate, epochs):
    w, losses = theta["w"].copy(), []
    for _ in range(epochs):
        losses.append(((w - data) ** 2).sum(1).mean())
        w = w - rate * 2 * (w - data).mean(0)
    return {"w": w, "b": theta["b"]}, losses
"""
MOVES_B = (FIT[0], FIT[1].replace('"b": theta["b"]}', '"b": theta["b"] + w}'))
BOTH = LOOP.replace('"b": theta["b"]}', '"b": theta["b"] + w}')


def judged(folder: Path, course: tuple[str, str], text: str, part: str = "trajectory") -> PartReport:
    """The part, as it was judged."""
    return parts(grade_text(make_course(folder, *course), text))[part]


def test_a_training_of_other_names_and_data_passes(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, *MOVES_B), BOTH)
    assert report.score.verdict == "passed", parts(report)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rate * 2", "rate", "off the reference's trajectory at step 2 of 6"),
        ("w - data).mean(0)", "w - data).mean(0) * (len(losses) < 6)", "off the reference's trajectory at step 6 of 6"),
        ("+ w}", "}", "off the reference's trajectory"),
    ],
)
def test_a_wrong_training_without_the_usual_arguments_is_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    part = judged(tmp_path, MOVES_B, BOTH.replace(old, new))
    assert codes(part) == {"WRONG_TRAJECTORY"}
    assert words in part.checks[0].findings[0].headline


def test_only_parameters_that_ought_to_move_are_told_as_frozen(tmp_path: Path) -> None:
    exercise = MOVES_B[0].replace('b = "D" }', 'b = "D", c = "D" }')
    reference = MOVES_B[1].replace("+ w}", '+ w, "c": theta["c"] * (2 if len(data) == 5 else 1)}')
    exercise += CASE.replace("small", "c moves") + "sizes = { N = 5, D = 3 }\n"
    text = BOTH.replace("+ w}", ', "c": theta["c"]}')
    part = judged(tmp_path, (exercise, reference), text)
    assert part.checks[0].findings[0].pattern == "still as they were drawn: theta['b']"
    assert part.checks[0].findings[0].likely == "the step leaves them out, or their gradient is zero"


def test_zeros_that_stay_zeros_are_no_evidence_of_a_step_that_leaves_them_out(tmp_path: Path) -> None:
    exercise = MOVES_B[0].replace('b = "D" }', 'b = { axes = "D", draw = "zeros" } }')
    text = BOTH.replace("+ w}", "* w}")
    for rate, likely in (("rate", ""), ("rate * 2", "the step leaves them out, or their gradient is zero")):
        (tmp_path / rate).mkdir()
        told = judged(tmp_path / rate, (exercise, MOVES_B[1]), text.replace("rate * 2", rate)).checks[0].findings[0]
        assert (told.pattern, told.likely) == ("still as they were drawn: theta['b']", likely)


LOSSES = {
    "no list": ("losses[0]", "it is a number"),
    "text": ("[str(loss) for loss in losses]", "at [0] it is of type str"),
    "shape (1,)": ("[np.array([loss]) for loss in losses]", "at [0] it is an array of shape (1,)"),
    "complex": ("[*losses[:-1], 1j]", "at [5] it is of dtype complex128"),
    "lists": ("[[loss] for loss in losses]", "at [0] it is a list of 1"),
    "one too many": ("[*losses, 0.0]", "must be 6 numbers, one a step; it is 7"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_that_are_no_number_a_step_are_described(tmp_path: Path, name: str) -> None:
    value, words = LOSSES[name]
    part = judged(tmp_path, MOVES_B, BOTH.replace("}, losses", f"}}, {value}"))
    assert codes(part) == {"WRONG_STRUCTURE"}
    assert words in part.checks[0].findings[0].headline


RESULTS = {
    "whole numbers": ("np.round(w).astype(int)", {"NOT_LEARNED"}, "reaches an accuracy of 100% and a loss of"),
    "truth values": ("w > 0", {"NOT_LEARNED"}, "; an accuracy of 50% and a loss of 1e-12 is asked"),
    "float32": ("w.astype(np.float32)", {"NOT_LEARNED"}, "accuracy of 100%"),
    "complex": ("w + 0j", {"WRONG_DTYPE"}, "theta['w'] is of dtype complex128"),
    "NaN": ("w * np.nan", {"NOT_LEARNED"}, "a loss of nan"),
    "another shape": ("w[None]", {"WRONG_STRUCTURE"}, "must be an array of shape (3,), it is an array of shape (1, 3)"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_trained_parameters_of_any_kind_are_the_student_s_affair(tmp_path: Path, name: str) -> None:
    value, expected, words = RESULTS[name]
    course = (MOVES_B[0].replace("loss = 1.0", "loss = 1e-12"), MOVES_B[1])
    part = judged(tmp_path, course, BOTH.replace('{"w": w,', f'{{"w": {value},'), "result")
    assert (codes(part), part.verdict) == (expected, "failed")
    assert words in part.checks[0].findings[0].headline


def test_what_was_reached_is_not_rounded_to_what_was_asked(tmp_path: Path) -> None:
    course = (MOVES_B[0].replace("accuracy = 0.5", "accuracy = 0.905"), MOVES_B[1].replace(", 1.0", ", 0.9049"))
    part = judged(tmp_path, course, BOTH, "result")
    assert "an accuracy of 90.49% and" in part.checks[0].findings[0].headline
    assert "; an accuracy of 90.5% and" in part.checks[0].findings[0].headline


# -------------------------------------------------------------------------------------------------------------- steps


def test_a_step_that_writes_into_its_state_is_told_so(tmp_path: Path) -> None:
    text = ADAM_STEP.replace('t = state["t"] + 1', 't = state["t"] + 1\n    state["m"]["layers"][0]["w"][:] = 7.0', 1)
    text = text.replace('beta1 * state["m"]["layers"][i]["w"]', "beta1 * old[i]").replace(
        't = state["t"] + 1', 't = state["t"] + 1\n    old = [s["w"].copy() for s in state["m"]["layers"]]', 1
    )
    part = judged(tmp_path, ADAM, text, "step")
    assert part.verdict == "passed"
    assert [f.headline for f in part.checks[0].findings] == ["adam writes into its argument state"]


def test_a_step_s_hint_is_about_the_leaf_itself(tmp_path: Path) -> None:
    """params['w'] and params['a']['w'] end alike."""
    exercise = (
        'name = "e"\nkind = "step"\nstep = "sgd"\nreference = "sgd"\n'
        'inputs.params = { a = { w = "D" }, w = "D" }\narguments = { lr = 0.1 }\npoints = { step = 1 }\n'
        + CASE
        + "sizes = { D = 3 }\n"
    )
    reference = "def sgd(params, lr):\n    return torch.optim.SGD(params, lr=lr)\n"
    text = (
        "def sgd(params, grads, lr):\n    a = params['a']['w']\n"
        "    return {'a': {'w': a - lr * grads['a']['w']}, 'w': a}\n"
    )
    part = judged(tmp_path, (exercise, reference), text, "step")
    assert part.checks[0].findings[0].headline.startswith("params['w']: off")
    assert "unchanged" not in part.checks[0].findings[0].pattern


def test_the_step_that_gives_nan_is_named(tmp_path: Path) -> None:
    nan = 'out["layers"][0]["w"] *= np.nan if t == 3 else 1\n    return out,'
    part = judged(tmp_path, ADAM, ADAM_STEP.replace("return out,", nan), "step")
    assert part.checks[0].findings[0].headline.startswith("params['layers'][0]['w'] after step 3 has NaN")


def test_a_state_that_is_not_returned_is_called_the_state(tmp_path: Path) -> None:
    part = judged(tmp_path, ADAM, ADAM_STEP.replace('{"m": m_new, "v": v_new, "t": t}', "None"), "step")
    assert part.checks[0].findings[0].likely == "return the new state"


def test_a_count_is_handed_over_as_a_number_in_every_step(tmp_path: Path) -> None:
    text = ADAM_STEP.replace('t = state["t"] + 1', 'assert type(state["t"]) is int\n    t = state["t"] + 1', 1)
    assert judged(tmp_path, ADAM, text, "step").verdict == "passed"


HAT = """
def hat(params, lr, beta1, beta2, eps):
    optimizer, steps = adam(params, lr, beta1, beta2, eps), []
    def before(*_):
        steps.append(1)
        optimizer.param_groups[0]["eps"] = eps / (1 - beta2 ** len(steps)) ** 0.5
    optimizer.register_step_pre_hook(before)
    return optimizer
"""


@pytest.mark.parametrize(
    ("also", "new", "verdict"),
    [
        ("", "", "passed"),
        ("", "(np.sqrt(v) + eps) / (1 - beta2**t) ** 0.5", "failed"),
        ("hat", "", "passed"),
        ("hat", "(np.sqrt(v) + eps) / (1 - beta2**t) ** 0.5", "passed"),
        ("hat", "np.sqrt(v / (1 - beta2**t) + eps)", "failed"),
    ],
)
def test_a_step_may_follow_another_reading(tmp_path: Path, also: str, new: str, verdict: str) -> None:
    named = 'reference = "adam"\n'
    exercise = ADAM[0].replace(named, f'{named}also_right = ["{also}"]\n') if also else ADAM[0]
    text = ADAM_STEP.replace("(np.sqrt(v / (1 - beta2**t)) + eps)", f"({new})") if new else ADAM_STEP
    assert not new or text != ADAM_STEP
    assert judged(tmp_path, (exercise, ADAM[1] + HAT), text, "step").verdict == verdict


@pytest.mark.parametrize(("factor", "verdict"), [("2", "passed"), ("1", "passed"), ("3", "failed")])
def test_a_training_may_follow_another_reading(tmp_path: Path, factor: str, verdict: str) -> None:
    """The rate times the gradient, or times half of it."""
    half = MOVES_B[1].replace("def fit(", "def half(").replace("rate * 2", "rate").partition("\ndef score")[0]
    exercise = MOVES_B[0].replace('reference = "fit"', 'reference = "fit"\nalso_right = ["half"]')
    part = judged(tmp_path, (exercise, MOVES_B[1] + half), BOTH.replace("rate * 2", f"rate * {factor}"))
    assert part.verdict == verdict
