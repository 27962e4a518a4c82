"""A machine without memory is not the student's failure: Linux kills a kernel that is within its own limit."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandboxed import LIMITS, Kernel, KernelKilledError

from autograder.errors import KernelLost, SandboxError
from autograder.kernel.calls import death
from autograder.sandbox import choose, docker
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
MACHINE_BYTES = 320 * 2**20
"""What the machine of these tests has: less than one submission may use."""
HOARD = f"""
held = bytearray({LIMITS.memory_bytes * 3 // 4})
held[::4096] = b"x" * len(held[::4096])
answer = 1
"""
HOARD_IN_A_CHILD = f"""
import os
child = os.fork()
if child == 0:
    held = bytearray({LIMITS.memory_bytes * 3 // 4})
    held[::4096] = b"x" * len(held[::4096])
    os._exit(0)
answer = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


@pytest.fixture
def machine() -> Iterator[Path]:
    """A cgroup with little memory, which stands for a machine that has no more."""
    limit = "memory.limit_in_bytes" if V1.is_dir() else "memory.max"
    group = (V1 if V1.is_dir() else V2) / f"autograder-test-{secrets.token_hex(4)}"
    try:
        group.mkdir()
        (group / limit).write_text(str(MACHINE_BYTES))
        for swap in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
            with contextlib.suppress(OSError):
                (group / swap).write_text(str(MACHINE_BYTES) if swap.startswith("memory.memsw") else "0")
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    yield group
    with contextlib.suppress(OSError):  # the engine removes its part of it a moment later
        group.rmdir()


@pytest.fixture
def kernel(machine: Path, walled: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A kernel on that machine, in a slot of its own."""
    sandbox = choose.make(walled)
    if (reason := sandbox.missing()) is not None:
        pytest.skip(f"{walled}: {reason}")
    if walled == "docker":
        if sandbox._info["CgroupDriver"] != "cgroupfs":
            pytest.skip("the engine's cgroups are systemd's: this test cannot put a container into one of its own")
        settings = docker.container_settings
        monkeypatch.setattr(
            docker,
            "container_settings",
            lambda *args, **more: {**settings(*args, **more), "cgroup_parent": f"/{machine.name}"},
        )
    with Slot(sandbox, SlotSpec("numpy", LIMITS)) as slot:
        slot.wait()
        if walled != "docker":  # it starts processes of this machine
            for pid in family(slot.enclosure.process.pid):
                (machine / "cgroup.procs").write_text(str(pid))
        made = Kernel(slot)
        yield made
        made.client.stop_channels()


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def test_a_kernel_that_the_machine_has_no_memory_for_is_the_sandboxes_failure(kernel: Kernel) -> None:
    with pytest.raises(SandboxError, match="this machine ran out of memory"):
        kernel.run(HOARD)
    with pytest.raises(SandboxError, match="fewer --workers"):
        death(kernel.slot, kernel.name, LIMITS, "the cell")


def test_a_child_that_the_machine_has_no_memory_for_is_found_when_the_submission_ends(
    kernel: Kernel, walled: str
) -> None:
    if walled != "docker":
        pytest.skip(f"{walled} has no cgroup that counts whose processes were killed")
    assert kernel.run(HOARD_IN_A_CHILD) == -9
    with pytest.raises(SandboxError, match="this machine ran out of memory"):
        kernel.end()


def test_a_kernel_that_kills_itself_while_the_machine_has_memory_is_the_students_failure(kernel: Kernel) -> None:
    with pytest.raises(KernelKilledError):
        kernel.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert isinstance(lost := death(kernel.slot, kernel.name, LIMITS, "the cell"), KernelLost)
    assert lost.cause == "died"
