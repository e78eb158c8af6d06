"""`grader package`: an assignment as the autograder of a platform."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import click

from grader.cli.terminal import PASSED, say, tell
from grader.errors import CourseError
from grader.settings import Device
from grader.topics import find_manifest

__all__ = ["package_command"]

_PLATFORMS: Final = ("gradescope", "prairielearn", "github", "gitlab")
"""Written out, as `--help` answers without loading what writes them; tests/test_packaging.py holds them to it."""
_MOST: Final = 2**62
"""Of a seed that is drawn."""


@click.command(
    "package",
    epilog="""\b
Examples:
  grader package gradescope mlp --out gradescope.zip
  grader package gradescope mycourse/assignments/graphs --seed 8671 --memory 1536 --out autograder.zip
  grader package prairielearn mlp --out mlp-question
  grader package github mlp --out classroom
  grader package gitlab mlp --wheel dist/gradmark-0.1.0-py3-none-any.whl --out gitlab

\b
README.md in it says what goes where, and what students can read there.
""",
)
@click.argument("platform", type=click.Choice(_PLATFORMS))
@click.argument("assignment", metavar="ASSIGNMENT")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER|FILE.zip",
    help="Where to write it; nothing may be there. Gradescope takes a zip.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**63 - 1),
    metavar="N",
    envvar="GRADMARK_SEED",
    show_envvar=True,
    help="Private seed of the hidden cases. Default: a new one, which is printed once.",
)
@click.option(
    "--minutes",
    type=int,
    metavar="N",
    help="Time that the platform gives one grading. Default: 10 (gradescope), 5 (prairielearn), 20.",
)
@click.option(
    "--memory",
    type=int,
    metavar="MB",
    help="Memory of the container. Default: 768 (gradescope), 2048 (prairielearn).",
)
@click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of this gradmark, to put into the bundle and install from. Default: this version from pip's index.",
)
@click.option(
    "--torch-index",
    metavar="URL",
    help="Index where pip finds torch without CUDA: see pytorch.org, Get started, Linux, Pip, CPU. "
    "Without it an image has several gigabytes more.",
)
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    default=Device.AUTO.value,
    show_default=True,
    help="As for `grader grade`, there: with cuda a runner without a GPU grades nothing, and says so.",
)
def package_command(
    platform: str,
    assignment: str,
    out: Path,
    seed: int | None,
    minutes: int | None,
    memory: int | None,
    wheel: Path | None,
    torch_index: str | None,
    device: str,
) -> int:
    """Make an autograder for PLATFORM of ASSIGNMENT, a topic's name or the folder of an assignment.toml.

    Set-up, entry script, hidden seed, reference and data; no worked solution. Students' code runs behind the wall, and
    whatever happens, what it says of a grade is either true or that there is none, and whose fault that is.
    """
    try:
        manifest = find_manifest(assignment)
    except CourseError as error:
        raise click.BadParameter(str(error), param_hint="'ASSIGNMENT'") from error
    from grader.authoring.packaging import Bundle, Platform, write_bundle

    where = Platform(platform)
    if memory is not None and not where.holds_seed:
        raise click.BadParameter(f"on {platform} the runner has what it has", param_hint="'--memory'")
    drawn = secrets.randbelow(_MOST) if seed is None else seed
    try:
        asked = Bundle(
            platform=where,
            manifest=manifest,
            seed=drawn,
            minutes=where.minutes if minutes is None else minutes,
            memory_mb=where.memory_mb if memory is None else memory,
            wheel=wheel,
            torch_index=torch_index or "",
            device=Device(device),
        )
        files = write_bundle(asked, out)
    except FileExistsError as error:
        raise click.BadParameter(str(error), param_hint="'--out'") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for path in files:
        say(path)
    if seed is None:
        tell(f"the hidden seed is {drawn}. Keep it.")
    if where.holds_seed:
        tell(f"the seed is in {out}: for nobody else's eyes")
    else:
        tell("the seed is in none of these files: make it a secret of the platform, as README.md says")
    return PASSED
