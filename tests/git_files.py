"""The files that git lists in this project, for tests that look at each of them."""

from __future__ import annotations

import os
import subprocess

import pytest
from sandboxed import REPOSITORY


def git_files(*arguments: str) -> list[str]:
    """Paths that `git ls-files` lists, relative to the project's root; skips the test where git cannot list them."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *arguments]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("git is not installed: which files belong to the project is not known")
    if listed.returncode:
        pytest.skip("this is no git working tree: which files belong to the project is not known")
    return [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
