"""Which walls stand on this machine, what each one stops, and what to do where one is missing."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from autograder.errors import SandboxError
from autograder.inside import walls
from autograder.sandbox import gpu
from autograder.sandbox.bwrap import Bubblewrap, executable
from autograder.sandbox.docker import REFUSALS, Docker, connect
from autograder.sandbox.interface import IMAGE

MIB = 2**20
NEWUSER = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000) != 0)"
FULL_LANDLOCK = 6


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


def diagnose() -> list[Finding]:
    """Look at each wall of this machine. Nothing is changed."""
    docker, bwrap = _docker(), _bwrap()
    engine = bool(docker[1].stands)  # the image's row: it stands only where the engine does
    return [
        _sandbox(engine=engine, bwrap=bool(bwrap.stands)),
        *docker,
        bwrap,
        _user_namespaces(),
        _own_user(engine=engine),
        _landlock(),
        _seccomp(),
        Finding("rlimits", sys.platform == "linux", sys.platform, "one process that takes all memory or disk"),
        _python(),
        _torch(),
        _gpu(),
    ]


def render(findings: list[Finding], console: Console) -> None:
    """Print the findings as a table."""
    table = Table("", "wall", "what was found", box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    marks = {True: Text("stands", "green"), False: Text("missing", "yellow"), None: Text("-", "dim")}
    for finding in findings:
        mark = marks[finding.stands]
        lines = [Text(finding.found)]
        if finding.stops:
            lines.append(Text(f"against: {finding.stops}", "dim"))
        if finding.advice:
            lines.append(Text(f"to do: {finding.advice}", "yellow"))
        table.add_row(mark, Text(finding.wall, no_wrap=True), Group(*lines))
    console.print(table)


def _sandbox(*, engine: bool, bwrap: bool) -> Finding:
    chosen = "docker" if engine else "bwrap" if bwrap else "none"
    stops = "students' code from reaching the answers, the gradebook and each other"
    advice = "" if chosen != "none" else "install one of the two below: nothing is graded without a sandbox"
    return Finding("sandbox", chosen != "none", f"auto takes {chosen}", stops, advice)


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
    except SandboxError as error:
        advice = "start it, or grade with bwrap"
        return [Finding("engine", False, str(error), stops["engine"], advice)] + [
            Finding(wall, False, "no engine", stops[wall]) for wall in ("image", "cgroup memory")
        ]
    missing = Docker().missing()
    return [
        Finding("engine", True, f"{engine['Version']}, cgroup {info.get('CgroupVersion', '?')}", stops["engine"]),
        Finding(
            "image",
            missing is None,
            missing or _size(client),
            stops["image"],
            "autograder image build" if missing else "",
        ),
        Finding(
            "cgroup memory",
            bool(info.get("MemoryLimit")),
            "limited" if info.get("MemoryLimit") else "the engine cannot limit memory",
            stops["cgroup memory"],
            "" if info.get("MemoryLimit") else "delegate cgroups to the engine (systemd, cgroup v2)",
        ),
    ]


def _size(client: Any) -> str:
    try:
        return f"{IMAGE}, {client.images.get(IMAGE).attrs['Size'] / 1e9:.2f} GB"
    except REFUSALS as error:
        return str(error)


def _bwrap() -> Finding:
    missing = Bubblewrap().missing()
    stops = "the same as the engine, without one"
    advice = "apt-get install bubblewrap" if missing else ""
    return Finding("bwrap", missing is None, missing or str(executable()), stops, advice)


def _user_namespaces() -> Finding:
    done = subprocess.run([sys.executable, "-c", NEWUSER], capture_output=True, check=False)
    allowed = done.returncode == 0
    advice = "" if allowed or os.geteuid() == 0 else "sysctl kernel.unprivileged_userns_clone=1, or grade with Docker"
    found = "allowed" if allowed else "refused"
    return Finding("user namespaces", allowed, found, "the need for root: bwrap makes its sandbox with them", advice)


def _own_user(*, engine: bool) -> Finding:
    stands = engine or os.geteuid() == 0
    found = "each kernel has its own" if stands else "one user for zygote and kernels"
    stops = "signals to the zygote, files of other submissions"
    return Finding("own user", stands, found, stops, "" if stands else "grade with Docker")


def _landlock() -> Finding:
    from landlock import SyscallError, landlock_abi_version

    stops = "files outside a kernel's own folder, TCP, signals, abstract sockets"
    try:
        abi = landlock_abi_version()
    except SyscallError:
        return Finding("Landlock", False, "not in this kernel", stops, "Linux 5.13 or newer, with `landlock` in lsm=")
    advice = "" if abi >= FULL_LANDLOCK else "Linux 6.12 adds signals and abstract sockets (ABI 6)"
    return Finding("Landlock", True, f"ABI {abi}", stops, advice)


def _seccomp() -> Finding:
    stands = walls.prepare_seccomp() is not None
    found = "libseccomp is here" if stands else "libseccomp is missing"
    stops = "ptrace, namespaces, mounts, io_uring, shared memory, sockets but local ones"
    return Finding("seccomp", stands, found, stops, "" if stands else "apt-get install libseccomp2")


def _python() -> Finding:
    stands = sys.version_info >= (3, 11)
    return Finding("Python", stands, platform.python_version(), "", "" if stands else "Python 3.11 or newer")


def _torch() -> Finding:
    try:
        found = version("torch")
    except PackageNotFoundError:
        return Finding("torch", False, "not installed", "", "pip install -e .")
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
