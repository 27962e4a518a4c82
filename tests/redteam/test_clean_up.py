"""What a submission leaves is gone: it leaves one of each kind, and this machine looks into its sandbox afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import test_trusted_walls_off as off
from attack import Attack
from linux import command, is_inside, namespace, processes
from shooting_range import KINDS, Range

from autograder.grading.grade import Grader
from autograder.grading.slots import SlotPool
from autograder.model.submission import Submission
from autograder.sandbox import slot
from autograder.sandbox.slot import Slot

LEAVES = """
import ctypes, json, mmap, os, socket, subprocess, sys, time
libc, left = ctypes.CDLL(None, use_errno=True), []

def leave(what, how, *arguments):
    try:
        made = how(*arguments)
        if made in (-1, False):
            raise OSError(ctypes.get_errno(), what)
    except (OSError, AttributeError):
        return
    kept.append(made)
    left.append(what)

kept = []

def daemon():
    # twice: one in a session of its own, one that is stopped
    for stopped in (False, True):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                if stopped:
                    os.kill(os.getpid(), 19)
                while True:
                    time.sleep(1000)
            os._exit(0)
    return True

def write(path):
    with open(path, "wb") as file:
        file.write(b"left" * 10_000)
    return True

def bound(family_path):
    each = socket.socket(socket.AF_UNIX)
    each.bind(family_path)
    each.listen()
    return each

def deleted():
    file = open("deleted", "w+b")
    file.truncate(2**20)
    mapped = mmap.mmap(file.fileno(), 2**20)
    mapped[:] = b"x" * 2**20
    os.unlink("deleted")
    return mapped, file

def pipe():
    reader, writer = os.pipe()
    os.write(writer, b"left")
    return reader, writer

def shared_memory():
    from multiprocessing.shared_memory import SharedMemory
    return SharedMemory("left-shared", create=True, size=4096)

leave("daemons", daemon)
for folder in (".", "/tmp", "/var/tmp", "/work", "/slot", "/dev/shm", "/dev", "/run", "/home", "/root", "/opt",
               os.path.dirname(os.getcwd()), f"/slot/{os.path.basename(os.getcwd())}"):
    leave(f"a file in {folder}", write, f"{folder}/left")
    leave(f"a socket in {folder}", bound, f"{folder}/left.sock")
    leave(f"a named pipe in {folder}", lambda path: os.mkfifo(path) or True, f"{folder}/left.pipe")
    leave(f"an attribute of {folder}", lambda path: os.setxattr(path, "user.left", b"left") or True, folder)
    leave(f"the time of {folder}", lambda path: os.utime(path, (1, 1)) or True, folder)
