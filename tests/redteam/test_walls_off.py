"""Each wall stops something: taken away alone, an attack succeeds, or another wall, which is named, stops it too.

A wall is taken away from a slot of the test's own: an inner one in a copy of the code that enters the sandbox, an
outer one in what the engine or bwrap is asked for. Nothing of the product can do that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from linux import is_inside, processes
from sandboxed import FORKS, LIMITS, Kernel, KernelKilledError
from shooting_range import KINDS

from autograder.errors import SandboxError
from autograder.sandbox import bwrap, docker, slot
from autograder.sandbox.bundle import bundle
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot

INNER = {
    "own user": "def drop_user(uid): return None",
    "Landlock": "def landlock(*_): return None",
    "seccomp": "def seccomp(_): return None",
    "limit on processes": "_limit = limit_resources\ndef limit_resources(processes, disk): return _limit(4096, disk)",
    "limit on files": "_limit = limit_resources\ndef limit_resources(processes, disk): return _limit(processes, 2**40)",
    "limit on memory": "def limit_memory(*_, **__): pass",
    "closed descriptors": "def forget_files(keep): pass",
    "no new privileges": "def forbid_privileges(): return 'none'",
}
"""What is appended to inside/walls.py to take a wall away."""
DOCKER: dict[str, dict[str, Any]] = {
    "no network": {"network_mode": "bridge"},
    "read-only root": {"read_only": False},
    "dropped capabilities": {"cap_drop": []},
    "cgroup of processes": {"pids_limit": -1},
    "cgroup of memory": {"mem_limit": "20g", "memswap_limit": "20g"},
    "engine's no new privileges": {"security_opt": []},
}
"""What the engine is asked for instead."""
BWRAP = {
    "no network": ["--unshare-net"],
    "read-only root": ["--remount-ro", "/"],
    "own IPC": ["--unshare-ipc"],
}
"""What bwrap is not asked for."""


@dataclass(frozen=True)
class Wall:
    """A wall, an attack that it stops, and the walls that stop the same: with all of them away it must succeed.

    Attributes:
        attack: a cell whose answer is true where it succeeded.
        covered: by sandbox, the other walls that stop this attack.
    """

    name: str
    attack: str
    covered: dict[str, tuple[str, ...]]


def everywhere(*walls: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(KINDS, walls)


MANY_FORKS = FORKS.replace("500", "150")  # more of them would fill the container's memory
FILES = """
    answer = True
    for number in range({files}):
        try:
            with open(f"large-{{number}}", "wb") as file:
                for _ in range({mebibytes}):
                    file.write(b"x" * 2**20)
        except OSError:
            answer = False
"""
MEMORY = f"""
    answer = True
    held = bytearray({LIMITS.memory_bytes + 2**29})
    held[::4096] = b"x" * len(held[::4096])
