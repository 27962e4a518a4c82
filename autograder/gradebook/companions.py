"""The files that nbgrader keeps beside a notebook: when it was handed in, and the secret of its feedback."""

from __future__ import annotations

import os
import secrets
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

SECRET: Final = "submission_secret.txt"  # noqa: S105 - a file's name
TIMESTAMP: Final = "timestamp.txt"
MAX_SECRET: Final = 4096
"""Bytes; nbgrader writes 128."""


def timestamp(moment: datetime | None) -> str:
    """The text of `timestamp.txt`; empty, which nbgrader reads as unknown, where no time is known.

    nbgrader's release of feedback opens the file of every submission: one that is missing stops the class.
    """
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"


def secret(submitted: Path, graded: Path) -> str:
    """What names a submission's feedback in the exchange: what was handed in, else what is there, else a new one.

    Args:
        submitted: the folder that was handed in. `nbgrader submit` leaves the secret in it and in the student's cache.
        graded: the folder of the graded notebook.
    """
    return _read(submitted / SECRET) or _read(graded / SECRET) or secrets.token_hex(64)


def is_current(submitted: Path, graded: Path, moment: datetime | None) -> bool:
    """Whether the files in `graded` are what they should be."""
    held = _read(graded / SECRET)
    if not held or held != (_read(submitted / SECRET) or held):
        return False
    try:
        return (graded / TIMESTAMP).read_text(encoding="utf-8") == timestamp(moment)
    except (OSError, UnicodeDecodeError):
        return False


def _read(path: Path) -> str:
    """The text of a small regular file; empty where there is none: what a student handed in is not trusted."""
    if path.parent.is_symlink():
        return ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        content = os.read(descriptor, MAX_SECRET + 1)
        return content.decode("utf-8") if len(content) <= MAX_SECRET else ""
    except (OSError, UnicodeDecodeError):
        return ""
    finally:
        os.close(descriptor)
