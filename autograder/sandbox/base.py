"""The image that ours is built on: one that the engine has or can pull, or a Debian root made here by mmdebstrap."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound

from autograder.errors import SandboxError

DEFAULT_BASE = "python:3.11-slim"
DEBIAN = "mmdebstrap"
"""As `--base`: make a Debian root filesystem instead of pulling an image."""
DEBIAN_SUITE = "bookworm"
DEBIAN_NAME = f"autograder-base:{DEBIAN_SUITE}"
DEBIAN_PACKAGES = "python3,python3-venv,libseccomp2"
NOT_INSTALLED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
PROBE = "import platform; print(*platform.python_version_tuple()[:2], sep='.', end=' '); print(platform.machine())"


@dataclass(frozen=True, slots=True)
class Base:
    """An image that the engine has, the version of its `python3` ("3.11"), and its machine ("x86_64")."""

    name: str
    python: str
    machine: str


def resolve(client: Any, name: str, say: Callable[[str], None]) -> Base:
    """Find, pull or make the image `name`; for DEFAULT_BASE, a Debian root where that cannot be pulled.

    Raises:
        SandboxError: there is no such base, or it has no Python.
    """
    if name == DEBIAN:
        return _probe(client, _debian(client, say))
    try:
        client.images.get(name)
    except ImageNotFound:
        say(f"pulling {name}")
        try:
            client.images.pull(name)
        except APIError as error:
            reason = f"{name} could not be pulled ({str(error.explanation or error).strip()})"
            if name != DEFAULT_BASE:
                raise SandboxError(f"{reason}: choose another --base, or --base {DEBIAN}") from error
            say(f"{reason}: making a Debian root instead")
            name = _debian(client, say)
    return _probe(client, name)


def _probe(client: Any, name: str) -> Base:
    """Ask the image's Python what it is."""
    try:
        said = client.containers.run(name, entrypoint=["python3", "-c", PROBE], network_mode="none", remove=True)
    except APIError as error:
        raise SandboxError(f"the base {name} cannot run `python3`: {error.explanation or error}") from error
    python, machine = said.decode().split()
    return Base(name, python, machine)


def _debian(client: Any, say: Callable[[str], None]) -> str:
    """Import a minimal Debian with Python as an image, unless that was done before; return its name."""
    with contextlib.suppress(ImageNotFound):
        client.images.get(DEBIAN_NAME)
        return DEBIAN_NAME
    if shutil.which("mmdebstrap") is None:
        raise SandboxError("a Debian root needs mmdebstrap, which is not installed: apt-get install mmdebstrap")
    say(f"making a Debian root ({DEBIAN_SUITE})")
    with tempfile.TemporaryDirectory(prefix="autograder-base-") as folder:
        archive = Path(folder) / "root.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={DEBIAN_PACKAGES}"]
        command += [f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_INSTALLED]
        done = subprocess.run([*command, DEBIAN_SUITE, str(archive)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SandboxError(f"mmdebstrap failed: {done.stderr.strip()[-1000:]}")
        repository, _, tag = DEBIAN_NAME.partition(":")
        client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
    return DEBIAN_NAME