leave("an abstract socket", bound, "\\0left")
leave("a deleted file that is mapped", deleted)
leave("a pipe", pipe)
leave("shared memory of POSIX", shared_memory)
leave("shared memory of System V", lambda: libc.shmget(4711, 4096, 0o1777))
leave("a semaphore of System V", lambda: libc.semget(4711, 1, 0o1777))
leave("a queue of System V", lambda: libc.msgget(4711, 0o1777))
leave("a queue of POSIX", lambda: libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o777, None))
leave("a key", lambda: libc.syscall(248, b"user", b"left", b"left", 4, -3))
leave("a file in memory", lambda: os.memfd_create("left"))
leave("a lock", lambda: __import__("fcntl").flock(os.open(".", os.O_RDONLY), 2) or True)
print("LEFT", json.dumps(left))
"""
CAN_LEAVE = {
    "daemons", "a file in .", "a socket in .", "a named pipe in .", "an abstract socket", "the time of .",
    "a deleted file that is mapped", "a pipe", "a file in /dev/shm", "shared memory of POSIX",
}  # fmt: skip
"""What no wall forbids: only the end of everything takes it away."""
IPC = ("shm", "sem", "msg")
WRITABLE = {"/slot", "/tmp", "/work", "/dev", "/dev/shm", "/dev/mqueue", "/sys/fs/cgroup"}
"""The folders of a sandbox that are mounted to be written, by its root at least."""


@dataclass
class Sight:
    """What this machine sees of an idle slot: nothing of it may differ between before and after."""

    processes: list[str] = field(default_factory=list)
    descriptors: int = 0
    sockets: Counter[str] = field(default_factory=Counter)
    files: dict[str, tuple[object, ...]] = field(default_factory=dict)
    blocks: dict[str, tuple[int, int]] = field(default_factory=dict)
    ipc: dict[str, list[str]] = field(default_factory=dict)

    def differs(self, other: Sight) -> dict[str, Any]:
        """In which ways; of what has names, by name."""
        pairs = {name: (value, getattr(other, name)) for name, value in vars(self).items()}
        return {name: _unlike(*pair) for name, pair in pairs.items() if pair[0] != pair[1]}


def _unlike(one: Any, other: Any) -> Any:
    if not isinstance(one, dict):
        return one, other
    return {key: (one.get(key), other.get(key)) for key in one | other if one.get(key) != other.get(key)}


def look(used: Slot) -> Sight:
    """At the slot's processes, sockets, writable mounts and its IPC namespace, from outside."""
    zygote = min(pid for pid in processes() if is_inside(pid, used.folder))  # all others are its forks
    proc = Path(f"/proc/{zygote}")
    there = [pid for pid in processes() if namespace(pid, "pid") == namespace(zygote, "pid")]
    seen = Sight(sorted(os.fsdecode(command(pid).split(b"\0")[0]) for pid in there))
    seen.descriptors = len(list((proc / "fd").iterdir()))
    listed = (line.split() for line in (proc / "net" / "unix").read_text().splitlines()[1:])
    seen.sockets = Counter(" ".join([words[4], words[5], *words[7:]]) for words in listed)
    for mount in writable(proc):
        inside = proc / "root" / mount.lstrip("/")
        room = os.statvfs(inside)
        seen.blocks[mount] = (
            (room.f_bfree, room.f_ffree) if mount != "/slot" else (0, 0)
        )  # which is this machine's disk
        seen.files |= {f"{mount}: {name}": told for name, told in tree(inside)}
    for kind in IPC:
        seen.ipc[kind] = shown(zygote, f"/proc/sysvipc/{kind}").splitlines()[1:]
    seen.ipc["mqueue"] = [line for line in shown(zygote, "/dev/mqueue").splitlines() if line]
    return seen


def writable(proc: Path) -> list[str]:
    """The mounts that a process sees and that are not read-only, without those of the kernel itself."""
    found = []
    for line in (proc / "mountinfo").read_text().splitlines():
        own, _, of_file_system = line.partition(" - ")
        words = own.split()
        if "rw" in words[5].split(",") and of_file_system.split()[0] not in {"proc", "devpts", "sysfs", "cgroup"}:
            found.append(words[4])
    return sorted({mount for mount in found if (proc / "root" / mount.lstrip("/")).is_dir()})


