"""Docker (or Podman, by its Docker-compatible socket): one container per slot, without network, on a read-only root."""

from __future__ import annotations

import contextlib
import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.types import DeviceRequest, LogConfig, Mount

from autograder.errors import SandboxError
from autograder.sandbox import owner
from autograder.sandbox.bundle import ABSENT
from autograder.sandbox.failure import classify
from autograder.sandbox.interface import (
    CAPABILITIES,
    IMAGE,
    INSIDE_CODE,
    INSIDE_SLOT,
    INSIDE_WORK,
    KEPT_OUT,
    SHARED_BYTES,
    Enclosure,
    Sandbox,
    SlotSpec,
    zygote_options,
)
from autograder.sandbox.process import clean_environment

INSIDE_VENV = "/opt/venv"
SITE_LABEL = "autograder.site-packages"
"""On an image: the folder its packages are installed in."""
SLOT_LABEL, OWNER_LABEL = "autograder.slot", "autograder.owner"
"""On a container: its slot's folder, and the process that started it."""
MIB = 2**20
TMP_BYTES = 64 * MIB
WARM_BYTES = {"python": 256 * MIB, "numpy": 256 * MIB, "torch": 768 * MIB}
"""What a profile's zygote holds, and some headroom: it comes on top of what a submission may use."""
SYSTEM_PIDS = 16
REQUEST_SECONDS = 60
REMAPPED = re.compile(r"/(\d+)\.(\d+)$")
"""Ends the data folder of an engine with `userns-remap`: which user and group a container's root is on this machine."""
REFUSALS = (DockerException, requests.RequestException)


def connect(seconds: float = REQUEST_SECONDS) -> Any:
    """Return a client of the engine that $DOCKER_HOST names, or of the usual socket.

    `seconds` is how long the engine may be silent in an answer.

    Raises:
        SandboxError: no engine answers; the message says what to do.
    """
    try:
        client = docker.from_env(timeout=seconds)
        client.ping()
    except REFUSALS as error:
        raise SandboxError(classify(error).message) from error
    return client


class Docker(Sandbox):
    """Containers of the image that `autograder image build` makes.

    `cpus`: how many processors' worth of time each may have ($AUTOGRADER_CPUS; 1 without it).
    """

    name = "docker"

    def __init__(self, cpus: float | None = None) -> None:
        self.cpus = cpus or float(os.environ.get("AUTOGRADER_CPUS", "1"))

    def missing(self) -> str | None:
        """Why Docker cannot be used here: no engine, or no image."""
        try:
            self._image(IMAGE)
        except SandboxError as error:
            return str(error)
        return None

    def image_id(self, spec: SlotSpec) -> str:
        """Return the image's own digest.

        Raises:
            SandboxError: there is no such image, no such runtime, or no engine.
        """
        known = self._info.get("Runtimes") or ()
        if spec.runtime and known and spec.runtime not in known and "." not in spec.runtime:  # a dot: containerd's own
            raise SandboxError(
                f"the engine has no runtime {spec.runtime!r}, it has {', '.join(sorted(known))}: install it, and name "
                "it in the engine's daemon.json (gVisor's `runsc install` does both)"
            )
        return str(self._image(spec.image).id)

    def start(self, spec: SlotSpec, folder: Path, code: Path) -> Enclosure:
        """Create the container and start the zygote in it; tried twice where that can help."""
        site = self._image(spec.image).labels.get(SITE_LABEL)
        if site is None:
            raise SandboxError(f"{spec.image} is not one of ours: make it with `autograder image build`")
        options = zygote_options(
            spec,
            self.paths(folder),
            walls=True,
            own_user=True,
            alone=True,
            cgroup=True,
            readable=["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", INSIDE_VENV, INSIDE_CODE],
        )
        settings = container_settings(spec, folder, code, site=site, cpus=self.cpus)
        settings["command"] = ["-sP", "-m", "inside.zygote", json.dumps(options)]
        self._give(folder)
        return Container(self._run(settings), self._walls(spec))

    def sweep(self) -> None:
        """Remove the containers of graders that are no more."""
        reap(self._client)

    @cached_property
    def _client(self) -> Any:
        """The engine; what dead graders left there is removed when it is first spoken to."""
        client = connect()
        reap(client)
        return client

    def _image(self, name: str) -> Any:
        try:
            return self._client.images.get(name)
        except REFUSALS as error:
            raise SandboxError(classify(error).message) from error

    def _run(self, settings: dict[str, Any], *, again: bool = True) -> Any:
        """Create and start a container; once more where that can help."""
        container = None
        try:
            container = self._client.containers.create(**settings)
            container.start()
        except REFUSALS as error:
            if container is not None:
                Container(container, ()).remove()
            failure = classify(error)
            if again and failure.retry:
                return self._run(settings, again=False)
            raise SandboxError(failure.message) from error
        return container

    def _give(self, folder: Path) -> None:
        """Let the container's root write into the slot's folder, where the engine maps it to another user."""
        if remapped := REMAPPED.search(str(self._info.get("DockerRootDir", ""))):
            try:
                os.chown(folder, *map(int, remapped.groups()))
            except PermissionError as error:
                told = "the engine maps users (`userns-remap`), and only root can give a slot's folder to another user"
                raise SandboxError(f"{told}: run the grader as root, or use a rootless engine") from error

    def _walls(self, spec: SlotSpec) -> tuple[str, ...]:
        """Those that the engine says it can build: a rootless one may have no cgroups."""
        walls = ["docker", "pid-namespace", "no-network", "read-only-root"]
        if any(re.match(r"name=(userns|rootless)\b", told) for told in self._info.get("SecurityOptions") or ()):
            walls.append("user-namespace")
        if self._info.get("MemoryLimit"):
            walls.append("cgroup-memory")
        if self._info.get("PidsLimit"):
            walls.append("cgroup-pids")
        return (*walls, spec.runtime) if spec.runtime else tuple(walls)

    @cached_property
    def _info(self) -> dict[str, Any]:
        try:
            return dict(self._client.info())
        except REFUSALS as error:
            raise SandboxError(classify(error).message) from error


