"""Where a student's page is: a name that nobody can guess, and that stays the same whenever the site is made anew.

It is an HMAC of the student's id, 128 bits of it, under a key that is drawn once and kept beside the gradebook. Who has
the key can tell every address; it never goes into a site.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from grader.errors import MachineError
from grader.report.exports.sheets import cell

__all__ = ["ADDRESSES", "KEY_FILE", "address", "addresses_csv", "site_key"]

KEY_FILE: Final = "addresses.key"
"""In the folder of the run. Without it the next site has other addresses."""
ADDRESSES: Final = "addresses.csv"
_BYTES: Final = 32


def site_key(run: Path) -> bytes:
    """The key of a run; drawn and written, for its owner alone, where there is none.

    Raises:
        MachineError: it can't be read or written, or is no key.
    """
    path = run / KEY_FILE
    try:
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            key = secrets.token_bytes(_BYTES)
            scratch = path.with_name(f".{path.name}.part")
            scratch.unlink(missing_ok=True)
            with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(key.hex())
            scratch.replace(path)
    except OSError as error:
        raise MachineError(f"the key of the addresses, {path}, can't be had: {error.strerror or error}") from error
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise MachineError(f"{path} is not a key of addresses; without it all addresses change: move it away for that")
    return key


def address(key: bytes, student: str) -> str:
    """The file of a student's page: 26 letters and digits, and `.html`."""
    digest = hmac.digest(key, student.encode("utf-8", "surrogatepass"), hashlib.sha256)[:16]
    return f"{base64.b32encode(digest).decode().rstrip('=').lower()}.html"


def addresses_csv(students: Iterable[tuple[str, str, str]], base: str) -> str:
    """Who is where: a line a student, for a mail merge.

    Args:
        students: (id, name, address) of each.
        base: what stands before an address, such as `https://example.org/hw1/students/`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "name", "address"])
    for student, name, place in students:
        table.writerow([cell(student), cell(name), cell(f"{base}{place}")])
    return text.getvalue()
