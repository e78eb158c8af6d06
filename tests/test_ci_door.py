"""The CI door: the action's script run as the action runs it, and its log read as GitHub's runner reads it.

action.yml is read by the lines of it that matter (no YAML reader is among the dependencies): the inputs' defaults, the
environment of the step and its command are taken from there, so that the script is never given what the action would
not give it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from test_cli import MANIFEST, RIGHT, WRONG, descendants

from grader.calls import Rung
from grader.report.model import read_report

ROOT = Path(__file__).parent.parent
ACTION = ROOT / ".github" / "actions" / "grade"
SCRIPT = (ACTION / "grade.sh").read_text(encoding="utf-8")
YAML = (ACTION / "action.yml").read_text(encoding="utf-8")
FILES = [ACTION / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
SEED = "861940713552"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the action is for Linux runners")

# ------------------------------------------------------------------------------------------------- action.yml, read


def below(text: str, key: str) -> str:
    """The lines below the first `key:`, further in than it."""
    match = re.search(rf"(?m)^( *){re.escape(key)}:\n((?:\1 .*\n|\n)+)", text)
    assert match, f"there is no {key}: in\n{text}"
    return match[2]


def entries(text: str) -> dict[str, str]:
    """Keys of the outermost level, each with all that belongs to it."""
    indent = len(text) - len(text.lstrip(" "))
    pieces = re.split(rf"(?m)^ {{{indent}}}([\w-]+):", text)[1:]
    return dict(zip(pieces[::2], (piece.strip(" ") for piece in pieces[1::2]), strict=True))


def default(entry: str) -> str:
    match = re.search(r"(?m)^ +default: *(.*)$", entry)
    return match[1].strip('"') if match else ""


INPUTS = {name: default(entry) for name, entry in entries(below(YAML, "inputs")).items()}
OUTPUTS = entries(below(YAML, "outputs"))
STEP = YAML[YAML.index("- name: Grade\n") : YAML.index("- name: Keep")]
ENVIRONMENT = {name: value.strip() for name, value in entries(below(STEP, "env")).items()}
(COMMAND,) = re.findall(r"(?m)^ +run: (.*)$", STEP)


def test_what_the_action_gives_is_what_the_script_takes() -> None:
    taken = set(re.findall(r"GRADMARK_[A-Z_]+", SCRIPT))
    given = ENVIRONMENT.keys() | set(re.findall(r"GRADMARK_[A-Z_]+(?==)", COMMAND))
    explained = set(re.findall(r"(?m)^#   (GRADMARK_[A-Z_]+) ", SCRIPT))
    assert taken == given == explained
    assert len(taken) == 8


def test_every_input_is_declared_and_used_and_so_is_every_output() -> None:
    assert set(re.findall(r"\${{ inputs\.([\w-]+) }}", YAML)) == INPUTS.keys()
    assert set(ENVIRONMENT.values()) <= {f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    written = set(re.findall(r"(?m)\boutput ([a-z]+) ", SCRIPT))
    assert {name: re.findall(r"steps\.grade\.outputs\.(\w+)", entry) for name, entry in OUTPUTS.items()} == {
        name: [name] for name in written
    }


def commands(text: str) -> Iterator[str]:
    """Every `run:`, whether it is one line or a block."""
    for match in re.finditer(r"(?m)^( *)(?:- )?run: *(?:[|>][-+]?\n((?:\1 +.*\n|\n)+)|(.*)$)", text):
        yield match[2] or match[3]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_expression_becomes_part_of_a_command(path: Path) -> None:
    found = list(commands(path.read_text(encoding="utf-8")))
    assert found
    assert not [command for command in found if "${{" in command]


def test_such_an_expression_is_seen() -> None:
    assert [c for c in commands("  - run: |\n      a\n      ${{ b }}\n  - run: echo ${{ c }}\n") if "${{" in c] == [
        "      a\n      ${{ b }}\n",
        "echo ${{ c }}",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_other_actions_are_pinned_to_a_major_version(path: Path) -> None:
    used = re.findall(r"(?m)^ *(?:- )?uses: (\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert not [name for name in used if not re.fullmatch(r"actions/[\w-]+@v\d+|\./\.github/actions/grade", name)]


def test_what_is_installed_is_the_checkout_of_the_action_and_by_nobodys_pip(runner: Runner) -> None:
    """The step's command with a Python that only says what it is asked; tests install nothing."""
    (install,) = (text for text in commands(YAML) if "pip install" in text)
    runner.python('{ printf "%s|" "$@"; echo; } >>"$RUNNER_TEMP/asked"')
    environment = {**runner.environment(), "PYTHON": str(runner.temp / "gradmark" / "bin" / "python"), "GRADMARK": ""}
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", install], check=True, cwd=runner.workspace, env=environment)
    venv, pip = (line.split("|") for line in (runner.temp / "asked").read_text().splitlines())
    assert venv[:3] == ["-I", "-m", "venv"]
    assert pip[:4] == ["-I", "-m", "pip", "install"]
    assert (Path(pip[-2]) / "pyproject.toml").samefile(ROOT / "pyproject.toml")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="there is no shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", ACTION / "grade.sh"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


