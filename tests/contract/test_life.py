"""Every sandbox: a slot starts, forks kernels quickly, ends them for good, and says when something died."""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import pytest
from jupyter_client import BlockingKernelClient
from sandboxed import Kernel

from autograder.errors import SandboxError
from autograder.model.submission import SubmittedFile
from autograder.sandbox.docker import SLOT_LABEL, reap
from autograder.sandbox.run_folder import run_folder


def processes(marker: str) -> list[str]:
    """Command lines on this machine that hold `marker`, whatever namespace they are in."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_torch_slot_is_warm_and_small(kind, slots, start):
    slot = slots(kind, "torch")
    assert slot.enclosure.alive()
    assert 50 * 2**20 < slot.resident < 600 * 2**20
    assert start(kind, "torch").run("import sys; answer = {'torch', 'pytorch_lightning', 'numpy'} <= set(sys.modules)")


def test_forks_are_quick(kind, slots):
    slot = slots(kind, "numpy")
    seconds = []
    for number in range(3):
        began = time.monotonic()
        slot.fork(f"quick{number}", "alice")
        seconds.append(time.monotonic() - began)
        slot.end(f"quick{number}")
    assert statistics.median(seconds) < 1.0


def test_a_kernel_speaks_jupyter(kind, start):
    connection = start(kind).connection
    client = BlockingKernelClient()
    client.load_connection_info(connection)
    client.start_channels()
    try:
        client.wait_for_ready(timeout=10)
        assert client.kernel_info(reply=True, timeout=10)["content"]["language_info"]["name"] == "python"
    finally:
        client.stop_channels()


def test_a_kernel_has_its_students_name_and_a_folder_of_its_own(kind, start):
    kernel = start(kind)
    home, folder, name = kernel.run(
        """
        import os
        with open("mine", "w") as file:
            file.write("x")
        answer = os.environ["HOME"], os.getcwd(), os.environ["JUPYTERHUB_USER"]
        """
    )
    assert home == folder
    assert name == "alice"


SHARED = (".", "..", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/slot", "/work")


def test_a_cell_may_await(kind, start):
    assert start(kind).run("import asyncio\nanswer = await asyncio.sleep(0, 'done')") == "done"


def test_the_zygotes_shell_is_the_forked_kernels_own(kind, start):
    found = start(kind, "numpy").run(
        """
        import matplotlib.pyplot as plt, os, sys
        shell = get_ipython()
        answer = [
            shell.kernel.shell is shell,
            shell.parent is shell.kernel,
            shell.starting_dir == os.environ["HOME"],
            shell.ipython_dir == os.environ["IPYTHONDIR"],
            sys.modules["__main__"].__dict__ is shell.user_ns is globals(),
            plt.get_backend().endswith("inline"),
        ]
        """
    )
    assert found == [True] * 6


def test_the_next_fork_sees_nothing_of_the_one_before(kind, start):
    folders = SHARED if kind != "none" else (".",)
    first = start(kind)
    first.run(
        f"""
        import os, numpy
        numpy.left_behind = os.environ["LEFT_BEHIND"] = "left-behind"
        for folder in {folders}:
            try:
                open(f"{{folder}}/left-behind", "w").close()
            except OSError:
                pass
        """
    )
    first.end()
    second = start(kind)
    seen = second.run(
        f"""
        import os, numpy
        answer = [name for name in os.listdir() if name != ".ipython"]
        answer += [name for name in os.environ if name == "LEFT_BEHIND"]
        answer += [name for name in dir(numpy) if name == "left_behind"]
        for folder in {folders}:
            if os.path.exists(f"{{folder}}/left-behind"):
                answer.append(folder)
        """
    )
    assert seen == []


POOLS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.shared_memory import SharedMemory

def square(x):
    return x * x

with multiprocessing.Pool(2) as pool:
    answer = [pool.map(square, [1, 2, 3])]
with ProcessPoolExecutor(2) as pool:
    answer.append(list(pool.map(square, [4])))
with multiprocessing.get_context("spawn").Pool(1) as pool:
    answer.append(pool.map(abs, [-5]))
queue, lock = multiprocessing.Queue(), multiprocessing.Lock()
def put():
    with lock:
        queue.put(multiprocessing.current_process().name)
process = multiprocessing.Process(target=put, name="worker")
process.start()
answer.append(queue.get())
process.join()
shared = SharedMemory(create=True, size=100)
shared.buf[0] = 6
other = SharedMemory(shared.name)
answer.append(other.buf[0])
other.close(); shared.close(); shared.unlink()
"""


