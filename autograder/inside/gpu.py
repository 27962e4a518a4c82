"""A kernel's GPU: CUDA is started in the fork, and the GPU's memory overwritten and limited, before a student's line.

The zygote imports torch and must never touch CUDA, which does not survive a fork: `touched` says whether it has.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

READABLE = (
    "/proc/self", "/proc/driver/nvidia", "/proc/cpuinfo", "/proc/meminfo", "/proc/devices", "/proc/modules",
    "/sys/devices", "/sys/bus/pci", "/sys/module",
)  # fmt: skip
"""What CUDA reads of the machine when it starts, beside its libraries."""
POISON = 0xFF
"""As each byte: NaN in every floating type, -1 in every signed one."""
CHUNK = 2**32
MARGIN = 2**29
"""Bytes left free: what a driver needs to go on."""


def environment(uuid: str) -> dict[str, str]:
    """What a kernel's environment says of its GPU: this one alone, or none for an empty `uuid`."""
    if not uuid:
        return {"CUDA_VISIBLE_DEVICES": ""}
    return {"CUDA_VISIBLE_DEVICES": uuid, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def touched() -> list[str]:
    """The GPU device files that this process has open: none, or its forks cannot use CUDA."""
    opened = []
    for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208 - pathlib is not imported in the zygote
        with contextlib.suppress(OSError):  # the listing's own
            opened.append(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - as above
    return sorted({path for path in opened if path.startswith("/dev/nvidia")})


def prepare(memory: int, total: int, *, sole: bool) -> str:
    """Start CUDA, poison the GPU's memory, let this process have `memory` of its `total` bytes; the wall's name.

    Where this process is `sole` on the GPU all free memory is poisoned, else as much as it may have.

    Raises:
        RuntimeError: CUDA cannot be started, or has other memory than it should.
    """
    import torch

    torch.cuda.init()  # type: ignore[no-untyped-call]  # torch's own
    _poison(torch, None if sole else memory)
    torch.cuda.set_per_process_memory_fraction(min(1.0, memory / total), 0)
    # The CPU's arithmetic: otherwise a GPU rounds to 10 bits, and chooses the algorithm by the clock.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return "gpu-memory"


def _poison(torch: Any, most: int | None) -> None:
    """Fill free memory, at most `most` bytes, and give it back: what somebody left there is not there any more."""
    held = []
    left = torch.cuda.mem_get_info(0)[0] - MARGIN
    left = left if most is None else min(left, most)
    chunk = CHUNK
    while left > 0 and chunk >= MARGIN // 2:
        try:
            held.append(torch.full((min(chunk, left),), POISON, dtype=torch.uint8, device="cuda"))
            left -= min(chunk, left)
        except torch.OutOfMemoryError:  # it is free in smaller pieces
            chunk //= 2
    torch.cuda.synchronize()
    held.clear()
    torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed on a GPU."""
    return type(error).__name__ == "OutOfMemoryError" and type(error).__module__.partition(".")[0] == "torch"