# ------------------------------------------------------------------------------------------------- a runner


@dataclass(kw_only=True)
class Log:
    """What GitHub's runner makes of a step's stdout (actions/runner, ActionCommand.cs and ActionCommandManager.cs)."""

    shown: list[str] = field(default_factory=list)
    commands: list[tuple[str, str]] = field(default_factory=list)
    stop_word: str | None = None

    KNOWN = frozenset(
        {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "set-output", "set-env", "add-path"}
        | {"save-state", "stop-commands", "add-matcher", "remove-matcher", "echo"}
    )

    def read(self, text: str) -> Log:
        for line in re.split(r"\r\n|\r|\n", text):
            name, data = self._command(line)
            if self.stop_word is not None:
                if name == self.stop_word:
                    self.stop_word = None
                else:
                    self.shown.append(line)
            elif name == "stop-commands":
                self.stop_word = data
            elif name:
                self.commands.append((name, data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")))
            else:
                self.shown.append(line)
        return self

    def _command(self, line: str) -> tuple[str, str]:
        for pattern in (r"\s*::([^: ]+)(?: [^:]*)?::(.*)", r".*?##\[([^\] ]+)(?: [^\]]*)?\](.*)"):
            match = re.fullmatch(pattern, line)
            if match and match[1].lower() in self.KNOWN | {self.stop_word}:
                return match[1].lower(), match[2]
        return "", ""

    def of(self, name: str) -> list[str]:
        return [data for found, data in self.commands if found == name]


@dataclass(kw_only=True)
class Step:
    """A step that has ended."""

    code: int
    stdout: str
    stderr: str
    outputs: dict[str, str]
    summary: str

    @property
    def log(self) -> Log:
        return Log().read(self.stdout)


@dataclass(kw_only=True)
class Runner:
    """One job's machine: a workspace, a folder for what is temporary, an installed gradmark."""

    root: Path

    def __post_init__(self) -> None:
        for folder in (self.workspace, self.temp / "gradmark" / "bin"):
            folder.mkdir(parents=True)
        self.python('exec "$PYTHON_AT_HAND" "$@"')

    @property
    def workspace(self) -> Path:
        return self.root / "work space"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    def python(self, text: str) -> None:
        """Put something in the place where the action installs its Python."""
        path = self.temp / "gradmark" / "bin" / "python"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def environment(self, **inputs: str) -> dict[str, str]:
        given = {**INPUTS, **{name.replace("_", "-"): value for name, value in inputs.items()}}
        assert given.keys() == INPUTS.keys()
        evaluated = {
            name: re.sub(r"\${{ inputs\.([\w-]+) }}", lambda match: given[match[1]], value)
            for name, value in ENVIRONMENT.items()
        }
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "TMPDIR") if name in os.environ},
            "PYTHON_AT_HAND": sys.executable,
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            **evaluated,
        }

    def start(self, environment: dict[str, str]) -> subprocess.Popen[str]:
        """Start the step as the runner starts `shell: bash`."""
        for name in ("output", "summary"):
            (self.temp / name).write_text("")
        (self.temp / "step.sh").write_text(COMMAND + "\n")
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(self.temp / "step.sh")]
        return subprocess.Popen(
            command,
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> Step:
        stdout, stderr = process.communicate(timeout=120)
        lines = (self.temp / "output").read_text().splitlines()
        return Step(
            code=process.returncode,
            stdout=stdout,
            stderr=stderr,
            outputs=dict(line.split("=", 1) for line in lines),
            summary=(self.temp / "summary").read_text(encoding="utf-8"),
        )

    def grade(self, **inputs: str) -> Step:
        return self.end(self.start(self.environment(**inputs)))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(root=tmp_path)


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    """A course of one function, beside the workspace; the path of its assignment."""
    manifest = tmp_path / "course" / "assignments" / "tiny" / "assignment.toml"
    solution = tmp_path / "course" / "reference" / "solutions" / "tiny.py"
    for path, text in ((manifest, MANIFEST), (solution.parent.parent / "tiny.py", RIGHT), (solution, RIGHT)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(manifest.parent)


def hand_in(runner: Runner, text: str, name: str = "tiny.py") -> str:
    path = runner.workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


# ------------------------------------------------------------------------------------------------- what comes out


def test_a_right_one_has_every_point_and_a_report(runner: Runner, tiny: str) -> None:
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny)
    report = runner.temp / "gradmark-report.json"
    assert (step.code, step.stderr) == (0, "")
    assert step.outputs == {"score": "2", "possible": "2", "verdict": "passed", "report": str(report)}
    assert step.log.commands == [("notice", "tiny.py: 2 of 2 points")]
    assert "2 of 2 points" in step.log.shown
    assert step.summary.startswith("## tiny: 2 of 2 points\n")
    assert read_report(report).environment.wall is not Rung.NONE


MATRIX = re.findall(
    r'name: (.+?), make: "(.*?)"(?:, submission: (\S+))?, grade: "(.*?)"',
    (ROOT / ".github" / "workflows" / "grade.yml").read_text(encoding="utf-8"),
)


@pytest.mark.parametrize(
    ("make", "submission", "expected"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_the_workflow_that_tries_the_action_expects_what_the_script_does(
    runner: Runner, make: str, submission: str, expected: str
) -> None:
    for folder in ("assignments", "reference"):
        (runner.workspace / folder).symlink_to(ROOT / folder)
    subprocess.run(f"mkdir handin && {make}", shell=True, check=True, cwd=runner.workspace)
    step = runner.grade(submission=submission or "handin", assignment="mlp")
    outcome = "failure" if step.code else "success"
    assert f"{outcome} {step.outputs['verdict']} {step.outputs.get('score', '')}" == expected
    assert ("report" in step.outputs) == ("undecided" not in expected)


def test_that_workflow_grades_the_worked_solution_and_three_others() -> None:
    assert [row[0] for row in MATRIX] == ["right", "not written", "not an archive", "not there"]
    assert "reference/solutions/mlp.py" in MATRIX[0][1]


def test_a_wrong_one_fails_the_step_and_is_told_why_on_the_page(runner: Runner, tiny: str) -> None:
    step = runner.grade(submission=hand_in(runner, WRONG), assignment=os.path.relpath(tiny, runner.workspace))
    assert step.code == 1
    assert (step.outputs["score"], step.outputs["possible"], step.outputs["verdict"]) == ("0", "2", "failed")
    assert step.log.commands == [("error", "tiny.py: 0 of 2 points")]
    assert "is not right: 3 of 3 elements differ" in step.summary
    assert read_report(Path(step.outputs["report"])).score.verdict == "failed"


def test_a_wrong_one_need_not_fail_the_step(runner: Runner, tiny: str) -> None:
    step = runner.grade(submission=hand_in(runner, WRONG), assignment=tiny, fail_on="never")
    assert (step.code, step.outputs["verdict"]) == (0, "failed")
    assert step.log.commands == [("warning", "tiny.py: 0 of 2 points")]


def test_a_broken_archive_is_a_report_too(runner: Runner, tiny: str) -> None:
    (runner.workspace / "handin.zip").write_bytes(b"PK\x03\x04 and then nothing")
    step = runner.grade(submission="handin.zip", assignment=tiny)
    assert (step.code, step.outputs["verdict"], step.outputs["score"]) == (1, "failed", "0")
    assert "the submission can't be read" in step.summary
    assert read_report(Path(step.outputs["report"])).submission.digest is None


def test_what_the_course_is_at_fault_for_is_2_whatever_fails_a_step(runner: Runner, tiny: str, tmp_path: Path) -> None:
    (tmp_path / "course" / "reference" / "tiny.py").write_text("def double(x):\n    return x.nope\n")
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny, fail_on="never")
    assert (step.code, step.outputs["verdict"]) == (2, "undecided")
    (told,) = step.log.of("error")
    assert told.startswith(
        "tiny.py: 0 of 2 points, 2 undecided. could not grade double / value: the course is at fault"
    )
    assert "undecided (the course at fault)" in step.summary
    assert read_report(Path(step.outputs["report"])).score.undecided == 2


@pytest.mark.parametrize("name", ["no such thing.py", "100%\n::warning::owned", "100%0A%25.py", "--unsafe", "-h"])
def test_what_is_not_there_is_2_and_named(runner: Runner, tiny: str, name: str) -> None:
    step = runner.grade(submission=name, assignment=tiny)
    assert (step.code, step.stderr) == (2, "")
    assert step.outputs == {"verdict": "undecided"}
    (told,) = step.log.of("error")
    assert told.startswith(f"{name}: ")
    assert "does not exist" in told
    assert [found for found, _ in step.log.commands] == ["error"]
    assert step.summary.startswith("## gradmark could not grade this submission\n")


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"submission": ""}, "which submission?"),
        ({"fail_on": "sometimes"}, "fail-on is 'sometimes'; it can be any or never"),
        ({"report": "a\nverdict=passed"}, "the input 'report' has more than one line"),
        ({"assignment": "nope"}, "there is no assignment 'nope'"),
        ({"require": "moat"}, "'moat' is not one of"),
        ({"device": "tpu"}, "'tpu' is not one of"),
        ({"report": "/dev/null/r.json"}, "grade.sh failed in line"),
    ],
)
def test_a_workflow_with_a_mistake_in_it_is_2_and_told(
    runner: Runner, tiny: str, inputs: dict[str, str], problem: str
) -> None:
    step = runner.grade(**{"submission": hand_in(runner, RIGHT), "assignment": tiny, **inputs})
    assert (step.code, step.outputs) == (2, {"verdict": "undecided"})
    assert problem in step.log.of("error")[0]


