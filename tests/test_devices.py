"""Which GPUs there are, whose turn it is, and what a report says of them; the driver is one that is made up."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from courses import HEAD, grade_text, make_course
from test_settings import ALSO, LAYER, RIGHT, completed

from grader.calls import Profile
from grader.cli import main
from grader.devices import missing, named
from grader.sandbox import nvml, pool, spawned
from grader.sandbox.boot import environment
from grader.sandbox.nvml import gpus, keep_off, turn
from grader.sandbox.pool import Sandbox
from grader.settings import Device


class Driver:
    """NVML, as far as it is asked."""

    def __init__(self, *names: str, broken: bool = False) -> None:
        self.names, self.broken, self.open = names, broken, 0

    def nvmlInit_v2(self) -> int:
        self.open += 1
        return 9 if self.broken else 0

    def nvmlShutdown(self) -> int:
        self.open -= 1
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = len(self.names)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number: ctypes.c_uint, device: Any) -> int:
        device._obj.value = number.value + 1
        return 0

    def nvmlDeviceGetUUID(self, device: ctypes.c_void_p, text: Any, size: ctypes.c_uint) -> int:
        text.value = f"GPU-{'abcdef'[(device.value or 0) - 1]}000".encode()
        return 0

    def nvmlDeviceGetName(self, device: ctypes.c_void_p, text: Any, size: ctypes.c_uint) -> int:
        text.value = self.names[(device.value or 0) - 1].encode()
        return 0


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before or "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    gpus.cache_clear()
    yield
    gpus.cache_clear()


def have(monkeypatch: pytest.MonkeyPatch, *names: str, visible: str | None = None) -> None:
    driver = Driver(*names)
    monkeypatch.setattr(nvml, "_library", lambda: driver)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpus()
    assert driver.open == 0


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [
        (None, "0123"),
        ("2,0", "20"),
        (" 3 , 1", "31"),
        ("GPU-b000", "1"),
        ("GPU-d,0", "30"),
        ("", ""),
        ("-1", ""),
        ("1,-1,2", "1"),
        ("7", ""),
    ],
)
def test_those_count_that_may_be_used(monkeypatch: pytest.MonkeyPatch, visible: str | None, numbers: str) -> None:
    have(monkeypatch, "A", "B", "C", "D", visible=visible)
    assert "".join(gpu.number for gpu in gpus()) == numbers


def test_without_a_driver_or_with_a_broken_one_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Any:
        raise OSError("libnvidia-ml.so.1: cannot open shared object file")

    monkeypatch.setattr(nvml, "_library", absent)
    assert (gpus(), turn()) == ((), "0")
    gpus.cache_clear()
    monkeypatch.setattr(nvml, "_library", lambda: Driver("A", broken=True))
    assert gpus() == ()
    assert missing(Profile.CUDA) == "there is no GPU here"


def test_several_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "A", "B", "C", visible="2,0")
    assert {(turn(), turn()) for _ in range(5)} in ({("2", "0")}, {("0", "2")})


class Started(Exception):  # noqa: N818  (how far a test goes)
    pass


def test_each_process_is_given_the_one_whose_turn_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str | None] = []

    class Zygote:
        closed, children, forks = False, 0, 0

        def __init__(self, profile: Profile, rung: object, gpu: str | None) -> None:
            given.append(gpu)

        def close(self) -> None:
            pass

    have(monkeypatch, "A", "B", "C")
    monkeypatch.setattr(pool, "Zygote", Zygote)
    for profile in (Profile.CUDA, Profile.TORCH):
        with Sandbox(profile, zygotes=6) as sandbox:
            sandbox._known = (pool.Rung.SECCOMP, (), {})
            sandbox.start()
    assert sorted(map(str, given)) == ["0", "0", "1", "1", "2", "2"] + ["None"] * 6
    assert environment("2")["CUDA_VISIBLE_DEVICES"] == "2"
    assert environment()["CUDA_VISIBLE_DEVICES"] == ""

    def popen(*_: object, env: dict[str, str], **__: object) -> None:
        given.append(env["CUDA_VISIBLE_DEVICES"])
        raise Started

    given.clear()
    monkeypatch.setattr(spawned.subprocess, "Popen", popen)
    for _ in range(3):
        with pytest.raises(Started):
            spawned.Spawned(Profile.CUDA, 1000, {})
    assert sorted(map(str, given)) == ["0", "1", "2"]


def test_who_keeps_off_knows_them_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "A", "B", visible="1")
    gpus.cache_clear()
    keep_off()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert [gpu.number for gpu in gpus()] == ["1"]
    assert (turn(), missing(Profile.CUDA)) == ("1", "")
    assert missing(Profile.CUDA, Device.CPU) == "--device cpu uses no GPU"


def test_a_device_has_the_name_that_the_driver_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "NVIDIA H200", "NVIDIA H200")
    assert named([Profile.NUMPY]) == named([Profile.TORCH, Profile.JAX]) == "cpu"
    assert named([Profile.PRETEND_CUDA, Profile.NUMPY]) == "cpu, pretend cuda"
    assert named([Profile.CUDA]) == "cuda: NVIDIA H200"
    gpus.cache_clear()
    have(monkeypatch, "NVIDIA H200", "NVIDIA H100")
    assert named([Profile.CUDA, Profile.TORCH]) == "cpu, cuda: NVIDIA H200 or NVIDIA H100"
    gpus.cache_clear()
    have(monkeypatch, visible="")
    assert named([Profile.CUDA]) == "cuda"


DOORS = {
    "grade": ("grade", "{folder}/t.py", "--assignment", "{manifest}"),
    "complete": ("grade", "{folder}/t.py", "--assignment", "{manifest}", "--complete", "{folder}/report.json"),
    "batch": ("batch", "{folder}/reference", "--assignment", "{manifest}", "--out", "{folder}/run"),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_gpu_that_is_asked_for_and_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], door: str
) -> None:
    course = make_course(tmp_path, *LAYER, head=HEAD + ALSO)
    (tmp_path / "t.py").write_text(RIGHT)
    (tmp_path / "report.json").touch()
    have(monkeypatch, "NVIDIA H200", visible="")  # there is one, and this process may not use it
    arguments = [word.format(folder=tmp_path, manifest=course.manifest) for word in DOORS[door]]
    assert main([*arguments, "--device", "cuda"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (
        "grader: this machine is at fault: there is no GPU, and cuda as the device requires one; "
        "auto leaves its points pending\n"
    )
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------------------------------- in the report


def test_a_report_names_where_the_code_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = make_course(tmp_path, *LAYER, head=HEAD + ALSO.replace('"torch" =', '"pretend-cuda" ='))
    before = grade_text(course, RIGHT)
    assert before.environment.device == "cpu, pretend cuda"  # and not the GPU, of which the points are pending
    gpus.cache_clear()
    have(monkeypatch, "NVIDIA H200")
    after = completed(course, RIGHT, before)
    assert after.environment.device == "cpu, cuda: NVIDIA H200, pretend cuda"
    assert grade_text(course, "raise SystemExit\n").environment.device == "cpu"


def test_a_class_s_reports_name_it_too_and_its_judges_see_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = tmp_path / "seen"
    look = f"import os\nopen({str(seen)!r}, 'a').write(os.environ['CUDA_VISIBLE_DEVICES'] + '.')\n"
    course = make_course(
        tmp_path, LAYER[0], look + LAYER[1], head=HEAD + '[also_on]\n"pretend-cuda" = 0.1\n"cuda" = 0.1\n'
    )
    (tmp_path / "handins" / "ada").mkdir(parents=True)
    (tmp_path / "handins" / "ada" / "t.py").write_text(RIGHT)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "17")
    seen.write_text("")
    handins, run = str(tmp_path / "handins"), str(tmp_path / "run")
    batch = ["batch", handins, "--assignment", str(course.manifest), "--out", run, "--require", "none"]
    assert main([*batch, "--device", "cpu"]) == 0
    assert set(seen.read_text().split(".")[:-1]) == {""}  # the reference runs where judges are forked
    capsys.readouterr()
    assert main(["show", run, "ada", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"]["device"] == "cpu, pretend cuda"
