"""The inner walls: what a forked kernel gives up, for good, before it sees a line of the student's code.

Each wall is raised by a function that returns its name when it stands; one that this machine cannot raise is
left out, and the report says so by not listing it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Sequence
from typing import IO

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1, 2  # Landlock ABI 6
NET_BIND_TCP, NET_CONNECT_TCP = 1, 2  # Landlock ABI 4

libc = ctypes.CDLL(None, use_errno=True)


def limit_resources(processes: int, disk: int) -> str:
    """At most `processes` processes or threads of this user, files of at most `disk` bytes."""
    for what, value in (
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 1024),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)  # noqa: PLW2901 - the lower of the two is the one to set
        resource.setrlimit(what, (value, value))
    return "rlimits"


def limit_memory(memory: int, statm: IO[str], *, mapped: bool = True) -> None:
    """At most `memory` bytes more than now: the kernel's own threads cost the student nothing.

    Of address space; where that is not `mapped` one to one, for CUDA reserves more of it than a machine has memory, of
    private memory that can be written. `statm` is /proc/self/statm, opened before the walls stood.
    """
    which, column = (resource.RLIMIT_AS, 0) if mapped else (resource.RLIMIT_DATA, 5)
    allowed = int(statm.read().split()[column]) * resource.getpagesize() + memory
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        allowed = min(allowed, hard)
    resource.setrlimit(which, (allowed, allowed))


def die_before_the_zygote() -> None:
    """Be killed first, with all children, when memory runs out: before the zygote and the grader."""
    with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - as above
        file.write("1000")


def die_with_the_zygote() -> None:
    """Be killed when the zygote ends, however it does. A change of user undoes this: call it afterwards."""
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def mapped(uid: int) -> int:
    """`uid`; where this user namespace has no such user (a rootless engine maps few), one that it has."""
    with open("/proc/self/uid_map") as file:  # noqa: PTH123 - as above
        ranges = [(int(first), int(count)) for first, _outside, count in map(str.split, file)]
    if any(first <= uid < first + count for first, count in ranges):
        return uid
    first, count = max(ranges, key=lambda each: each[1])
    if first == 0 and count > 1:  # root is the zygote's
        first, count = 1, count - 1
    return first + uid % count


def drop_user(uid: int) -> str | None:
    """Become `uid` (and group `uid`), without a way back. None where this process may not."""
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except PermissionError:
        return None
    return "uid"


def forbid_privileges() -> str:
    """No setuid binary helps, and no process of the same user may attach or read memory."""
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    return "no-new-privs"


def landlock(
    readable: Sequence[str],
    devices: Sequence[str],
    writable: Sequence[str],
    sockets: Sequence[str],
    memory: Sequence[str] = (),
) -> str | None:
    """Files: read `readable` and `devices`, do anything in `writable`, make sockets in `sockets`; no more.

    In `memory` plain files, by names that are known: nobody lists it.

    Where the kernel can: no TCP, no signals and no abstract sockets to anything outside. None where it has no
    Landlock.
    """
    from landlock import FSAccess, Ruleset, SyscallError, landlock_abi_version

    try:
        abi = landlock_abi_version()
    except SyscallError:
        return None
    rules = Ruleset()
    read = FSAccess.READ_FILE | FSAccess.READ_DIR | FSAccess.EXECUTE
    for path in readable:
        if os.path.exists(path):  # noqa: PTH110 - as above
            rules.allow(path, rules=read if os.path.isdir(path) else FSAccess.READ_FILE)  # noqa: PTH112 - as above
    used = FSAccess.all() & (FSAccess.READ_FILE | FSAccess.WRITE_FILE | FSAccess.IOCTL_DEV)
    for path in devices:
        if os.path.exists(path):  # noqa: PTH110 - as above
            rules.allow(path, rules=used)
    never = FSAccess.MAKE_BLOCK | FSAccess.MAKE_CHAR
    for path in writable:
        rules.allow(path, rules=FSAccess.all() & ~never)
    for path in sockets:
        rules.allow(path, rules=FSAccess.MAKE_SOCK | FSAccess.REMOVE_FILE | FSAccess.READ_DIR)
    plain = FSAccess.READ_FILE | FSAccess.WRITE_FILE | FSAccess.TRUNCATE | FSAccess.MAKE_REG | FSAccess.REMOVE_FILE
    for path in memory:
        if os.path.exists(path):  # noqa: PTH110 - as above
            rules.allow(path, rules=FSAccess.all() & plain)
    rules.apply()
    _scope(abi)
    return "landlock"


def _scope(abi: int) -> None:
    """A second ruleset for what the landlock package cannot say yet: TCP, signals, abstract sockets."""
    from landlock import plumbing

    class Attributes(ctypes.Structure):
        _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))

    net = NET_BIND_TCP | NET_CONNECT_TCP if abi >= 4 else 0
    scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL if abi >= 6 else 0
    if not net and not scoped:
        return
    attributes = Attributes(0, net, scoped)
    size = ctypes.sizeof(attributes) if abi >= 6 else 16
    descriptor = libc.syscall(plumbing.SYSCALL_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    if descriptor < 0 or libc.syscall(plumbing.SYSCALL_RESTRICT_SELF, descriptor, 0):
        raise OSError(ctypes.get_errno(), "landlock: scopes")
    os.close(descriptor)


class _Program(ctypes.Structure):
    """`struct sock_fprog`: how many instructions of 8 bytes, and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def seccomp(program: bytes | None) -> str | None:
    """Load the filter that `syscalls.prepare` built; Linux wants it without new privileges."""
    if program is None:
        return None
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(_Program(len(program) // 8, program)), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")
    return "seccomp"


def forget_files(keep: int) -> None:
    """Close every descriptor but the standard streams and `keep`."""
    os.closerange(3, keep)
    os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))


def forget_signals() -> None:
    """Default handlers, nothing blocked: the zygote's own are not the kernel's."""
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
