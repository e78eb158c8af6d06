"""The gradient check: right pairs pass at a constant price, wrong ones don't, and nobody is accused at a kink."""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import replace
from functools import wraps

import gradient_layers as corpus
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.numerics.gradcheck import GradientCheck, GradientFault, Outcome, Where, check_gradients
from grader.numerics.trees import leaves

SMOOTH = {layer.name: layer for layer in corpus.smooth_layers(0)}
KINKED = {layer.name: layer for layer in corpus.kinked_layers(0)}
LAYERS = SMOOTH | KINKED
SMALL = [SMOOTH[name] for name in ("batch norm", "layer norm", "max pool", "embedding", "conv")]
AFFINE = corpus.Layer(
    name="affine",
    forward=corpus.affine_forward,
    backward=corpus.affine_backward,
    inputs=tuple(np.random.default_rng(1).standard_normal(shape) for shape in ((3, 4), (4, 5), (5,))),
)


def check(layer, **options):
    return check_gradients(layer.forward, layer.backward, layer.inputs, **{"seed": 1, **options})


def codes(result):
    return {problem.code for problem in result.problems}


def warned(result):
    return {warning.code for warning in result.warnings}


def with_backward(backward):
    return replace(AFFINE, backward=backward)


def right(dout, cache):
    return corpus.affine_backward(dout, cache)


# ------------------------------------------------------------------------------------------------------ right pairs


@pytest.mark.parametrize("name", SMOOTH)
def test_a_right_layer_costs_16_forwards_and_4_backwards(name):
    result = check(SMOOTH[name])
    assert result.outcome is Outcome.PASSED, str(result)
    assert (result.forward_calls, result.backward_calls) == (16, 4)
    assert result.coverage == 1.0
    assert not result.problems
    assert not result.warnings
    assert result.odds_of_missing(1e-3) < 1e-9


@pytest.mark.parametrize("name", KINKED)
def test_a_right_layer_at_kinks_costs_40_forwards_at_most(name):
    result = check(KINKED[name])
    assert result.outcome is Outcome.PASSED, str(result)
    assert result.forward_calls <= 40
    assert 0.6 < result.coverage < 0.8
    assert warned(result) == {GradientFault.KINK}


@pytest.mark.parametrize("seed", range(5))
def test_right_layers_pass_whatever_the_seed(seed):
    for layer in corpus.all_layers(100 + seed):
        if layer.name not in ("affine", "mlp"):
            assert check(layer, seed=seed).passed, layer.name


def test_counts_are_what_is_called():
    calls = {"forward": 0, "backward": 0}

    def forward(*inputs):
        calls["forward"] += 1
        return AFFINE.forward(*inputs)

    def backward(dout, cache):
        calls["backward"] += 1
        return AFFINE.backward(dout, cache)

    result = check(replace(AFFINE, forward=forward, backward=backward))
    assert calls == {"forward": result.forward_calls, "backward": result.backward_calls}


def test_without_the_contract_it_costs_less():
    result = check(AFFINE, contract=False)
    assert (result.forward_calls, result.backward_calls) == (13, 2)
    assert check(AFFINE, contract=False, probes=1).forward_calls == 8


def test_a_cache_is_used_once():
    def forward(x, w, b):
        out, cache = AFFINE.forward(x, w, b)
        return out, [cache]

    def backward(dout, cache):
        return AFFINE.backward(dout, cache.pop())

    assert check(replace(AFFINE, forward=forward, backward=backward)).passed
    relu = KINKED["relu at 0"]
    once = replace(
        relu,
        forward=lambda x: (np.maximum(x, 0), [x]),
        backward=lambda dout, cache: dout * (cache.pop() > 0),
    )
    assert check(once).passed


# ------------------------------------------------------------------------------------------------------ wrong pairs


def test_no_wrong_gradient_passes():
    tried, missed = 0, []
    layers = [*SMALL, *KINKED.values(), SMOOTH["lstm"], SMOOTH["softmax loss"], SMOOTH["matmul"], SMOOTH["mlp"]]
    for damage, layer in corpus.wrong_pairs(layers):
        tried += 1
        result = check(layer, seed=tried, localise=False)
        if result.outcome is not Outcome.FAILED:
            missed.append((layer.name, damage))
    assert tried > 170
    assert not missed