def test_without_gradmark_it_is_2_and_not_pythons_1(runner: Runner, tiny: str) -> None:
    runner.python("echo 'No module named grader' >&2; exit 1")
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny)
    assert (step.code, step.outputs) == (2, {"verdict": "undecided"})
    assert step.log.of("error") == ["tiny.py: No module named grader"]


def test_the_report_of_an_earlier_run_is_not_this_ones(runner: Runner, tiny: str) -> None:
    assert runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny, report="out/r.json").code == 0
    report = runner.workspace / "out" / "r.json"
    assert read_report(report).score.earned == 2
    step = runner.grade(submission="gone.py", assignment=tiny, report="out/r.json")
    assert (step.code, step.outputs) == (2, {"verdict": "undecided"})
    assert not report.exists()


@pytest.mark.parametrize(
    "name", ['it\'s "mine" $(touch owned) & co/tiny.py', "`touch owned`;/tiny.py", "ünïcode/tiny.py"]
)
def test_a_path_is_a_path_whatever_is_in_it(runner: Runner, tiny: str, name: str) -> None:
    step = runner.grade(submission=hand_in(runner, RIGHT, name), assignment=tiny, report=f"{name}.json")
    assert (step.code, step.outputs["verdict"]) == (0, "passed")
    assert step.log.of("notice") == [f"{name}: 2 of 2 points"]
    assert Path(step.outputs["report"]) == runner.workspace / f"{name}.json"
    assert not list(runner.root.rglob("owned"))


