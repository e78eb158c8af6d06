"""Autograder bundles: what a platform needs to grade an assignment, ready to upload (`grader package`).

    gradescope     a zip: setup.sh, run_autograder, the course, the hidden seed
    prairielearn   question/ (its tests/ hold the course and the seed) and image/, from which the container is built
    github         classroom.yml for the students' repositories, course/ for a private one; the seed is a secret
    gitlab         .gitlab-ci.yml for a project of its own, course/ for a private one; the seed is a masked variable

The scripts and texts are files of the folder bundles/, with @NAMES@ that are filled in here. The course is the
instructor's without its worked solution, which grading does not need: manifest, reference, slips, data, and what runs
beside the students' code. On the first two platforms the scripts run as root, close the course to everybody else
before anything of a student's is looked at, and grade with a time and a memory that fit the container.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import stat
import tempfile
import tomllib
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final, assert_never

from grader import __version__
from grader.assignment import Assignment
from grader.authoring.release import reference_files
from grader.errors import MachineError, ManifestError
from grader.manifest import load_assignment
from grader.report.console import points
from grader.settings import Device

__all__ = ["Bundle", "Contained", "Platform", "bundle", "write_bundle"]

_TEMPLATES: Final = Path(__file__).parent / "bundles"
_SECRET: Final = 0o600
_SCRIPT: Final = 0o755
_PLAIN: Final = 0o644
_RESERVE: Final = 30
"""Seconds before the platform's time is over, at which grading is ended by force."""
_WITHIN: Final = 0.85
"""Share of the platform's time after which nothing more is asked."""
_HOSTILE_TO_SHELLS: Final = re.compile(r"[^\w.:/~+=-]", re.ASCII)


class Platform(StrEnum):
    """Where a bundle goes."""

    GRADESCOPE = "gradescope"
    PRAIRIELEARN = "prairielearn"
    GITHUB = "github"
    GITLAB = "gitlab"

    @property
    def holds_seed(self) -> bool:
        """Whether the seed is in a file of the bundle; elsewhere it is a secret of the platform."""
        return self in (Platform.GRADESCOPE, Platform.PRAIRIELEARN)

    @property
    def minutes(self) -> int:
        """That one grading may take there, unless asked for otherwise."""
        return {self.GRADESCOPE: 10, self.PRAIRIELEARN: 5, self.GITHUB: 20, self.GITLAB: 20}[self]

    @property
    def most_minutes(self) -> int:
        """That the platform gives at most."""
        return {self.GRADESCOPE: 40, self.PRAIRIELEARN: 10, self.GITHUB: 360, self.GITLAB: 360}[self]

    @property
    def memory_mb(self) -> int:
        """Of its smallest container."""
        return {self.GRADESCOPE: 768, self.PRAIRIELEARN: 2048, self.GITHUB: 16384, self.GITLAB: 4096}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What is asked for."""

    platform: Platform
    manifest: Path
    seed: int
    minutes: int
    memory_mb: int
    wheel: Path | None = None
    """Of gradmark, which is then installed from it."""
    torch_index: str = ""
    """Where pip finds builds of torch without CUDA."""
    device: Device = Device.AUTO
    """Which devices it may use there."""

    @property
    def topic(self) -> str:
        """Name of the assignment's folder."""
        return self.manifest.resolve().parent.name

    def __post_init__(self) -> None:
        if not 2 <= self.minutes <= self.platform.most_minutes:
            raise ValueError(f"{self.platform} gives between 2 and {self.platform.most_minutes} minutes")
        if self.wheel and self.platform is Platform.GITHUB:
            raise ValueError("on GitHub the action installs the gradmark that it came with: it takes no wheel")
        if self.wheel and not re.fullmatch(rf"gradmark-{re.escape(__version__)}-[\w.-]+\.whl", self.wheel.name):
            raise ValueError(f"{self.wheel} is no wheel of gradmark {__version__}")
        if _HOSTILE_TO_SHELLS.search(self.topic):
            raise ValueError(f"the folder {self.topic!r} can't be named in a script: letters, digits, . - and _ only")
        if self.torch_index and _HOSTILE_TO_SHELLS.search(self.torch_index):
            raise ValueError(f"{self.torch_index!r} is not the address of an index")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """A file of a bundle."""

    content: bytes
    mode: int = _PLAIN


