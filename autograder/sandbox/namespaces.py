"""Diagnosis of refused namespaces: why this machine makes none for bubblewrap, and what allows them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
SYSTEM_BWRAP, APPARMOR_PROFILE = Path("/usr/bin/bwrap"), Path("/etc/apparmor.d/bwrap-userns-restrict")
"""Ubuntu's profile, which gives the system's bwrap alone the right to make namespaces."""
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
CAP_SYS_ADMIN = 21
FILTERED = "2"
"""`Seccomp:` in /proc/self/status of a process behind a system-call filter."""
PROBE = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
for flags in map(int, sys.argv[1:]):
    print(ctypes.get_errno() if libc.unshare(flags) else 0)
"""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something does not work here, and what to do about it; `advice` is empty where nothing known helps."""

    reason: str
    advice: str = ""

    def __str__(self) -> str:
        """Both in one line."""
        return f"{self.reason}: {self.advice}" if self.advice else self.reason


def refused_user_namespaces() -> Obstacle | None:
    """Return why a process without root can make no user namespace with rights of its own; None where it can."""
    user, others = _unshare(CLONE_NEWUSER, CLONE_NEWNS | CLONE_NEWNET)
    if user == others == 0:
        return None
    return (
        _chroot("user namespaces")
        or _switched_off("kernel.unprivileged_userns_clone", refusing=0, allowing=1)
        or _switched_off("user.max_user_namespaces", refusing=0, allowing=10000)
        or _unsupported(user)
        or (_filter() if user else None)
        or _apparmor()
        or Obstacle(
            f"the kernel refuses user namespaces ({os.strerror(user or others)})",
            "ask the administrator to allow unprivileged user namespaces, or run this as root",
        )
    )


def refused_namespaces(said: str) -> Obstacle:
    """Return why bwrap could make no sandbox for this user, root or not; `said` is what it wrote about it."""
    found = _chroot("a new root folder") or _unprivileged_root() if os.geteuid() == 0 else refused_user_namespaces()
    if found is None and "mount proc" in said:
        found = Obstacle(
            "a container that hides parts of /proc allows no sandbox with a /proc of its own",
            "start the container with `--security-opt systempaths=unconfined`",
        )
    return found or Obstacle(f"bwrap cannot make a sandbox here ({said})")


def _chroot(what: str) -> Obstacle | None:
    """Return the obstacle where the root folder is no mount point: that of a process without chroot always is one."""
    try:
        mounts = (PROC / "self" / "mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return None
    if any(line.split()[4] == "/" for line in mounts):
        return None
    return Obstacle(f"in a chroot the kernel refuses {what}", "run this outside the chroot")


def _switched_off(name: str, *, refusing: int, allowing: int) -> Obstacle | None:
    try:
        found = int((PROC / "sys" / name.replace(".", "/")).read_text())
    except (OSError, ValueError):  # this kernel has no such setting
        return None
    if found != refusing:
        return None
    return Obstacle(
        f"{name} is {found}, so the kernel refuses user namespaces to all but root",
        f"as root, `sysctl -w {name}={allowing}` (in a file in /etc/sysctl.d/ it lasts)",
    )


def _unsupported(error: int) -> Obstacle | None:
    if error == errno.ENOSPC:
        return Obstacle(
            "there are too many user namespaces, or too many in one another",
            "raise user.max_user_namespaces with `sysctl`, or run this in fewer of them",
        )
    if error in {errno.ENOSYS, errno.EINVAL}:
        return Obstacle("this kernel has no user namespaces", "use a kernel with CONFIG_USER_NS, or run this as root")
    return None


def _filter() -> Obstacle | None:
    if _status("Seccomp") != FILTERED:
        return None
    return Obstacle(
        "a system-call filter refuses user namespaces: a container's, or RestrictNamespaces= of a systemd service",
        "start the container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or set "
        "RestrictNamespaces=no for the service",
    )


def _apparmor() -> Obstacle | None:
    found = _switched_off("kernel.apparmor_restrict_unprivileged_userns", refusing=1, allowing=0)
    if found and APPARMOR_PROFILE.exists() and not SYSTEM_BWRAP.exists():
        return Obstacle(found.reason, f"`apt-get install bubblewrap`, which AppArmor allows here; or {found.advice}")
    return found


def _unprivileged_root() -> Obstacle | None:
    advice = "start the container with `--privileged`"
    if not int(_status("CapEff"), 16) >> CAP_SYS_ADMIN & 1:
        return Obstacle("root has no CAP_SYS_ADMIN here, as in a container", advice)
    if _status("Seccomp") == FILTERED and any(_unshare(CLONE_NEWNS | CLONE_NEWNET)):
        return Obstacle("a container's system-call filter refuses namespaces", advice)
    return None


def _unshare(*flags: int) -> list[int]:
    """Errors of unshare(2) in a new process, called with each of `flags` in turn: 0 where it succeeds."""
    command = [sys.executable, "-ISc", PROBE, *map(str, flags)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return [int(line) for line in done.stdout.split()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return [errno.EPERM] * len(flags)


def _status(field: str) -> str:
    """A field of this process in /proc/self/status; "0" where it has none."""
    try:
        lines = (PROC / "self" / "status").read_text(errors="replace").splitlines()
    except OSError:
        return "0"
    return next((line.split()[1] for line in lines if line.startswith(f"{field}:")), "0")
