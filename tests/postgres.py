"""A PostgreSQL cluster of the tests' own, run by an unprivileged user in a temporary folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
PACKAGES = "Debian's package postgresql"


def missing() -> str:
    """Why there can be none here; empty where there can."""
    if _programs() is None:
        return f"initdb and pg_ctl are not installed ({PACKAGES})"
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL refuses to run as root, and setpriv (util-linux) is not installed"
    return ""


@contextmanager
def cluster() -> Iterator[str]:
    """Start one; the URL of its first database, whose user may do anything there."""
    programs = _programs()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        _run(folder, programs / "initdb", "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        _run(folder, programs / "pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql+psycopg://grader@/postgres?host={folder}"
        finally:
            _run(folder, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _programs() -> Path | None:
    """The folder of initdb and pg_ctl, which Debian does not put on the path."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    complete = [folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()]
    return complete[-1] if complete else None


def _run(folder: str, *command: object) -> None:
    unprivileged = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    words = [*(unprivileged if os.geteuid() == 0 else []), *map(str, command)]
    done = subprocess.run(
        words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
        env={**os.environ, "HOME": folder, "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode(errors="replace")
