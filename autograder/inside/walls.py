"""The inner walls: what a forked kernel gives up, for good, before it sees a line of the student's code.

Each wall is raised by a function that returns its name when it stands; one that this machine cannot raise is
left out, and the report says so by not listing it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
from collections.abc import Sequence
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
SCOPE_ABSTRACT_UNIX_SOCKET, SCOPE_SIGNAL = 1, 2  # Landlock ABI 6
NET_BIND_TCP, NET_CONNECT_TCP = 1, 2  # Landlock ABI 4
CLONE_NEWUSER = 0x10000000

DENIED_SYSCALLS = (
    # other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    # namespaces, mounts and the kernel itself
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsmount", "fsconfig", "fspick", "mount_setattr", "open_by_handle_at", "name_to_handle_at", "bpf",
    "perf_event_open", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "reboot", "swapon", "swapoff", "acct", "quotactl", "syslog",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    # memory that no limit counts, or that outlives the process
    "memfd_create", "memfd_secret", "setxattr", "lsetxattr", "fsetxattr", "setxattrat",
    "add_key", "request_key", "keyctl", "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl",
    "semget", "semop", "semctl",
    "mq_open", "mq_unlink",
    # clocks and identity
    "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
    "personality", "vhangup",
)  # fmt: skip

OTHERS_ARGUMENTS = (
    ("setpriority", 0), ("setpriority", 1), ("prlimit64", 0), ("sched_setaffinity", 0), ("sched_setscheduler", 1),
    ("sched_setattr", 0), ("ioprio_set", 1), ("migrate_pages", 0), ("move_pages", 0),
)  # fmt: skip
"""Calls, and which of their arguments must be 0: whom they are for, 0 being the caller, for without root the zygote has
its user; of sched_setscheduler the policy, for ZeroMQ sets its threads' to what it is."""
NUMBERED_SYSCALLS = (457, 458)
"""statmount and listmount, which tell of this machine's folders: libseccomp knows no name for them yet."""
MODE_SYSCALLS = ("chmod", "fchmod", "fchmodat", 452)
"""What opens a closed folder again to its owner; 452 is fchmodat2, for which libseccomp knows no name either."""
NUMBERED = ("x86_64", "aarch64")
"""Machines on which these are their numbers."""

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


def prepare_seccomp(*, own_user: bool = True) -> Any | None:
    """The syscall filter, built once by the zygote; None where libseccomp is missing.

    Where kernels have the zygote's own user, modes of files stay as they are: the folder of a kernel's sockets, which
    is the host's disk, is closed to it by nothing else.
    """
    import landlock  # noqa: F401 - imported here, before the forks

    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError):
        return None
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    denied, absent = pyseccomp.ERRNO(errno.EPERM), pyseccomp.ERRNO(errno.ENOSYS)
    for name in DENIED_SYSCALLS:
        try:
            rules.add_rule(denied, name)
        except OSError:  # this architecture has no such call
            continue
    for family in range(64):
        if family != socket.AF_UNIX:  # the kernel looks at 32 bits of the register, the filter at 64
            rules.add_rule(denied, "socket", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, 2**32 - 1, family))
    for name, argument in OTHERS_ARGUMENTS:
        with contextlib.suppress(OSError):  # as above
            rules.add_rule(denied, name, pyseccomp.Arg(argument, pyseccomp.NE, 0))
    if os.uname().machine in NUMBERED:
        for number in NUMBERED_SYSCALLS:
            rules.add_rule(denied, number)
    if not own_user:
        _keep_modes(rules, pyseccomp.ERRNO(0))
    rules.add_rule(denied, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    rules.add_rule(absent, "clone3")  # its flags cannot be filtered; libc falls back to clone
    return rules


def _keep_modes(rules: Any, unheard: Any) -> None:
    """Let no call change a file's mode, and none fail: `shutil.copy` sets modes too."""
    for call in MODE_SYSCALLS:
        if isinstance(call, str) or os.uname().machine in NUMBERED:
            with contextlib.suppress(OSError):  # this architecture has no such call
                rules.add_rule(unheard, call)


def seccomp(rules: Any | None) -> str | None:
    """Load the filter that `prepare_seccomp` built."""
    if rules is None:
        return None
    rules.load()
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