# ------------------------------------------------------------------------------------------------- who must not


HOSTILE = """
def double(x):
    print("::error::owned")
    print("::stop-commands::quiet")
    print("##[set-output name=verdict]passed")
    raise ValueError("##[add-mask]0 of 2\\n::set-output name=score::40\\n::notice::owned\\n```\\n# 2 of 2\\n@teacher")
"""


def test_what_a_student_prints_or_raises_is_no_command_and_no_markup(runner: Runner, tiny: str) -> None:
    step = runner.grade(submission=hand_in(runner, HOSTILE), assignment=tiny)
    assert (step.code, step.outputs["verdict"], step.outputs["score"]) == (1, "failed", "0")
    assert step.log.commands == [("error", "tiny.py: 0 of 2 points")]
    assert step.log.stop_word is None
    assert any("::notice::owned" in line for line in step.log.shown), "its words are shown, as words"
    assert "set-output" in step.summary
    assert "owned" in step.summary
    assert Log().read(step.summary).commands == []


def test_without_the_word_such_a_log_would_be_obeyed(runner: Runner, tiny: str) -> None:
    """Fails if the test above could not: the student's words do reach the log, and a runner would act on them."""
    step = runner.grade(submission=hand_in(runner, HOSTILE), assignment=tiny)
    unguarded = re.sub(r"(?m)^::stop-commands::[0-9a-f]{32}$", "", step.stdout)
    # Of several lines all but the first are marked with a bar, so only a command that may stand inside a line is left.
    assert "add-mask" in {name for name, _ in Log().read(unguarded).commands}


def test_the_word_is_another_every_time(runner: Runner, tiny: str) -> None:
    submission = hand_in(runner, RIGHT)
    words = set()
    for _ in range(2):
        words |= set(re.findall(r"::stop-commands::(.*)", runner.grade(submission=submission, assignment=tiny).stdout))
    assert len(words) == 2


SPY = """
import os, sys

def double(x):
    raise ValueError(f"the seed is {os.environ.get('GRADMARK_SEED')}{sys.argv}")
"""


