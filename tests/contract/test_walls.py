"""Every sandbox with walls: what a kernel cannot see, reach or change."""

import contextlib
import errno
import itertools
import secrets
import socket
import tempfile
from pathlib import Path

import pyseccomp
import pytest
from sandboxed import CANARY, REPOSITORY, KernelKilledError

from autograder.inside import syscalls


@pytest.fixture(scope="module")
def planted():
    """Files that no sandbox may show: among the solutions, beside them where that may not be written, and in /tmp."""
    files = []
    with contextlib.ExitStack() as stack:
        for folder in (REPOSITORY / "solutions", Path(tempfile.gettempdir())):
            with contextlib.suppress(OSError):  # no right to write, or read-only for users without root
                file = folder / f".{CANARY}-{secrets.token_hex(4)}"
                file.write_text(f"{CANARY}\n")
                stack.callback(file.unlink)
                files.append(str(file))
        assert files
        yield files


def test_the_walls_that_stand_are_named(kernel, walled):
    assert {walled, "pid-namespace", "no-network", "read-only-root", "rlimits", "no-new-privs"} <= set(kernel.walls)


def test_no_secret_is_in_sight(kernel, planted):
    found = kernel.run(
        f"""
        import gc, os, sys
        canary, planted, repository = {CANARY!r}, {planted!r}, {str(REPOSITORY)!r}
        closed = tuple(f"{{repository}}/{{name}}" for name in ("solutions", "autograder", "course", "pyproject.toml"))
        answer = [f"environment {{name}}" for name, value in os.environ.items() if canary in value]
        answer += [f"argument {{each}}" for each in sys.orig_argv if canary in each or each.startswith(closed)]
        answer += [f"path {{each}}" for each in sys.path if each == repository or each.startswith(closed)]
        ours = ("autograder", "solutions", "nbgrader")
        answer += [f"module {{name}}" for name in sys.modules if name.split(".")[0] in ours]
        answer += [f"file {{path}}" for path in (*planted, *closed) if os.path.exists(path)]
        for each in gc.get_objects():
            if isinstance(each, dict) and each is not globals() and "AUTOGRADER_SECRET" in each:
                answer.append("object")
        for folder, folders, files in os.walk("/"):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
            answer += [f"{{folder}}/{{name}}" for name in folders + files if canary in name or name == "gradebook.db"]
            for name in {{"solutions", "nbgrader", "autograder"}} & set(folders):
                package = f"{{folder}}/{{name}}/__init__.py"
                if os.path.exists(package) and "does without" not in open(package).read():
                    answer.append(package)
        """,
        seconds=60,
    )
    assert found == []


@pytest.mark.parametrize("package", ["autograder", "solutions", "nbgrader"])
def test_the_graders_own_packages_cannot_be_imported(kernel, package):
    assert (
        kernel.run(
            f"""
        try:
            import {package}
        except ImportError as error:
            answer = type(error).__name__
        """
        )
        == "ModuleNotFoundError"
    )


@pytest.mark.parametrize("package", ["torch", "pytorch_lightning", "scipy", "sklearn"])
def test_a_numpy_sandbox_has_no_torch_and_no_scipy(kernel, package):
    name, files = kernel.run(
        f"""
        import os, sys
        try:
            import {package}.special
        except ModuleNotFoundError as error:
            found = error.name
        files = [f"{{folder}}/{package}" for folder in sys.path if os.path.isdir(f"{{folder}}/{package}")
                 and os.listdir(f"{{folder}}/{package}") != ["__init__.py"]]
        answer = found, files
        """
    )
    assert (name, files) == (package, [])


def test_a_torch_sandbox_has_torch(walled, start):
    assert (
        start(walled, "torch").run(
            """
        import scipy.signal, torch, pytorch_lightning
        image = torch.ones(1, 1, 5, 5, requires_grad=True)
        torch.nn.functional.conv2d(image, torch.ones(1, 1, 3, 3)).sum().backward()
        answer = image.grad[0, 0, 2, 2].item()
        """
        )
        == 9.0
    )


