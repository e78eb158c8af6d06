"""Text that a student chose, as it may stand in somebody else's page, log or file: every letter shown, none obeyed."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["visible", "visible_lines"]

_COMMAND: Final = re.compile(r"^ *:(?=:)|##(?=\[)")
"""Where GitHub's runner reads a command in a log: `::error::` at the start of a line, `##[error]` anywhere in one."""


def visible(line: str) -> str:
    """Letters that hide, or that turn text around, as escapes; and nothing that a log would take for a command."""
    line = "".join(letter if letter.isprintable() else _escape(letter) for letter in line)
    return _COMMAND.sub(lambda match: f"{match[0]} ", line)


def visible_lines(text: str) -> str:
    """The same of several lines. What is left is legal in XML, JSON and UTF-8."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(letter: str) -> str:
    return "    " if letter == "\t" else letter.encode("unicode_escape").decode()
