"""Commands about the machine: `doctor`, and the `image` of docker sandboxes."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.console import err, out, say
from autograder.errors import UsageError


def doctor() -> None:
    """Say which walls stand on this machine, what each stops, and what to install for the rest.

    In a project's folder also: which files of the course other users may read.
    """
    from autograder import table
    from autograder.sandbox.doctor import diagnose
    from autograder.settings import Settings

    try:
        settings = Settings.read()
    except UsageError:  # no course here, or one that other commands tell of
        settings = None
    table.print_findings(out, diagnose(settings))


def build(
    base: Annotated[
        str, typer.Option(help="the base image, or `mmdebstrap`: a Debian root filesystem made here")
    ] = "python:3.11-slim",
    tag: Annotated[str, typer.Option(help="the name of the image")] = "autograder:latest",
    force: Annotated[bool, typer.Option("--force", help="build it even if nothing changed")] = False,
) -> None:
    """Build the image of docker sandboxes: Python and the course's packages, none of the grader's code."""
    from autograder.sandbox.image import build as build_image

    build_image(
        base=base,
        tag=tag,
        force=force,
        say=lambda line: err.print(line, highlight=False, markup=False, soft_wrap=True),
    )
    say(f"image {tag} is ready")