def test_processes_pools_queues_and_shared_memory_work(kind, start):
    assert start(kind).run(POOLS) == [[1, 4, 9], [16], [5], "worker", 6]


def test_a_data_loader_with_workers_works(kind, start):
    kernel = start(kind, "torch")
    assert (
        kernel.run(
            """
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        data = TensorDataset(torch.arange(100.0).reshape(50, 2))
        answer = sum(batch.sum().item() for (batch,) in DataLoader(data, batch_size=8, num_workers=2))
        """
        )
        == 4950.0
    )


def test_nothing_stays_in_shared_memory(walled, start):
    first = start(walled)
    assert first.run(
        """
        import ctypes
        from multiprocessing.shared_memory import SharedMemory
        libc = ctypes.CDLL(None)
        held = SharedMemory("left", create=True, size=4096)
        libc.sem_open.restype = ctypes.c_void_p
        answer = bool(libc.sem_open(b"/left", 0o100, 0o666, 7))
        """
    )
    first.end()
    left = start(walled).run(
        """
        import ctypes, os
        libc = ctypes.CDLL(None)
        libc.sem_open.restype = ctypes.c_void_p
        answer = [os.path.lexists(f"/dev/shm/{name}") for name in ("left", "sem.left")]
        answer.append(bool(libc.sem_open(b"/left", 0)))
        """
    )
    assert left == [False] * 3


FILES = (
    SubmittedFile("helpers.py", b"def f():\n    return 'given'\n"),
    SubmittedFile("data/points.csv", b"1,2\n3,4\n"),
    SubmittedFile("helpers.py", b"def f():\n    return 'handed in'\n"),
    SubmittedFile("statistics.py", b"raise RuntimeError('shadowed')\n"),
    SubmittedFile("inside/probe.py", b"raise RuntimeError('shadowed')\n"),
    SubmittedFile("../outside.py", b""),
    SubmittedFile("/absolute.py", b""),
    SubmittedFile(".ipython/startup.py", b""),
    SubmittedFile("data", b"a folder is there already"),
    SubmittedFile("helpers.py/inner.py", b"a file is there already"),
)


def test_files_are_there_as_they_were_given_and_shadow_nothing(kind, slots):
    slot = slots(kind, "numpy")
    for _ in range(2):  # the second kernel gets what the first has changed
        kernel = Kernel(slot, FILES)
        found = kernel.run(
            """
            import os, statistics, numpy, helpers, inside.probe
            answer = [
                helpers.f(),
                numpy.loadtxt("data/points.csv", delimiter=",").tolist(),
                statistics.mean([1, 3]),
                sorted(name for name in os.listdir() if not name.startswith(".")),
                os.path.exists("../outside.py"),
            ]
            open("helpers.py", "w").write("changed")
            os.chmod("data", 0o500)
            """
        )
        kernel.end()
        assert found == [
            "given", [[1.0, 2.0], [3.0, 4.0]], 2, ["data", "helpers.py", "inside", "statistics.py"], False,
        ]  # fmt: skip
    assert not [path for path in slot.folder.iterdir() if path.name.endswith(".files")]


def test_files_that_fill_the_folder_stop_no_kernel(walled, slots):
    kernel = Kernel(slots(walled, "numpy"), [SubmittedFile(f"{n}.bin", bytes(2**20)) for n in range(40)])
    assert kernel.run("answer = 1 + 1") == 2
    kernel.end()


def test_a_kernel_that_dies_is_reported(kind, start):
    kernel = start(kind)
    kernel.send("import os; os._exit(3)")
    ended = kernel.exited()
    assert ended["code"] == 3
    assert ended["peak"] > 2**20
    kernel.end()
    assert start(kind).run("answer = 1 + 1") == 2


