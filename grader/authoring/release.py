"""What is handed out: stubs, lessons and public cases, with what it takes to run them; nothing that gives answers away.

A handout is a course like any other, so `pytest` in it grades what is written so far, and a report from it is one like
every other. It is made of the instructor's, without

    the worked solution   the stub is cut from it anew, whatever lies in the assignment's folder meanwhile
    the slips             they are written as code
    hidden cases          out of the manifest, and with them parts that only they are asked for

The reference stays: it is the definition, in torch, that the lesson gives in words, and without it there is nothing to
compare with. Who reads it can copy a forward pass of a line or two; what is to be derived (backward passes) or done
with the numbers (steps of an optimizer that torch has) does not stand in it. The seed of the public cases stays too,
the data, and what runs beside the students' code. Hidden cases want a private seed (`grader grade --seed`), which
stands in no file.

Manifests are edited as text, so that their comments stay; then the result is read and held against the original.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from grader import __version__
from grader.assignment import Assignment, Exercise
from grader.authoring.stubs import cut_stub
from grader.errors import CourseError, MachineError, ManifestError
from grader.manifest import load_assignment
from grader.topics import reference_folder

__all__ = ["handout", "public_manifest", "reference_files", "write_handout"]

_HEADER = re.compile(r"^\s*\[\[?\s*(?P<key>[A-Za-z0-9_.\- ]+?)\s*\]\]?\s*(#.*)?$")
_KEPT_BACK = re.compile(r"^\s*(solution|slips)\s*=")
_POINTS = re.compile(r"^(?P<start>\s*points\s*=\s*)\{[^{}\n]*\}(?P<rest>.*)$", re.MULTILINE)

_README = """# {title}

{topics}

You need Python 3.11 or newer, and gradmark {version}: `pip install "gradmark=={version}"`. Then, in this folder,

    pytest                         # everything: what is right, what is not, and why
    pytest assignments/{first}{pad}# one topic

Each topic is a folder with its lesson (README.md) and the file that you edit. What you hand in is graded in the same
way, with cases that are not in here too.
"""


def write_handout(manifests: Sequence[Path], out: Path) -> tuple[str, ...]:
    """Write a handout: a folder, or a zip where the name ends in .zip.

    Args:
        manifests: of the topics that are handed out.
        out: must not exist, or be an empty folder.

    Returns:
        What was written, by POSIX path.

    Raises:
        FileExistsError: something lies where the handout would.
        CourseError: a manifest or a solution is at fault.
        MachineError: it can't be written.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir()) and out.suffix != ".zip"):
        raise FileExistsError(f"{out} is there already: a handout is written into a folder of its own")
    files = handout(manifests)
    try:
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".handout-") as folder:
            made = Path(folder) / "handout"
            _folder(files, made)
            _check(manifests, made)
            if out.suffix == ".zip":
                made = _zip(files, out.stem, Path(folder) / "handout.zip")
            elif out.is_dir():
                out.rmdir()
            made.rename(out)
    except OSError as error:
        raise MachineError(f"{out} can't be written: {error.strerror or error}") from error
    return tuple(files)


def handout(manifests: Sequence[Path]) -> dict[str, bytes]:
    """The files of a handout by POSIX path.

    Raises:
        CourseError: a manifest or a solution is at fault, or two topics need different files of one name.
    """
    files: dict[str, bytes] = {}
    assignments = [load_assignment(manifest) for manifest in manifests]
    for assignment in assignments:
        for path, content in _files(assignment):
            if files.setdefault(path, content) != content:
                raise CourseError(f"{path} is another file for {assignment.name} than for a topic before it")
    files["README.md"] = _readme(assignments).encode()
    files["pytest.ini"] = b"[pytest]\ntestpaths = assignments\n"
    return dict(sorted(files.items()))


def _readme(assignments: Sequence[Assignment]) -> str:
    title = assignments[0].title if len(assignments) == 1 else "Hand-written deep learning"
    width = max(len(assignment.name) for assignment in assignments)
    topics = "\n".join(f"- {assignment.name:<{width}}  {assignment.title}" for assignment in assignments)
    first = assignments[0].name
    pad = " " * max(1, len("pytest") + 25 - len(f"pytest assignments/{first}"))
    return _README.format(title=title, topics=topics, version=__version__, first=first, pad=pad)


def _files(assignment: Assignment) -> Iterator[tuple[str, bytes]]:
    manifest, home = assignment.manifest, f"assignments/{assignment.manifest.parent.name}"
    text = manifest.read_text(encoding="utf-8")
    yield f"{home}/assignment.toml", public_manifest(text, assignment).encode()
    lesson = manifest.parent / "README.md"
    if lesson.is_file():
        yield f"{home}/README.md", lesson.read_bytes()
    stub = _stub(assignment)
    if stub is not None:
        yield f"{home}/{assignment.file}", stub
    yield from reference_files(assignment)