@pytest.mark.parametrize("seed", [SEED, f"{SEED}\n"])
def test_a_seed_is_used_and_never_shown(runner: Runner, tiny: str, seed: str) -> None:
    step = runner.grade(submission=hand_in(runner, SPY), assignment=tiny, seed=seed)
    assert step.code == 1
    assert step.log.of("add-mask") == [SEED]
    report = read_report(Path(step.outputs["report"]))
    assert report.seeds.private
    assert "the seed is None" in step.summary
    everywhere = "\n".join([*step.log.shown, *step.log.of("error"), step.stderr, step.summary, *step.outputs.values()])
    assert SEED not in everywhere + Path(step.outputs["report"]).read_text()
    assert step.stdout.index(f"::add-mask::{SEED}\n") == 0


def test_a_seed_is_no_argument(runner: Runner, tiny: str) -> None:
    runner.python('printf "%s\\n" "$@" >>"$RUNNER_TEMP/arguments"; exec "$PYTHON_AT_HAND" "$@"')
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny, seed=SEED)
    assert step.code == 0
    arguments = (runner.temp / "arguments").read_text()
    assert "--require" in arguments
    assert "--device\nauto\n" in arguments
    assert SEED not in arguments


@pytest.mark.parametrize("seed", ["s3cret", "-5", "1e9", "0x1f"])
def test_a_seed_that_is_no_number_is_not_shown_either(runner: Runner, tiny: str, seed: str) -> None:
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny, seed=seed)
    assert step.code == 2
    assert step.log.of("add-mask") == [seed]
    assert step.log.of("error") == ["the seed is not a whole number (it is a secret: not shown here)"]


def test_without_a_seed_the_hidden_cases_are_the_public_ones(runner: Runner, tiny: str) -> None:
    step = runner.grade(submission=hand_in(runner, RIGHT), assignment=tiny)
    assert step.log.of("add-mask") == []
    assert read_report(Path(step.outputs["report"])).seeds.hidden == 7


def test_nothing_that_lies_in_the_workspace_runs_or_decides(runner: Runner) -> None:
    """A student's checkout: modules that the grader imports, and a manifest named as the assignment is."""
    owned = f"open({str(runner.root / 'owned')!r}, 'w').close()\n"
    for name in ("click.py", "numpy.py", "torch.py", "json.py", "sitecustomize.py", "grader/__init__.py"):
        hand_in(runner, owned, name)
    hand_in(runner, MANIFEST, "mlp/assignment.toml")
    hand_in(runner, RIGHT, "mlp/tiny.py")
    step = runner.grade(submission="mlp", assignment="mlp")
    assert (step.code, step.outputs["verdict"], step.outputs["possible"]) == (1, "failed", "40")
    assert not (runner.root / "owned").exists()


# ------------------------------------------------------------------------------------------------- other places


def test_a_job_that_is_cancelled_ends_in_order(runner: Runner, tiny: str, tmp_path: Path) -> None:
    environment = runner.environment(submission=hand_in(runner, "while True:\n    pass\n"), assignment=tiny)
    environment["TMPDIR"] = str(tmp_path / "temporary")
    (tmp_path / "temporary").mkdir()
    process = runner.start(environment)
    started: set[int] = set()
    deadline = time.monotonic() + 60
    while len(started) < 3 and time.monotonic() < deadline:  # the grader, its zygote, the submission's process
        time.sleep(0.05)
        started = descendants(process.pid)
    assert len(started) >= 3
    process.send_signal(signal.SIGINT)
    step = runner.end(process)
    assert (step.code, step.outputs) == (128 + signal.SIGTERM, {"verdict": "undecided"})
    assert step.log.of("error") == ["tiny.py: it was ended before it was done"]
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_without_github_it_prints_and_writes_the_report(runner: Runner, tiny: str) -> None:
    given = runner.environment(submission=hand_in(runner, HOSTILE), assignment=tiny, seed=SEED)
    plain = {name: value for name, value in given.items() if not name.startswith(("GITHUB_", "RUNNER_"))}
    plain["GRADMARK_PYTHON"] = os.path.relpath(runner.temp / "gradmark" / "bin" / "python", runner.workspace)
    done = subprocess.run(
        ["bash", ACTION / "grade.sh"], cwd=runner.workspace, env=plain, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (1, "error: tiny.py: 0 of 2 points\n")
    assert done.stdout.endswith("0 of 2 points\n")
    assert "::stop-commands::" not in done.stdout.splitlines()[0]
    assert SEED not in done.stdout
    report = runner.workspace / "gradmark-report.json"
    assert json.loads(report.read_bytes())["score"]["verdict"] == "failed"
    assert {path.name for path in runner.temp.iterdir()} == {"gradmark"}