SIDE_EFFECTS = {
    corpus.accumulates: GradientFault.ACCUMULATES,
    corpus.shares_its_cache: GradientFault.CACHE_SHARED,
    corpus.random_each_call: GradientFault.NONDETERMINISTIC,
    corpus.float32_forward: GradientFault.FLOAT32,
}


@pytest.mark.parametrize("damage", SIDE_EFFECTS)
def test_a_broken_promise_is_named(damage):
    for layer in [*SMALL, SMOOTH["lstm"]]:
        assert SIDE_EFFECTS[damage] in codes(check(damage(layer), localise=False)), layer.name


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("ignores dout", GradientFault.NOT_LINEAR_IN_UPSTREAM),
        ("clips dout", GradientFault.NOT_LINEAR_IN_UPSTREAM),
        ("float32", GradientFault.FLOAT32),
    ],
)
def test_damages_of_the_contract_are_named(damage, code):
    for layer in SMALL:
        assert code in codes(check(corpus.DAMAGES[damage](layer), localise=False)), layer.name


@pytest.mark.parametrize("bound", [0.5, 5.0])
def test_an_upstream_gradient_that_is_clipped_shows_though_there_is_only_one(bound):
    """Of one output dout is one number: a small one must be stretched as far as the bound (torch's op_db found it)."""

    def forward(x):
        return np.sum(x**2), x

    def backward(dout, x):
        return 2 * x * np.clip(dout, -bound, bound)

    x = np.array([0.3, -1.2, 2.0])
    for seed in range(60):
        result = check_gradients(forward, backward, [x], seed=seed, localise=False)
        assert result.outcome is Outcome.FAILED, seed


def test_a_backward_that_takes_logarithms_of_dout_is_right():
    """As torch's of logcumsumexp: linear in dout but for another rounding at each size of it."""

    def forward(x):
        return np.log(np.cumsum(np.exp(x))), x

    def backward(dout, x):
        total = np.log(np.cumsum(np.exp(x)))

        def summed(part):
            with np.errstate(divide="ignore"):
                return np.exp(np.logaddexp.accumulate((np.log(part) - total)[::-1])[::-1] + x)

        return summed(np.maximum(dout, 0)) - summed(np.maximum(-dout, 0))

    for seed in range(50):
        x = 500 + np.random.default_rng(seed).standard_normal(4)
        assert check_gradients(forward, backward, [x], seed=seed).passed, seed


def test_a_memory_that_backward_was_used_before_the_check_is_still_accumulation():
    layer = corpus.accumulates(AFFINE)
    out, cache = layer.forward(*layer.inputs)
    layer.backward(np.ones_like(out), cache)
    assert codes(check(layer)) == {GradientFault.ACCUMULATES}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (corpus.writes_into_its_input, GradientFault.MUTATES_INPUT),
        (corpus.writes_into_dout, GradientFault.MUTATES_UPSTREAM),
    ],
)
def test_writing_into_arguments_is_a_warning_only(damage, code):
    for layer in (AFFINE, SMOOTH["lstm"], KINKED["relu at 0"]):
        result = check(damage(layer))
        assert result.passed, layer.name
        assert code in warned(result)


def test_writing_into_an_input_names_it_and_who_did_it():
    def forward(x, w, b):
        out, cache = AFFINE.forward(x, w, b)
        return out, (*cache, w)

    def backward(dout, cache):
        gradients = AFFINE.backward(dout, cache[:2])
        cache[2][0, 0] = 7.0
        return gradients

    result = check(replace(AFFINE, forward=forward, backward=backward))
    assert [str(warning) for warning in result.warnings] == ["w is written into: by backward"]


