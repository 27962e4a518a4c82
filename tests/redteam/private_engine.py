"""A Docker engine of a test's own, with the image of the machine's: to be killed, or to map users."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from linux import command, processes

from autograder.sandbox.docker import Docker
from autograder.sandbox.interface import IMAGE

FIRST, COUNT = 200_000, 65_536
"""The users of this machine that a container's are, where they are mapped: its root is the first."""
MAPPED_TO = {
    "passwd": "dockremap:x:64999:64999::/:/usr/sbin/nologin",
    "group": "dockremap:x:64999:",
    "subuid": f"dockremap:{FIRST}:{COUNT}",
    "subgid": f"dockremap:{FIRST}:{COUNT}",
}
"""Lines of files in /etc: the user whose subordinates an engine maps a container's users to, by its default."""


def cannot_start(*, maps_users: bool = False) -> str:
    """Why no engine can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "an engine of its own needs root"
    if absent := [name for name in ("docker", "dockerd", "unshare") if not shutil.which(name)]:
        return f"{absent[0]} is not installed"
    if maps_users and not Path("/proc/self/ns/user").exists():
        return "this kernel has no user namespaces"
    return Docker().missing() or ""


@contextlib.contextmanager
def started(*, maps_users: bool = False) -> Iterator[Engine]:
    """An engine that runs, and has the image."""
    with tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # where users are mapped, a container's root must reach its files
        made = Engine(Path(folder), maps_users=maps_users)
        try:
            made.start()
            made.take_image()
            yield made
        finally:
            made.close()


class Engine:
    """Runs in a network of its own, in a folder of its own; `maps_users`: with `userns-remap`."""

    def __init__(self, folder: Path, *, maps_users: bool = False) -> None:
        self.folder = folder
        self.maps_users = maps_users
        self.address = f"unix://{folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "pid").unlink(missing_ok=True)
        # in a network of its own: a bridge in the machine's would be the machine's own engine's
        asked = ["unshare", "--net", *self._with_subordinates(), "dockerd", "--host", self.address]
        asked += ["--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/run"]
        asked += ["--pidfile", f"{self.folder}/pid", "--iptables=false"]
        asked += ["--userns-remap", "default"] if self.maps_users else []
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(asked, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while subprocess.run(["docker", "--host", self.address, "info"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.2)

    def _with_subordinates(self) -> list[str]:
        """What gives the engine an /etc of its own, with users to map to: the machine's stays as it is."""
        if not self.maps_users:
            return []
        etc = self.folder / "etc"
        if not etc.exists():
            subprocess.run(["cp", "--archive", "/etc", etc], check=True)
            for name, line in MAPPED_TO.items():
                path = etc / name
                others = path.read_text().splitlines() if path.exists() else []
                kept = [each for each in others if not each.startswith("dockremap:")]
                path.write_text("".join(f"{each}\n" for each in [*kept, line]))
        return ["--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', str(etc)]

    def take_image(self) -> None:
        with subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "--host", self.address, "load", "--quiet"], stdin=saved.stdout, check=True)

    def kill(self) -> None:
        """The daemon alone, as an operator's mistake or its own does; its containers live on for a while."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and all that it started."""
        assert self._process is not None
        docker = ["docker", "--host", self.address]
        left = subprocess.run([*docker, "ps", "--all", "--quiet"], capture_output=True, text=True, check=False).stdout
        subprocess.run([*docker, "rm", "--force", *left.split()], capture_output=True, check=False)
        self._process.terminate()
        self._process.wait()
        for pid in processes():
            if str(self.folder).encode() in command(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