def reference_files(assignment: Assignment, *more: str) -> Iterator[tuple[str, bytes]]:
    """What an assignment needs of the reference folder, by its path in a course.

    Args:
        assignment: the assignment.
        more: further keys of its manifest that name a file there.
    """
    folder, raw = reference_folder(assignment.manifest), tomllib.loads(assignment.manifest.read_text(encoding="utf-8"))
    keys = ("reference", "adapter", "data", *more)
    for name in filter(None, [*(raw.get(key) for key in keys), *raw.get("given", {}).values()]):
        yield f"reference/{PurePosixPath(name)}", (folder / name).read_bytes()
    if assignment.data is not None:
        for licence in sorted(assignment.data.parent.glob("LICENSE*")):
            yield f"reference/{PurePosixPath(raw['data']).parent / licence.name}", licence.read_bytes()


def _stub(assignment: Assignment) -> bytes | None:
    """What students edit; None where they bring their own files."""
    if assignment.solution is not None and not assignment.more_files:
        try:
            return cut_stub(assignment.solution.read_text(encoding="utf-8")).encode()
        except CourseError as error:
            raise CourseError(f"{assignment.solution}: {error}") from error
    stub = assignment.manifest.parent / assignment.file
    return stub.read_bytes() if stub.is_file() and not assignment.more_files else None


# ------------------------------------------------------------------------------------------------------- the manifest


def public_manifest(text: str, assignment: Assignment) -> str:
    """The text of a manifest without its hidden cases, and without the keys that name solution and slips.

    Raises:
        ManifestError: a hidden case is not a table of its own, or the points of a part that goes are not in one line.
    """
    kept = []
    exercises = {exercise.name: exercise for exercise in assignment.exercises}
    for exercise, lines in _exercises(text):
        if exercise is None:
            kept += [line for line in lines if not _KEPT_BACK.match(line)]
        elif any(not case.hidden for case in exercises[exercise].cases):
            kept += _public(lines, exercises[exercise], assignment)
    return "\n".join(kept).rstrip("\n") + "\n"


def _exercises(text: str) -> Iterator[tuple[str | None, list[str]]]:
    """The lines of each exercise by its name; first those before any."""
    parts: list[list[str]] = [[]]
    for key, lines in _blocks(text):
        if key == "exercise":
            parts.append([])
        parts[-1] += lines
    yield None, parts[0]
    for lines in parts[1:]:
        yield tomllib.loads("\n".join(lines))["exercise"][0]["name"], lines


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Tables by their key, each with the comments above it."""
    key, lines, above = "", list[str](), list[str]()
    for line in text.split("\n"):
        header = _HEADER.match(line)
        if header:
            yield key, lines
            key, lines, above = header["key"].replace(" ", ""), [*above, line], []
        elif not line.strip() or line.lstrip().startswith("#"):
            above.append(line)
        else:
            lines, above = [*lines, *above, line], []
    yield key, [*lines, *above]


def _public(lines: list[str], exercise: Exercise, assignment: Assignment) -> list[str]:
    """One exercise without its hidden cases."""
    kept, dropping = list[str](), False
    for key, block in _blocks("\n".join(lines)):
        if key == "exercise.case":
            dropping = bool(tomllib.loads("\n".join(block))["exercise"]["case"][0].get("hidden", False))
        elif not key.startswith("exercise.case."):
            dropping = False
        if not dropping:
            kept += block
    gone = [part.name for part in exercise.parts if all(case.hidden for case, _ in part.checks)]
    text = "\n".join(kept)
    if gone:
        left = ", ".join(f"{part.name} = {float(part.points):g}" for part in exercise.parts if part.name not in gone)
        text, count = _POINTS.subn(lambda match: f"{match['start']}{{ {left} }}{match['rest']}", text)
        if count != 1:
            where, problem = f"exercise {exercise.name}.points", "must stand in one line, so that it can be handed out"
            raise ManifestError(str(assignment.manifest), where, problem)
    return text.split("\n")


def _check(manifests: Sequence[Path], folder: Path) -> None:
    """What was written reads as the instructor's, but for what was kept back.

    Raises:
        ManifestError: it does not: the manifest is written in a way that this does not understand.
    """
    for manifest in manifests:
        whole = load_assignment(manifest)
        try:
            public = load_assignment(folder / "assignments" / manifest.parent.name / "assignment.toml").exercises
        except ManifestError:
            public = ()
        if public != tuple(filter(None, map(_without_hidden, whole.exercises))):
            problem = "can't be handed out: write each hidden case as a table of its own, [[exercise.case]]"
            raise ManifestError(str(manifest), "exercise", problem)


def _without_hidden(exercise: Exercise) -> Exercise | None:
    """An exercise as it must read in a handout; None if nothing is left of it."""
    parts = [
        replace(part, checks=tuple((case, aspect) for case, aspect in part.checks if not case.hidden))
        for part in exercise.parts
    ]
    cases = tuple(case for case in exercise.cases if not case.hidden)
    return replace(exercise, cases=cases, parts=tuple(part for part in parts if part.checks)) if cases else None


# -------------------------------------------------------------------------------------------------------- the files


def _folder(files: dict[str, bytes], made: Path) -> None:
    for path, content in files.items():
        target = made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _zip(files: dict[str, bytes], top: str, made: Path) -> Path:
    """The same handout is the same bytes: no times, no owners."""
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"{top}/{path}", (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return made