def write_bundle(asked: Bundle, out: Path) -> tuple[str, ...]:
    """Write a bundle: a folder, or a zip where the name ends in .zip. For its owner's eyes alone: it may hold the seed.

    Args:
        asked: what.
        out: must not exist, or be an empty folder.

    Returns:
        What was written, by POSIX path.

    Raises:
        FileExistsError: something lies where the bundle would.
        ValueError: the assignment does not fit the container.
        CourseError: the manifest is at fault.
        MachineError: it can't be written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir()) and out.suffix != ".zip"):
        raise FileExistsError(f"{out} is there already: a bundle is written into a place of its own")
    files = bundle(asked)
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".bundle-") as folder:
            made = Path(folder) / "bundle"
            _folder(files, made)
            _check(asked.manifest, made)
            if out.suffix == ".zip":
                made = _zip(files, Path(folder) / "bundle.zip")
            elif out.is_dir():
                out.rmdir()
            made.rename(out)
    except OSError as error:
        raise MachineError(f"{out} can't be written: {error.strerror or error}") from error
    return tuple(files)


def bundle(asked: Bundle) -> dict[str, Contained]:
    """The files of a bundle by POSIX path.

    Raises:
        ValueError: the assignment does not fit the container.
        CourseError: the manifest is at fault.
    """
    assignment = load_assignment(asked.manifest)
    try:
        assignment.fitted(memory_mb=asked.memory_mb)
    except ValueError as error:
        raise ValueError(f"{error}; choose a larger container, and tell of it with --memory") from None
    match asked.platform:
        case Platform.GRADESCOPE:
            files = _gradescope(asked, assignment)
        case Platform.PRAIRIELEARN:
            files = _prairielearn(asked, assignment)
        case Platform.GITHUB:
            files = _github(asked, assignment)
        case Platform.GITLAB:
            files = _gitlab(asked, assignment)
        case _:
            assert_never(asked.platform)
    return dict(sorted(files))


# ------------------------------------------------------------------------------------------------------ the platforms

_Files = Iterator[tuple[str, Contained]]


def _gradescope(asked: Bundle, assignment: Assignment) -> _Files:
    words = _words(asked, assignment)
    refused = {"score": 0, "output": "%s", "stdout_visibility": "hidden"}
    test = {"name": "NOT GRADED", "score": 0, "max_score": float(assignment.points), "status": "failed", "output": "%s"}
    yield "README.md", _filled("gradescope.md", words)
    yield "setup.sh", _filled("setup.sh", words, _SCRIPT)
    yield (
        "run_autograder",
        _filled(
            "autograde.sh",
            words
            | {
                "PLATFORM": "Gradescope",
                "FORMAT": "gradescope",
                "UP": "",
                "SOURCE": "source",
                "SUBMISSION": "submission",
                "STAFF": "The 0 beside it stands there as Gradescope wants a number. Tell the course's staff.",
                "NOT_GRADED": json.dumps({**refused, "tests": [test]}),
            },
            _SCRIPT,
        ),
    )
    yield "seed", Contained(content=f"{asked.seed}\n".encode(), mode=_SECRET)
    yield from _wheel(asked, "")
    yield from _course(assignment, "course/")


def _prairielearn(asked: Bundle, assignment: Assignment) -> _Files:
    words = _words(asked, assignment)
    yield "README.md", _filled("prairielearn.md", words)
    yield "image/Dockerfile", _filled("Dockerfile", words)
    yield from _wheel(asked, "image/")
    yield "question/question.html", _filled("question.html", {name: _html(text) for name, text in words.items()})
    yield "question/info.json", Contained(content=json.dumps(_question(asked, assignment), indent=2).encode() + b"\n")
    yield (
        "question/tests/run.sh",
        _filled(
            "autograde.sh",
            words
            | {
                "PLATFORM": "PrairieLearn",
                "FORMAT": "prairielearn",
                "UP": "/..",
                "SOURCE": "tests",
                "SUBMISSION": "student",
                "STAFF": "No attempt is used. Tell the staff of the course.",
                "NOT_GRADED": json.dumps({"gradable": False, "message": "%s", "format_errors": ["%s"]}),
            },
            _SCRIPT,
        ),
    )
    yield "question/tests/seed", Contained(content=f"{asked.seed}\n".encode(), mode=_SECRET)
    yield from _course(assignment, "question/tests/course/")


def _question(asked: Bundle, assignment: Assignment) -> dict[str, object]:
    """info.json of a question. It is the same question when it is packaged again."""
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"gradmark:{assignment.name}:{assignment.title}")),
        "title": assignment.title,
        "topic": "Deep learning",
        "type": "v3",
        "gradingMethod": "External",
        "singleVariant": True,
        "externalGradingOptions": {
            "enabled": True,
            "image": "OWNER/gradmark",
            "entrypoint": "/grade/tests/run.sh",
            "timeout": 60 * asked.minutes,
        },
    }


def _github(asked: Bundle, assignment: Assignment) -> _Files:
    words = _words(asked, assignment)
    yield "README.md", _filled("github.md", words)
    yield "classroom.yml", _filled("classroom.yml", words)
    yield from _course(assignment, "course/")


def _gitlab(asked: Bundle, assignment: Assignment) -> _Files:
    words = _words(asked, assignment)
    yield "README.md", _filled("gitlab.md", words)
    yield ".gitlab-ci.yml", _filled("gitlab-ci.yml", words)
    yield from _wheel(asked, "course/")
    yield from _course(assignment, "course/")


# ---------------------------------------------------------------------------------------------------------- the words


def _words(asked: Bundle, assignment: Assignment) -> dict[str, str]:
    """What stands in the place of the @NAMES@."""
    seconds, handed_in = 60 * asked.minutes, (assignment.file, *assignment.more_files)
    torch = next(text for text in importlib.metadata.requires("gradmark") or () if text.startswith("torch"))
    where, pip = {
        Platform.GRADESCOPE: ("$source/", '"${pip[@]}"'),
        Platform.PRAIRIELEARN: ("./", "pip"),
        Platform.GITHUB: ("", ""),
        Platform.GITLAB: ("course/", "pip"),
    }[asked.platform]
    note = (
        ""
        if asked.torch_index
        else "It is several gigabytes: `--torch-index` names where pip finds torch without CUDA."
    )
    return {
        "VERSION": __version__,
        "TITLE": assignment.title,
        "NAME": assignment.name,
        "POSSIBLE": points(float(assignment.points)),
        "FILES": ", ".join(f"`{name}`" for name in handed_in),
        "UPLOADS": ", ".join(PurePosixPath(name).name for name in handed_in),
        "MINUTES": str(asked.minutes),
        "MEMORY": str(asked.memory_mb),
        "CONTAINER": f"of {asked.memory_mb} MB",
        "WITHIN": str(int(seconds * _WITHIN)),
        "STOP": str(seconds - _RESERVE),
        "MANIFEST": f"assignments/{asked.topic}",
        "TORCH": f'{pip} --index-url "{asked.torch_index}" "{torch}"' if asked.torch_index else "",
        "TORCH_NOTE": note,
        "DEVICE": str(asked.device),
        "GRADMARK": f'"{where}{asked.wheel.name}"' if asked.wheel else f'"gradmark=={__version__}"',
    }


def _filled(template: str, words: Mapping[str, str], mode: int = _PLAIN) -> Contained:
    """A template with its words; a line that has nothing but an empty one is left out."""
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, word in words.items():
        if not word:
            text = re.sub(rf"(?m)^ *@{name}@(?:; \\| \\)?\n", "", text)
        text = text.replace(f"@{name}@", word)
    return Contained(content="\n".join(line.rstrip() for line in text.split("\n")).encode(), mode=mode)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


# --------------------------------------------------------------------------------------------------------- the course


def _course(assignment: Assignment, folder: str) -> _Files:
    """What grading needs of a course: all but the worked solution."""
    home = f"{folder}assignments/{assignment.manifest.resolve().parent.name}"
    manifest = _without_solution(assignment.manifest.read_text(encoding="utf-8"))
    yield f"{home}/assignment.toml", Contained(content=manifest.encode())
    for path, content in reference_files(assignment, "slips"):
        yield f"{folder}{path}", Contained(content=content)


def _without_solution(text: str) -> str:
    """A manifest without the key that names the worked solution."""
    top, header, rest = text.partition("\n[")
    return re.sub(r"(?m)^\s*solution\s*=.*\n?", "", top) + header + rest


def _check(manifest: Path, folder: Path) -> None:
    """The course of a bundle is the instructor's, but for the solution.

    Raises:
        ManifestError: it is not: the manifest is written in a way that this does not understand.
    """
    whole = load_assignment(manifest)
    (found,) = folder.rglob("assignment.toml")
    if "solution" in tomllib.loads(found.read_text(encoding="utf-8")):
        raise ManifestError(str(manifest), "solution", "must stand in a line of its own, so that it can be left out")
    packed = load_assignment(found)
    if (packed.exercises, packed.limits, packed.adapter) != (whole.exercises, whole.limits, whole.adapter):
        raise ManifestError(str(manifest), "", "does not read the same without its key solution")


def _wheel(asked: Bundle, folder: str) -> _Files:
    if asked.wheel is None:
        return
    try:
        yield f"{folder}{asked.wheel.name}", Contained(content=asked.wheel.read_bytes())
    except OSError as error:
        raise MachineError(f"{asked.wheel} can't be read: {error.strerror or error}") from error


# ---------------------------------------------------------------------------------------------------------- the files


def _folder(files: Mapping[str, Contained], made: Path) -> None:
    made.mkdir(mode=0o700)
    for path, file in files.items():
        target = made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=_SECRET)
        target.write_bytes(file.content)
        target.chmod(file.mode)


def _zip(files: Mapping[str, Contained], made: Path) -> Path:
    """What must lie at its top lies there. The same bundle is the same bytes: no times, no owners."""
    made.touch(mode=_SECRET)
    with zipfile.ZipFile(made, "w") as archive:
        for path, file in files.items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | file.mode) << 16  # 3: modes are Unix's
            archive.writestr(entry, file.content, zipfile.ZIP_DEFLATED)
    return made