STRUCTURES = [
    ("None", lambda g: None, GradientFault.COUNT, None),
    ("too few", lambda g: g[:2], GradientFault.COUNT, None),
    ("too many", lambda g: (*g, g[0]), GradientFault.COUNT, None),
    ("one array", lambda g: g[0], GradientFault.COUNT, None),
    ("a dict", lambda g: dict(zip("xwb", g, strict=True)), GradientFault.COUNT, None),
    ("a None", lambda g: (g[0], None, g[2]), GradientFault.MISSING, "w"),
    ("a transpose", lambda g: (g[0], g[1].T, g[2]), GradientFault.SHAPE, "w"),
    ("a row for a vector", lambda g: (g[0], g[1], g[2][None]), GradientFault.SHAPE, "b"),
    ("a list", lambda g: (g[0], g[1], "text"), GradientFault.NOT_AN_ARRAY, "b"),
    ("complex", lambda g: (g[0] + 0j, g[1], g[2]), GradientFault.NOT_AN_ARRAY, "x"),
    ("a NaN", lambda g: (g[0] * np.where(np.eye(3, 4), np.nan, 1), *g[1:]), GradientFault.NOT_FINITE, "x"),
]


@pytest.mark.parametrize(("change", "code", "tensor"), [row[1:] for row in STRUCTURES], ids=[r[0] for r in STRUCTURES])
def test_structure(change, code, tensor):
    result = check(with_backward(lambda dout, cache: change(right(dout, cache))))
    assert result.outcome is Outcome.FAILED
    assert [(problem.code, problem.tensor) for problem in result.problems] == [(code, tensor)]
    assert result.problems[0].detail or code is GradientFault.MISSING
    assert (result.failure is None) is (code is GradientFault.COUNT)


@pytest.mark.parametrize(
    ("forward", "code"),
    [
        (lambda x: x, GradientFault.FORWARD_RESULT),
        (lambda x: None, GradientFault.FORWARD_RESULT),
        (lambda x: (x, x, x), GradientFault.FORWARD_RESULT),
        (lambda x: (None, x), GradientFault.FORWARD_RESULT),
        (lambda x: (x + 0j, x), GradientFault.FORWARD_RESULT),
        (lambda x: (x * np.nan, x), GradientFault.FORWARD_NOT_FINITE),
    ],
)
def test_a_forward_that_can_not_be_checked(forward, code):
    result = check_gradients(forward, lambda dout, x: dout, [np.ones(4)], seed=1)
    assert codes(result) == {code}
    assert result.outcome is Outcome.FAILED


def test_an_output_that_changes_its_shape():
    sizes = iter(range(3, 100))
    result = check_gradients(lambda x: (np.ones(next(sizes)), x), lambda d, x: x, [np.ones(4)], seed=1)
    assert codes(result) == {GradientFault.FORWARD_RESULT}


def test_exceptions_pass_unchanged():
    error = KeyError("mine")

    def backward(dout, cache):
        raise error

    with pytest.raises(KeyError) as caught:
        check(with_backward(backward))
    assert caught.value is error


# --------------------------------------------------------------------------------------------------- where it is wrong


def one_wrong(dout, cache):
    dx, dw, db = right(dout, cache)
    dw[2, 1] *= 0.5
    return dx, dw, db


def true_gradients(inputs, upstream):
    return right(upstream, inputs[:2])


@pytest.mark.parametrize(("reference", "source"), [(None, "full differences"), (true_gradients, "reference")])
def test_the_true_gradient_is_found(reference, source):
    result = check(with_backward(one_wrong), reference=reference)
    assert [(problem.code, problem.tensor) for problem in result.problems] == [(GradientFault.WRONG, "w")]
    assert "[2, 1]" in result.problems[0].detail
    assert [tensor.wrong for tensor in result.tensors] == [False, True, False]
    point = result.failure
    assert point.source == source
    truth = right(point.upstream, (point.inputs["x"], point.inputs["w"]))
    assert np.allclose(point.expected["w"], truth[1], rtol=1e-7)
    assert np.flatnonzero(np.abs(point.actual["w"] - truth[1]) > 1e-9).tolist() == [11]


def test_a_reference_that_is_not_this_forwards_gradient_is_not_believed():
    result = check(with_backward(one_wrong), reference=lambda inputs, dout: right(2 * dout, inputs[:2]))
    assert result.failure.source == "full differences"
    assert [problem.tensor for problem in result.problems] == ["w"]


def test_without_localisation_only_the_tensor_is_named():
    result = check(with_backward(one_wrong), localise=False)
    assert [problem.tensor for problem in result.problems] == ["w"]
    assert not result.failure.expected
    assert result.forward_calls <= 8 + 15 + 3 + 3 + 4 * 3


