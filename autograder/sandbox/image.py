"""Make the container image: a base, the packages of `requirements.py`, a label that says what it was made from."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from autograder.errors import SandboxError
from autograder.sandbox.base import DEBIAN, DEBIAN_NAME, DEFAULT_BASE, resolve
from autograder.sandbox.docker import INSIDE_VENV, REFUSALS, SITE_LABEL, connect
from autograder.sandbox.failure import classify
from autograder.sandbox.interface import IMAGE
from autograder.sandbox.requirements import requirements

DIGEST_LABEL, BASE_LABEL, STAGE_LABEL = "autograder.digest", "autograder.base", "autograder.stage=packages"
SILENT_SECONDS = 3600.0
"""A step of the build may say nothing for long: the installation of torch, the compilation of everything."""
PIP_INDEXES = ("index-url", "extra-index-url", "trusted-host", "default-timeout")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Built:
    """An image: `made` is False when it was there already. Sizes are bytes, times seconds."""

    id: str
    base: str
    size: int
    seconds: float
    made: bool


def build(
    *, tag: str = IMAGE, base: str = DEFAULT_BASE, force: bool = False, say: Callable[[str], None] = print
) -> Built:
    """Make the image `tag` unless one with the same inputs is there (`force`: make it all the same).

    `base` is an image's name, or "mmdebstrap" for a Debian root made here; where no registry has DEFAULT_BASE, that is
    made instead. `say` is told what is done.

    Raises:
        SandboxError: no engine, no base, or a step of the build failed; the message has its last lines.
        UsageError: this environment lacks a package that the image needs.
    """
    began = time.monotonic()
    client = connect(SILENT_SECONDS)
    wanted = requirements()
    dockerfile = resources.files("autograder.sandbox").joinpath("images/Dockerfile").read_text()
    digest = hashlib.sha256(f"{dockerfile}\0{wanted}".encode()).hexdigest()[:16]
    try:
        if not force and (there := _there(client, tag, digest, base)) is not None:
            say(f"{tag} is up to date")
            return Built(there.id, there.labels[BASE_LABEL], there.attrs["Size"], 0.0, made=False)
        found = resolve(client, base, say)
        say(f"{tag} on {found.name}: Python {found.python}, {found.machine}")
        labels = {
            DIGEST_LABEL: digest,
            BASE_LABEL: found.name,
            SITE_LABEL: f"{INSIDE_VENV}/lib/python{found.python}/site-packages",
        }
        with tempfile.TemporaryDirectory(prefix="autograder-image-") as context:
            (Path(context) / "Dockerfile").write_text(dockerfile)
            (Path(context) / "requirements.txt").write_text(wanted)
            arguments = _packages(Path(context), found.python, found.machine, say)
            say("building")
            steps = client.api.build(
                path=context,
                tag=tag,
                labels=labels,
                buildargs={"BASE": found.name, **arguments},
                network_mode="none" if "PIP_NO_INDEX" in arguments else None,
                nocache=force,
                rm=True,
                forcerm=True,
                decode=True,
            )
            _follow(steps, say)
        for label in (STAGE_LABEL, DIGEST_LABEL):  # the first stage, and what this image replaces
            client.images.prune(filters={"dangling": True, "label": label})
        image = client.images.get(tag)
    except REFUSALS as error:
        raise SandboxError(classify(error).message) from error
    return Built(image.id, found.name, image.attrs["Size"], time.monotonic() - began, made=True)


def _there(client: Any, tag: str, digest: str, base: str) -> Any | None:
    """The image, if it was made from the same inputs. What stood in for DEFAULT_BASE is as good as that."""
    try:
        image = client.images.get(tag)
    except ImageNotFound:
        return None
    asked = {DEFAULT_BASE: image.labels.get(BASE_LABEL), DEBIAN: DEBIAN_NAME}.get(base, base)
    same = (image.labels.get(DIGEST_LABEL), image.labels.get(BASE_LABEL)) == (digest, asked)
    return image if same else None


def _packages(context: Path, python: str, machine: str, say: Callable[[str], None]) -> dict[str, str]:
    """Collect the wheels here, by this machine's own pip settings, if they will fit the image; return build arguments.

    If they will not (another Python, another machine), pip runs in the build and is told the indexes and proxies.
    """
    wheels = context / "wheels"
    wheels.mkdir()
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if (sys.platform, here, platform.machine()) == ("linux", python, machine):
        say("collecting wheels")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--dest", str(wheels)]
        done = subprocess.run(
            [*command, "--requirement", str(context / "requirements.txt")], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return {"PIP_NO_INDEX": "1"}
        say(f"pip could not collect them here ({_last(done.stderr.splitlines())}): the build will fetch them")
    arguments = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in _pip_indexes().items()}
    if (certificates := Path(_pip_settings().get("cert", ""))).is_file():
        shutil.copyfile(certificates, context / "certificates.pem")
        arguments["PIP_CERT"] = "/build/certificates.pem"
    return arguments | {name: os.environ[name] for name in PROXIES if name in os.environ}


def _pip_indexes() -> dict[str, str]:
    """What pip is told about indexes, except what only this machine can read."""
    found = {}
    for name, value in _pip_settings().items():
        words = [word for word in value.split() if not word.startswith(("file:", "/"))]
        if name in PIP_INDEXES and words:
            found[name] = " ".join(words)
    return found


def _pip_settings() -> dict[str, str]:
    """All that pip's files and environment say, as pip ranks them."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():  # sorted: `:env:` comes before `global` and wins, as it does in pip
        name, _, value = line.partition("=")
        found.setdefault(name.rpartition(".")[2], value.strip("'\""))
    return found


def _follow(steps: Iterable[dict[str, Any]], say: Callable[[str], None]) -> None:
    """Tell the steps as they come.

    Raises:
        SandboxError: one failed.
    """
    lines: list[str] = []
    for step in steps:
        text = str(step.get("stream", "")).strip()
        if text:
            lines = [*lines, text][-20:]
        if text.startswith("Step "):
            say(text.splitlines()[0])
        if "error" in step:
            raise SandboxError(f"the image could not be built: {step['error']}: {_last(lines)}")


def _last(lines: list[str]) -> str:
    """The last lines that say something, in one."""
    return " | ".join(line.strip() for line in lines[-6:] if line.strip())[-1000:] or "no reason given"
