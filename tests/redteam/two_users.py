"""Two Unix users of the tests' own: one grades a course, the other attacks. What root can arrange."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nobody
from sandboxed import REPOSITORY

from autograder.sandbox.bwrap import executable

GRADER, ATTACKER = 61181, 61182
PROGRAM = Path(__file__).with_name("local_user.py")


def missing() -> str:
    """Why there cannot be two users here; empty where there can."""
    if os.geteuid() != 0:
        return "only root can be two other users"
    return nobody.missing()


def command_as(user: int, *command: str) -> list[str]:
    """The command line that runs a command as a user, who sees this machine's files, this environment's too."""
    if user == 0:
        return [*command]
    view = [str(executable()), *nobody._open_to_everyone(Path(sys.prefix), Path(sys.base_prefix), REPOSITORY)]
    return [*view, "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]


def attack(name: str, **arguments: Any) -> list[Any]:
    """What the attacker gets."""
    with attacking(name, **arguments) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def attacking(name: str, **arguments: Any) -> subprocess.Popen[str]:
    """The attacker's program, started."""
    command = command_as(ATTACKER, sys.executable, str(PROGRAM), name, json.dumps(arguments))
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        command, cwd="/", env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
