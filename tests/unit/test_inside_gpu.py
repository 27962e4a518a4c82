"""What a fork does with its GPU before a student's line, on a torch that only counts bytes."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.inside import gpu
from autograder.inside.gpu import CHUNK, MARGIN, POISON

GIB = 2**30


class OutOfMemoryError(RuntimeError):
    __module__ = "torch"


class Torch:
    """As much of torch as `prepare` uses: `pieces` are the sizes of free memory, as a fragmented GPU has them."""

    uint8 = "uint8"
    OutOfMemoryError = OutOfMemoryError

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.poisoned, self.said = 0, []
        self.cuda = SimpleNamespace(
            init=lambda: self.said.append("init"),
            mem_get_info=lambda _device: (sum(self.pieces), 99 * GIB),
            synchronize=lambda: self.said.append("synchronize"),
            empty_cache=lambda: self.said.append("empty"),
            set_per_process_memory_fraction=lambda fraction, _device: self.said.append(fraction),
        )
        self.backends = SimpleNamespace(
            cuda=SimpleNamespace(matmul=SimpleNamespace()), cudnn=SimpleNamespace(benchmark=True)
        )

    def full(self, shape, value, *, dtype, device):
        assert (value, dtype, device) == (POISON, "uint8", "cuda")
        [size] = shape
        for place, piece in enumerate(self.pieces):
            if piece >= size:
                self.pieces[place] -= size
                self.poisoned += size
                return object()
        raise OutOfMemoryError


@pytest.fixture
def prepare(monkeypatch):
    def run(torch, memory=GIB, *, sole=True):
        monkeypatch.setitem(sys.modules, "torch", torch)
        assert gpu.prepare(memory, 99 * GIB, sole=sole) == "gpu-memory"
        return torch

    return run


@pytest.mark.parametrize("free", [[MARGIN // 2], [GIB], [3 * CHUNK + 17], [CHUNK // 2, CHUNK, 3 * GIB, GIB // 3]])
def test_all_free_memory_is_poisoned_but_for_what_the_driver_needs(prepare, free):
    torch = prepare(Torch(*free))
    # a piece that is left over is too small for any tensor that matters
    assert torch.poisoned >= sum(free) - MARGIN * (1 + len(free))


def test_with_others_on_the_gpu_no_more_is_poisoned_than_the_share(prepare):
    assert prepare(Torch(40 * GIB), memory=5 * GIB, sole=False).poisoned == 5 * GIB


def test_what_was_poisoned_is_given_back_before_the_limit_stands(prepare):
    said = prepare(Torch(2 * GIB)).said
    assert said == ["init", "synchronize", "empty", pytest.approx(1 / 99)]


def test_a_gpu_computes_as_the_cpu_does(prepare):
    torch = prepare(Torch(GIB))
    assert torch.backends.cuda.matmul.allow_tf32 is False
    assert vars(torch.backends.cudnn) == {"allow_tf32": False, "benchmark": False, "deterministic": True}


def test_a_kernel_sees_its_own_gpu_or_none():
    assert gpu.environment("GPU-a")["CUDA_VISIBLE_DEVICES"] == "GPU-a"
    assert gpu.environment("") == {"CUDA_VISIBLE_DEVICES": ""}


def test_an_open_device_file_is_told(monkeypatch):
    assert gpu.touched() == []
    links = {"3": "/dev/nvidiactl", "4": "/dev/nvidia0", "5": "/dev/null", "6": "/dev/nvidia0"}
    monkeypatch.setattr(gpu.os, "listdir", lambda _folder: [*links, "7"])

    def readlink(path):
        try:
            return links[Path(path).name]
        except KeyError:
            raise FileNotFoundError from None

    monkeypatch.setattr(gpu.os, "readlink", readlink)
    assert gpu.touched() == ["/dev/nvidia0", "/dev/nvidiactl"]


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (OutOfMemoryError(), True),
        (MemoryError(), False),
        (type("OutOfMemoryError", (Exception,), {"__module__": "student"})(), False),
    ],
)
def test_only_torchs_own_error_is_out_of_memory(error, is_one):
    assert gpu.is_out_of_memory(error) is is_one
