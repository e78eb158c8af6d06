"""Layers are tried, not assumed: each that does not work here is left out, with why, and the rest stands."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.calls import Rung
from grader.sandbox.wall import Layer, rung_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wall is Linux's")

PROBE = """
import errno, json, sys
from grader.calls import Rung
from grader.sandbox import kernel, landlock, seccomp, wall
def no(*args, **kwargs):
    raise OSError(errno.EPERM, "not here")
{broken}
found = wall.probe(Rung({rung!r}), threads=True, executable_memory=False)
print(json.dumps({{"layers": found.layers, "refused": found.refused, "names": found.names}}))
"""


def probed(rung: str = "full", broken: str = "") -> dict[str, Any]:
    """What is found in a process of its own, since looking for less than everything gives up capabilities."""
    code = PROBE.format(rung=str(rung), broken=broken)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    return probed()


def reached(found: dict[str, Any]) -> Rung:
    return rung_of(set(map(Layer, found["layers"])))


def test_every_layer_stands_or_says_why_not(here: dict[str, Any]) -> None:
    needless = {Layer.USER_NAMESPACE, Layer.EMPTY_ROOT}
    assert {*here["layers"], *here["refused"]} >= set(Layer) - needless
    assert not set(here["layers"]) & set(here["refused"])
    assert all(here["refused"].values())


@pytest.mark.parametrize("rung", [Rung.UNPRIVILEGED, Rung.SECCOMP, Rung.NONE])
def test_a_lower_rung_is_asked_for_and_had(here: dict[str, Any], rung: Rung) -> None:
    if not reached(here).reaches(rung):
        pytest.skip(f"this machine reaches {reached(here)} only")
    assert reached(probed(rung)) is rung


BROKEN = {
    "Landlock": ("landlock.version = landlock.restrict = no", {Layer.LANDLOCK}),
    "own user": ("wall.os.setresuid = no", {Layer.OWN_USER}),
    "namespaces": (
        "kernel.unshare = no",
        {
            Layer.MOUNT_NAMESPACE,
            Layer.NETWORK_NAMESPACE,
            Layer.IPC_NAMESPACE,
            Layer.UTS_NAMESPACE,
            Layer.PID_NAMESPACE,
        },
    ),
    "mounts": ("kernel.mount = no", {Layer.MOUNT_NAMESPACE}),
    "the root": ("kernel.pivot_root = no", {Layer.EMPTY_ROOT}),
    "going back": ("kernel.setns = no", {Layer.PID_NAMESPACE}),
}


@pytest.mark.parametrize(("broken", "missing"), BROKEN.values(), ids=BROKEN)
def test_what_fails_is_left_out_and_the_rest_stands(here: dict[str, Any], broken: str, missing: set[Layer]) -> None:
    if not missing <= set(here["layers"]):
        pytest.skip("this machine does not have it anyway")
    found = probed(broken=broken)
    assert {layer for layer in found["refused"] if "not here" in found["refused"][layer]} >= missing
    assert not missing & set(found["layers"])
    assert reached(found) is (Rung.UNPRIVILEGED if missing == {Layer.OWN_USER} else Rung.SECCOMP)


def test_a_filter_that_stops_nothing_is_no_layer() -> None:
    everything = "seccomp.filter_program = lambda *a, **k: seccomp._statement(seccomp._RETURN, seccomp.ALLOW)"
    found = probed(broken=everything)
    assert found["refused"][Layer.SECCOMP] == "it is there and stops nothing"
    assert reached(found) is Rung.NONE


def test_limits_that_do_not_hold_are_no_layer() -> None:
    found = probed(broken="wall.set_limits = lambda limits: None")
    assert "can't be set" in found["refused"][Layer.LIMITS]
    assert reached(found) is Rung.NONE


def test_a_root_that_is_not_empty_is_no_layer(here: dict[str, Any]) -> None:
    if Layer.EMPTY_ROOT not in here["layers"]:
        pytest.skip("this machine does not have it anyway")
    found = probed(broken="wall.empty_root = lambda: None")
    assert found["refused"][Layer.EMPTY_ROOT] == "it is there and stops nothing"


def test_a_landlock_that_stops_nothing_is_no_layer(here: dict[str, Any]) -> None:
    if Layer.LANDLOCK not in here["layers"]:
        pytest.skip("this machine does not have it anyway")
    found = probed(broken="landlock.restrict = lambda version: None")
    assert found["refused"][Layer.LANDLOCK] == "it is there and stops nothing"


def test_what_a_layer_kills_is_told() -> None:
    found = probed(broken="landlock.restrict = lambda version: wall.os._exit(9)")
    assert found["refused"][Layer.LANDLOCK] == "the process that tried it ended"


@given(st.sets(st.sampled_from(list(Layer))), st.sampled_from(list(Layer)))
def test_one_more_layer_never_lowers_the_rung(layers: set[Layer], more: Layer) -> None:
    assert rung_of(layers | {more}).reaches(rung_of(layers))


def test_rungs_have_an_order() -> None:
    assert [a.reaches(b) for a, b in itertools.pairwise(Rung)] == [True] * 3
    assert [b.reaches(a) for a, b in itertools.pairwise(Rung)] == [False] * 3
    assert rung_of(set(Layer)) is Rung.FULL
    assert rung_of(set(Layer) - {Layer.SECCOMP}) is Rung.NONE