def container_settings(spec: SlotSpec, folder: Path, code: Path, *, site: str, cpus: float) -> dict[str, Any]:
    """Return what the engine is asked for: docker-py's keywords for `containers.create`, without the command.

    `site` is the image's site-packages folder, where a profile's absent packages are covered.
    """
    limits = spec.limits
    # a tmpfs is memory
    memory = WARM_BYTES[spec.profile] + limits.memory_bytes + limits.disk_bytes + TMP_BYTES + SHARED_BYTES
    # not as a list: of `ro,z` docker-py makes a writable volume of that name besides. z: shared, where SELinux asks
    volumes = {
        str(folder): {"bind": INSIDE_SLOT, "mode": "rw,z"},
        str(code): {"bind": INSIDE_CODE, "mode": "ro,z"},
    }
    absent = [
        Mount(f"{site}/{package}", str(code / ABSENT), type="bind", read_only=True)
        for package in KEPT_OUT[spec.profile]
    ]
    return {
        "image": spec.image,
        "entrypoint": [f"{INSIDE_VENV}/bin/python"],
        "environment": {
            **clean_environment(),
            "PYTHONPATH": INSIDE_CODE,
            "HOME": INSIDE_WORK,
            "PATH": "/usr/bin:/bin",
            **({"NVIDIA_DRIVER_CAPABILITIES": "compute"} if spec.gpu else {"NVIDIA_VISIBLE_DEVICES": "void"}),
        },
        "working_dir": INSIDE_WORK,
        "hostname": "sandbox",
        "user": "0:0",
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "volumes": volumes,
        "mounts": absent,
        "tmpfs": {
            "/tmp": f"size={TMP_BYTES},mode=1777,nosuid,nodev,noexec",  # noqa: S108 - the sandbox's own
            INSIDE_WORK: f"size={limits.disk_bytes},mode=0711,nosuid,nodev,noexec,nr_inodes=100000",
            "/dev/shm": f"size={SHARED_BYTES},mode=1777,nosuid,nodev,noexec,nr_inodes=10000",  # noqa: S108
        },
        "cap_drop": ["ALL"],
        "cap_add": list(CAPABILITIES),
        "security_opt": ["no-new-privileges"],
        "mem_limit": memory,
        "memswap_limit": memory,  # no swap on top
        "nano_cpus": int(cpus * 1e9),
        "pids_limit": limits.processes + SYSTEM_PIDS,
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "1m", "max-file": "1"}),
        "labels": {SLOT_LABEL: str(folder), OWNER_LABEL: owner.mark()},
        "runtime": spec.runtime,
        "device_requests": [DeviceRequest(device_ids=[spec.gpu.uuid], capabilities=[["gpu"]])] if spec.gpu else [],
    }


def reap(client: Any) -> int:
    """Remove the containers of graders that died before they could; return how many there were.

    Raises:
        SandboxError: the engine does not answer.
    """
    removed = 0
    try:
        for container in client.containers.list(all=True, filters={"label": OWNER_LABEL}, ignore_removed=True):
            if owner.abandoned(container.labels[OWNER_LABEL]):
                Container(container, ()).remove()
                removed += 1
    except REFUSALS as error:
        raise SandboxError(classify(error).message) from error
    return removed


class Container(Enclosure):
    """One container of ours."""

    def __init__(self, container: Any, walls: tuple[str, ...]) -> None:
        self._container = container
        self.walls = walls

    def alive(self) -> bool:
        """Whether the container runs: one request to the engine, a few milliseconds."""
        try:
            return bool(self._container.client.api.inspect_container(self._container.id)["State"]["Running"])
        except NotFound:
            return False
        except REFUSALS as error:
            raise SandboxError(classify(error).message) from error

    def remove(self) -> None:
        """Kill and remove it.

        Raises:
            SandboxError: the engine could not be asked; the next grader's start finds the container by its label.
        """
        try:
            self._container.remove(force=True, v=True)
        except NotFound:
            return
        except REFUSALS as error:
            if not isinstance(error, APIError) or error.status_code != 409:  # 409: it is being removed this moment
                raise SandboxError(classify(error).message) from error

    def log(self) -> str:
        """Return the last lines of its output."""
        with contextlib.suppress(*REFUSALS):
            return str(self._container.logs(tail=30).decode(errors="replace")).strip()[-2000:]
        return ""
