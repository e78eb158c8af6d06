"""gradmark: the grader for hand-written deep learning.

The names below are loaded when first used, so that `import grader` costs nothing and a student's process, which
imports grader.sandbox.worker, loads nothing of the judging side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.numerics.gradcheck import GradientCheck, check_gradients

__all__ = ["GradientCheck", "check_gradients", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("GradientCheck", "check_gradients"):
        from grader.numerics import gradcheck

        return getattr(gradcheck, name)
    raise AttributeError(f"module 'grader' has no attribute {name!r}")
