"""Where the topics are: beside the package in a checkout, inside it in an installed wheel.

A topic is a folder `assignments/<name>/` with its assignment.toml, and `reference/` with the torch functions, the
worked solutions and the data. Paths only; nothing here reads a file.
"""

from __future__ import annotations

from pathlib import Path

from grader.errors import CourseError

__all__ = ["assignment_names", "find_manifest", "reference_folder", "submissions_folder"]

_PACKAGE = Path(__file__).resolve().parent


def find_manifest(name_or_path: str) -> Path:
    """Path of the assignment.toml for a topic's name, a folder or the file itself.

    A topic's name is that topic, also where a folder of the same name lies here: it may have been handed in (`./mlp` is
    the folder).

    Raises:
        CourseError: there is none.
    """
    if name_or_path in assignment_names():
        return _home() / "assignments" / name_or_path / "assignment.toml"
    path = Path(name_or_path)
    if path.is_dir() and (path / "assignment.toml").is_file():
        return path / "assignment.toml"
    if path.is_file() and path.suffix == ".toml":
        return path
    raise CourseError(
        f"there is no assignment {name_or_path!r}: give a folder that holds an assignment.toml, "
        f"or one of {', '.join(assignment_names()) or 'none'}"
    )


def assignment_names() -> tuple[str, ...]:
    """Names of the topics that came with gradmark."""
    return tuple(sorted(path.parent.name for path in (_home() / "assignments").glob("*/assignment.toml")))


def reference_folder(manifest: Path) -> Path:
    """Folder of the torch references for this manifest: `reference/` of its own course, else the shipped one."""
    own = manifest.resolve().parent.parent.parent / "reference"
    return own if own.is_dir() else _home() / "reference"


def submissions_folder() -> Path:
    """Folder of the submissions, wrong and right, that gradmark is tested with (`<topic>/<slip>/`)."""
    checkout = _PACKAGE.parent / "tests" / "submissions"
    return checkout if checkout.is_dir() else _PACKAGE / "_topics" / "submissions"


def _home() -> Path:
    checkout = _PACKAGE.parent
    return checkout if (checkout / "assignments").is_dir() else _PACKAGE / "_topics"
