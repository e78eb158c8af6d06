"""What every page must keep, and what a reader finds on it: a strict reader of HTML for the tests."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"meta", "br", "input", "path", "rect", "link", "img", "hr"}
"""Of HTML, and the elements of SVG that we close at once."""
BLOCKS = {
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "tr",
    "dt",
    "dd",
    "li",
    "pre",
    "summary",
    "figcaption",
    "title",
    "caption",
    "div",
    "br",
    "text",
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Itself and what is in it, in order; only those of these tags, if any are given."""
        found = [self] if not tags or self.tag in tags else []
        return found + [inner for child in self.children for inner in child.all(*tags)]


class Page(HTMLParser):
    """A page; elements must be closed in the order in which they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]
        self.lines: list[str] = [""]
        self.feed(text)
        self.close()
        assert self._open == [self.root], f"left open: {[element.tag for element in self._open[1:]]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {tag} {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        self._break(tag)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID, f"<{tag}/> is not closed by that in HTML"
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()
        self._break(tag)

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
        if self._open[-1].tag not in ("style", "script"):
            self.lines[-1] += data if self._open[-1].tag == "pre" else re.sub(r"\s+", " ", data)

    def _break(self, tag: str) -> None:
        if tag in BLOCKS:
            self.lines.append("")
        elif tag in ("td", "th"):
            self.lines[-1] += "  "

    @property
    def words(self) -> str:
        """What the page says, a line a block."""
        return "\n".join(line.strip() for line in self.lines if line.strip()) + "\n"

    @property
    def tags(self) -> list[str]:
        return [element.tag for element in self.root.all()]


def check_page(text: str, where: Path | None = None) -> Page:
    """Hold a page against what all of ours keep; with `where`, its links must lead to something."""
    page = Page(text)
    every = page.root.all()
    ids = [element.attributes["id"] for element in every if "id" in element.attributes]
    assert len(ids) == len(set(ids)), "an id twice"
    (html,) = page.root.all("html")
    assert html.attributes["lang"] == "en"
    assert page.root.all("title")[0].text.strip()
    check_safe(page)
    check_headings(page)
    check_names(page, set(ids))
    for element in every:
        href = element.attributes.get("href", "")
        if href.startswith("#"):
            assert unquote(href[1:]) in ids, f"{href} leads nowhere"
        elif href:
            parts = urlsplit(href)
            assert (parts.scheme, parts.netloc) == ("", ""), f"{href} leads out"
            if where is not None:
                target = (where.parent / unquote(parts.path)).resolve()
                assert target.is_file(), f"{href} leads to no file"
                if parts.fragment:
                    assert f'id="{parts.fragment}"' in target.read_text("utf-8"), f"{href} leads to no place"
    return page


def check_safe(page: Page) -> None:
    """Nothing is fetched, nothing of others is run, no style is hidden in an attribute."""
    policies = [e.attributes["content"] for e in page.root.all("meta") if "http-equiv" in e.attributes]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'")
    assert "unsafe" not in policies[0]
    for element in page.root.all():
        assert element.tag not in ("iframe", "object", "embed", "base", "img", "link", "foreignobject", "use"), element
        for name, value in element.attributes.items():
            assert not name.startswith("on"), (element.tag, name)
            assert name not in ("style", "src", "srcset", "action", "ping"), (element.tag, name)
            assert "//" not in value or element.tag == "meta", (element.tag, name, value)
    for style in page.root.all("style"):
        assert not re.search(r"url\(|@import", style.text)


def check_headings(page: Page) -> None:
    """One h1, first; and no level is skipped."""
    levels = [int(element.tag[1]) for element in page.root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), levels


def check_names(page: Page, ids: set[str]) -> None:
    """Whoever does not see the page is told what is on it."""
    for svg in page.root.all("svg"):
        a = svg.attributes
        if a.get("aria-hidden") != "true":
            assert a.get("role") == "img"
            assert a.get("aria-label") or a["aria-labelledby"] in ids
    for element in page.root.all("input", "select"):
        labels = [e for e in page.root.all("label") if e.attributes.get("for") == element.attributes["id"]]
        assert len(labels) == 1, element
    for element in page.root.all("a", "button", "summary", "caption", "th"):
        assert element.text.strip() or element.all("svg"), element
    for head in page.root.all("th"):
        assert head.attributes.get("scope") in ("row", "col"), head
    for element in page.root.all():
        for name in ("aria-labelledby", "aria-describedby"):
            if name in element.attributes:
                assert element.attributes[name] in ids, element