def test_a_kernel_that_is_killed_is_reported_with_its_signal(kind, start):
    kernel = start(kind)
    kernel.send("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert kernel.exited()["code"] == -signal.SIGKILL


def test_a_busy_kernel_that_ignores_sigterm_is_ended(kind, start):
    kernel = start(kind)
    kernel.run("import signal; [signal.signal(number, signal.SIG_IGN) for number in (1, 2, 15)]")
    kernel.send("while True: pass")
    began = time.monotonic()
    kernel.end()
    assert time.monotonic() - began < 5
    assert start(kind).run("answer = 1 + 1") == 2


def test_what_a_kernel_started_ends_with_it(walled, start):
    kernel = start(walled)
    marker = f"98{os.getpid()}.5"
    kernel.run(
        f"""
        import os, subprocess, sys
        ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep({marker})"
        for _ in range(3):
            subprocess.Popen([sys.executable, "-c", ignoring], start_new_session=True)
        if os.fork() == 0:  # an orphan: its parent is gone at once
            if os.fork() == 0:
                os.setsid()
                os.execv(sys.executable, [sys.executable, "-c", ignoring])
            os._exit(0)
        """
    )
    assert until(lambda: len(processes(marker)) >= 4)
    kernel.end()
    assert processes(marker) == []


def test_the_end_leaves_no_file(kind, start, slots):
    kernel = start(kind)
    kernel.run(
        """
        import os
        os.makedirs("locked/inner")
        open("locked/inner/file", "w").close()
        os.chmod("locked/inner", 0); os.chmod("locked", 0)
        os.symlink("/", "root")
        for number in range(500):
            open(f"{number}.txt", "w").close()
        here = os.getcwd()
        for _ in range(1200):  # deeper than Python recurses, and than a path is long
            os.mkdir("deep"); os.chdir("deep")
        os.chdir(here)
        """
    )
    kernel.end()
    slot = slots(kind, "numpy")
    assert {path.name for path in slot.folder.iterdir()} <= {"log", "owner", "work"}
    assert start(kind).run("import os; answer = [name for name in os.listdir() if name != '.ipython']") == []


def test_the_loss_of_an_enclosure_is_the_sandboxs_failure(kind, own_slot):
    slot = own_slot(kind)
    slot.fork("lost", "alice")
    slot.enclosure.remove()
    assert not slot.enclosure.alive()
    with pytest.raises(SandboxError):
        until(lambda: slot.exited("lost"))
    with pytest.raises(SandboxError):
        slot.fork("next", "alice")


def test_a_slot_outlives_the_thread_that_started_it(kind, own_slot):
    with ThreadPoolExecutor(1) as pool:
        slot = pool.submit(own_slot, kind).result()
        thread = pool.submit(threading.get_native_id).result()  # the pool's only one
    assert until(lambda: not Path(f"/proc/self/task/{thread}").exists())
    kernel = Kernel(slot)
    assert kernel.run("answer = 6 * 7") == 42
    kernel.end()
    assert slot.enclosure.alive()


def test_closing_leaves_nothing(kind, own_slot):
    slot = own_slot(kind)
    slot.fork("open", "alice")
    folder = slot.folder
    slot.close()
    assert not folder.exists()
    assert until(lambda: processes(folder.name) == [])
    if kind == "docker":
        assert docker.from_env().containers.list(all=True, filters={"label": f"{SLOT_LABEL}={folder}"}) == []
    slot.close()  # twice does no harm


def test_what_a_killed_grader_left_is_removed_at_the_next_start(kind, slots):
    slots(kind, "numpy")
    script = f"""
import os, signal
import {type(slots(kind, "numpy").sandbox).__module__} as module
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot
slot = Slot(module.{type(slots(kind, "numpy").sandbox).__name__}(), SlotSpec("numpy"))
slot.fork("orphan", "alice")
print(slot.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    folder = Path(done.stdout.strip())
    assert folder.parent == run_folder(), done.stderr
    if kind == "docker":
        client = docker.from_env()
        reap(client)
        assert client.containers.list(all=True, filters={"label": f"{SLOT_LABEL}={folder}"}) == []
    assert until(lambda: processes(folder.name) == [])
    start_another = "from autograder.sandbox.run_folder import sweep; sweep()"
    subprocess.run([sys.executable, "-c", start_another], check=True, timeout=60)
    assert not folder.exists()