def test_there_is_no_network(kernel):
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        abstract.bind(f"\0{CANARY}")
        abstract.listen()
        reached = kernel.run(
            f"""
            import socket
            answer = []
            for family, kind, address in (
                (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", {tcp.getsockname()[1]})),
                (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
                (socket.AF_INET6, socket.SOCK_STREAM, ("::1", {tcp.getsockname()[1]})),
                (socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53)),
                (socket.AF_UNIX, socket.SOCK_STREAM, "\\0{CANARY}"),
                (socket.AF_UNIX, socket.SOCK_STREAM, "/var/run/docker.sock"),
                (socket.AF_UNIX, socket.SOCK_STREAM, "/slot/control"),
            ):
                try:
                    with socket.socket(family, kind) as each:
                        each.settimeout(2)
                        each.connect(address)
                        answer.append(address)
                except OSError:
                    pass
            for family in (socket.AF_NETLINK, socket.AF_PACKET):
                try:
                    socket.socket(family, socket.SOCK_RAW).close()
                    answer.append(family)
                except OSError:
                    pass
            try:
                answer.append(socket.getaddrinfo("example.org", 80))
            except OSError:
                pass
            """
        )
    assert reached == []


def test_no_other_process_can_be_read_or_signalled(kernel):
    reached = kernel.run(
        """
        import ctypes, os, signal
        answer = []
        for pid in range(1, 40):
            if ctypes.CDLL(None).tgkill(os.getpid(), pid, 0) == 0:
                continue  # a thread of this process: a signal to it ends the process itself
            for file in ("environ", "maps", "mem", "cmdline", "fd/0", "root/etc/passwd", "cwd/."):
                try:
                    with open(f"/proc/{pid}/{file}", "rb") as opened:
                        opened.read(1)
                    answer.append(f"{pid}/{file}")
                except OSError:
                    pass
            for number in (0, signal.SIGSTOP, signal.SIGKILL):
                try:
                    os.kill(pid, number)
                    answer.append(f"{pid} signal {number}")
                except OSError:
                    pass
            if ctypes.CDLL(None).ptrace(16, pid, 0, 0) == 0:
                answer.append(f"{pid} ptrace")
        """
    )
    assert reached == []


def test_a_kernel_that_signals_everything_harms_itself_alone(kernel, start, walled):
    with contextlib.suppress(KernelKilledError):
        kernel.run(
            """
            import os, signal
            for number in (signal.SIGTERM, signal.SIGKILL):
                for target in (-1, 0):
                    try:
                        os.kill(target, number)
                    except OSError:
                        pass
            """,
            seconds=3,
        )
    kernel.end()
    assert start(walled).run("answer = 1 + 1") == 2


def test_what_was_inherited_leads_nowhere(kernel, start, walled):
    """Every descriptor is read, written to, shut down and unregistered: the zygote does not notice."""
    kernel.send(
        """
        import os, select, socket
        def attempt(misuse, *arguments):
            try:
                return misuse(*arguments)
            except (OSError, ValueError):
                pass
        for descriptor in range(3, 64):
            attempt(os.set_blocking, descriptor, False)
            attempt(os.read, descriptor, 65536)
            attempt(os.write, descriptor, b'{"do": "clean", "name": "k", "folders": ["/work"]}\\n')
            if (selector := attempt(select.epoll.fromfd, os.dup(descriptor) if attempt(os.fstat, descriptor) else -1)):
                for number in range(3, 64):
                    attempt(selector.unregister, number)
        os._exit(7)
        """
    )
    kernel.exited()
    kernel.end()
    assert start(walled).run("answer = 1 + 1") == 2


def test_each_slot_has_a_user_of_its_own(walled, own_slot, start):
    first, second = start(walled), own_slot(walled)
    if "uid" not in first.walls:
        pytest.skip("without root there is one user: Landlock keeps kernel and zygote apart")
    users = first.run("import os; answer = os.getresuid() + os.getresgid() + tuple(os.getgroups())")
    assert len(set(users)) == 1
    assert users[0] >= 1000
    assert second.uid != first.slot.uid


def test_no_privilege_comes_back(kernel):
    gained = kernel.run(
        """
        import ctypes, os, subprocess
        libc = ctypes.CDLL(None, use_errno=True)
        answer = []
        for name, call in {
            "setuid": lambda: os.setuid(0) or os.getuid() != 0,
            "chroot": lambda: os.chroot("/tmp"),
            "nice": lambda: os.nice(-5),
            "unshare": lambda: libc.unshare(0x10000000),
            "mount": lambda: libc.mount(b"tmpfs", b"/work", b"tmpfs", 0, None),
            "setns": lambda: libc.setns(0, 0),
            "keyring": lambda: -1 if libc.syscall(250, 0, -3, 0) < 0 else 0,
            "shmget": lambda: libc.shmget(1234, 4096, 0o1777),
        }.items():
            try:
                if call() in (0, None) or name == "shmget" and call() > 0:
                    answer.append(name)
            except OSError:
                pass
        try:
            who = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
            if who.strip() == "0":
                answer.append("su")
        except OSError:
            pass
        """
    )
    assert gained == []


