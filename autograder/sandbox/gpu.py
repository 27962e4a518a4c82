"""The GPUs of this machine: which there are, whose turn on one it is, and whether one can still be trusted.

All of it is asked of NVIDIA's management library (NVML), never of a kernel: what a submission says about its GPU
counts for nothing. Nothing here touches CUDA.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograder.errors import SandboxError, UsageError
from autograder.sandbox.interface import GpuShare
from autograder.sandbox.run_folder import run_folder

ALL, NONE = "all", "none"
CONTEXT_BYTES = 3 * 2**29
"""What CUDA takes for each process beside its tensors: contexts, libraries, loaded kernels."""
SLACK_BYTES = 2**28
"""How much the use of a GPU may rise without a submission: drivers keep some."""
RELEASE_SECONDS = 5.0
TURN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or one slice of one (MIG), as NVML names it."""

    uuid: str
    index: int
    name: str
    memory_bytes: int
    minor: int
    """The number in the name of its device file."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The device files through which a process reaches this GPU and no other."""
        shared = [path for path in Path("/dev").glob("nvidia*") if not path.name.removeprefix("nvidia").isdecimal()]
        files = [*shared, *Path("/dev/nvidia-caps").glob("*"), Path(f"/dev/nvidia{self.minor}")]
        return tuple(sorted(str(path) for path in files if path.is_char_device()))


@dataclass(frozen=True, slots=True)
class State:
    """What NVML says of a GPU now: bytes in use, bytes free, errors of its memory that were found and not corrected."""

    used: int
    free: int
    errors: int


def found() -> tuple[Gpu, ...]:
    """The GPUs of this machine; none where there is no NVIDIA driver.

    Raises:
        SandboxError: there is a driver, and it does not answer.
    """
    if (nvml := _nvml()) is None:
        return ()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        return tuple(
            Gpu(
                nvml.nvmlDeviceGetUUID(handle), index, nvml.nvmlDeviceGetName(handle),
                int(nvml.nvmlDeviceGetMemoryInfo(handle).total), nvml.nvmlDeviceGetMinorNumber(device),
            )
            for index, device in enumerate(handles)
            for handle in _slices(nvml, device)
        )  # fmt: skip
    except nvml.NVMLError as error:
        raise SandboxError(f"the GPU driver does not answer ({error}): see `nvidia-smi`") from error


def chosen(names: str) -> tuple[Gpu, ...]:
    """The GPUs that `names` means: "all", "none", or numbers and UUIDs with commas between.

    Raises:
        UsageError: there is no such GPU here; says which there are.
        SandboxError: as `found`.
    """
    if names == NONE:
        return ()
    here = found()
    if names == ALL:
        return here
    picked = []
    for name in (part.strip() for part in names.split(",")):
        matching = [gpu for gpu in here if name in {str(gpu.index), gpu.uuid}]
        if not matching:
            known = ", ".join(f"{gpu.index} ({gpu.name}, {gpu.uuid})" for gpu in here) or "this machine has none"
            raise UsageError(f"no GPU {name!r}: {known}")
        picked += matching
    return tuple(dict.fromkeys(picked))


