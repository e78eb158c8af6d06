"""Results on the disk: whole or not at all, and never in the place of what is no file."""

from __future__ import annotations

from pathlib import Path

from grader.errors import MachineError

__all__ = ["write_whole"]


def write_whole(data: bytes, path: Path, what: str = "") -> None:
    """Write a file beside its place, then rename it into it.

    A pipe or a device (`--report /dev/stdout`) is written to as it is: whoever is root would put a file in its place.

    Args:
        data: all of it.
        path: where to; an earlier file there is replaced.
        what: what it is, for the message.

    Raises:
        MachineError: it can't be written (names the path); an earlier file there is left as it was.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        told = f"{what} can't be written to {path}" if what else f"{path} can't be written"
        raise MachineError(f"{told}: {error.strerror or error}") from error
