"""Bundles: each is laid out and run here as its platform does, and what it writes is read by that platform's rules.

Gradescope's is run as root in a root directory of its own, with the capabilities that Docker leaves: `Container`. It
takes root to make one; elsewhere these tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import consumer_rules as reads
import pytest
from test_ci_door import Runner, runner
from test_release import kept_back, stripped

import grader
from grader import cli
from grader.assignment import JUDGE_MB, LEAST_MB
from grader.authoring.packaging import Bundle, Platform, bundle
from grader.authoring.scaffold import write_scaffold
from grader.calls import Source
from grader.cli.packages import _PLATFORMS
from grader.findings import Fault, Status
from grader.grading import Session
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import read_report
from grader.sandbox.inprocess import InProcess
from grader.topics import assignment_names, find_manifest

SEED = 861940713552
CODE = Path(grader.__file__).parent.parent
WRONG = """
def scaled_tanh_forward(x, g):
    return x, None


def scaled_tanh_backward(dout, cache):
    return dout, dout
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the platforms grade on Linux")
__all__ = ["runner"]


@dataclass(frozen=True)
class Course:
    """A small one, of 3 points."""

    manifest: Path

    @property
    def solution(self) -> str:
        found = load_assignment(self.manifest).solution
        assert found is not None
        return found.read_text()

    def package(self, platform: str, out: Path, *options: str) -> Path:
        command = ["package", platform, str(self.manifest.parent), "--out", str(out), "--seed", str(SEED), *options]
        assert cli.main(command) == 0
        return out


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(write_scaffold("graphs", "Graphs", tmp_path / "course")[0])


def changed(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


# ------------------------------------------------------------------------------------------------------- what is in it


@pytest.mark.parametrize("platform", Platform)
@pytest.mark.parametrize("name", assignment_names())
def test_no_bundle_holds_a_solution_and_only_a_seed_file_holds_the_seed(name: str, platform: Platform) -> None:
    asked = Bundle(platform=platform, manifest=find_manifest(name), seed=SEED, minutes=10, memory_mb=2048)
    files = bundle(asked)
    solution = load_assignment(asked.manifest).solution
    assert solution is not None
    answers = {answer for answer in kept_back(solution.read_text()) if "\n" in answer}
    for path, file in files.items():
        assert not path.endswith("/seed") or file.mode == 0o600
        if path.endswith((".npz", ".txt")) or "LICENSE" in path:
            continue
        text = file.content.decode()
        assert not re.search(r"@[A-Z_]{3,}@", text), path
        assert (str(SEED) in text) == (path.rpartition("/")[2] == "seed"), path
        # The reference is the definition, and may be written like the solution; it is kept from students.
        assert "/reference/" in path or not [answer for answer in answers if answer in stripped(file.content)], path
        assert file.content != solution.read_bytes(), path
    assert [path for path in files if path.endswith("seed")] == {
        Platform.GRADESCOPE: ["seed"],
        Platform.PRAIRIELEARN: ["question/tests/seed"],
    }.get(platform, [])


def test_the_search_finds_what_was_left_in(course: Course) -> None:
    assert all(answer in stripped(course.solution.encode()) for answer in kept_back(course.solution))


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="there is no shellcheck")
@pytest.mark.parametrize("index", ["", "https://torch.example/cpu"])
def test_shellcheck_has_nothing_to_say(tmp_path: Path, course: Course, index: str) -> None:
    options = ["--torch-index", index] if index else []
    made = course.package("gradescope", tmp_path / "g", *options)
    scripts = [made / "setup.sh", made / "run_autograder"]
    scripts.append(course.package("prairielearn", tmp_path / "p", *options) / "question" / "tests" / "run.sh")
    job = tmp_path / "job.sh"
    job.write_text("#!/bin/sh\n" + script_of(course.package("gitlab", tmp_path / "l", *options)))
    done = subprocess.run(["shellcheck", *scripts, job], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_zip_is_the_same_bytes_every_time_and_keeps_modes(tmp_path: Path, course: Course) -> None:
    one, two = (course.package("gradescope", tmp_path / name) for name in ("one.zip", "two.zip"))
    assert one.read_bytes() == two.read_bytes()
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in zipfile.ZipFile(one).infolist()}
    assert (modes["seed"], modes["run_autograder"], modes["README.md"]) == (0o600, 0o755, 0o644)
    assert "course/assignments/graphs/assignment.toml" in modes


