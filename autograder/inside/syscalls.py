"""The system calls of a forked kernel: an allow-list by group, each with its reason, as a seccomp filter.

What no group names, calls that a later Linux brings included, fails with ENOSYS, upon which the C library and Python
take the older way. What a group of `DENIED` names fails with EPERM.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

CLONE_NEW: Final = 0x7E020080
"""All of clone's flags for new namespaces: time, cgroup, uts, ipc, user, pid, net, mount."""


class Group(NamedTuple):
    """System calls that are allowed or denied for one reason."""

    reason: str
    names: tuple[str, ...]


def _group(reason: str, names: str) -> Group:
    return Group(reason, tuple(names.split()))


ALLOWED: Final = {
    "files": _group(
        "Which files, Landlock and the sandbox's mounts decide; how much, the disk's limit.",
        """read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat openat2 creat close
        close_range dup dup2 dup3 lseek stat fstat lstat newfstatat fstatat64 statx access faccessat faccessat2 fcntl
        flock fsync fdatasync sync_file_range truncate ftruncate fallocate fadvise64 readahead getdents getdents64
        getcwd chdir fchdir rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink unlinkat symlink symlinkat
        readlink readlinkat mknod mknodat umask utime utimes utimensat futimesat statfs fstatfs sendfile
        copy_file_range ioctl getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr chown fchown lchown
        fchownat""",
    ),
    "modes": _group(
        "Of its own files; ignored where all kernels have one user, see `own_user`.", "chmod fchmod fchmodat"
    ),
    "memory": _group(
        "How much, the memory limit decides.",
        """mmap mprotect munmap brk mremap msync mincore madvise mlock mlock2 mlockall munlock munlockall membarrier
        mbind set_mempolicy get_mempolicy pkey_alloc pkey_free pkey_mprotect shmdt""",
    ),
    "processes": _group(
        "How many, the process limit decides; whom a signal reaches, the user, Landlock and the PID namespace.",
        """fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill getpid getppid gettid getpgid
        getpgrp getsid setpgid setsid set_tid_address set_robust_list get_robust_list futex futex_waitv rseq
        arch_prctl prctl restart_syscall pidfd_open pidfd_send_signal set_thread_area get_thread_area""",
    ),
    "scheduling": _group(
        "Read freely; set for the caller alone, see `OWN`.",
        """sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_getattr sched_get_priority_max
        sched_get_priority_min sched_rr_get_interval getcpu getpriority ioprio_get""",
    ),
    "identity and limits": _group(
        "Read freely; a limit can only be lowered.",
        """getuid geteuid getgid getegid getresuid getresgid getgroups capget getrlimit setrlimit getrusage times
        sysinfo uname""",
    ),
    "time": _group(
        "Timers count against the limit of pending signals.",
        """clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getitimer setitimer alarm pause
        timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create timerfd_settime
        timerfd_gettime""",
    ),
    "signals": _group(
        "Handlers of its own; to others as for processes.",
        """rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo
        rt_sigsuspend sigaltstack signalfd signalfd4""",
    ),
    "waiting and messages": _group(
        "Sockets are local ones only, see `LOCAL`: ipykernel and worker processes talk through them.",
        """poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
        eventfd eventfd2 pipe pipe2 connect accept accept4 sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown
        bind listen getsockname getpeername setsockopt getsockopt""",
    ),
    "random numbers": _group("Without a quota.", "getrandom"),
}
"""What a kernel may call."""

DENIED: Final = {
    "other processes": _group(
        "They read or steer another process.",
        "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd",
    ),
    "namespaces and mounts": _group(
        "They open large parts of Linux, and lead out of the folders that are in sight.",
        """unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount fsconfig fspick
        mount_setattr open_by_handle_at name_to_handle_at""",
    ),
    "the system itself": _group(
        "For administrators.",
        """bpf kexec_load kexec_file_load init_module finit_module delete_module create_module reboot swapon swapoff
        acct quotactl quotactl_fd syslog iopl ioperm modify_ldt personality vhangup lookup_dcookie nfsservctl
        settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname""",
    ),
    "identity": _group(
        "A kernel keeps its user and capabilities.",
        "setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset",
    ),
    "quotas of the machine": _group(
        "The whole machine, or all processes of a user, share one quota: AIO contexts, inotify watches, performance "
        "counters, pipes' pages lent to others; `sync` makes everybody wait for all disks.",
        """io_setup io_destroy io_getevents io_pgetevents io_submit io_cancel inotify_init inotify_init1
        inotify_add_watch inotify_rm_watch fanotify_init fanotify_mark perf_event_open userfaultfd io_uring_setup
        io_uring_enter io_uring_register splice tee vmsplice sync syncfs""",
    ),
    "memory that outlives a process": _group(
        "No limit counts it, or it stays when the kernel has ended: keys, message queues, semaphores, attributes.",
        """memfd_create memfd_secret setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr
        add_key request_key keyctl shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semctl
        mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr remap_file_pages""",
    ),
}
"""What it may not, though programs ask for it."""

