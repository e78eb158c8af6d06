"""What the downloads of learning platforms call a hand-in: names to students, nothing opened.

Each platform names what it packs in one place of its source, and that is what is followed here:

    Canvas      instructure/canvas-lms, lib/content_zipper.rb: files side by side, "doejane_1234_5678_mlp.py" of the
                user's name in lower case, user and attachment; "doejane_LATE_1234_5678_mlp.py" after the deadline (in
                earlier versions "doe--jane-late_1234_5678_mlp.py"); "anon_Xy3zQ_5678_mlp.py" where students are
                anonymous; "doejane_1234_text.html" and "_link.html" for what was typed in. Of a group there is one
                member's, under the group's name. A file name the student used before gets "-1", "-2", ... and from the
                eighth on a UUID (app/models/attachment.rb, make_unique_filename). Only the last attempt is packed.
    Moodle      moodle/moodle, mod/assign/classes/downloader.php (earlier mod/assign/locallib.php): a folder
                "Jane Doe_1234_assignsubmission_file" (earlier with one more "_") of the full name and the participant's
                number, which is the group's in team assignments and missing for who is in none; or, where folders are
                switched off, files "Jane Doe_1234_assignsubmission_file_mlp.py". What was typed in is
                "assignsubmission_onlinetext". Only the last attempt is packed, late or not: it doesn't say.
    Gradescope  folders "submission_1234" beside submission_metadata.yml, which holds for each the submitters, several
                for a group, and when it was made. Only the active submission is packed, which is the last unless
                somebody chose another; the others are in its history, without files. It doesn't say what is late.
                Nothing of this is documented; sjinang/temp0, submission_metadata.yml is a real one.

submission_metadata.yml is YAML, which this package depends on nothing to read, and it carries what autograders printed,
tens of megabytes for a large class. Ruby's Psych writes it, always alike: a submission is a key at the margin, its
fields are indented by two, what a field holds by more, and a text of several lines by more still, so that nothing a
student wrote can look like a field. (At the margin stand besides just the quote that ends a text, and "..." between
batches.) Those fields are therefore read line by line, and whatever looks otherwise tells nothing: the folder's name is
then the student's id, which is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from grader.archive import printable

__all__ = ["METADATA", "Export", "Label", "Layout", "Submitter", "labels", "layout_of", "read_metadata", "unnumbered"]

METADATA = "submission_metadata.yml"

_LONGEST = 300
"""Of a name that a platform gave: they are names of files."""

_CANVAS = re.compile(
    r"(?:(?P<name>[\w-]*?)[_-])??(?P<late>(?:LATE|late)_)?(?P<student>\d+|anon_[0-9A-Za-z]+)"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>(?:text|link)\.html))",
    re.DOTALL,
)
_MOODLE = re.compile(
    r"(?P<name>.*?)(?:_(?P<student>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)
_GRADESCOPE = re.compile(r"submission_\d+(?:\.\w+)?")
_NUMBERED = re.compile(
    r"(?P<stem>.+)-(?:\d{1,2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<suffix>(?:\.[A-Za-z]\w*)*\.\w*)?",
    re.DOTALL,
)


class Layout(Enum):
    """How a class's submissions are laid out; the value is what messages call it."""

    PLAIN = "a plain folder"
    CANVAS = "a Canvas download"
    MOODLE = "a Moodle download"
    GRADESCOPE = "a Gradescope export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the name of one file or folder tells."""

    student: str
    name: str = ""
    late: bool = False
    file: str
    """Its own name, without what the platform added; of two that a student has of one name, the later counts."""
    when: tuple[int | str, ...] = ()
    """Orders those two."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitter:
    """One of those who handed in a submission, as Gradescope tells; whatever it doesn't is empty."""

    sid: str = ""
    email: str = ""
    name: str = ""

    @property
    def student(self) -> str:
        """What tells them apart: the student's number in the course's list, or else the address, or else the name."""
        return self.sid or self.email or self.name


@dataclass(slots=True, kw_only=True)
class Export:
    """A submission of a Gradescope export, as its metadata tells. Filled in line by line."""

    submitters: list[Submitter] = field(default_factory=list)
    created_at: str = ""
    others: int = 0
    """Submissions of the same students that are not active."""


def layout_of(names: Collection[tuple[str, bool]]) -> Layout:
    """Which platform named most of these: a file that the instructor put beside them changes nothing.

    Args:
        names: of the files and folders side by side, each with whether it is a folder.
    """
    if any(name == METADATA for name, _ in names):
        return Layout.GRADESCOPE
    for layout in (Layout.MOODLE, Layout.GRADESCOPE, Layout.CANVAS):
        given = [(name, is_folder) for name, is_folder in names if layout is not Layout.CANVAS or not is_folder]
        found = [label for name, is_folder in given for label in labels(layout, name, is_folder, {})]
        if found and 2 * len(found) >= len(names) and (layout is not Layout.CANVAS or _all_apart(found)):
            return layout
    return Layout.PLAIN


