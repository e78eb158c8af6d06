"""The command that makes a class into pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.terminal import PASSED, Progress, say, tell
from grader.errors import CourseError
from grader.topics import find_manifest

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.publishing.lesson import Lesson

__all__ = ["publish_command"]


@click.command(
    "publish",
    epilog="""\b
Examples:
  grader publish run --out site
  grader publish run --out site --url https://example.org/hw1/students
  grader publish run --out shown --anonymous      to be shown in class

\b
Put SITE/students on the web, and nothing else of SITE: index.html names
everybody. Who gets which address is in RUN/addresses.csv.

\b
Exit codes: 0 done, 2 it can't be done (the message says why).
""",
)
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="SITE",
    help="Folder of the site: new, empty, or a site that this command made, which is replaced.",
)
@click.option(
    "--anonymous",
    is_flag=True,
    help="An overview without names and without numbers that tell of fewer than five students.",
)
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="Where SITE/students will be on the web: then RUN/addresses.csv holds whole addresses, for a mail merge.",
)
def publish_command(run: Path, out: Path, anonymous: bool, url: str) -> int:
    """Make the class of RUN into pages: an overview, who is behind each number of it, and a page for each student.

    They are files for any browser: no server, no network. A student's page is at an address that can't be guessed and
    stays the same when the site is made anew; pages of students who are gone go.
    """
    if url and (anonymous or not url.startswith(("https://", "http://"))):
        problem = "there are no addresses without names" if anonymous else f"{url!r} is no address on the web"
        raise click.BadParameter(problem, param_hint="'--url'")
    from grader.gradebook import Gradebook
    from grader.publishing.site import publish

    with Gradebook(run) as book, Progress() as progress:
        made = publish(
            book,
            out,
            lesson=_lesson(book),
            anonymous=anonymous,
            base=url,
            told=lambda done: progress(f"{done} students"),
        )
        progress.erase()
    say(f"{made.students} students: {made.index} ({-(-made.index_bytes // 1000)} kB)")
    if made.addresses is not None:
        say(f"addresses of the students' pages: {made.addresses}")
        tell(f"put only {out / 'students'} on the web: the other pages name everybody")
    return PASSED


def _lesson(book: Gradebook) -> Lesson | None:
    """The lesson beside the assignment's manifest; none where there is none, or it can't be read."""
    from grader.publishing.lesson import read_lesson

    try:
        path = find_manifest(book.about("manifest") or "").parent / "README.md"
        return read_lesson(path.read_text(encoding="utf-8"))
    except (CourseError, OSError, UnicodeDecodeError):
        tell("there is no lesson (README.md) beside the assignment's manifest any more: the pages link to none")
        return None