def test_what_is_installed(tmp_path: Path, course: Course) -> None:
    """From pip's index, unless there is a wheel; torch first, where its own index is named, capped as by gradmark."""
    wheel = tmp_path / f"gradmark-{grader.__version__}-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    plain = course.package("gradescope", tmp_path / "plain")
    assert f'"${{pip[@]}}" "gradmark=={grader.__version__}"' in (plain / "setup.sh").read_text()
    options = ["--wheel", str(wheel), "--torch-index", "https://torch.example/cpu"]
    full = course.package("gradescope", tmp_path / "full", *options)
    text = (full / "setup.sh").read_text()
    assert re.search(r'--index-url "https://torch.example/cpu" "torch(<2.14,>=2.11|>=2.11,<2.14)"\n', text)
    assert f'"${{pip[@]}}" "$source/{wheel.name}"' in text
    assert (full / wheel.name).read_bytes() == b"PK"
    question = course.package("prairielearn", tmp_path / "question", *options)
    docker = (question / "image" / "Dockerfile").read_text()
    assert "--index-url" in docker
    assert f'pip "./{wheel.name}"; \\' in docker
    assert (question / "image" / wheel.name).is_file()
    gitlab = course.package("gitlab", tmp_path / "gitlab", *options)
    assert f'pip "course/{wheel.name}"\n' in (gitlab / ".gitlab-ci.yml").read_text()
    assert (gitlab / "course" / wheel.name).is_file()


@pytest.mark.parametrize(
    ("platform", "file", "line"),
    [
        ("gradescope", "run_autograder", "--require seccomp --device cuda "),
        ("prairielearn", "question/tests/run.sh", "--require seccomp --device cuda "),
        ("github", "classroom.yml", "          device: cuda\n"),
        ("gitlab", ".gitlab-ci.yml", "        --device cuda --report"),
    ],
)
def test_which_devices_it_may_use_there(tmp_path: Path, course: Course, platform: str, file: str, line: str) -> None:
    assert line in (course.package(platform, tmp_path / "cuda", "--device", "cuda") / file).read_text()
    assert line.replace("cuda", "auto") in (course.package(platform, tmp_path / "auto") / file).read_text()


PYTHON = """#!/bin/bash
# Has gradmark only where pip has been; is new enough if it is called 3.12.
case "$*" in
    *"sys, grader"*) [[ $0 == */venv/* && -s $0.installed ]] ;;
    *ensurepip*) [[ $0 == *3.12 ]] ;;
    *"-m venv"*) mkdir -p "${@: -1}/bin" && cp "$0" "${@: -1}/bin/python" ;;
    *"pip install"*) echo "${@: -1}" >>"$0.installed" ;;
    *) exit 9 ;;
esac
"""