def test_one_wrong_element_of_156800_is_found_in_72_forwards():
    layer = SMOOTH["affine"]

    def backward(dout, cache):
        dx, dw, db = layer.backward(dout, cache)
        dw[401, 77] *= 0.5
        return dx, dw, db

    result = check(replace(layer, backward=backward))
    assert [problem.tensor for problem in result.problems] == ["w"]
    assert result.problems[0].detail == "wrong at [401, 77]; 156799 of 156800 elements are right"
    before = 1 + 2 + 1 + 3 + 4 + 15 + 4 * 3  # contract, noise, a probe, coarse noise, one probe a tensor
    assert result.forward_calls <= before + 4 * 18 + 4


def test_many_wrong_elements_of_a_large_tensor_end_the_search():
    layer = corpus.DAMAGES["sign"](SMOOTH["affine"])
    result = check(layer)
    assert [tensor.wrong for tensor in result.tensors] == [True, True, True]
    assert "and elsewhere" in str(result)
    assert result.forward_calls < 2000


def test_the_likely_cause_is_printed_where_the_true_gradient_is_known():
    result = check(with_backward(lambda dout, cache: (*right(dout, cache)[:2], 2 * dout.sum(0))), localise=True)
    assert list(result.hints) == ["b"]
    assert "hint: b: " in str(result)


def test_a_shape_problem_still_brings_the_true_gradient():
    wrong = with_backward(lambda dout, cache: (*right(dout, cache)[:2], dout))
    result = check(wrong, reference=true_gradients)
    assert result.failure.actual["b"].shape == (3, 5)
    assert np.allclose(result.failure.expected["b"], result.failure.upstream.sum(0))


# ------------------------------------------------------------------------------------------------------------- kinks


@pytest.mark.parametrize(("at_zero", "passes"), [(0.0, True), (0.5, True), (1.0, True), (2.0, False), (-1.0, False)])
def test_any_subgradient_of_relu_is_right(at_zero, passes):
    relu = replace(KINKED["relu at 0"], backward=lambda dout, x: dout * ((x > 0) + at_zero * (x == 0)))
    result = check(relu)
    assert result.passed is passes
    assert codes(result) == (set() if passes else {GradientFault.NOT_SUBGRADIENT})


@pytest.mark.parametrize(
    ("backward", "passes"),
    [
        (corpus.pool_backward, True),
        (corpus.pool_backward_splits_ties, True),
        (corpus.pool_backward_counts_ties_twice, False),
    ],
)
def test_any_split_of_a_tie_is_right(backward, passes):
    for seed in range(5):
        assert check(replace(KINKED["max pool with ties"], backward=backward), seed=seed).passed is passes


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_hidden_units_at_zero_are_not_held_against_anyone(at_zero):
    """Kinks of both signs meet in an output: right gradients lie outside of the slopes on the two sides."""
    rng = np.random.default_rng(3)
    x, w1, w2 = rng.standard_normal((6, 4)), rng.standard_normal((4, 8)), rng.standard_normal((8, 5))
    x[:2] = 0.0

    def forward(x, w1, w2):
        hidden = x @ w1
        return np.maximum(hidden, 0) @ w2, (x, w1, w2, hidden)

    def backward(dout, cache):
        x, w1, w2, hidden = cache
        dhidden = dout @ w2.T * ((hidden > 0) + at_zero * (hidden == 0))
        return dhidden @ w1.T, x.T @ dhidden, np.maximum(hidden, 0).T @ dout

    for seed in range(10):
        result = check_gradients(forward, backward, [x, w1, w2], seed=seed)
        assert result.passed, str(result)
        assert GradientFault.KINK in warned(result)


def test_an_error_beside_a_kink_is_found():
    """One element of 1e-7 has the wrong slope: every ordinary step crosses the kink beside it."""
    x = np.random.default_rng(0).standard_normal(30)
    x[4] = 1e-7

    def backward(dout, x):
        return dout * np.where(x == 1e-7, 0.999, x > 0)

    result = check_gradients(lambda x: (np.maximum(x, 0), x), backward, [x], seed=1)
    assert result.outcome is Outcome.FAILED
    assert [probe.where for probe in result.probes if not probe.passed] == [Where.NEAR_KINK]


