"""The zygote: imports what notebooks need once, holds no thread, and forks one kernel per submission.

`python -m inside.zygote '{"control": ..., "profile": ..., "work": ...}'`. It connects to the control socket
that the host listens on and speaks JSON lines: the host says `fork`, `kill`, `clean`, `usage`; it answers `ready`,
`forked`, `started`, `exited`, `usage`. A kernel never sees that socket: it is closed in the child, and the host
removes its path after the first connection.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from . import files, gate, gpu, packages, pressure, removal, shortcuts, syscalls, usage, walls

PROFILES = {
    "python": (
        "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "matplotlib.backends.backend_agg",
    ),
    "numpy": (
        "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "matplotlib.backends.backend_agg",
    ),
    "torch": (
        "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "matplotlib.backends.backend_agg",
        "torch", "torch.nn.functional", "pytorch_lightning",
    ),
}  # fmt: skip
KILL_SECONDS = 5.0
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the sandbox's own
"""Where glibc keeps POSIX semaphores and shared memory, which multiprocessing is made of; emptied between kernels."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")


class Zygote:
    """Serves one host over one control socket until that socket closes."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.children: dict[int, str] = {}
        self.kills: dict[str, pressure.Kills] = {}
        self.plans = shortcuts.Plans()
        self.shared = _shared(options)
        self.shared_memory = options["alone"] and _is_empty(SHARED_MEMORY)
        """Whether kernels may use it: not where this machine's files lie in it, which nobody may remove."""
        if options["walls"]:
            import landlock  # noqa: F401 - imported here, before the forks
        self.seccomp = syscalls.prepare(own_user=options["own_user"]) if options["walls"] else None
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._unread = b""

    def serve(self) -> None:
        """Import, report, then fork and reap until the host hangs up."""
        for module in PROFILES[self.options["profile"]]:
            importlib.import_module(module)
        _warm()
        self.control.connect(self.options["control"])
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        gc.collect()
        gc.freeze()
        threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - pathlib is not imported here
        self.say(
            event="ready",
            pid=os.getpid(),
            threads=threads,
            resident=_resident(),
            touched=gpu.touched(),
            versions=packages.loaded(),
        )
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is woken:
                        woken.recv(4096)
                        self.reap()
                    elif not self.hear():
                        self.children.clear()  # nobody is there to be told about them
                        self.kill_all()
                        return

    def say(self, **event: Any) -> None:
        """One JSON line to the host."""
        self.control.sendall(json.dumps(event).encode() + b"\n")

    def hear(self) -> bool:
        """Do what the host asks; False when it has hung up."""
        data = self.control.recv(65536)
        if not data:
            return False
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            requests: dict[str, Callable[..., None]] = {
                "fork": self.fork, "interrupt": self.interrupt, "kill": self.kill, "clean": self.clean,
                "usage": self.usage, "begin": self.plans.begin,
            }  # fmt: skip
            requests[request.pop("do")](**request)
        return True

    def fork(self, name: str, kernel: dict[str, Any]) -> None:
        """Fork one kernel; its folders are made here, for its own user alone."""
        uid = kernel["uid"] = walls.mapped(kernel["uid"])
        for folder in (kernel["sockets"], kernel["work"]):
            os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - pathlib is not imported here
            with contextlib.suppress(PermissionError):
                os.chown(folder, uid, uid)
        os.chmod(kernel["sockets"], 0o711)  # noqa: PTH101, S103 - the host's user connects, nobody lists
        self.kills[name] = pressure.count(cgroup=self.options["cgroup"])
        prepared = self.plans.prepare(name, kernel["forbidden"])
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(reader)
                self.plans.clear()
                self._become_kernel(kernel, writer, prepared)
                status = 0
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 1
            except BaseException:  # noqa: BLE001 - nothing may return from a forked child
                with contextlib.suppress(OSError):
                    os.write(
                        writer,
                        json.dumps({"event": "unstarted", "error": traceback.format_exc()[-3000:]}).encode(),
                    )
            finally:
                os._exit(status)
        os.close(writer)
        self.children[pid] = name
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read(65536)
        if told:
            started = json.loads(told)
            self._close_folder(kernel["sockets"])
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            del self.children[pid]
            started = {
                "event": "unstarted",
                "error": f"the kernel ended before it started (exit code {code})",
            }
        self.say(name=name, pid=pid, **started)

    @staticmethod
    def _close_folder(sockets: str) -> None:
        """Its sockets are made: from now on a kernel leaves nothing in this folder, which is the host's disk."""
        with contextlib.suppress(PermissionError):
            os.chown(sockets, os.getuid(), os.getgid())
        os.chmod(sockets, 0o511)  # noqa: PTH101, S103 - as above

    def _become_kernel(self, kernel: dict[str, Any], writer: int, prepared: shortcuts.Prepared | None) -> None:
        """The child: raise the walls, become an ipykernel, say so, and serve until killed."""
        signal.set_wakeup_fd(-1)
        walls.forget_signals()
        walls.forget_files(writer)  # the control socket, the selector, the wake-up pair: they are the zygote's too
        os.setsid()
        statm = open("/proc/self/statm")  # noqa: PTH123, SIM115 - closed when it has been read
        packed = open(kernel["files"], "rb") if kernel.get("files") else None  # noqa: PTH123, SIM115 - as above
        standing = self._raise_walls(kernel)
        walls.die_with_the_zygote()
        os.chdir(kernel["work"])
        if packed is not None:
            with packed:
                files.unpack(packed)
        os.environ.update(kernel["environment"])
        from . import kernel as kernels

        app = kernels.initialise(kernel)
        if kernel["gpu"] is not None:
            standing.append(gpu.prepare(**kernel["gpu"]))
        with statm:
            if self.options["walls"]:
                walls.limit_memory(kernel["memory"], statm, mapped=kernel["gpu"] is None)
        if prepared is not None:
            gate.install(prepared.plans.pop(), prepared.begun)
            standing.append("shortcuts")
        os.write(writer, json.dumps({"event": "started", "walls": standing}).encode())
        os.close(writer)
        app.start()

    def _raise_walls(self, kernel: dict[str, Any]) -> list[str]:
        if not self.options["walls"]:
            return []
        walls.die_before_the_zygote()
        standing = [
            walls.limit_resources(kernel["processes"], kernel["disk"]),
            walls.drop_user(kernel["uid"]) if self.options["own_user"] else None,
            walls.forbid_privileges(),
            walls.landlock(
                self.options["readable"],
                (*DEVICES, *self.options["devices"]),
                [kernel["work"]],
                [kernel["sockets"]],
                [SHARED_MEMORY] if self.shared_memory else [],
            ),
            walls.seccomp(self.seccomp),
        ]
        return [wall for wall in standing if wall is not None]

    def interrupt(self, name: str) -> None:
        """SIGINT to a kernel."""
        for pid, owner in self.children.items():
            if owner == name:
                os.kill(pid, signal.SIGINT)

    def kill(self, name: str) -> None:
        """End a kernel and whatever it started."""
        self.plans.end(name)
        if (before := self.kills.get(name)) is not None and before.own is None:
            del self.kills[name]  # from here on its end tells nothing
        for pid, owner in self.children.items():
            if owner == name:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.kill_all()
        self.reap()

    def kill_all(self) -> None:
        """End every process but this one and the sandbox's init: only where it has its own pid namespace.

        Returns when they are gone, not when they have been told: the next kernel starts alone.
        """
        deadline = time.monotonic() + KILL_SECONDS
        while self.options["alone"] and time.monotonic() < deadline:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.reap()
            time.sleep(0.001)

    def clean(self, name: str, folders: list[str]) -> None:
        """Remove what a submission left; `left` names what could not be removed."""
        left = [reason for folder in folders for reason in removal.remove(folder)]
        if self.shared_memory:
            left += removal.empty(SHARED_MEMORY)
        for folder, mode in self.shared.items():
            with contextlib.suppress(OSError):  # a sandbox's own mount may be another's: then a kernel cannot mark it
                os.chmod(folder, mode)  # noqa: PTH101 - as above
                os.utime(folder, (0, 0))
        self.say(event="cleaned", name=name, left=left[:10], processes=sorted(self.children.values()))

    def usage(self, name: str) -> None:
        """Tell the processor time of a kernel: see `usage.read`."""
        pid = next((pid for pid, owner in self.children.items() if owner == name), 0)
        self.say(event="usage", name=name, **usage.read(pid, alone=self.options["alone"]))

    def reap(self) -> None:
        """Collect the dead, orphans included, and tell the host about kernels."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (name := self.children.pop(pid, None)) is not None:
                code = os.waitstatus_to_exitcode(status)
                self.say(
                    event="exited", name=name, pid=pid, code=code, **self._pressure(name, code),
                    peak=usage.ru_maxrss * 1024, cpu=usage.ru_utime + usage.ru_stime,
                )  # fmt: skip

    def _pressure(self, name: str, code: int) -> dict[str, bool]:
        """Whether a process was killed because the machine had no memory, or because the sandbox had none."""
        if (before := self.kills.pop(name, None)) is None:
            return {}
        after = pressure.count(cgroup=self.options["cgroup"])
        starved = pressure.starved(before, after, code)
        killed = not starved and (after.own or 0) > (before.own or 0)
        return {"starved": starved, "killed": killed}


def _is_empty(folder: str) -> bool:
    with contextlib.suppress(OSError):
        return not os.listdir(folder)  # noqa: PTH208 - pathlib is not imported here
    return False


def _shared(options: dict[str, Any]) -> dict[str, int]:
    """The folders that kernels of a sandbox see one after the other, and their modes: nothing may be noted there."""
    modes: dict[str, int] = {}
    for folder in ("/tmp", SHARED_MEMORY, options["work"], os.path.dirname(options["control"])):  # noqa: S108, PTH120 - as above
        with contextlib.suppress(OSError):
            modes[folder] = os.stat(folder).st_mode & 0o7777  # noqa: PTH116 - as above
    return modes if options["alone"] else {}


def _warm() -> None:
    """Pay for first uses once: what IPython and matplotlib set up lazily is then shared by every fork."""
    from . import kernel as kernels

    kernels.warm()


def _resident() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123 - pathlib is not imported here
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Read the options and serve."""
    options = json.loads(sys.argv[1])
    sys.argv = ["zygote"]
    Zygote(options).serve()


if __name__ == "__main__":
    main()
