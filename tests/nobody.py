"""Run a suite as the user `nobody`, with this machine's files as they are but readable: what root can arrange."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sandboxed import REPOSITORY

from autograder.sandbox.bwrap import Bubblewrap, executable

NOBODY = 65534


def missing() -> str:
    """Why that cannot be done here; empty where it can."""
    if os.geteuid() != 0:
        return "this runs without root already"
    if (reason := Bubblewrap().missing()) is not None:
        return f"bwrap: {reason}"
    if not (REPOSITORY.stat().st_mode & 0o001 and Path(__file__).stat().st_mode & 0o004):
        return "this clone was made with a umask that closes it to other users"
    return "" if shutil.which("setpriv") else "setpriv (util-linux) is not installed"


def pytest_as_nobody(*arguments: str, seconds: float, **environment: str) -> tuple[int, str]:
    """The exit code and the output of pytest; `{folder}` in an argument is a folder of nobody's own."""
    with tempfile.TemporaryDirectory(prefix="nobody-") as folder:
        Path(folder).chmod(0o700)
        os.chown(folder, NOBODY, NOBODY)
        command = [str(executable()), *_open_to_everyone(Path(sys.prefix), Path(sys.base_prefix), REPOSITORY)]
        command += ["--chdir", str(REPOSITORY), "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        command += [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        settings = {"AUTOGRADER_RUN": f"{folder}/run", "HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, env={**os.environ, **settings, **environment}, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip
    return done.returncode, done.stdout[-60_000:] + done.stderr[-2000:]


def _closed_ancestor(path: Path) -> Path | None:
    """The first folder above `path` that other users may not enter."""
    return next((parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001), None)


def _open_to_everyone(*paths: Path) -> list[str]:
    """bwrap's arguments for a view of this machine in which anyone can reach `paths`, wherever they lie."""
    arguments = ["--dev-bind", "/", "/"]
    closed = {path: _closed_ancestor(path) for path in paths}
    for ancestor in {each for each in closed.values() if each is not None}:
        arguments += ["--perms", "0755", "--tmpfs", str(ancestor)]
    for path, ancestor in closed.items():
        if ancestor is not None:
            for parent in reversed(path.relative_to(ancestor).parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(ancestor / parent)]
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments
