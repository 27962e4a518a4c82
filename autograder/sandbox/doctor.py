"""Which walls stand on this machine, what each one stops, and what to do where one is missing."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autograder import access
from autograder.errors import SandboxError, UsageError
from autograder.inside import syscalls
from autograder.sandbox import bwrap, choose, gpu, namespaces
from autograder.sandbox.docker import REFUSALS, connect
from autograder.sandbox.failure import Failure, classify
from autograder.sandbox.interface import IMAGE
from autograder.sandbox.run_folder import run_folder
from autograder.settings import Settings

MIB = 2**20
FULL_LANDLOCK = 6
MOST_LISTED = 5
LSM = Path("/sys/kernel/security/lsm")


@dataclass(frozen=True, slots=True)
class Finding:
    """One wall: whether it stands, what was found, what it stops, and what to do where it is missing.

    `stands` is None where it is not there, and need not be.
    """

    wall: str
    stands: bool | None
    found: str
    stops: str
    advice: str = ""


def diagnose(settings: Settings | None = None) -> list[Finding]:
    """Look at each wall of this machine, and at the files of a course. Nothing is changed.

    Raises:
        UsageError: the group that the course names is not there.
    """
    rows = {name: LOOKS[name]() if name in LOOKS else [_other(name)] for name in choose.strongest_first()}
    works = {name: all(row.stands for row in found if row.wall in NEEDED | {name}) for name, found in rows.items()}
    engine = works.get("docker", False)
    return [
        _sandbox(works),
        *(finding for found in rows.values() for finding in found),
        _user_namespaces(needed=not works.get("bwrap", False)),
        _own_user(engine=engine),
        _landlock(),
        _seccomp(),
        Finding("rlimits", sys.platform == "linux", sys.platform, "one process that takes all memory or disk"),
        _temporary_files(),
        *([_files(settings)] if settings is not None else []),
        _python(),
        _torch(),
        _gpu(),
    ]


def _sandbox(works: Mapping[str, bool]) -> Finding:
    """The sandbox that "auto" takes, by which of them work, the strongest first."""
    chosen = next((name for name, does in works.items() if does), None)
    stops = "students' code from reaching the answers, the gradebook and each other"
    advice = "" if chosen else f"see {', '.join(works)} below: nothing is graded without one"
    return Finding("sandbox", chosen is not None, f"auto takes {chosen or 'none'}", stops, advice)


def _other(name: str) -> Finding:
    """A sandbox of which its own `missing()` says all."""
    reason = choose.make(name).missing()
    return Finding(name, reason is None, reason or "works here", "the same as the engine")


def _docker() -> list[Finding]:
    """Return the engine, its image, and its memory limit: in this order."""
    stops = {
        "engine": "a submission from seeing this machine's files and processes",
        "image": "notebooks from meeting other versions than the references",
        "cgroup memory": "many processes that together take all memory",
    }
    try:
        client = connect()
        engine, info = client.version(), client.info()
    except (SandboxError, *REFUSALS) as error:
        failure = _failure(error)
        return [Finding("engine", False, failure.reason, stops["engine"], failure.advice)] + [
            Finding(wall, False, "no engine", stops[wall]) for wall in ("image", "cgroup memory")
        ]
    return [
        Finding("engine", True, f"{engine['Version']}, cgroup {info.get('CgroupVersion', '?')}", stops["engine"]),
        _image(client, stops["image"]),
        Finding(
            "cgroup memory",
            bool(info.get("MemoryLimit")),
            "limited" if info.get("MemoryLimit") else "the engine cannot limit memory",
            stops["cgroup memory"],
            "" if info.get("MemoryLimit") else _memory_advice(info),
        ),
    ]


def _image(client: Any, stops: str) -> Finding:
    try:
        size = client.images.get(IMAGE).attrs["Size"]
    except REFUSALS as error:
        failure = classify(error)
        return Finding("image", False, failure.reason, stops, failure.advice)
    return Finding("image", True, f"{IMAGE}, {size / 1e9:.2f} GB", stops)


def _failure(error: Exception) -> Failure:
    """What the engine's error means: that of `connect` says it in one line, and names the engine's own as its cause."""
    cause = error.__cause__ if isinstance(error, SandboxError) else error
    return classify(cause) if isinstance(cause, REFUSALS) else Failure(str(error), retry=False)


def _memory_advice(info: dict[str, Any]) -> str:
    if any("rootless" in str(option) for option in info.get("SecurityOptions") or ()):
        return "delegate the memory controller to this user (systemd: Delegate=memory; cgroup v2)"
    return "boot this kernel with `cgroup_enable=memory`"


def _bwrap() -> list[Finding]:
    found = bwrap.obstacle()
    stops = "the same as the engine, without one"
    if found is not None:
        return [Finding("bwrap", False, found.reason, stops, found.advice)]
    return [Finding("bwrap", True, str(bwrap.executable()), stops)]


LOOKS: dict[str, Callable[[], list[Finding]]] = {"docker": _docker, "bwrap": _bwrap}
"""The sandboxes that have more to say than `missing()` does."""
NEEDED = {"engine", "image"}
"""What docker needs; a missing memory limit weakens it."""


def _user_namespaces(*, needed: bool) -> Finding:
    """Whether an ordinary user could make them; root does without, and so does a bwrap that works all the same."""
    stops = "the need for root: bwrap makes its sandbox with them"
    if (refused := namespaces.refused_user_namespaces()) is None:
        return Finding("user namespaces", True, "allowed", stops)
    if os.geteuid() == 0 or not needed:
        return Finding("user namespaces", None, f"not needed; {refused.reason}", stops)
    return Finding("user namespaces", False, refused.reason, stops, refused.advice)


def _own_user(*, engine: bool) -> Finding:
    stands = engine or os.geteuid() == 0
    found = "each kernel has its own" if stands else "one user for zygote and kernels"
    stops = "signals to the zygote, files of other submissions"
    return Finding("own user", stands, found, stops, "" if stands else "grade with Docker, or as root")


def _landlock() -> Finding:
    from landlock import SyscallError, landlock_abi_version

    stops = "files outside a kernel's own folder, TCP, signals, abstract sockets"
    try:
        abi = landlock_abi_version()
    except SyscallError as error:
        return Finding("Landlock", False, f"refused ({error.strerror or error})", stops, _landlock_advice())
    advice = "" if abi >= FULL_LANDLOCK else "Linux 6.12 adds signals and abstract sockets (ABI 6)"
    return Finding("Landlock", True, f"ABI {abi}", stops, advice)


def _landlock_advice() -> str:
    try:
        enabled = LSM.read_text().split(",")
    except OSError:
        enabled = []
    if enabled and "landlock" not in enabled:
        return f"Linux 5.13 or newer, booted with `lsm=landlock,{','.join(enabled).strip()}`"
    return "Linux 5.13 or newer, and a container engine whose system-call filter allows it"


def _seccomp() -> Finding:
    stands = syscalls.prepare() is not None
    found = "libseccomp is here" if stands else "libseccomp is missing"
    stops = "ptrace, namespaces, mounts, io_uring, shared memory, sockets but local ones"
    advice = "install the system's library libseccomp (on Debian: `apt-get install libseccomp2`)"
    return Finding("seccomp", stands, found, stops, "" if stands else advice)


def _temporary_files() -> Finding:
    stops = "other users of this machine from the grader's sockets and temporary files"
    try:
        folder = run_folder()
    except UsageError as error:
        return Finding("temporary files", False, str(error).partition(": ")[0], stops, str(error).partition(": ")[2])
    return Finding("temporary files", True, f"{folder}, closed to others", stops)


def _files(settings: Settings) -> Finding:
    """Whether other users may read what the course keeps."""
    stops = "other users of this machine from scores, submissions and feedback"
    if not (found := access.opened(settings)):
        whom = f"the group {settings.group}" if settings.group else "nobody else"
        return Finding("files at rest", True, f"readable by you and {whom}", stops)
    more = f" and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
    return Finding(
        "files at rest",
        False,
        f"open to other users: {', '.join(found[:MOST_LISTED])}{more}",
        stops,
        f"grade again, which closes all but {access.HANDED_IN}/, or `chmod -R go= ...` in {settings.course_folder}",
    )


def _python() -> Finding:
    stands = sys.version_info >= (3, 11)
    return Finding("Python", stands, platform.python_version(), "", "" if stands else "Python 3.11 or newer")


def _torch() -> Finding:
    try:
        found = version("torch")
    except PackageNotFoundError:
        return Finding("torch", False, "not installed", "", "`pip install --editable .` in this environment")
    return Finding("torch", True, found, "")


def _gpu() -> Finding:
    """A GPU is no wall: without one its assignments run at their CPU size, or wait."""
    stops = 'nothing: it runs assignments with runner = "gpu"'
    try:
        here = gpu.found()
    except SandboxError as error:
        return Finding("GPU", False, str(error), stops, "see `nvidia-smi`")
    if not here:
        return Finding(
            "GPU",
            None,
            'none here: assignments with runner = "gpu" run at their CPU size, or wait if they need one',
            "",
        )
    names = ", ".join(f"{each.index}: {each.name}, {each.memory_bytes / 2**30:.0f} GiB" for each in here)
    if version("torch").endswith("+cpu"):
        return Finding("GPU", False, f"{names}; torch is a CPU build", stops, "install a CUDA build of the same torch")
    return Finding("GPU", True, names, "")
