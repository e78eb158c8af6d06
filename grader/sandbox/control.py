"""What a judge and its zygote say to each other, over a socket that keeps messages apart.

Judge to zygote: JSON, one object a message.

    {"op": "fork", "limits": {...}, "output_bytes": n} with two descriptors: the child's end of a socket, and the file
        for what it prints. Answered by FORKED, with a pidfd of the child.
    {"op": "end", "pid": n}. Answered by ENDED, with how the child had ended before it was ended now.
    {"op": "drop", "pid": n}. Not answered: the child is ended now, and reaped when it has.

Zygote to judge: once, when it is ready, a JSON object with the layers of its wall; then an ANSWER to each request.
A child sends WALL_STANDS over its own socket when nothing can be got back any more, before it serves.
"""

from __future__ import annotations

import struct
from enum import IntEnum

__all__ = ["ANSWER", "MAX_MESSAGE", "WALL_STANDS", "Answer"]

ANSWER = struct.Struct("<Bqqd")
"""Kind; pid, or the number of the error; how the child ended as wait gives it; its seconds of CPU time."""
MAX_MESSAGE = 1 << 16
WALL_STANDS = b"\x01"


class Answer(IntEnum):
    """Kinds of an answer."""

    FORKED = 1
    ENDED = 2
    FAILED = 3
