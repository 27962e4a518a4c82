"""What a sandbox is: something that can start an enclosure with a zygote in it, which forks kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.inside import gpu
from autograder.model.assignment import Limits, Profile

INSIDE_SLOT = "/slot"
INSIDE_WORK = "/work"
INSIDE_CODE = "/opt/autograder"
IMAGE = "autograder:latest"
"""The container image that `autograder image build` makes."""
SHARED_BYTES = 128 * 2**20
"""Size of a sandbox's /dev/shm: semaphores, shared memory, what worker processes of a DataLoader hand on."""
CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_FOWNER")
"""What a root zygote needs to give each kernel its own user and to clean up; all others are dropped."""
KEPT_OUT: dict[Profile, tuple[str, ...]] = {
    "python": (
        "torch", "torchgen", "functorch", "torchvision", "pytorch_lightning", "lightning_fabric", "lightning",
        "torchmetrics", "scipy", "sklearn", "skimage",
    ),
    "numpy": (
        "torch", "torchgen", "functorch", "torchvision", "pytorch_lightning", "lightning_fabric", "lightning",
        "torchmetrics", "scipy", "sklearn", "skimage",
    ),
    "torch": (),
}  # fmt: skip
"""Installed packages that a profile's sandbox does not show. The grader's own never enter one at all."""


@dataclass(frozen=True, slots=True)
class GpuShare:
    """What a submission may have of a GPU: `memory_bytes` of its `total_bytes`; `sole`: nobody else has a turn on it.

    `nodes` are the device files through which it is reached.
    """

    uuid: str
    nodes: tuple[str, ...]
    memory_bytes: int
    total_bytes: int
    sole: bool


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """What a slot is for: which profile is warm in it, within which limits.

    Slots of equal specs are interchangeable.
    """

    profile: Profile
    limits: Limits = field(default_factory=Limits)
    image: str = IMAGE
    runtime: str | None = None
    """The container runtime (`runsc` for gVisor); None is the engine's default."""
    gpu: GpuShare | None = None
    """None: no GPU can be seen in it."""


class Enclosure(ABC):
    """A started sandbox. It belongs to the slot that started it."""

    walls: tuple[str, ...]
    """The outer walls that stand, for the report."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether its zygote can still be expected to answer.

        Raises:
            SandboxError: the engine cannot be asked.
        """

    @abstractmethod
    def remove(self) -> None:
        """End everything in it and remove it. Does not raise when it is gone already."""

    @abstractmethod
    def log(self) -> str:
        """The last lines it wrote, for an error message."""


class Sandbox(ABC):
    """A kind of sandbox."""

    name: str

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot be used here, and what to do about it, in one line; None when it can."""

    @abstractmethod
    def start(self, spec: SlotSpec, folder: Path, code: Path) -> Enclosure:
        """Start an enclosure that sees `folder` (the host's side of the slot) and `code` (what may enter).

        The zygote in it connects to `<folder>/control`, where the slot already listens.

        Raises:
            SandboxError: it could not be started; the message says why.
        """

    def sweep(self) -> None:  # noqa: B027 - most have nothing of their own to remove
        """Remove enclosures of graders that died before they could; those of the living stay.

        Raises:
            SandboxError: the engine does not answer.
        """

    def image_id(self, spec: SlotSpec) -> str:
        """What the sandbox's software is, for the report's provenance: the same string, the same software."""
        del spec
        return self.name

    def paths(self, folder: Path) -> Paths:
        """Where things are, seen from inside and from the host."""
        return Paths(INSIDE_SLOT, INSIDE_WORK, folder)


@dataclass(frozen=True, slots=True)
class Paths:
    """The slot's folders: `slot` and `work` as seen from inside, `host` the slot as seen by the host."""

    slot: str
    work: str
    host: Path


def zygote_options(spec: SlotSpec, paths: Paths, *, readable: Sequence[str], **more: Any) -> dict[str, Any]:
    """What the zygote is told on its command line."""
    return {
        "control": f"{paths.slot}/control",
        "profile": spec.profile,
        "work": paths.work,
        "readable": [*readable, *(gpu.READABLE if spec.gpu else ())],
        "devices": list(spec.gpu.nodes) if spec.gpu else [],
        **more,
    }
