"""A slot: one enclosure, the folder it shares with the host, and the control socket of the zygote in it."""

from __future__ import annotations

import contextlib
import json
import secrets
import select
import socket
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Self

from autograder.errors import SandboxError
from autograder.inside import files as packing
from autograder.inside import gpu, removal
from autograder.model.submission import SubmittedFile
from autograder.sandbox import run_folder
from autograder.sandbox.bundle import bundle
from autograder.sandbox.interface import Sandbox, SlotSpec

START_SECONDS = 120.0
FORK_SECONDS = 20.0
GPU_SECONDS = 60.0
"""To start CUDA and to fill all of a GPU's memory, on top."""
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


class Slot:
    """Runs one submission at a time: `fork` a kernel, watch it with `poll`, `end` it. Close it after use."""

    def __init__(self, sandbox: Sandbox, spec: SlotSpec) -> None:
        """Start the enclosure; `wait` for its zygote before the first fork."""
        self.sandbox = sandbox
        self.spec = spec
        _sweep_once()
        self.folder = run_folder.make(run_folder.SLOT)
        self.folder.chmod(0o711)  # the parent is private; a kernel's user must reach its sockets
        self.uid = 1_000_000 + secrets.randbelow(2**30)  # a user of its own for each slot: limits count by user
        self.resident = 0
        self.versions: dict[str, str] = {}
        """Of Python and the packages that its kernels have: `{"python": "3.11.7", "numpy": "2.4.6"}`."""
        self.used = 0
        self.served = 0
        self.worn = False
        """Whether it should serve no more: who ran out of memory in it next could not be told."""
        self._paths = sandbox.paths(self.folder)
        self._unread = b""
        self._events: list[dict[str, Any]] = []
        self._control: socket.socket | None = None
        self._started = time.monotonic()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.folder / "control"))
        (self.folder / "control").chmod(0o666)
        self._listener.listen(1)
        try:
            self.enclosure = sandbox.start(spec, self.folder, bundle())
        except BaseException:
            self._listener.close()
            removal.remove(str(self.folder))
            raise

    def wait(self) -> None:
        """Wait until the zygote is ready.

        Raises:
            SandboxError: it ended or was not ready in time; the message has the end of its log.
        """
        if self._control is not None:
            return
        deadline = self._started + START_SECONDS
        while not select.select([self._listener], [], [], 0.2)[0]:
            if not self.enclosure.alive():
                raise SandboxError(f"the {self.sandbox.name} sandbox ended before it was ready: {self._last_words()}")
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"the {self.sandbox.name} sandbox was not ready after {START_SECONDS:.0f} s: {self._last_words()}"
                )
        self._control, _ = self._listener.accept()
        self._listener.close()
        (self.folder / "control").unlink()  # from now on there is nothing to connect to
        ready = self._expect("ready", None, FORK_SECONDS)
        self.resident = int(ready["resident"])
        self.versions = {str(name): str(version)[:40] for name, version in ready["versions"].items()}
        if ready["threads"] != 1:
            raise SandboxError(f"the zygote holds {ready['threads']} threads: forks of it would not be safe")
        if ready["touched"]:
            raise SandboxError(f"the zygote has opened {', '.join(ready['touched'])}: its forks could not use CUDA")

    def fork(
        self, name: str, student: str, files: Sequence[SubmittedFile] = (), forbidden: Sequence[str] = ()
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Fork a kernel: its Jupyter connection info as the host sees it, and the inner walls that stand.

        `files` are in its working folder when it starts; of several with one name, the first. What `forbidden`
        names is replaced in it: see `autograder.inside.shortcuts`.

        Raises:
            SandboxError: the zygote is gone, or the kernel did not start.
        """
        self.wait()
        key = secrets.token_hex(16)
        limits, share = self.spec.limits, self.spec.gpu
        kernel = {
            "ip": f"{self._paths.slot}/{name}/k",
            "key": key,
            "uid": self.uid,
            "sockets": f"{self._paths.slot}/{name}",
            "work": f"{self._paths.work}/{name}",
            "memory": limits.memory_bytes,
            "processes": limits.processes,
            "disk": limits.disk_bytes,
            "files": f"{self._paths.slot}/{name}.files" if files else "",
            "environment": {
                **dict.fromkeys(("HOME", "TMPDIR"), f"{self._paths.work}/{name}"),
                "IPYTHONDIR": f"{self._paths.work}/{name}/.ipython",
                "JUPYTERHUB_USER": student,
                **gpu.environment(share.uuid if share else ""),
            },
            "forbidden": list(forbidden),
            "gpu": share and {"memory": share.memory_bytes, "total": share.total_bytes, "sole": share.sole},
            **PORTS,
        }
        self.used += 1
        with self._packed(name, files):
            self._say(do="fork", name=name, kernel=kernel)
            told = self._expect({"started", "unstarted"}, name, FORK_SECONDS + (GPU_SECONDS if share else 0))
        if told["event"] == "unstarted":
            raise SandboxError(f"the kernel did not start: {str(told.get('error', ''))[-1500:]}")
        connection = {
            "transport": "ipc", "ip": str(self.folder / name / "k"), "key": key,
            "signature_scheme": "hmac-sha256", **PORTS,
        }  # fmt: skip
        return connection, (*self.enclosure.walls, *map(str, told["walls"]))

    @contextlib.contextmanager
    def _packed(self, name: str, files: Sequence[SubmittedFile]) -> Iterator[None]:
        """Put `files` where the zygote finds them, until the kernel has them."""
        path = self.folder / f"{name}.files"
        try:
            if files:
                with path.open("xb") as packed:
                    packed.writelines(packing.pack((file.name, file.content) for file in files))
                path.chmod(0o644)  # an engine that maps users reads it as somebody else
            yield
        finally:
            path.unlink(missing_ok=True)

    def exited(self, name: str) -> dict[str, Any] | None:
        """How the kernel ended (`code`, `peak` bytes, `cpu` seconds); None while it runs. Does not wait.

        Raises:
            SandboxError: the zygote is gone, or this machine ran out of memory, and the kernel was killed for it.
        """
        self._receive(0.0)
        for event in self._events:
            if event["event"] == "exited" and event.get("name") == name:
                return _unstarved(event)
        return None

    def interrupt(self, name: str) -> None:
        """Send the kernel SIGINT, as a Jupyter client's interrupt does.

        Raises:
            SandboxError: the zygote is gone.
        """
        self._say(do="interrupt", name=name)

    def begin(self, name: str) -> None:
        """Let a kernel know that graded calls begin: from now on it refuses what is forbidden.

        Raises:
            SandboxError: the zygote is gone.
        """
        self._say(do="begin", name=name)

    def usage(self, name: str) -> dict[str, Any]:
        """The processor time of the kernel's processes in seconds: see `autograder.inside.usage.read`.

        Raises:
            SandboxError: the zygote is gone, or did not answer.
        """
        self._say(do="usage", name=name)
        return self._expect("usage", name, FORK_SECONDS)

    def fileno(self) -> int:
        """The control socket's descriptor: readable when there is news."""
        assert self._control is not None
        return self._control.fileno()

    def end(self, name: str) -> dict[str, Any]:
        """Kill the kernel and what it started, remove its files; how it ended.

        Raises:
            SandboxError: the zygote did not confirm, something is left, or this machine ran out of memory: the slot
                must not be used again.
        """
        self._say(do="kill", name=name)
        ended = self.exited(name) or _unstarved(self._expect("exited", name, FORK_SECONDS))
        folders = [f"{self._paths.slot}/{name}", f"{self._paths.work}/{name}"]
        self._say(do="clean", name=name, folders=folders)
        cleaned = self._expect("cleaned", name, FORK_SECONDS)
        self._events.clear()
        self.worn = self.worn or bool(ended.get("killed"))
        if cleaned["left"] or cleaned["processes"]:
            raise SandboxError(f"the slot could not be cleaned: {cleaned['left'] or cleaned['processes']}")
        return ended

    def close(self) -> None:
        """Remove the enclosure and the folder. Does not raise for what is gone already."""
        if self._control is not None:
            self._control.close()
        self._listener.close()
        try:
            self.enclosure.remove()
        finally:
            removal.remove(str(self.folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, **request: Any) -> None:
        if self._control is None:
            raise SandboxError("the slot has no zygote yet")
        try:
            self._control.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise SandboxError(f"the zygote is gone ({error}): {self._last_words()}") from error

    def _expect(self, wanted: str | set[str], name: str | None, seconds: float) -> dict[str, Any]:
        names = {wanted} if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        while True:
            for event in self._events:
                if event["event"] in names and (name is None or event.get("name") == name):
                    self._events.remove(event)
                    return event
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxError(f"the zygote did not answer within {seconds:.0f} s ({'/'.join(sorted(names))})")
            self._receive(left)

    def _receive(self, seconds: float) -> None:
        assert self._control is not None
        if not select.select([self._control], [], [], seconds)[0]:
            return
        try:
            data = self._control.recv(65536)
        except OSError as error:
            raise SandboxError(f"the zygote is gone: {error}") from error
        if not data:
            raise SandboxError(f"the zygote is gone: {self._last_words()}")
        *lines, self._unread = (self._unread + data).split(b"\n")
        self._events += [json.loads(line) for line in lines]

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, SandboxError):
            return self.enclosure.log() or "it said nothing"
        return "its log cannot be read"


def _unstarved(event: dict[str, Any]) -> dict[str, Any]:
    """What the zygote told of a kernel's end.

    Raises:
        SandboxError: no memory was left on this machine, which is not the student's failure.
    """
    if event.get("starved"):
        raise SandboxError(
            "this machine ran out of memory, and Linux killed a process of the submission, which was within its own "
            "limit: grade with fewer --workers, or with a lower memory_mb"
        )
    return event


@cache
def _sweep_once() -> None:
    run_folder.sweep()
