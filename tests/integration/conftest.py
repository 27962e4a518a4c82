"""The project's course in a folder of its own: the same checks and releases, no submissions yet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
UNWANTED = ("submitted", "autograded", "feedback", "release", "*.db*", ".secret", "__pycache__")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Its root."""
    for name in ("solutions", "assignments"):
        (tmp_path / name).symlink_to(HERE / name)
    shutil.copytree(HERE / "course", tmp_path / "course", ignore=shutil.ignore_patterns(*UNWANTED))
    return tmp_path