def hinge(margins):
    return np.maximum(margins, 0).sum(), (margins > 0).astype(float)


@pytest.mark.parametrize(("at_zero", "passes"), [(0.0, True), (0.5, True), (1.0, True), (2.0, False), (-1.0, False)])
def test_any_subgradient_of_a_loss_at_a_kink_is_right(at_zero, passes):
    """Every step of a single number crosses the kink."""
    margins = np.array([1.0, -1.0, 0.0, 2.0])
    for seed in range(10):
        result = check_gradients(lambda m: (hinge(m)[0], (m > 0) + at_zero * (m == 0)), None, [margins], seed=seed)
        assert result.passed is passes
        assert codes(result) == (set() if passes else {GradientFault.NOT_SUBGRADIENT})
        assert GradientFault.KINK in warned(result)
        assert result.coverage == 0.0
        assert result.odds_of_missing(0.1) == 1.0


@pytest.mark.parametrize("factor", [0.0, 0.99, 1.01, -1.0])
@pytest.mark.parametrize("element", range(4))
def test_a_loss_at_a_kink_is_wrong_if_it_is_wrong_in_another_element(element, factor):
    wrong = np.where(np.arange(4) == element, factor, 1.0)
    margins = np.where(np.arange(4) == (element + 1) % 4, 0.0, [1.0, 3.0, 2.0, 4.0])
    result = check_gradients(lambda m: (hinge(m)[0], hinge(m)[1] * wrong), None, [margins], seed=1)
    assert codes(result) == {GradientFault.NOT_SUBGRADIENT}


def test_a_loss_at_a_kink_is_wrong_if_it_is_wrong_beside_it():
    def loss(m):
        value, gradient = hinge(m)
        return value, gradient if m[2] == 0 else 1.01 * gradient

    result = check_gradients(loss, None, [np.array([1.0, -1.0, 0.0, 2.0])], seed=1)
    assert result.outcome is Outcome.FAILED
    assert [probe.where for probe in result.probes if not probe.passed] == [Where.JITTERED]


def test_coarse_rounding_of_a_loss_at_a_kink_is_not_taken_for_a_slope():
    m = np.array([1.0, -1.0, 0.0, 2.0])
    for seed in range(50):
        result = check_gradients(lambda m: ((hinge(m)[0] + 1e8) - 1e8, hinge(m)[1]), None, [m], seed=seed)
        assert GradientFault.NOT_SUBGRADIENT not in codes(result)


def test_a_strongly_curved_function_gets_a_shorter_step():
    x = np.zeros(20)  # there the sine bends neither way, which would be taken for a kink
    result = check_gradients(lambda x: (np.sin(100 * x), x), lambda d, x: 100 * d * np.cos(100 * x), [x], seed=1)
    assert result.passed
    assert result.coverage == 1.0
    assert max(probe.step for probe in result.probes) <= 2.0**-20
    assert max(probe.tolerance / probe.gradient_norm for probe in result.probes) < 1e-8
    assert result.forward_calls <= 16 + 2 * 3 * 4


def test_the_end_of_the_domain_is_no_fault():
    def forward(x):
        if np.any(x < 0):
            raise FloatingPointError("negative")
        return np.sqrt(x), x

    x = np.abs(np.random.default_rng(0).standard_normal(20)) + 0.01
    result = check_gradients(forward, lambda dout, x: 0.5 * dout / np.sqrt(x), [x], seed=1)
    assert result.passed


def test_nan_beside_the_domain_is_taken_for_a_kink():
    def forward(x):
        return np.sqrt(x), x

    x = np.abs(np.random.default_rng(0).standard_normal(20)) + 0.01
    x[3] = 1e-12
    result = check_gradients(forward, lambda dout, x: 0.5 * dout / np.sqrt(x), [x], seed=1)
    assert result.passed, str(result)
    assert result.coverage == 0.95


def test_noise_that_a_small_step_can_not_see_is_undecided_at_worst():
    for seed in range(100):
        x = np.random.default_rng(seed).standard_normal(20)
        result = check_gradients(lambda x: ((x + 1e8) - 1e8 + x, None), lambda dout, _: 2 * dout, [x], seed=seed)
        assert result.outcome is not Outcome.FAILED, str(result)


