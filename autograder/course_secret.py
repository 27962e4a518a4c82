"""The course's secret, from which hidden inputs are drawn: where it is kept, and whether it can be guessed."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import string
import tempfile
from pathlib import Path
from typing import Final

from autograder.errors import UsageError

SETTING: Final = "AUTOGRADER_SECRET"
BITS: Final = 128
FEWEST_LETTERS: Final = 8
"""Different characters; a random secret of 128 bits has fewer in one of a billion cases, a repeated word often."""
ALPHABETS: Final = tuple(
    map(
        frozenset,
        (
            string.digits,
            string.digits + "abcdef",
            string.digits + "ABCDEF",
            string.ascii_lowercase,
            string.ascii_uppercase,
            string.ascii_lowercase + string.digits,
            string.ascii_uppercase + string.digits,
            string.ascii_letters + string.digits,
            string.ascii_letters + string.digits + "-_",
            string.ascii_letters + string.digits + "+/=",
        ),
    )
)
PRINTABLE: Final = 95
ADVICE: Final = "python3 -c 'import secrets; print(secrets.token_hex(16))'"


def secret_of(course: Path) -> str:
    """The secret: $AUTOGRADER_SECRET, else the file `.secret` in the course's folder, made at first use (mode 600).

    Raises:
        UsageError: the file is empty, or the secret can be guessed: anybody could compute the hidden inputs.
    """
    if value := os.environ.get(SETTING):
        _expect_strong(value, SETTING, f"make one with {ADVICE}")
        return value
    path = course / ".secret"
    if not path.exists():
        _make(path)
    if not (secret := path.read_text().strip()):
        raise UsageError(f"{path} is empty: remove it to get a new secret, or restore it from a backup")
    _expect_strong(secret, str(path), "remove it to get a new one")
    return secret


def bits(secret: str) -> float:
    """The most bits that a secret may hold: its length in characters of the smallest usual alphabet that has all."""
    used = set(secret.strip())
    if len(used) < FEWEST_LETTERS:
        return math.log2(max(2, len(used))) * len(used)
    size = min((len(alphabet) for alphabet in ALPHABETS if used <= alphabet), default=PRINTABLE)
    return len(secret.strip()) * math.log2(size)


def _expect_strong(secret: str, where: str, advice: str) -> None:
    if (found := bits(secret)) < BITS:
        raise UsageError(
            f"{where} is too short to be a secret: expected {BITS} bits (32 hexadecimal digits), found at most "
            f"{found:.0f}; who guesses it can compute the hidden inputs: {advice} (students then get other hidden "
            "inputs)"
        )


def _make(path: Path) -> None:
    """Make the file as a whole, so that no other process reads half of it; the first to make one wins."""
    descriptor, name = tempfile.mkstemp(prefix=".secret-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