"""
TOGETHER = f"""
    import os, select, time
    ready, told = os.pipe()
    for _ in range(6):
        if os.fork() == 0:
            held = bytearray({LIMITS.memory_bytes // 2})
            held[::4096] = b"x" * len(held[::4096])
            os.write(told, b"!")
            time.sleep(60)
    holding = 0
    while holding < 5 and select.select([ready], [], [], 5)[0]:
        holding += len(os.read(ready, 1))
    answer = holding == 5
"""
WALLS = [
    Wall(
        "own user",
        """
        import os
        answer = os.getuid() == 0
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            answer = False
        """,
        everywhere("Landlock"),
    ),
    Wall(
        "Landlock",
        """
        open("/tmp/left for the next", "w").close()
        answer = True
        """,
        everywhere(),
    ),
    Wall(
        "seccomp",
        """
        import ctypes
        answer = ctypes.CDLL(None).shmget(4711, 4096, 0o1777) >= 0  # memory that outlives its process
        """,
        everywhere(),
    ),
    Wall(
        "seccomp",
        """
        import ctypes
        context = ctypes.c_ulong()
        libc = ctypes.CDLL(None)
        answer = libc.syscall(206, 64, ctypes.byref(context)) == 0  # of the 65,536 that all users of the machine share
        libc.syscall(207, context)
        """,
        everywhere(),
    ),
    Wall(
        "limit on processes",
        f"{MANY_FORKS}\nanswer = answer >= 100",
        {"docker": ("cgroup of processes",), "bwrap": ()},
    ),
    Wall(
        "limit on files",
        FILES.format(files=1, mebibytes=LIMITS.disk_bytes // 2**20 + 1),
        everywhere("size of the work folder"),
    ),
    Wall(
        "size of the work folder",
        FILES.format(files=3, mebibytes=LIMITS.disk_bytes // 2**20 // 2),
        everywhere(),
    ),
    Wall("limit on memory", MEMORY, {"docker": ("cgroup of memory",), "bwrap": ()}),
    Wall(
        "closed descriptors",
        """
        import socket
        answer = False
        for descriptor in range(3, 200):
            try:
                with socket.socket(fileno=descriptor) as each:
                    answer = answer or "control" in str(each.getpeername())
                    each.detach()
            except OSError:
                pass
        """,
        everywhere(),
    ),
    Wall(
        "no network",
        """
        import socket
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as each:
            each.connect(("192.0.2.1", 53))  # a datagram needs no answer: there is a way out
            answer = each.send(b"secret") == 6
        """,
        everywhere("seccomp"),
    ),
    Wall(
        "read-only root",
        """
        import contextlib
        answer = False
        for path in ("/planted", "/var/tmp/planted"):
            with contextlib.suppress(OSError):
                open(path, "w").close()
                answer = True
        """,
        {"docker": ("Landlock",), "bwrap": ("Landlock", "own user")},
    ),
    Wall(
        "cgroup of processes",
        f"{MANY_FORKS}\nanswer = answer >= 100",
        {"docker": ("limit on processes",)},
    ),
    Wall("cgroup of memory", TOGETHER, {"docker": ()}),
    Wall(
        "dropped capabilities",
        """
        import socket
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()  # to listen on the network is CAP_NET_RAW
        answer = True
        """,
        {"docker": ("own user", "seccomp")},
    ),
    Wall(
        "own IPC",
        """
        import ctypes
        answer = ctypes.CDLL(None).shmget(4712, 4096, 0o1777) >= 0
        """,
        {"bwrap": ("seccomp",)},
    ),
    Wall(
        "no new privileges",
        """
        import ctypes
        answer = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 0  # setuid programs work
        """,
        {"docker": ("engine's no new privileges", "Landlock", "seccomp")},
    ),
    Wall(
        "engine's no new privileges",
        """
        import ctypes
        answer = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 0
        """,
        {"docker": ("no new privileges", "Landlock", "seccomp")},
    ),
]


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, tuple[str, ...]], Kernel]]:
    """A kernel in a sandbox that lacks these walls."""
    slots: list[Slot] = []

    def start(kind: str, walls: tuple[str, ...]) -> Kernel:
        code = tmp_path / f"code-{len(slots)}"
        shutil.copytree(bundle(), code)
        with (code / "inside" / "walls.py").open("a") as file:
            file.writelines(f"\n\n{INNER[name]}\n" for name in walls if name in INNER)
        with monkeypatch.context() as patch:
            patch.setattr(slot, "bundle", lambda: code)
            if kind == "docker":
                patch.setattr(docker, "container_settings", _settings(walls))
            else:
                patch.setattr(bwrap, "_arguments", _arguments(walls))
            slots.append(Slot(KINDS[kind](), SlotSpec("numpy", LIMITS)))
        return Kernel(slots[-1])

    yield start
    for each in slots:
        each.close()


def _settings(walls: tuple[str, ...], made: Any = docker.container_settings) -> Callable[..., dict[str, Any]]:
    def settings(*arguments: Any, **keywords: Any) -> dict[str, Any]:
        asked = made(*arguments, **keywords)
        for name in walls:
            asked |= DOCKER.get(name, {})
        if "size of the work folder" in walls:
            asked["tmpfs"] = {
                folder: told.replace(f"size={LIMITS.disk_bytes}", "size=1g") for folder, told in asked["tmpfs"].items()
            }
        return asked

    return settings


def _arguments(walls: tuple[str, ...], made: Any = bwrap._arguments) -> Callable[..., list[str]]:
    def arguments(*given: Any) -> list[str]:
        asked = made(*given)
        for name in walls:
            unwanted = BWRAP.get(name, [])
            for start in range(len(asked) - len(unwanted), -1, -1):
                if unwanted and asked[start : start + len(unwanted)] == unwanted:
                    del asked[start : start + len(unwanted)]
        if "size of the work folder" in walls:
            asked = [str(2**30) if each == str(LIMITS.disk_bytes) else each for each in asked]
        return asked

    return arguments


def succeeds(kernel: Kernel, attack: str) -> bool:
    try:
        return bool(kernel.run(attack, seconds=30))
    except (AssertionError, KernelKilledError):
        return False
    finally:
        kernel.client.stop_channels()


@pytest.mark.parametrize("wall", WALLS, ids=lambda wall: wall.name.replace(" ", "-"))
def test_a_wall_that_is_taken_away_is_missed_or_covered(
    kind: str, wall: Wall, without: Callable[[str, tuple[str, ...]], Kernel]
) -> None:
    if kind not in wall.covered:
        pytest.skip(f"{kind} has no such wall")
    if wall.name == "own user" and os.geteuid() != 0 and kind == "bwrap":
        pytest.skip("without root there is one user")
    covers = wall.covered[kind]
    assert not succeeds(without(kind, ()), wall.attack), "with all walls up"
    if covers:
        assert not succeeds(without(kind, (wall.name,)), wall.attack), f"covered by {covers}"
    assert succeeds(without(kind, (wall.name, *covers)), wall.attack), "with no wall in its way"


def test_without_the_clean_up_a_daemon_outlives_its_submission(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(1000)
            os._exit(0)
        answer = 1
    """
    for patch, left in (("", 0), ("Zygote.kill_all = lambda self: None\n", 1)):
        code = tmp_path / f"code{left}"
        shutil.copytree(bundle(), code)
        zygote = code / "inside" / "zygote.py"
        zygote.write_text(
            zygote.read_text().replace('if __name__ == "__main__":', f'{patch}if __name__ == "__main__":')
        )
        monkeypatch.setattr(slot, "bundle", lambda code=code: code)
        with Slot(KINDS[kind](), SlotSpec("numpy", LIMITS)) as used:
            kernel = Kernel(used)
            kernel.run(daemon)
            with contextlib.suppress(SandboxError):
                kernel.end()
            deadline = time.monotonic() + 10
            while (
                found := sum(is_inside(pid, used.folder) for pid in processes())
            ) - 1 != left and time.monotonic() < deadline:
                time.sleep(0.05)  # the dead are gone when they have been waited for
            assert found - 1 == left