def test_coarse_noise_in_a_few_outputs_is_no_fault():
    offset = np.zeros(40)
    offset[::5] = 1e6
    for seed in range(100):
        x = np.random.default_rng(seed).standard_normal(40)
        result = check_gradients(lambda x: ((x + offset) - offset + x, 0), lambda dout, _: 2 * dout, [x], seed=seed)
        assert result.outcome is not Outcome.FAILED, str(result)


# ------------------------------------------------------------------------------------------------ tensors that hide


@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-30])
@pytest.mark.parametrize("factor", [0.0, 1.001])
def test_a_tiny_tensor_can_not_hide_its_gradient(size, factor):
    x, w, b = AFFINE.inputs
    inputs = (x, w, size * b)
    assert check(replace(AFFINE, inputs=inputs)).passed
    wrong = with_backward(lambda dout, cache: (*right(dout, cache)[:2], factor * dout.sum(0)))
    result = check(replace(wrong, inputs=inputs))
    assert result.outcome is Outcome.FAILED
    assert {problem.tensor for problem in result.problems} == {"b"}


def test_zeros_that_would_pass_are_told():
    """A bias before a batch norm has no effect: its true gradient is 0."""

    def forward(x, b):
        out, cache = corpus.batchnorm_forward(x + b, 1.0, 0.0)
        return out, cache

    def backward(dout, cache):
        dx = corpus.batchnorm_backward(dout, cache)[0]
        return dx, dx.sum(0)

    rng = np.random.default_rng(0)
    result = check_gradients(forward, backward, [rng.standard_normal((6, 4)), rng.standard_normal(4)], seed=1)
    assert result.passed
    assert {(warning.code, warning.tensor) for warning in result.warnings} == {(GradientFault.VACUOUS, "b")}


def test_nothing_to_check_is_not_a_pass():
    for inputs in ([np.zeros((0, 3))], [np.arange(3)]):
        result = check_gradients(lambda x: (2.0 * x, x), lambda dout, x: 2.0 * dout, inputs, seed=1)
        assert result.outcome is Outcome.INCONCLUSIVE
    assert warned(result) == {GradientFault.NOTHING_TO_CHECK}


# ---------------------------------------------------------------------------------------------------- calling forms


@pytest.mark.parametrize("damage", [None, "zero", "one element", "off by 1e-3"])
@pytest.mark.parametrize("layer", [AFFINE, *SMALL, *KINKED.values()], ids=lambda layer: layer.name)
def test_where_the_functions_run_is_no_matter_to_the_evidence(layer, damage):
    """Elsewhere, the functions are lent views and work on copies; nothing else differs, to the last bit."""
    layer = corpus.DAMAGES[damage](layer) if damage else layer

    @wraps(layer.forward)
    def forward(*inputs):
        assert not any(isinstance(leaf, np.ndarray) and leaf.flags.writeable for leaf in leaves(inputs))
        return layer.forward(*deepcopy(inputs))

    here, there = check(layer), check(replace(layer, forward=forward), elsewhere=True)
    for name in GradientCheck.__dataclass_fields__:
        if name != "failure":
            assert repr(getattr(there, name)) == repr(getattr(here, name)), name


def test_inputs_may_be_differentiated_in_any_order():
    def forward(x, w):
        return x * w, (x, w)

    def backward(dout, cache):
        return dout * cache[0], dout * cache[1]

    inputs = [np.linspace(1.0, 2.0, 6), np.linspace(-3.0, 4.0, 6)]
    assert check_gradients(forward, backward, inputs, differentiate=["w", "x"], seed=1).passed


def test_integers_and_settings_are_passed_along():
    def forward(x, y, scale, train):
        assert y.dtype == np.int64
        assert train is True
        return scale * x[y], (x.shape, y, scale)

    def backward(dout, cache):
        shape, y, scale = cache
        dx = np.zeros(shape)
        np.add.at(dx, y, scale * dout)
        return dx

    result = check_gradients(forward, backward, [np.ones((4, 2)), np.array([0, 3, 3]), 0.5, True], seed=1)
    assert result.passed


def params_forward(params, x):
    out, cache = corpus.mlp_forward(x, params["W1"], params["b"][0], params["W2"], params["b"][1])
    return out, cache