class Gpus:
    """The GPUs that this process may grade on, each for `slots` submissions at a time.

    A turn is a lock on a file, so that it ends with the process that has it: the workers of one grader, and several
    graders of one user, never have the same turn at once.
    """

    def __init__(self, gpus: Sequence[Gpu], slots: int = 1) -> None:
        self.gpus = tuple(gpus)
        self.slots = slots
        self._blamed: list[str] = []
        """Where something went wrong: tried last."""

    @contextlib.contextmanager
    def turn(self, memory_bytes: int) -> Iterator[GpuShare]:
        """Wait for a turn; what a submission may have of the GPU meanwhile, `memory_bytes` at most.

        Raises:
            SandboxError: there is no GPU, it is lost, or it has less memory free than it should.
        """
        if not self.gpus:
            raise SandboxError("no GPU is here: start this worker without --resources GPU=1, or see `nvidia-smi`")
        gpu, lock = self._wait()
        try:
            part = gpu.memory_bytes // self.slots - CONTEXT_BYTES
            share = GpuShare(gpu.uuid, gpu.nodes, min(memory_bytes, part), gpu.memory_bytes, sole=self.slots == 1)
            with self._blaming(gpu):
                before = state(gpu)
                if before.free < share.memory_bytes:
                    raise SandboxError(
                        f"{gpu.name} {gpu.index} has {before.free >> 20} MiB free, and a submission may use "
                        f"{share.memory_bytes >> 20}: end what else runs on it, or choose others with --gpus"
                    )
                yield share
                if state(gpu).errors > before.errors:
                    raise SandboxError(f"the memory of {gpu.name} {gpu.index} failed while a submission ran on it")
        finally:
            os.close(lock)

    def released(self, share: GpuShare, used: int) -> bool:
        """Whether no more of a GPU is in use than the `used` bytes from before; waits a little for the driver.

        Where others have turns on it too, this cannot be known: False.
        """
        gpu = self._gpu(share.uuid)
        deadline = time.monotonic() + RELEASE_SECONDS
        while share.sole:
            if state(gpu).used <= used + SLACK_BYTES:
                return True
            if time.monotonic() > deadline:
                break
            time.sleep(TURN_SECONDS)
        return False

    def used(self, share: GpuShare) -> int:
        """The bytes in use on a GPU now, whoever uses them.

        Raises:
            SandboxError: the GPU is lost.
        """
        return state(self._gpu(share.uuid)).used

    def _gpu(self, uuid: str) -> Gpu:
        return next(gpu for gpu in self.gpus if gpu.uuid == uuid)

    def _wait(self) -> tuple[Gpu, int]:
        """A GPU and the descriptor of the lock on a turn there; those that are blamed come last."""
        while True:
            for gpu in sorted(self.gpus, key=lambda gpu: self._blamed.count(gpu.uuid)):
                for number in range(self.slots):
                    if (lock := _lock(run_folder() / f"{gpu.uuid}-{number}.turn")) is not None:
                        return gpu, lock
            time.sleep(TURN_SECONDS)

    @contextlib.contextmanager
    def _blaming(self, gpu: Gpu) -> Iterator[None]:
        try:
            yield
        except SandboxError:
            self._blamed.append(gpu.uuid)
            raise


def gpus(names: str, slots: int) -> Gpus | None:
    """Those that `names` means, to grade on; None where there are none.

    Raises:
        UsageError: there is no such GPU here.
        SandboxError: the driver does not answer.
    """
    picked = chosen(names)
    return Gpus(picked, slots) if picked else None


def state(gpu: Gpu) -> State:
    """What NVML says of `gpu` now.

    Raises:
        SandboxError: it is lost.
    """
    if (nvml := _nvml()) is None:
        raise SandboxError(f"{gpu.name} {gpu.index} ({gpu.uuid}) is lost: there is no driver")
    try:
        handle = nvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        errors = 0
        with contextlib.suppress(nvml.NVMLError_NotSupported):  # a slice, or memory that does not check itself
            errors = nvml.nvmlDeviceGetTotalEccErrors(
                handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
            )
    except nvml.NVMLError as error:
        raise SandboxError(f"{gpu.name} {gpu.index} ({gpu.uuid}) is lost: {error}") from error
    return State(int(memory.used), int(memory.free), int(errors))


def expect_room(share: GpuShare) -> None:
    """Look, after a kernel that ran out of a GPU's memory was ended, whether all of its share was there for it.

    Waits a little for the driver to release what the kernel itself had.

    Raises:
        SandboxError: it was not: a neighbour or another program has taken of it; or the GPU is lost.
    """
    gpu = next((gpu for gpu in found() if gpu.uuid == share.uuid), None)
    if gpu is None:
        raise SandboxError(f"the GPU {share.uuid} is lost")
    deadline = time.monotonic() + RELEASE_SECONDS
    while (free := state(gpu).free) < share.memory_bytes:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"a submission ran out of the memory of {gpu.name} {gpu.index}, of which others had taken too much: "
                f"{free >> 20} MiB are free without it, and its share is {share.memory_bytes >> 20}"
            )
        time.sleep(TURN_SECONDS)


@cache
def _nvml() -> Any | None:
    """NVML, ready to be asked; None where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return None
    except pynvml.NVMLError as error:
        raise SandboxError(f"the GPU driver does not answer ({error}): see `nvidia-smi`") from error
    return pynvml


def _slices(nvml: Any, device: Any) -> list[Any]:
    """The slices that a GPU is cut into (MIG); where it is in one piece, itself."""
    try:
        if nvml.nvmlDeviceGetMigMode(device)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return [device]
    except nvml.NVMLError_NotSupported:
        return [device]
    slices = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(device)):
        with contextlib.suppress(nvml.NVMLError_NotFound):
            slices.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, index))
    return slices


def _lock(path: Path) -> int | None:
    """Lock a file; its descriptor, which no child inherits, or None where another process has locked it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
