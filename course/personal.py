"""The numbers of a student's own questions, drawn from the student's name: the same on every machine."""

from __future__ import annotations

import getpass
import hashlib
import os
import unicodedata
from collections.abc import Mapping

QUESTIONS: Mapping[str, Mapping[str, range]] = {
    # Which input sides give this output side? Padding, stride and dilation are never 0, 1, 1.
    "input_sides": {
        "output": range(6, 31),
        "kernel_size": range(3, 8, 2),
        "padding": range(1, 4),
        "stride": range(2, 5),
        "dilation": range(2, 4),
    },
    # How many layers see this field? Odd kernels make odd fields: an even one is never hit exactly, so
    # "at least" always means rounding up.
    "depth": {
        "stem_kernel": range(5, 12, 2),
        "stem_stride": range(2, 5),
        "kernel_size": range(3, 6, 2),
        "field": range(100, 241, 2),
    },
    # How many weights does a 1x1 bottleneck save? The bottleneck is always the smaller one.
    "bottleneck": {
        "in_channels": range(192, 833, 32),
        "reduced": range(16, 65, 8),
        "out_channels": range(72, 193, 8),
        "kernel_size": range(3, 6, 2),
    },
    # A small network. A side of 4n + 1 leaves one row over at both of its poolings: rounding up would show.
    "network": {
        "width": range(6, 25, 2),
        "side": range(45, 90, 4),
        "classes": range(5, 21),
    },
}
"""For each exercise its numbers and their ranges: every combination is a question worth asking."""


def numbers(exercise: str, student: str | None = None) -> dict[str, int]:
    """The numbers of `exercise` for `student`, who is by default the one who runs this notebook.

    They are no secret: anyone can draw anyone's. They only make every student's answer the student's own. A name is the
    same in every form of Unicode: a Hub may compose accents where a folder's name has them apart.

    Raises:
        ValueError: no exercise of that name draws numbers.
    """
    if exercise not in QUESTIONS:
        raise ValueError(f"no exercise {exercise!r} draws numbers: there are {', '.join(QUESTIONS)}")
    name = unicodedata.normalize("NFC", student if student is not None else own_name())
    ranges = QUESTIONS[exercise]
    return {key: values[_hash(exercise, name, key) % len(values)] for key, values in ranges.items()}


def own_name() -> str:
    """Who runs this process: the Hub's user where there is one, else the account's name.

    On a machine of one's own that is not the name to hand in with: $JUPYTERHUB_USER, set before the notebook's first
    question, says it.
    """
    return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()


def _hash(*parts: str) -> int:
    """64 bits of SHA-256; Python's own `hash` differs from process to process."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode(errors="surrogateescape")).digest()[:8], "big")