TRIED = sorted({*itertools.chain(*(group.names for group in syscalls.DENIED.values())), "clone3", "futex_wake"})
"""System calls that no kernel may use: those denied, and two that no group names."""


@pytest.mark.parametrize("name", TRIED)
def test_a_system_call_that_is_not_allowed_is_refused(kernel, name):
    number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
    if number < 0:
        pytest.skip(f"this architecture has no {name}")
    expected = errno.EPERM if any(name in group.names for group in syscalls.DENIED.values()) else errno.ENOSYS
    found = kernel.run(
        f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        answer = [libc.syscall({number}, 0, 0, 0, 0, 0, 0), ctypes.get_errno()]
        """
    )
    assert found == [-1, expected]


@pytest.mark.parametrize("name", syscalls.OWN)
def test_scheduling_is_set_for_the_caller_alone(kernel, name):
    number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
    found = kernel.run(
        f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        answer = [libc.syscall({number}, 1, 1, 0, 0, 0, 0), ctypes.get_errno()]
        """
    )
    assert found == [-1, errno.EPERM]


@pytest.mark.parametrize("call", ["socket", "socketpair"])
def test_only_local_sockets_are_made(kernel, call):
    found = kernel.run(
        f"""
        import errno, socket
        answer = []
        for family in range(64):
            try:
                socket.{call}(family, socket.SOCK_STREAM if family == socket.AF_UNIX else socket.SOCK_RAW)
                answer.append(family)
            except OSError as error:
                assert error.errno == errno.EPERM, error
        """
    )
    assert found == [socket.AF_UNIX]


def test_only_its_own_folder_can_be_written(kernel):
    written = kernel.run(
        """
        import os, numpy
        answer = []
        here = os.getcwd()
        site, library = os.path.dirname(os.path.dirname(numpy.__file__)), os.path.dirname(os.__file__)
        for folder in ("/", "/etc", "/usr", "/usr/lib", "/opt", "/opt/autograder", "/opt/autograder/inside",
                       "/opt/autograder/course", "/slot", "/slot/" + os.path.basename(here), "/work", "/tmp",
                       "/var/tmp", "/dev", "/run", "/sys", "/proc/self", site, library):
            for make in (lambda path: open(path, "w").close(), lambda path: os.symlink("/", path), os.mkdir):
                try:
                    make(folder + "/planted")
                    answer.append(folder)
                except OSError:
                    pass
        for file in (numpy.__file__, "/opt/autograder/inside/probe.py"):
            try:
                open(file, "a").close()
                answer.append(file)
            except OSError:
                pass
        """
    )
    assert written == []


def test_of_shared_memory_only_plain_files_can_be_made_and_nobody_lists_them(kernel):
    allowed = kernel.run(
        """
        import os, socket
        answer = []
        for name, act in {
            "list": lambda: os.listdir("/dev/shm"),
            "folder": lambda: os.mkdir("/dev/shm/planted"),
            "link": lambda: os.symlink("/", "/dev/shm/planted"),
            "pipe": lambda: os.mkfifo("/dev/shm/planted"),
            "socket": lambda: socket.socket(socket.AF_UNIX).bind("/dev/shm/planted"),
            "mode": lambda: os.chmod("/dev/shm", 0o777),
            "attribute": lambda: os.setxattr("/dev/shm", "user.planted", b"x"),
            "file": lambda: (open("/dev/shm/planted", "w").close(), os.unlink("/dev/shm/planted")),
        }.items():
            try:
                act()
                answer.append(name)
            except OSError:
                pass
        """
    )
    assert set(allowed) <= {"file", "mode"}
    assert "file" in allowed
    if "uid" in kernel.walls:
        assert allowed == ["file"]


def test_no_kernel_without_a_gpu_of_its_own_can_see_one(kind, start):
    kernel = start(kind, "torch")
    assert kernel.run(
        """
            import glob, os, torch
            answer = [os.environ["CUDA_VISIBLE_DEVICES"], glob.glob("/dev/nvidia*"), torch.cuda.is_available()]
            """
    )[::2] == ["", False]