def labels(layout: Layout, name: str, is_folder: bool, exports: Mapping[str, Export]) -> tuple[Label, ...]:
    """Whose a file or folder is: one student's, several's for a group, or none's if the platform didn't name it so."""
    if len(name) > _LONGEST and layout is not Layout.PLAIN:
        return ()
    match layout:
        case Layout.PLAIN:
            stem = name if is_folder else re.sub(r"(?<=.)(?:\.tar)?\.[^.]*\Z", "", name, flags=re.DOTALL)
            return (Label(student=stem, file=name),)
        case Layout.CANVAS:
            return _of_canvas(name)  # a folder, too: an archive unpacked beside itself
        case Layout.MOODLE:
            return _of_moodle(name, is_folder)
        case Layout.GRADESCOPE:
            return _of_gradescope(name, exports.get(name)) if name in exports or _GRADESCOPE.fullmatch(name) else ()
        case _:
            assert_never(layout)


def unnumbered(file: str) -> str:
    """Name of a file without the number that Canvas puts before the suffix when it is handed in again."""
    found = _NUMBERED.fullmatch(file)
    return f"{found['stem']}{found['suffix'] or ''}" if found else file


def read_metadata(lines: Iterable[str]) -> dict[str, Export]:
    """The submissions of a Gradescope export by folder, from the lines of its submission_metadata.yml."""
    exports: dict[str, Export] = {}
    export, section, dash = Export(), "", ""
    for line in lines:
        if found := re.match(r"""(['"]?)([^\s'":#-][^'":]*)\1:\s*\Z""", line):
            export = exports.setdefault(found[2], Export())
            section = dash = ""
        elif found := re.match(r"  :?(\w+):(.*)", line):
            section = found[1]
            if section == "created_at":
                export.created_at = _scalar(found[2])
        elif section == "history":
            export.others += line.startswith("  - ")
        elif section == "submitters" and (found := re.match(r"( +)(- )?:?(sid|email|name):(.*)", line)):
            indent, begins, key, value = found.groups()
            if begins and dash in ("", indent):
                dash = indent
                export.submitters.append(Submitter())
            elif begins or not dash or indent != f"{dash}  ":  # the second line of a long text
                continue
            known = export.submitters[-1]
            export.submitters[-1] = Submitter(
                sid=_scalar(value) if key == "sid" else known.sid,
                email=_scalar(value) if key == "email" else known.email,
                name=_scalar(value) if key == "name" else known.name,
            )
    return exports


def _all_apart(found: Collection[Label]) -> bool:
    """Whether the numbers can be Canvas's: one name to a user, and no attachment twice. A date in a name is neither."""
    users = {label.student for label in found}
    named = {(label.student, label.name) for label in found}
    attached = {(label.student, label.when) for label in found}
    return len(users) == len(named) and len(attached) == len(found)


def _of_canvas(name: str) -> tuple[Label, ...]:
    found = _CANVAS.fullmatch(name)
    if not found:
        return ()
    return (
        Label(
            student=found["student"],
            name=found["name"] or "",
            late=bool(found["late"]),
            file=found["file"] or found["typed"],
            when=(int(found["attachment"] or 0), found["typed"] or ""),
        ),
    )


def _of_moodle(name: str, is_folder: bool) -> tuple[Label, ...]:
    found = _MOODLE.fullmatch(name)
    if not found or not (found["student"] or found["name"]):
        return ()
    # A folder's last "_" is of an earlier Moodle; a file has its own name there.
    file = found["kind"] if is_folder else found["file"] or found["kind"]
    return (Label(student=found["student"] or found["name"], name=found["name"], file=file, when=(name,)),)


def _of_gradescope(name: str, export: Export | None) -> tuple[Label, ...]:
    submitters = [submitter for submitter in export.submitters if submitter.student] if export else []
    if not export or not submitters:
        note = f"{METADATA} doesn't tell whose this is"
        return (Label(student=name, file="", when=("", name), notes=(note,)),)
    notes = [f"{export.others} more in Gradescope, not active there, left out"] if export.others else []
    if len(submitters) > 1:
        together = ", ".join(printable(submitter.name or submitter.student) for submitter in submitters)
        notes.append(f"handed in together by {together}")
    return tuple(
        Label(
            student=submitter.student,
            name=submitter.name,
            file="",
            when=(export.created_at, name),
            notes=tuple(notes),
        )
        for submitter in submitters
    )


def _scalar(text: str) -> str:
    """A YAML text of one line."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(?:x(.{2})|u(.{4})|U(.{8})|(.))", _unescaped, text[1:-1])
    return "" if text in ("", "~", "null", "[]", "|", ">") else text


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    try:
        return chr(int(digits, 16)) if digits else found[4]
    except (ValueError, OverflowError):
        return found[0]
