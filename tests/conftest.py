"""What tests of several kinds share: a running check's record, students, suites from source text, scripted kernels."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import settings
from scripted import ScriptedKernel

from autograder.checks.local import LocalTransport
from autograder.checks.record import Record, recording
from autograder.checks.student import Student
from autograder.checks.suite import Suite

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


@pytest.fixture
def record() -> Iterator[Record]:
    """The record of a check that is running while the test does."""
    with recording(Record()) as running:
        yield running


@pytest.fixture
def student_with(record: Record) -> Callable[..., Student]:
    """Make a student whose notebook defines the given names."""

    def make(*, seed: int = 0, **namespace: Any) -> Student:
        return Student("ada", LocalTransport(namespace), seed=seed)

    return make


@pytest.fixture
def own_solutions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the test import a package `solutions` that is not the project's."""
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "solutions"}
    for name in ours:
        del sys.modules[name]
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "solutions"]:
        del sys.modules[name]
    sys.modules.update(ours)


@pytest.fixture
def write_suite(tmp_path: Path, own_solutions: None) -> Callable[..., Suite]:
    """Write `solutions/<name>/` in a folder of its own, and load it from there."""
    sys.path.insert(0, str(tmp_path))

    def write(checks: str, mistakes: str = "", reference: str = "", name: str = "exercise") -> Suite:
        folder = tmp_path / "solutions" / name
        folder.mkdir(parents=True, exist_ok=True)
        for package in (folder.parent, folder):
            (package / "__init__.py").touch()
        imports = f"from autograder.checks import *\nfrom solutions.{name} import reference\n"
        (folder / "checks.py").write_text(imports + dedent(checks))
        (folder / "mistakes.py").write_text(imports + dedent(mistakes))
        (folder / "reference.py").write_text("import numpy as np\n" + dedent(reference))
        return Suite.load(name, tmp_path)

    return write


@pytest.fixture
def scripted() -> Iterator[ScriptedKernel]:
    """A kernel that follows the test's script."""
    with ScriptedKernel() as kernel:
        yield kernel