def params_backward(dout, cache):
    _, dw1, db1, dw2, db2 = corpus.mlp_backward(dout, cache)
    return {"b": [db1, db2], "W2": dw2, "W1": dw1}


def params_and_x():
    n = np.random.default_rng(2).standard_normal
    return {"W1": n((4, 6)), "b": (n(6), n(3)), "W2": n((6, 3))}, n((5, 4))


@pytest.mark.parametrize("wrap", [lambda g: g, lambda g: (g,), lambda g: [g]])
def test_trees_of_parameters(wrap):
    def backward(dout, cache):
        return wrap(params_backward(dout, cache))

    for chosen in (["params"], [0]):
        assert check_gradients(params_forward, backward, params_and_x(), differentiate=chosen, seed=1).passed


def test_a_wrong_leaf_of_a_tree_is_named_as_the_student_writes_it():
    def backward(dout, cache):
        gradients = params_backward(dout, cache)
        gradients["b"][1] = 3 * gradients["b"][1]
        return gradients

    result = check_gradients(params_forward, backward, params_and_x(), differentiate=["params"], seed=1)
    assert [problem.tensor for problem in result.problems] == ["params['b'][1]"]


def test_a_gradient_tree_of_another_structure():
    def backward(dout, cache):
        gradients = params_backward(dout, cache)
        del gradients["W2"]
        return gradients

    result = check_gradients(params_forward, backward, params_and_x(), differentiate=["params"], seed=1)
    assert codes(result) == {GradientFault.COUNT}


def softmax_loss(scores, y):
    loss, cache = corpus.softmax_forward(scores, y)
    return loss, corpus.softmax_backward(1.0, cache)[0]


def test_a_loss_returns_its_gradient_at_once():
    layer = SMOOTH["softmax loss"]
    result = check_gradients(softmax_loss, None, layer.inputs, seed=1)
    assert result.passed
    assert (result.forward_calls, result.backward_calls) == (14, 0)
    for factor in (0.0, -1.0, 1.001, 100.0):
        wrong = check_gradients(
            lambda s, y, f=factor: (softmax_loss(s, y)[0], f * softmax_loss(s, y)[1]), None, layer.inputs
        )
        assert wrong.outcome is Outcome.FAILED


def test_a_loss_may_count_without_being_taken_for_float32():
    """Its gradient is made of small fractions, which float32 holds exactly."""
    margins = np.random.default_rng(0).standard_normal(16)
    assert check_gradients(lambda m: (hinge(m)[0] / 16, hinge(m)[1] / 16), None, [margins], seed=1).passed


def test_a_loss_of_another_shape_and_a_loss_in_float32():
    x = np.random.default_rng(0).standard_normal(9)
    assert codes(check_gradients(lambda x: (x**2, 2 * x), None, [x], seed=1)) == {GradientFault.FORWARD_RESULT}
    result = check_gradients(lambda x: (x @ x, (2 * x).astype(np.float32)), None, [x], seed=1)
    assert GradientFault.FLOAT32 in codes(result)


def test_a_loss_that_accumulates():
    total = np.zeros(5)

    def loss(x):
        total[:] += 2 * x
        return x @ x, total.copy()

    assert codes(check_gradients(loss, None, [np.arange(5.0) / 3], seed=1)) == {GradientFault.ACCUMULATES}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ["x"]}, "need as many different names"),
        ({"names": ["x", "x", "b"]}, "need as many different names"),
        ({"differentiate": ["y"]}, "no such inputs"),
        ({"differentiate": [3]}, "no such inputs"),
        ({"probes": 0}, "at least one probe"),
    ],
)
def test_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        check(AFFINE, **options)


def test_an_input_without_derivative():
    with pytest.raises(ValueError, match="x is not finite"):
        check(replace(AFFINE, inputs=(AFFINE.inputs[0] * np.inf, *AFFINE.inputs[1:])))
    with pytest.raises(ValueError, match="not floating-point"):
        check_gradients(lambda x: (x, x), lambda d, x: d, [np.arange(3)], differentiate=["x"])


# ------------------------------------------------------------------------------------------------------- the result


