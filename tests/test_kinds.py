"""Each kind of exercise: a right submission passes, wrong ones fail with the finding that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts

CASE = '[[exercise.case]]\nname = "small"\n'

FUNCTION = (
    'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N D" }\n'
    "points = { value = 1 }\n" + CASE + "sizes = { N = 3, D = 4 }\n",
    "def f(x):\n    return x.mean(dim=1)\n",
)
LAYER = (
    'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\ninputs = { x = "N D", w = "D" }\n'
    'output = "N D"\npoints = { forward = 1, backward = 2 }\n' + CASE + "sizes = { N = 3, D = 4 }\n",
    "def f(x, w):\n    return torch.tanh(x) * w\n",
)
LOSS = (
    'name = "e"\nkind = "loss"\nloss = "f"\nreference = "f"\ninputs = { p = "N", t = "N" }\ngradients = ["p"]\n'
    "points = { value = 1, gradient = 2 }\n" + CASE + "sizes = { N = 5 }\n",
    "def f(p, t):\n    return ((p - t) ** 2).mean()\n",
)
ADAM = (
    'name = "e"\nkind = "step"\nstep = "adam"\nreference = "adam"\n'
    'inputs.params = { layers = [{ w = "D M" }, { w = "M" }] }\n'
    "arguments = { lr = 0.01, beta1 = 0.9, beta2 = 0.99, eps = 0.001 }\nsteps = 5\n"
    'state = { m = "exp_avg", v = "exp_avg_sq", t = "step" }\npoints = { step = 1 }\n'
    + CASE
    + "sizes = { D = 3, M = 2 }\n",
    "def adam(params, lr, beta1, beta2, eps):\n"
    "    return torch.optim.Adam(params, lr=lr, betas=(beta1, beta2), eps=eps)\n",
)
MODEL = (
    'name = "e"\nkind = "model"\nforward = "f"\nbackward = "b"\nreference = "f"\n'
    'inputs = { params = [{ w = "D M", b = "M" }], x = "N D" }\ngradients = ["params"]\noutput = "N M"\n'
    "points = { forward = 1, backward = 2 }\n" + CASE + "sizes = { N = 4, D = 3, M = 2 }\n",
    'def f(params, x):\n    return torch.tanh(x @ params[0]["w"] + params[0]["b"])\n',
)

TANH = "def f(x, w):\n    t = np.tanh(x)\n    return t * w, (t, w)\n"
TANH_BACK = "def b(d, c):\n    t, w = c\n    return d * w * (1 - t * t), (d * t).sum(0)\n"
NET = "def f(params, x):\n    a = np.tanh(x @ params[0]['w'] + params[0]['b'])\n    return a, (x, a)\n"
NET_BACK = "def b(d, c):\n    x, a = c\n    g = d * (1 - a * a)\n    return [{'w': x.T @ g, 'b': g.sum(0)}]\n"
MSE = "def f(p, t):\n    return ((p - t) ** 2).mean(), 2 * (p - t) / len(p)\n"
ADAM_STEP = """
def adam(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    out, m_new, v_new = {"layers": []}, {"layers": []}, {"layers": []}
    for i in range(2):
        p, g = params["layers"][i]["w"], grads["layers"][i]["w"]
        m = beta1 * state["m"]["layers"][i]["w"] + (1 - beta1) * g
        v = beta2 * state["v"]["layers"][i]["w"] + (1 - beta2) * g * g
        step = lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        out["layers"].append({"w": p - step})
        m_new["layers"].append({"w": m})
        v_new["layers"].append({"w": v})
    return out, {"m": m_new, "v": v_new, "t": t}
"""

RIGHT = {
    "function": (FUNCTION, "def f(x):\n    return x.sum(1) / x.shape[1]\n"),
    "function, other algebra": (FUNCTION, "def f(x):\n    return np.mean(x, axis=1)\n"),
    "layer": (LAYER, TANH + TANH_BACK),
    "layer, gradients in a list": (LAYER, TANH + TANH_BACK.replace("return d", "return [d").rstrip() + "]\n"),
    "layer, cache used once": (LAYER, TANH.replace("(t, w)", "[(t, w)]") + TANH_BACK.replace("= c\n", "= c.pop()\n")),
    "layer, upstream written into": (
        LAYER,
        TANH
        + TANH_BACK.replace("    return", "    e = d * t\n    d *= w\n    return").replace(
            "d * w * (1 - t * t), (d * t).sum(0)", "d * (1 - t * t), e.sum(0)"
        ),
    ),
    "loss": (LOSS, MSE),
    "loss as a float": (LOSS, MSE.replace(".mean()", ".mean().item()")),
    "step with state": (ADAM, ADAM_STEP),
    "model": (MODEL, NET + NET_BACK),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_earns_every_point(tmp_path: Path, name: str) -> None:
    course, text = RIGHT[name]
    report = grade_text(make_course(tmp_path, *course), text)
    assert report.score.verdict == "passed", parts(report)
    assert report.score.earned == report.score.possible


WRONG = {
    "wrong value": (FUNCTION, "def f(x):\n    return x.mean(0)[:3]\n", "value", "WRONG_VALUE", "differ"),
    "kept axis": (FUNCTION, "def f(x):\n    return x.mean(1, keepdims=True)\n", "value", "WRONG_SHAPE", "(3, 1)"),
    "text": (FUNCTION, "def f(x):\n    return 'x'\n", "value", "WRONG_STRUCTURE", "type str"),
    "None": (FUNCTION, "def f(x):\n    pass\n", "value", "WRONG_STRUCTURE", "it is None"),
    "NaN": (FUNCTION, "def f(x):\n    return x.mean(1) * np.nan\n", "value", "NOT_FINITE", "3 of 3"),
    "complex": (FUNCTION, "def f(x):\n    return x.mean(1) + 0j\n", "value", "WRONG_DTYPE", "complex128"),
    "float32": (FUNCTION, "def f(x):\n    return x.astype('f4').mean(1)\n", "value", "WRONG_DTYPE", "float32"),
    "raises": (FUNCTION, "def f(x):\n    return x.avg()\n", "value", "RAISED", "AttributeError"),
    "exits": (FUNCTION, "def f(x):\n    raise SystemExit(0)\n", "value", "RAISED", "SystemExit"),
    "not written": (FUNCTION, "def f(x):\n    raise NotImplementedError\n", "value", "NOT_WRITTEN", "f is not written"),
    "not there": (FUNCTION, "def g(x):\n    pass\n", "value", "MISSING_FUNCTION", "no function f"),
    "does not parse": (FUNCTION, "def f(x:\n", "value", "DOES_NOT_LOAD", "SyntaxError"),
    "no pair": (LAYER, "def f(x, w):\n    return np.tanh(x) * w\n", "forward", "MALFORMED", "pair (out, cache)"),
    "one gradient of two": (LAYER, TANH + "def b(d, c):\n    return d\n", "backward", "WRONG_STRUCTURE", "(dx, dw)"),
    "gradient None": (LAYER, TANH + "def b(d, c):\n    return d, None\n", "backward", "WRONG_STRUCTURE", "it is None"),
    "factor": (LAYER, TANH + TANH_BACK.replace("return", "d = d / 3\n    return"), "backward", "WRONG_GRADIENT", "1/3"),
    "dropped term": (LAYER, TANH + TANH_BACK.replace(" * (1 - t * t)", ""), "backward", "WRONG_GRADIENT", "dx"),
    "unreduced": (LAYER, TANH + TANH_BACK.replace(".sum(0)", ""), "backward", "WRONG_SHAPE", "axis 0"),
    "of the own forward": (
        LAYER,
        TANH.replace("np.tanh(x)", "np.tanh(2 * x)") + TANH_BACK.replace("(1 - t * t)", "2 * (1 - t * t)"),
        "backward",
        "GRADIENT_FOLLOWS_FORWARD",
        "right derivative of your f",
    ),
    "global cache": (
        LAYER,
        "K = {}\ndef f(x, w):\n    K['c'] = np.tanh(x), w\n    return np.tanh(x) * w, None\n"
        + TANH_BACK.replace("= c\n", "= K['c']\n"),
        "backward",
        "CACHE_SHARED",
        "latest forward",
    ),
    "upstream ignored": (
        LAYER,
        TANH + TANH_BACK.replace("t, w = c", "t, w = c; d = np.ones_like(d)"),
        "backward",
        "NOT_LINEAR_IN_UPSTREAM",
        "upstream",
    ),
    "loss without gradient": (
        LOSS,
        MSE.replace(", 2 *", " # "),
        "gradient",
        "WRONG_STRUCTURE",
        "pair (loss, gradient)",
    ),
    "loss: sum for mean": (LOSS, MSE.replace(".mean()", ".sum()"), "value", "WRONG_VALUE", "N = 5"),
    "loss: gradient of the sum": (LOSS, MSE.replace(" / len(p)", ""), "gradient", "WRONG_GRADIENT", "N = 5"),
    "step: no bias correction": (ADAM, ADAM_STEP.replace("(1 - beta1**t)", "1"), "step", "WRONG_TRAJECTORY", "step 1"),
    "step: frozen t": (
        ADAM,
        ADAM_STEP.replace('"t": t}', '"t": state["t"]}'),
        "step",
        "WRONG_TRAJECTORY",
        "state['t']",
    ),
    "step: eps inside": (
        ADAM,
        ADAM_STEP.replace("(np.sqrt(v / (1 - beta2**t)) + eps)", "np.sqrt(v / (1 - beta2**t) + eps)"),
        "step",
        "WRONG_TRAJECTORY",
        "step 1 of 5",
    ),
    "model: a key missing": (
        MODEL,
        NET + NET_BACK.replace(", 'b': g.sum(0)", ""),
        "backward",
        "WRONG_STRUCTURE",
        "'b'",
    ),
    "model: transposed": (
        MODEL,
        NET + NET_BACK.replace("x.T @ g", "(x.T @ g).T"),
        "backward",
        "WRONG_SHAPE",
        "grads[0]['w']",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_told_what_is_wrong(tmp_path: Path, name: str) -> None:
    course, text, part, code, words = WRONG[name]
    report = grade_text(make_course(tmp_path, *course), text)
    found = parts(report)[part]
    assert found.verdict == "failed"
    assert code in codes(found)
    told = next(f for check in found.checks for f in check.findings if f.code == code)
    assert words in "\n".join([told.headline, told.pattern, told.likely, told.detail])


def test_a_right_backward_of_a_wrong_forward_earns_the_declared_share(tmp_path: Path) -> None:
    _, text, *_ = WRONG["of the own forward"]
    report = grade_text(make_course(tmp_path, *LAYER), text)
    assert [(part.name, part.earned) for part in parts(report).values()] == [("forward", 0.0), ("backward", 1.0)]


def test_a_right_backward_beside_a_wrong_forward_earns_all(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, *LAYER), TANH.replace("t * w", "t * w + 1") + TANH_BACK)
    assert [(part.name, part.earned) for part in parts(report).values()] == [("forward", 0.0), ("backward", 2.0)]


@pytest.mark.parametrize(("mutation", "earned"), [("warn", 3.0), ("fail", 1.0)])
def test_the_manifest_says_whether_writing_into_an_argument_fails(tmp_path: Path, mutation: str, earned: float) -> None:
    _, text = RIGHT["layer, upstream written into"]
    exercise, reference = LAYER
    report = grade_text(
        make_course(
            tmp_path, exercise.replace('output = "N D"', f'output = "N D"\nmutation = "{mutation}"'), reference
        ),
        text,
    )
    assert report.score.earned == earned
    told = [f for check in parts(report)["backward"].checks for f in check.findings]
    assert [(f.code, f.warning) for f in told] == [("MUTATES_ARGUMENT", mutation == "warn")]
    assert "upstream gradient" in told[0].headline


RELU = (
    LAYER[0].replace('{ x = "N D", w = "D" }', '{ x = { axes = "N D", draw = "sparse" } }'),
    "def f(x):\n    return torch.relu(x)\n",
)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_any_slope_between_is_right_at_a_kink(tmp_path: Path, slope: float) -> None:
    text = "def f(x):\n    return np.maximum(x, 0), x\n"
    text += f"def b(d, x):\n    return d * np.where(x > 0, 1, np.where(x == 0, {slope}, 0))\n"
    assert grade_text(make_course(tmp_path, *RELU), text).score.verdict == "passed"


@pytest.mark.parametrize("slope", [-1.0, 2.0])
def test_a_slope_outside_is_wrong_at_a_kink(tmp_path: Path, slope: float) -> None:
    text = "def f(x):\n    return np.maximum(x, 0), x\n"
    text += f"def b(d, x):\n    return d * np.where(x > 0, 1, np.where(x == 0, {slope}, 0))\n"
    report = grade_text(make_course(tmp_path, *RELU), text)
    assert codes(parts(report)["backward"]) == {"WRONG_GRADIENT"}


CENTRED = (
    LAYER[0],
    "def f(x, w):\n    y = torch.tanh(x) + w / 3\n    return 5 * (y - y.mean(dim=0)) / 7\n",
)
CENTRE = """
def f(x, w):
    t = np.tanh(x)
    y = t + w / 3
    return 5 * (y - y.mean(0)) / 7, t

def b(d, t):
    dy = 5 * (d - d.mean(0)) / 7
    return dy * (1 - t * t), DW
"""


@pytest.mark.parametrize(
    ("dw", "right"),
    [
        ("dy.sum(0) / 3", True),
        ("0.0 * d[0]", True),
        ("(dy / 3)[::-1].sum(0) + 1e-16", True),
        ("d.sum(0) * 1e-9", False),
        ("dy[0]", False),
    ],
)
def test_a_gradient_that_is_zero_but_for_rounding_is_right_in_any_form(tmp_path: Path, dw: str, right: bool) -> None:
    report = grade_text(make_course(tmp_path, *CENTRED), CENTRE.replace("DW", dw))
    assert (parts(report)["backward"].verdict == "passed") is right, parts(report)["backward"]