OWN: Final = {
    "setpriority": (0, 1), "prlimit64": (0,), "sched_setaffinity": (0,), "sched_setparam": (0,),
    "sched_setscheduler": (1,), "sched_setattr": (0,), "ioprio_set": (1,), "migrate_pages": (0,), "move_pages": (0,),
}  # fmt: skip
"""Calls, and which of their arguments must be 0: whom they are for, 0 being the caller, for without root the zygote has
its user; of sched_setscheduler the policy, for ZeroMQ sets its threads' to what it is."""
LOCAL: Final = ("socket", "socketpair")
"""Calls whose first argument must be AF_UNIX."""
NUMBERED: Final = {"statmount": 457, "listmount": 458}
"""They tell of this machine's folders: denied. libseccomp knows no name for them yet."""
FCHMODAT2: Final = 452
"""One of the modes, for which libseccomp knows no name either."""
NUMBERED_ON: Final = ("x86_64", "aarch64")
"""Machines on which these are their numbers."""


def prepare(*, own_user: bool = True) -> bytes | None:
    """Return the filter as a program for Linux, which each fork loads; None where libseccomp is missing.

    Args:
        own_user: whether each kernel has a user of its own. Where kernels have the zygote's user, modes of files stay
            as they are, and no call that sets one fails (`shutil.copy` does): the folder of a kernel's sockets, which
            is the host's disk, is closed to it by nothing else.
    """
    try:
        import pyseccomp
    except (ImportError, OSError, RuntimeError):
        return None
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    for action, call, conditions in (*_always(), *_by_argument()):
        ignored = not own_user and call in (*ALLOWED["modes"].names, FCHMODAT2)
        with contextlib.suppress(OSError, ValueError):  # this architecture has no such call
            rules.add_rule(
                pyseccomp.ERRNO(0)
                if ignored
                else pyseccomp.ALLOW
                if action == "allow"
                else pyseccomp.ERRNO(errno.EPERM),
                call,
                *(pyseccomp.Arg(position, getattr(pyseccomp, how), *values) for position, how, *values in conditions),
            )
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


_Rule = tuple[Literal["allow", "deny"], str | int, Sequence[tuple[Any, ...]]]
"""What is done with a call, and where its arguments decide, how: `(position, comparison, value, ...)`."""


def _always() -> Iterator[_Rule]:
    """The calls that are allowed or denied whatever their arguments are."""
    for group in ALLOWED.values():
        yield from (("allow", call, ()) for call in group.names)
    for group in DENIED.values():
        yield from (("deny", call, ()) for call in group.names)
    if os.uname().machine in NUMBERED_ON:
        yield "allow", FCHMODAT2, ()
        yield from (("deny", number, ()) for number in NUMBERED.values())


def _by_argument() -> Iterator[_Rule]:
    """Those of which an argument decides.

    clone3 is absent: its flags lie in memory, where no filter looks, and the C library falls back to clone.
    """
    for call in LOCAL:
        for family in range(64):  # Linux looks at 32 bits of the register, the filter at 64
            yield "allow" if family == socket.AF_UNIX else "deny", call, [(0, "MASKED_EQ", 2**32 - 1, family)]
    for call, positions in OWN.items():
        yield "allow", call, [(position, "EQ", 0) for position in positions]
        yield from (("deny", call, [(position, "NE", 0)]) for position in positions)
    yield "allow", "clone", [(0, "MASKED_EQ", CLONE_NEW, 0)]
    for flag in (1 << bit for bit in range(32) if CLONE_NEW >> bit & 1):
        yield "deny", "clone", [(0, "MASKED_EQ", flag, flag)]
