"""Whose turn it is on which GPU, and when one is no longer trusted: by what NVML says, on a machine that has none."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import signal
import sys
from pathlib import Path

import pytest

from autograder.errors import SandboxError, UsageError
from autograder.sandbox import gpu
from autograder.sandbox.bwrap import _arguments
from autograder.sandbox.docker import container_settings
from autograder.sandbox.gpu import CONTEXT_BYTES, SLACK_BYTES, Gpus
from autograder.sandbox.interface import GpuShare, Paths, SlotSpec, zygote_options

GIB = 2**30
FAKE = Path(__file__).parents[1] / "nvml" / "pynvml.py"
SHARE = GpuShare("GPU-a", ("/dev/nvidia3", "/dev/nvidiactl"), 4 * GIB, 16 * GIB, sole=True)


@pytest.fixture
def nvml(monkeypatch, tmp_path):
    """Set what NVML says: `nvml({"uuid": "GPU-a"}, ...)`."""
    spec = importlib.util.spec_from_file_location("pynvml", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setenv("AUTOGRADER_RUN", str(tmp_path))
    monkeypatch.setattr(gpu, "RELEASE_SECONDS", 0.0)
    monkeypatch.delenv("FAKE_GPUS", raising=False)
    gpu._nvml.cache_clear()

    def say(*gpus):
        monkeypatch.setenv("FAKE_GPUS", json.dumps(gpus))

    yield say
    gpu._nvml.cache_clear()


# which there are


def test_a_machine_without_a_driver_has_none(nvml):
    assert gpu.found() == ()
    assert gpu.gpus("all", 1) is None
    with pytest.raises(UsageError, match="no GPU '0': this machine has none"):
        gpu.chosen("0")


def test_a_gpu_is_chosen_by_number_or_by_its_own_name(nvml):
    nvml({"uuid": "GPU-a"}, {"uuid": "GPU-b", "minor": 1}, {"uuid": "GPU-c", "minor": 2})
    for names, expected in (("all", "abc"), ("0,2", "ac"), ("GPU-b", "b"), ("1, 1", "b"), ("none", "")):
        assert [each.uuid[-1] for each in gpu.chosen(names)] == list(expected)
    with pytest.raises(UsageError, match=r"no GPU '3': 0 \(Fake, GPU-a\), 1 \(Fake, GPU-b\)"):
        gpu.chosen("0,3")


def test_a_gpu_in_slices_is_as_many_as_it_has(nvml):
    nvml({"uuid": "GPU-a", "slices": ["MIG-1", "MIG-2"]}, {"uuid": "GPU-b", "slices": []})
    assert [(each.uuid, each.index) for each in gpu.chosen("all")] == [("MIG-1", 0), ("MIG-2", 0)]
    assert len(gpu.chosen("0")) == 2


# turns


def hold(names, slots, began):
    """In a process of its own: have a turn until the end."""
    with gpu.gpus(names, slots).turn(GIB) as share:
        began.send(share.uuid)
        signal.pause()


@pytest.fixture
def others(nvml):
    """Processes that have turns: `others(slots)` starts one and says on which GPU."""
    context = multiprocessing.get_context("fork")
    started = []

    def start(slots=1, names="all"):
        told, began = context.Pipe(duplex=False)
        started.append(context.Process(target=hold, args=(names, slots, began)))
        started[-1].start()
        assert told.poll(20)
        return told.recv()

    start.processes = started
    yield start
    for process in started:
        process.kill()
        process.join()


def test_workers_have_turns_on_different_gpus(nvml, others):
    nvml({"uuid": "GPU-a"}, {"uuid": "GPU-b"})
    assert others() == "GPU-a"
    assert others() == "GPU-b"


def test_a_gpu_has_as_many_turns_as_it_may(nvml, others):
    nvml({"uuid": "GPU-a"}, {"uuid": "GPU-b"})
    assert [others(2) for _ in range(4)] == ["GPU-a", "GPU-a", "GPU-b", "GPU-b"]


def test_a_turn_ends_with_the_process_that_has_it(nvml, others):
    nvml({"uuid": "GPU-a"})
    others()
    [process] = others.processes
    process.kill()
    process.join()
    with gpu.gpus("all", 1).turn(GIB) as share:
        assert share.uuid == "GPU-a"


def test_a_share_is_what_the_assignment_asks_for_or_its_part_of_the_gpu(nvml):
    nvml({"uuid": "GPU-a"})
    for slots, asked, expected in ((1, 2 * GIB, 2 * GIB), (1, 99 * GIB, 16 * GIB - CONTEXT_BYTES),
                                   (4, 99 * GIB, 4 * GIB - CONTEXT_BYTES)):  # fmt: skip
        with gpu.gpus("all", slots).turn(asked) as share:
            assert (share.memory_bytes, share.total_bytes, share.sole) == (expected, 16 * GIB, slots == 1)


def test_a_gpu_that_others_have_filled_is_the_sandboxes_failure(nvml):
    nvml({"uuid": "GPU-a", "used": 15 * GIB})
    with pytest.raises(SandboxError, match="Fake 0 has 1024 MiB free, and a submission may use 2048"):  # noqa: SIM117
        with gpu.gpus("all", 1).turn(2 * GIB):
            pytest.fail("a turn on a full GPU")


def test_a_gpu_that_is_lost_is_the_sandboxes_failure_and_is_tried_last(nvml):
    nvml({"uuid": "GPU-a"}, {"uuid": "GPU-b"})
    both = gpu.gpus("all", 1)
    nvml({"uuid": "GPU-a", "lost": True}, {"uuid": "GPU-b"})
    with pytest.raises(SandboxError, match="is lost: GPU is lost"), both.turn(GIB):
        pytest.fail("a turn on a lost GPU")
    for _ in range(3):
        with both.turn(GIB) as share:
            assert share.uuid == "GPU-b"


def test_what_ran_while_a_gpus_memory_failed_does_not_count(nvml):
    nvml({"uuid": "GPU-a"})
    with pytest.raises(SandboxError, match="the memory of Fake 0 failed"), gpu.gpus("all", 1).turn(GIB):
        nvml({"uuid": "GPU-a", "errors": 1})


def test_memory_that_does_not_check_itself_has_no_errors(nvml):
    nvml({"uuid": "GPU-a", "errors": None})
    with gpu.gpus("all", 1).turn(GIB):
        pass


@pytest.mark.parametrize(
    ("slots", "more", "released"), [(1, 0, True), (1, SLACK_BYTES, True), (1, 2 * SLACK_BYTES, False), (2, 0, False)]
)
def test_memory_is_released_when_no_more_is_in_use_than_before(nvml, slots, more, released):
    nvml({"uuid": "GPU-a", "used": GIB})
    gpus = gpu.gpus("all", slots)
    with gpus.turn(GIB) as share:
        used = gpus.used(share)
        nvml({"uuid": "GPU-a", "used": GIB + more})
        assert gpus.released(share, used) is released


@pytest.mark.parametrize("slots", [1, 2])
def test_who_ran_out_of_memory_had_all_of_its_share_or_it_is_the_sandboxs_failure(nvml, slots):
    nvml({"uuid": "GPU-a", "used": GIB})
    with gpu.gpus("all", slots).turn(4 * GIB) as share:
        gpu.expect_room(share)
        nvml({"uuid": "GPU-a", "used": 12 * GIB})
        gpu.expect_room(share)
        nvml({"uuid": "GPU-a", "used": 13 * GIB})
        with pytest.raises(SandboxError, match="others had taken too much: 3072 MiB are free without it"):
            gpu.expect_room(share)
        nvml({"uuid": "GPU-b"})
        with pytest.raises(SandboxError, match="the GPU GPU-a is lost"):
            gpu.expect_room(share)
        nvml({"uuid": "GPU-a"})


def test_the_driver_has_time_to_release_what_the_submission_had(nvml, monkeypatch):
    nvml({"uuid": "GPU-a"})
    with gpu.gpus("all", 1).turn(4 * GIB) as share:
        nvml({"uuid": "GPU-a", "used": 13 * GIB})
        monkeypatch.setattr(gpu, "RELEASE_SECONDS", 60.0)
        monkeypatch.setattr(gpu.time, "sleep", lambda _seconds: nvml({"uuid": "GPU-a"}))
        gpu.expect_room(share)


def test_a_turn_that_has_ended_is_another_processes(nvml, others):
    nvml({"uuid": "GPU-a"})
    with gpu.gpus("all", 1).turn(GIB):
        pass
    assert others() == "GPU-a"


def test_a_worker_that_was_to_have_a_gpu_and_has_none_is_the_sandboxes_failure(nvml):
    with pytest.raises(SandboxError, match="no GPU is here"), Gpus(gpu.chosen("all")).turn(GIB):
        pytest.fail("a turn on no GPU")


# what a sandbox shows of it


def test_a_container_sees_its_own_gpu_alone(tmp_path):
    settings = container_settings(SlotSpec("torch", gpu=SHARE), tmp_path, tmp_path, site="/site", cpus=1)
    [request] = settings["device_requests"]
    assert (request.device_ids, request.capabilities) == (["GPU-a"], [["gpu"]])
    assert "NVIDIA_VISIBLE_DEVICES" not in settings["environment"]
    without = container_settings(SlotSpec("torch"), tmp_path, tmp_path, site="/site", cpus=1)
    assert without["device_requests"] == []
    assert without["environment"]["NVIDIA_VISIBLE_DEVICES"] == "void"  # whatever the engine's default runtime shows


def test_bubblewrap_shows_the_device_files_of_its_own_gpu_alone(tmp_path):
    def bound(spec):
        arguments = _arguments(spec, tmp_path, tmp_path)
        return [arguments[place + 1] for place, argument in enumerate(arguments) if argument == "--dev-bind"]

    assert bound(SlotSpec("torch", gpu=SHARE)) == list(SHARE.nodes)
    assert bound(SlotSpec("torch")) == []


def test_a_kernel_may_open_the_device_files_of_its_own_gpu_alone(tmp_path):
    paths = Paths("/slot", "/work", tmp_path)
    with_one = zygote_options(SlotSpec("torch", gpu=SHARE), paths, readable=["/usr"])
    without = zygote_options(SlotSpec("torch"), paths, readable=["/usr"])
    assert (with_one["devices"], without["devices"]) == (list(SHARE.nodes), [])
    assert without["readable"] == ["/usr"]
    assert "/proc/driver/nvidia" in with_one["readable"]
    assert "/proc" not in with_one["readable"]


def test_the_device_files_of_a_gpu_are_not_those_of_another(nvml, monkeypatch):
    files = ["nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm"]
    glob = {"/dev": [Path("/dev") / name for name in files], "/dev/nvidia-caps": []}
    monkeypatch.setattr(Path, "glob", lambda folder, _pattern: iter(glob[str(folder)]))
    monkeypatch.setattr(Path, "is_char_device", lambda path: path.name in files)
    nvml({"uuid": "GPU-a", "minor": 1})
    [only] = gpu.found()
    assert only.nodes == ("/dev/nvidia-uvm", "/dev/nvidia1", "/dev/nvidiactl")
