"""Docker with user namespaces: every attack again, where root in a container is nobody outside of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import pytest
import table
from linux import is_inside, processes, user
from private_engine import COUNT, FIRST, Engine, cannot_start, started
from sandboxed import LIMITS, REPOSITORY, Kernel

from autograder.sandbox.docker import Docker
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

SUITE = (
    "test_attacks",
    "test_breaking",
    "test_reading",
    "test_walls_off",
    "test_clean_up",
    "test_gpu_attacks",
    "test_local_users",
)
ONLY = os.environ.get("AUTOGRADER_REDTEAM")
pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if ONLY:
        pytest.skip(f"{ONLY} alone was asked for")
    if reason := cannot_start(maps_users=True):
        pytest.skip(reason)
    with started(maps_users=True) as made:
        yield made


def test_root_in_a_container_is_nobody_outside(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", engine.address)
    with Slot(Docker(), SlotSpec("numpy", LIMITS)) as slot:
        kernel = Kernel(slot)
        assert "user-namespace" in kernel.walls
        users = {user(pid) for pid in processes() if is_inside(pid, slot.folder)}
        assert len(users) == 2  # the zygote's and the kernel's
        assert all(FIRST <= each < FIRST + COUNT for each in users)
        assert FIRST in users
        kernel.end()


def test_every_attack_is_held(engine: Engine, record_property: Callable[[str, object], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="ag-") as slots:  # a socket's path has to be short
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--print-outcomes",
             *(f"tests/redteam/{name}.py" for name in SUITE)],
            cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=3000,
            env={**os.environ, "DOCKER_HOST": engine.address, "AUTOGRADER_REDTEAM": "docker", "AUTOGRADER_RUN": slots},
        )  # fmt: skip
    print(done.stdout[-60_000:], done.stderr[-2000:])
    for (line, name), row in table.printed(done.stdout).items():
        record_property("attack", (line, name, "docker, userns", row["docker"]))
    assert done.returncode == 0
    assert " passed" in done.stdout