@pytest.mark.parametrize("apt", [True, False])
def test_setting_up_takes_a_python_that_is_new_enough_or_says_that_there_is_none(
    tmp_path: Path, course: Course, apt: bool
) -> None:
    """With a Python and an apt-get that only say what they are asked: tests install nothing."""
    source, bin_ = course.package("gradescope", tmp_path / "source"), tmp_path / "bin"
    bin_.mkdir()
    install = f"[[ $* != *python3.12-venv* ]] || cp {bin_}/python3 {bin_}/python3.12" if apt else "exit 100"
    for name, text in (("python3", PYTHON), ("apt-get", f"#!/bin/bash\n[[ $1 == update ]] || {{ {install}; }}\n")):
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    for name in ("bash", "chmod", "dirname", "cp", "mkdir"):
        (bin_ / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        [bin_ / "bash", source / "setup.sh"], env={"PATH": str(bin_)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == apt, done.stderr
    if apt:
        assert (tmp_path / "venv/bin/python.installed").read_text() == f"gradmark=={grader.__version__}\n"
    else:
        assert "choose Ubuntu 24.04" in done.stderr


# --------------------------------------------------------------------------------------------------------- Gradescope

DOCKER = (
    *("chown", "dac_override", "fsetid", "fowner", "mknod", "net_raw", "setgid", "setuid", "setfcap", "setpcap"),
    *("net_bind_service", "sys_chroot", "kill", "audit_write"),
)
"""The capabilities that Docker leaves to root."""
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/dev", "/proc")


@dataclass(frozen=True)
class Container:
    """A root directory laid out as Gradescope's, in namespaces of its own, as Docker's root."""

    root: Path
    enter: Callable[[], None] | None = None
    """Called in the process that becomes the container's first."""

    @property
    def home(self) -> Path:
        return self.root / "autograder"

    def build(self, archive: Path) -> subprocess.CompletedProcess[str]:
        """Make the image: unpack, copy run_autograder, run setup.sh."""
        for folder in ("tmp", "autograder/source", "autograder/submission", "autograder/results"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "tmp").chmod(0o1777)
        subprocess.run(["unzip", "-q", archive, "-d", self.home / "source"], check=True)
        shutil.copy(self.home / "source" / "run_autograder", self.home / "run_autograder")
        (self.home / "run_autograder").chmod(0o755)
        return self.run("bash", "/autograder/source/setup.sh")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        shared = [*SYSTEM, sys.prefix, sys.base_prefix, str(CODE)]
        places = [path for path in dict.fromkeys(shared) if os.path.isdir(path)]
        mounts = "".join(f'mkdir -p "$0{path}" && mount --rbind "{path}" "$0{path}" && ' for path in places)
        bounds = ",".join(["-all", *(f"+{name}" for name in DOCKER)])
        begin = (
            f"set -e; {mounts} exec setpriv --bounding-set={bounds} --inh-caps=-all "
            f'chroot "$0" /bin/sh -c \'{_BEGIN}\' "$@"'
        )
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/bin", "PYTHONPATH": str(CODE)}
        return subprocess.run(
            ["unshare", "--mount", "--ipc", "--net", "/bin/bash", "-c", begin, str(self.root), "sh", *command],
            capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL, timeout=900,
            preexec_fn=self.enter,
        )  # fmt: skip

    def grade(self, files: dict[str, str]) -> tuple[reads.Recorded, subprocess.CompletedProcess[str]]:
        """Hand in, run run_autograder, and read results.json as Gradescope does."""
        for name, text in files.items():
            (self.home / "submission" / name).write_text(text)
        done = self.run("/autograder/run_autograder")
        assert done.returncode == 0, done.stderr
        return reads.gradescope((self.home / "results" / "results.json").read_bytes()), done


_BEGIN = 'cd /autograder && exec "$@"'


def _makes_containers() -> bool:
    tools = all(map(shutil.which, ("unshare", "setpriv", "chroot", "unzip")))
    return tools and os.geteuid() == 0 and not subprocess.run(["unshare", "--mount", "true"], check=False).returncode


as_root = pytest.mark.skipif(
    sys.platform != "linux" or not _makes_containers(), reason="a root directory of its own takes root (and unzip)"
)


@pytest.fixture
def container(tmp_path: Path, course: Course) -> Container:
    made = Container(tmp_path / "root")
    built = made.build(course.package("gradescope", tmp_path / "autograder.zip"))
    assert (built.returncode, built.stderr) == (0, "")
    assert "is there already" in built.stdout
    return made


@as_root
def test_gradescope_a_right_one_has_every_point(container: Container, course: Course) -> None:
    temporary = container.root / "tmp"
    before = set(temporary.iterdir())  # where an environment that lies in /tmp is mounted
    recorded, done = container.grade({"graphs.py": course.solution})
    assert (recorded.score, recorded.possible) == (3, 3)
    assert "3 of 3 points" in done.stdout  # for the staff
    assert str(SEED) not in recorded.text + done.stdout + done.stderr
    source = container.home / "source"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (source, *source.rglob("*"))]
    assert not [mode for mode in modes if mode & 0o077]
    assert set(temporary.iterdir()) == before


HOSTILE = """
import atexit, os, sys
import numpy.testing
got = []

def tried(name, attack):
    try:
        got.append(f"{name}: DONE {attack()!r}")
    except BaseException as error:
        got.append(f"{name}: {type(error).__name__}")

def forge():
    with open("/autograder/results/results.json", "w") as file:
        return file.write('{"score": 3, "output": "FORGED"}')

def fork():
    if not os.fork():
        forge()
        os._exit(0)

def imported():
    import linked
    return vars(linked)

tried("forge", forge)
tried("seed", lambda: open("/autograder/source/seed").read())
tried("link", imported)
tried("reference", lambda: open("/autograder/source/course/reference/graphs.py").read())
tried("names", lambda: os.listdir("/autograder"))
tried("judge", lambda: open(f"/proc/{os.getppid()}/environ").read())
tried("environment", lambda: os.environ["GRADMARK_SEED"])
tried("fork", fork)
tried("kill", lambda: os.kill(os.getppid(), 9))
tried("root", lambda: os.setuid(0))
atexit.register(forge)
numpy.testing.assert_allclose = lambda *_, **__: None

def scaled_tanh_forward(x, g):
    if len(sys.argv) > 99:
        return x, None
    raise RuntimeError("; ".join(got))

def scaled_tanh_backward(dout, cache):
    os._exit(0)
"""


@as_root
def test_gradescope_a_hostile_one_changes_nothing_and_reads_nothing(container: Container) -> None:
    (container.home / "submission" / "linked.py").symlink_to("/autograder/source/seed")
    recorded, done = container.grade({"graphs.py": HOSTILE})
    assert (recorded.score, recorded.possible) == (0, 3)
    assert "forge: FileNotFoundError" in recorded.text  # it was tried, and is told so
    assert 'pytest "assignments/graphs/assignment.toml::scaled tanh::forward"' in recorded.text  # as in a handout
    assert not re.search(r"DONE|FORGED|ended before", recorded.text)
    assert str(SEED) not in recorded.text + done.stdout + done.stderr
    assert (container.home / "source" / "seed").read_text() == f"{SEED}\n"


@as_root
def test_gradescope_one_that_ends_its_process_leaves_a_result(container: Container) -> None:
    recorded, _ = container.grade({"graphs.py": "import os\nos._exit(0)\n"})
    assert (recorded.score, recorded.possible) == (0, 3)
    assert "graphs.py can't be loaded" in recorded.text or "ended its process" in recorded.text


# ----------------------------------------------------------------------- what can't be graded; no root is needed here


@dataclass(frozen=True)
class Desk:
    """Gradescope's layout in any folder: run_autograder finds it from where it lies."""

    home: Path

    @classmethod
    def lay(cls, home: Path, course: Course, submission: str) -> Desk:
        home.mkdir()
        course.package("gradescope", home / "source")
        shutil.copy(home / "source" / "run_autograder", home / "run_autograder")
        (home / "submission").mkdir()
        (home / "submission" / "graphs.py").write_text(submission)
        return cls(home)

    def grade(self, **environment: str) -> tuple[reads.Recorded, str]:
        done = subprocess.run(
            [self.home / "run_autograder"],
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            check=True,
        )
        assert str(SEED) not in done.stdout + done.stderr
        recorded = reads.gradescope((self.home / "results" / "results.json").read_bytes())
        assert recorded.possible == 3  # fixed, whatever happens
        return recorded, done.stdout


@pytest.fixture
def desk(tmp_path: Path, course: Course) -> Desk:
    return Desk.lay(tmp_path / "autograder", course, course.solution)


def test_what_was_asked_in_time_counts_and_what_was_not_is_undecided(course: Course) -> None:
    assignment = load_assignment(course.manifest)
    (exercise,) = assignment.exercises
    source = Source(entry="graphs.py", files={"graphs.py": course.solution.encode()})
    session = Session(assignment, InProcess(source, assignment.profile), Oracle(assignment))
    before = session.part(exercise, exercise.parts[0])
    session.until = 0.0
    after = session.part(exercise, exercise.parts[1])
    assert {check.status for check in before.checks} == {Status.PASSED}
    assert {(check.status, check.fault) for check in after.checks} == {(Status.UNDECIDED, Fault.MACHINE)}


def test_with_no_time_at_all_everything_is_undecided(desk: Desk) -> None:
    changed(desk.home / "run_autograder", ("--within 510", "--within 1"))
    recorded, _ = desk.grade()
    assert recorded.score == 0
    assert "3 undecided" in recorded.text
    assert "its time was over before this was asked" in recorded.text


def test_grading_that_hangs_is_ended_and_told(desk: Desk) -> None:
    changed(desk.home / "run_autograder", ("--kill-after=10 570", "--kill-after=10 0.2"))
    recorded, told = desk.grade()
    assert recorded.score == 0
    assert "NOT GRADED: grading took longer than 570 seconds. This is this machine's fault, not yours" in recorded.text
    assert "not graded" in told


def test_a_reference_that_fails_is_the_courses_fault(desk: Desk) -> None:
    changed(desk.home / "source/course/reference/graphs.py", ("return g * torch.tanh(x)", "raise OSError('no')"))
    recorded, _ = desk.grade()
    assert recorded.score == 0
    assert "the course's reference failed" in recorded.text
    assert "3 undecided" in recorded.text


def test_a_manifest_that_does_not_read_is_the_courses_fault(desk: Desk) -> None:
    changed(desk.home / "source/course/assignments/graphs/assignment.toml", ('kind = "layer"', 'kind = "SECRET"'))
    recorded, told = desk.grade()
    assert "This is the course's fault, not yours" in recorded.text
    assert "SECRET" in told  # the staff see where
    assert "SECRET" not in recorded.text


@pytest.mark.parametrize("missing", ["seed", "gradmark", "old results"])
def test_what_is_not_set_up_is_nobodys_zero(desk: Desk, missing: str) -> None:
    """Without its seed nothing is graded by the public one; what lay there before is not taken for a result."""
    (desk.home / "results").mkdir()
    (desk.home / "results" / "results.json").write_text('{"score": 3}')
    (desk.home / "source" / "seed").write_text("" if missing == "seed" else f"{SEED}\n")
    python = desk.home / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    recorded, _ = desk.grade()
    assert recorded.score == 0
    assert "This is the set-up's fault, not yours" in recorded.text


# ------------------------------------------------------------------------------------------------------- PrairieLearn


def lay_question(tmp_path: Path, course: Course, submission: str) -> tuple[Path, dict[str, object]]:
    """/grade as PrairieLearn makes it: tests/ and student/, and no results/; and the question's info.json."""
    made, grade = course.package("prairielearn", tmp_path / "made"), tmp_path / "grade"
    shutil.copytree(made / "question" / "tests", grade / "tests")
    (grade / "student").mkdir()
    (grade / "student" / "graphs.py").write_text(submission)
    return grade, json.loads((made / "question" / "info.json").read_text())


def run_question(grade: Path, info: dict[str, object]) -> reads.Recorded:
    options = info["externalGradingOptions"]
    assert isinstance(options, dict)
    entry = grade / Path(options["entrypoint"]).relative_to("/grade")
    entry.chmod(0o755)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([entry], check=True, capture_output=True, env={**os.environ, "PATH": path}, cwd="/")
    return reads.prairielearn((grade / "results" / "results.json").read_bytes())


def test_prairielearn_grades(tmp_path: Path, course: Course) -> None:
    grade, info = lay_question(tmp_path, course, course.solution)
    recorded = run_question(grade, info)
    assert (recorded.score, len(recorded.tests)) == (1, 2)
    assert str(SEED) not in recorded.text
    assert info["externalGradingOptions"] == {
        "enabled": True, "image": "OWNER/gradmark", "entrypoint": "/grade/tests/run.sh", "timeout": 300,
    }  # fmt: skip


def test_prairielearn_takes_no_attempt_for_what_is_not_the_students_fault(tmp_path: Path, course: Course) -> None:
    grade, info = lay_question(tmp_path, course, WRONG)
    (grade / "tests" / "seed").unlink()
    recorded = run_question(grade, info)
    assert recorded.score is None
    assert "This is the set-up's fault" in recorded.text


def test_a_question_stays_the_same_and_its_page_escapes(course: Course) -> None:
    changed(course.manifest, ('title = "Graphs"', 'title = "Graphs <b> & \\"more\\""'))
    asked = Bundle(platform=Platform.PRAIRIELEARN, manifest=course.manifest, seed=1, minutes=5, memory_mb=2048)
    one, two = bundle(asked), bundle(asked)
    assert one == two
    assert b"<p>Graphs &lt;b> &amp; &quot;more&quot;</p>" in one["question/question.html"].content


# -------------------------------------------------------------------------------------------------------- GitHub


def test_github_the_step_grades_and_the_reporter_reads_it(runner: Runner, tmp_path: Path, course: Course) -> None:
    """The steps of classroom.yml: the action with its inputs, then the command that exports."""
    made = course.package("github", tmp_path / "made")
    workflow = (made / "classroom.yml").read_text()
    shutil.copytree(made / "course", runner.workspace / "course")
    (runner.workspace / "homework").mkdir()
    (runner.workspace / "homework" / "graphs.py").write_text(course.solution)
    given = dict(re.findall(r"(?m)^          (submission|assignment|seed): (.*)$", workflow))
    assert given.pop("seed") == "${{ secrets.HIDDEN_SEED }}"
    step = runner.grade(**given, seed=str(SEED))
    assert (step.code, step.outputs["score"]) == (0, "3")
    (command,) = re.findall(r"(?m)^        run: \|\n((?:          .*\n)+)", workflow)
    environment = {**runner.environment(), "REPORT": step.outputs["report"]}
    (runner.temp / "output").write_text("")
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", textwrap.dedent(command)], check=True, env=environment)
    name, _, result = (runner.temp / "output").read_text().partition("=")
    assert name == "result"
    recorded = reads.github_classroom(result.encode())
    assert (recorded.score, recorded.possible) == (3, 3)
    assert "GRADMARK_RESULTS: ${{ steps.gradmark.outputs.result }}" in workflow
    assert "runners: gradmark\n" in workflow


# -------------------------------------------------------------------------------------------------------- GitLab


def script_of(made: Path) -> str:
    """The one entry of `script:`."""
    (block,) = re.findall(r"(?m)^    - \|\n((?:      .*\n)+)", (made / ".gitlab-ci.yml").read_text())
    return textwrap.dedent(block)


@pytest.mark.parametrize(("right", "code"), [(True, 0), (False, 1)])
def test_gitlab_the_job_grades_and_keeps_report_and_tests(
    tmp_path: Path, course: Course, right: bool, code: int
) -> None:
    """The job's script, with git that finds the course's project beside it; the student has laid a trap."""
    made, project, private = course.package("gitlab", tmp_path / "made"), tmp_path / "project", tmp_path / "private"
    project.mkdir()
    (project / "graphs.py").write_text(course.solution if right else WRONG)
    (project / "click.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "victim").write_text("mine")
    (project / "gradmark-report.json").symlink_to(tmp_path / "victim")
    shutil.copytree(made / "course", private / "GROUP" / "COURSE.git")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(private / "GROUP" / "COURSE.git")]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "course"]):
        subprocess.run([*git, *command], check=True)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(CODE),
        "CI_PROJECT_DIR": str(project), "CI_SERVER_HOST": "gitlab.example", "COURSE": "GROUP/COURSE",
        "COURSE_TOKEN": "t0ken", "GRADMARK_SEED": str(SEED), "TMPDIR": str(tmp_path),
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{private}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://gradmark:t0ken@gitlab.example/",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-c", script_of(made)], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert (tmp_path / "victim").read_text() == "mine"
    assert read_report(project / "gradmark-report.json").score.earned == (3 if right else 0)
    recorded = reads.junit((project / "gradmark-junit.xml").read_bytes())
    assert (recorded.score, recorded.possible) == (3 if right else 0, 3)
    assert not [secret for secret in (str(SEED), "t0ken") if secret in done.stdout + done.stderr]
    assert not list(tmp_path.glob("tmp*"))