def test_a_seed_repeats_a_run_and_is_told():
    first = check(AFFINE, seed=None)
    again = check(AFFINE, seed=first.seed)
    assert first.probes == again.probes
    assert check(AFFINE, seed=first.seed + 1).probes != first.probes
    assert f"seed {first.seed}" in str(first)


def test_the_odds_of_a_false_pass_are_a_bound():
    """The measured share of passes over many seeds, for an error of the size that one probe often misses."""
    layer = SMOOTH["max pool"]
    rho = 5.0
    good = [check(layer, seed=seed, contract=False, probes=1) for seed in range(200)]
    relative = rho * np.median([result.probes[0].tolerance / result.probes[0].gradient_norm for result in good])
    wrong = replace(layer, backward=lambda dout, cache: ((1 + relative) * layer.backward(dout, cache)[0],))
    passes = sum(check(wrong, seed=seed, contract=False, probes=1, localise=False).passed for seed in range(200))
    bound = np.mean([result.odds_of_missing(relative) for result in good])
    assert bound == pytest.approx(0.798 / rho, rel=0.05)
    assert passes / 200 < bound + 3 * np.sqrt(bound / 200)
    assert passes > 0


def test_odds_multiply_over_probes_and_are_never_above_one():
    result = check(AFFINE, probes=3)
    single = [0.7978845608 * p.tolerance / (1e-6 * p.gradient_norm) for p in result.probes]
    assert result.odds_of_missing(1e-6) == pytest.approx(np.prod(single))
    assert result.odds_of_missing(0.0) == result.odds_of_missing(1e-300) == 1.0


def test_the_text_fits_on_a_screen_and_the_html_is_escaped():
    names = ["<b>x</b>", "w", "b"]
    result = check(corpus.DAMAGES["sign"](AFFINE), names=names)
    text = str(result)
    assert text.startswith("gradient check failed: <b>x</b> is not the gradient")
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 160
    page = result._repr_html_()
    assert page.startswith("<table>")
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


# ------------------------------------------------------------------------------------------------------------- laws

ELEMENTWISE = {
    "sin": (np.sin, np.cos),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "square": (np.square, lambda x: 2 * x),
    "softplus": (lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + np.exp(-x))),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0).astype(float)),
}


def chain(seed, n, sizes, kinds):
    """A random network: affine maps and elementwise functions in turn, with its backward and inputs."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in itertools.pairwise(sizes)]

    def forward(x, *weights):
        cache = []
        for w, kind in zip(weights, kinds, strict=True):
            z = x @ w
            cache.append((x, w, z, kind))
            x = ELEMENTWISE[kind][0](z)
        return x, cache

    def backward(dout, cache):
        gradients = []
        for x, w, z, kind in reversed(cache):
            dz = dout * ELEMENTWISE[kind][1](z)
            gradients.append(x.T @ dz)
            dout = dz @ w.T
        return dout, *reversed(gradients)

    return forward, backward, [rng.standard_normal((n, sizes[0])), *weights]


networks = st.integers(1, 3).flatmap(
    lambda depth: st.tuples(
        st.integers(0, 2**32 - 1),
        st.integers(1, 4),
        st.lists(st.integers(1, 5), min_size=depth + 1, max_size=depth + 1),
        st.lists(st.sampled_from(sorted(ELEMENTWISE)), min_size=depth, max_size=depth),
    )
)


@settings(deadline=None, max_examples=60)
@given(networks)
def test_law_a_right_backward_never_fails(network):
    forward, backward, inputs = chain(*network)
    assert check_gradients(forward, backward, inputs, seed=network[0]).outcome is not Outcome.FAILED


@settings(deadline=None, max_examples=60)
@given(networks, st.sampled_from([-1.0, 0.0, 0.5, 0.999, 1.001, 2.0]), st.data())
def test_law_a_scaled_gradient_never_passes(network, factor, data):
    forward, backward, inputs = chain(*network)
    out, cache = forward(*inputs)
    which = data.draw(st.integers(0, len(inputs) - 1))

    def wrong(dout, cache):
        return tuple(factor * g if k == which else g for k, g in enumerate(backward(dout, cache)))

    if np.any(backward(np.ones_like(out), cache)[which]):
        assert not check_gradients(forward, wrong, inputs, seed=network[0], localise=False).passed
