"""The lesson of an assignment, its README.md, as a page. Of Markdown it knows what our lessons use, and shows the rest
as it is written: headings, paragraphs, code (fenced and indented), lists, tables, `code`, **bold** and *italics*.
Links are shown as their text, because what they point at is not on the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from grader.report.html import visible

__all__ = ["Heading", "Lesson", "anchor_for", "read_lesson"]

_INLINE: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|!?\[([^\]]*)\]\([^)]*\)")
_NUMBER: Final = re.compile(r"^\d+\.\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading below the title."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A lesson as HTML."""

    title: str
    body: Markup
    headings: tuple[Heading, ...]


def read_lesson(text: str) -> Lesson:
    """Markdown as HTML; every text in it is escaped."""
    title, headings, parts = "The lesson", [], []
    anchors: set[str] = set()
    for kind, lines in _blocks(text.splitlines()):
        if kind == "heading":
            marks, _, words = lines[0].partition(" ")
            if len(marks) == 1:
                title = words
                continue
            heading = Heading(level=min(len(marks), 4), text=words, anchor=_unused(_slug(words), anchors))
            headings.append(heading)
            tag = f"h{heading.level}"
            parts.append(Markup('<{0} id="{1}">{2}</{0}>').format(Markup(tag), heading.anchor, _inline(words)))
        else:
            parts.append(_WRITERS[kind](lines))
    return Lesson(title=title, body=Markup("\n").join(parts), headings=tuple(headings))


def anchor_for(lesson: Lesson, exercise: str) -> str:
    """`#affine`, where the lesson has a heading of an exercise's name; else empty, which is the top."""
    wanted = _slug(exercise.replace("_", " "))
    for heading in lesson.headings:
        if wanted in heading.anchor.split("-") or wanted == heading.anchor:
            return f"#{heading.anchor}"
    return ""


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _NUMBER.sub("", words).lower()).strip("-") or "section"


def _unused(slug: str, taken: set[str]) -> str:
    name, number = slug, 2
    while name in taken:
        name, number = f"{slug}-{number}", number + 1
    taken.add(name)
    return name


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Blocks of lines, each with its kind."""
    at = 0
    while at < len(lines):
        start, line = at, lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            at = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            yield "code", lines[start + 1 : at]
            at += 1
        elif re.match(r"#{1,6} ", line):
            at += 1
            yield "heading", [line.strip()]
        else:
            kind = _kind(line)
            while at < len(lines) and lines[at].strip() and (at == start or _goes_on(kind, lines[at])):
                at += 1
            yield kind, lines[start:at]


def _kind(line: str) -> str:
    if line.startswith("    "):
        return "code"
    if line.startswith("|"):
        return "table"
    return "list" if _item(line) else "text"


def _item(line: str) -> bool:
    return re.match(r"([-*]|\d+\.) ", line) is not None


def _goes_on(kind: str, line: str) -> bool:
    if line.startswith(("```", "# ", "## ", "### ")):
        return False
    return _kind(line) == kind or (kind in ("text", "list") and _kind(line) != "table" and not _item(line))


def _code(lines: list[str]) -> Markup:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return Markup('<pre tabindex="0">{}</pre>').format(visible("\n".join(line[indent:] for line in lines)))


def _text(lines: list[str]) -> Markup:
    return Markup("<p>{}</p>").format(_inline(" ".join(map(str.strip, lines))))


def _list(lines: list[str]) -> Markup:
    items: list[str] = []
    for line in lines:
        if _item(line):
            items.append(line.split(" ", 1)[1].strip())
        else:
            items[-1] += f" {line.strip()}"
    tag = Markup("ol" if lines[0][0].isdigit() else "ul")
    inner = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
    return Markup("<{0}>{1}</{0}>").format(tag, inner)


def _table(lines: list[str]) -> Markup:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    head, body = rows[0], [row for row in rows[1:] if not all(set(cell) <= set(":-") for cell in row)]
    top = Markup("").join(Markup('<th scope="col">{}</th>').format(_inline(cell)) for cell in head)
    return Markup('<table class="data"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>').format(
        top,
        Markup("").join(
            Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(_inline(cell)) for cell in row))
            for row in body
        ),
    )


_WRITERS: Final[dict[str, Callable[[list[str]], Markup]]] = {
    "code": _code,
    "text": _text,
    "list": _list,
    "table": _table,
}


def _inline(text: str) -> Markup:
    parts, at = [], 0
    for match in _INLINE.finditer(text):
        parts.append(escape(visible(text[at : match.start()])))
        code, bold, italic, link = match.groups()
        tag, inner = ("code", code) if code else ("b", bold) if bold else ("em", italic) if italic else ("", link)
        shown = escape(visible(inner)) if tag == "code" else _inline(inner)
        parts.append(Markup("<{0}>{1}</{0}>").format(Markup(tag), shown) if tag else shown)
        at = match.end()
    return Markup("").join([*parts, escape(visible(text[at:]))])