# ----------------------------------------------------------------------------------------------------- the command


def test_the_command_names_every_platform() -> None:
    assert list(_PLATFORMS) == list(Platform)


def test_a_seed_is_made_where_none_is_given_and_said_once(
    tmp_path: Path, course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRADMARK_SEED", raising=False)
    command = ["package", "gradescope", str(course.manifest.parent), "--out"]
    assert cli.main([*command, str(tmp_path / "one")]) == 0
    made = (tmp_path / "one" / "seed").read_text().strip()
    captured = capsys.readouterr()
    assert f"the hidden seed is {made}. Keep it." in captured.err
    assert made not in captured.out
    monkeypatch.setenv("GRADMARK_SEED", "77")
    assert cli.main([*command, str(tmp_path / "two")]) == 0
    assert (tmp_path / "two" / "seed").read_text() == "77\n"
    assert "77" not in capsys.readouterr().err.replace(str(tmp_path), "")


WRONG_INPUT = {
    "no such topic": (["gradescope", "nope"], "there is no assignment 'nope'"),
    "no such platform": (["moodle", "mlp"], "'moodle' is not one of"),
    "no place for the judge": (
        ["gradescope", "mlp", "--memory", "500"],
        f"gradmark takes {JUDGE_MB}, a submission {LEAST_MB}; choose a larger container",
    ),
    "too long": (["prairielearn", "mlp", "--minutes", "11"], "between 2 and 10 minutes"),
    "memory of a runner": (["github", "mlp", "--memory", "500"], "the runner has what it has"),
    "no wheel of ours": (["gradescope", "mlp", "--wheel", "{here}/other-1.0-py3-none-any.whl"], "no wheel of gradmark"),
    "a wheel for the action": (["github", "mlp", "--wheel", "{here}/other-1.0-py3-none-any.whl"], "takes no wheel"),
    "no index": (["gradescope", "mlp", "--torch-index", 'x"; rm -rf /'], "is not the address of an index"),
    "a folder for shells": (["gradescope", "{here}/a b"], "can't be named in a script"),
    "there already": (["gradescope", "mlp", "--out", "{here}/there"], "is there already"),
}


@pytest.mark.parametrize(("arguments", "told"), WRONG_INPUT.values(), ids=WRONG_INPUT)
def test_wrong_input_is_one_message(
    tmp_path: Path, course: Course, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").touch()
    (tmp_path / "other-1.0-py3-none-any.whl").touch()
    shutil.copytree(course.manifest.parent, tmp_path / "a b")
    shutil.copytree(
        course.manifest.parent.parent.parent / "reference", tmp_path.parent / "reference", dirs_exist_ok=True
    )
    given = [argument.replace("{here}", str(tmp_path)) for argument in arguments]
    out = [] if "--out" in given else ["--out", str(tmp_path / "new")]
    assert cli.main(["package", *given, *out]) == 2
    captured = capsys.readouterr()
    assert told in " ".join(captured.err.split())
    assert "Traceback" not in captured.err
    assert not (tmp_path / "new").exists()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("seconds", "memory", "total", "room"),
    [(None, None, 120, 2048), (300, 768, 100, 256), (3000, 9000, 120, 2048)],
)
def test_limits_are_fitted_to_a_machine(seconds: float | None, memory: int | None, total: float, room: int) -> None:
    fitted = load_assignment(find_manifest("mlp")).fitted(seconds=seconds, memory_mb=memory)
    assert (fitted.limits.total_seconds, fitted.limits.memory_mb) == (total, room)


def test_a_machine_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match=f"a submission {LEAST_MB}"):
        load_assignment(find_manifest("mlp")).fitted(memory_mb=JUDGE_MB + LEAST_MB - 1)