def tree(top: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Each file and folder in a mount: its kind, rights, size, times and attributes."""
    device = top.stat().st_dev
    for folder, names, files in os.walk(top, followlinks=False):
        names[:] = [name for name in names if Path(folder, name).lstat().st_dev == device]  # another mount is not it
        for name in ["", *files, *names]:
            path = Path(folder, name)
            told = path.lstat()
            attributes = () if path.is_symlink() else tuple(os.listxattr(path))
            times = (told.st_mtime_ns, told.st_ino) if name != "" or folder != str(top) else (told.st_mtime_ns,)
            kept = () if name == "log" else (told.st_size, *times)  # what bwrap and the zygote say
            yield str(path.relative_to(top)), (told.st_mode, told.st_uid, *kept, attributes)


def shown(zygote: int, path: str) -> str:
    """A file or folder as it is in the IPC namespace of a process (and, of a queue's folder, what is in it)."""
    look_there = f"if [ -d {path} ]; then ls -A {path}; elif [ -e {path} ]; then cat {path}; fi"
    entered = ["nsenter", f"--ipc=/proc/{zygote}/ns/ipc"]
    if path.startswith("/dev"):
        entered.append(f"--mount=/proc/{zygote}/ns/mnt")
    return subprocess.run([*entered, "sh", "-c", look_there], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def pool_with(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SlotPool]]:
    """A pool whose first slot has its code patched."""
    pools: list[SlotPool] = []

    def make(spec: object, patches: dict[str, str]) -> SlotPool:
        pools.append(SlotPool(KINDS[kind]()))
        with monkeypatch.context() as patch:
            code = off._inside(tmp_path, patches)
            patch.setattr(slot, "bundle", lambda: code)
            pools[-1].warm(spec)  # type: ignore[arg-type]  # a SlotSpec
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def leave(shooting_range: Range, pool: SlotPool) -> tuple[Sight, Sight, set[str]]:
    """What is seen before and after a submission that leaves all it can, and what it says that it left."""
    task, grader = shooting_range.task, Grader(pool)
    honest = shooting_range.content(Attack(0, "an honest student"))
    assert grader.grade(task, Submission("honest", "vault", honest)).report.score == 100
    (used,) = pool._idle.values()
    before = look(used)
    content = shooting_range.content(Attack(0, "one of each kind", first=dedent(LEAVES)))
    graded = grader.grade(task, Submission("mallory", "vault", content))
    assert (graded.report.status, graded.report.score) == ("graded", 100.0), graded.report
    assert graded.notebook is not None
    printed = "".join(
        output.text for cell in graded.notebook.cells for output in cell.get("outputs", []) if "text" in output
    )
    (left,) = re.findall(r"^LEFT (.*)$", printed, re.MULTILINE)
    (still,) = pool._idle.values()
    assert still is used
    return before, look(used), set(json.loads(left))


@pytest.fixture(autouse=True)
def _rooted() -> None:
    if os.geteuid() != 0:
        pytest.skip("to look into a sandbox from outside is root's")


def test_nothing_of_a_submission_is_left(shooting_range: Range, pool_with: Callable[..., SlotPool], kind: str) -> None:
    before, after, left = leave(shooting_range, pool_with(shooting_range.task.slot_spec(), {}))
    print(kind, sorted(left))
    assert left >= CAN_LEAVE
    assert after == before, after.differs(before)
    assert {Path(name).name for name in after.processes} <= {"bwrap", "python", "docker-init"}
    assert len(after.processes) <= 2
    assert {*after.blocks, "/slot"} <= WRITABLE
    assert not any("left" in each for each in [*after.sockets, *after.files])
    assert not any(after.ipc.values())


@pytest.mark.parametrize(
    ("patches", "seen"),
    [
        (off.NEVER_KILLED, {"processes"}),
        (off.NEVER_REMOVED, {"files", "blocks"}),
        ({"zygote.py": "Zygote.clean = lambda self, name, folders: "
          "self.say(event='cleaned', name=name, left=[], processes=[])"}, {"files", "blocks"}),
    ],
    ids=["nothing is killed", "nothing is removed", "nothing is cleaned"],
)  # fmt: skip
def test_what_is_left_is_seen(
    shooting_range: Range, pool_with: Callable[..., SlotPool], patches: dict[str, str], seen: set[str]
) -> None:
    """The test above could fail: without the end of everything this machine sees what is left."""
    before, after, _left = leave(shooting_range, pool_with(shooting_range.task.slot_spec(), patches))
    assert seen <= after.differs(before).keys()


def test_a_slot_that_cannot_be_cleaned_is_replaced(shooting_range: Range, pool_with: Callable[..., SlotPool]) -> None:
    spec = shooting_range.task.slot_spec()
    pool = pool_with(spec, off.CANNOT_REMOVE)
    first = pool._idle[spec]
    content = shooting_range.content(Attack(0, "one of each kind", first=dedent(LEAVES)))
    report = Grader(pool).grade(shooting_range.task, Submission("mallory", "vault", content)).report
    assert (report.status, report.score) == ("graded", 100.0), report.error
    assert pool._idle[spec] is not first
    assert not first.folder.exists()
    assert off._settled(first, 0) == 0
