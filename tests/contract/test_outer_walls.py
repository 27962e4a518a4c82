"""The enclosure alone, without what a kernel gives up by itself: were an inner wall to fall, these still stand."""

import functools
import socket
import sys
from pathlib import Path

import pytest
from sandboxed import CANARY, FORKS, LIMITS, REPOSITORY, Kernel

from autograder.sandbox import view
from autograder.sandbox.interface import SlotSpec
from autograder.sandbox.slot import Slot


@pytest.fixture(scope="module")
def bare_slots(slots):
    """Slots whose kernels keep the zygote's own user and rights: no Landlock, no seccomp, no limits of their own."""
    made = {}

    def slot(kind):
        if kind not in made:
            sandbox = slots(kind, "numpy").sandbox
            module = sys.modules[type(sandbox).__module__]
            options = functools.partial(without_inner_walls, module.zygote_options)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(module, "zygote_options", options)
                made[kind] = Slot(sandbox, SlotSpec("numpy", LIMITS))
            made[kind].wait()
        return made[kind]

    yield slot
    for each in made.values():
        each.close()


def without_inner_walls(real, *paths, **more):
    return real(*paths, **{**more, "walls": False})


@pytest.fixture
def bare(walled, bare_slots):
    kernel = Kernel(bare_slots(walled))
    assert "landlock" not in kernel.walls
    yield kernel
    kernel.end()


def test_there_is_no_network(bare):
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as abstract:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        abstract.bind(f"\0bare-{CANARY}")
        abstract.listen()
        interfaces, reached = bare.run(
            f"""
            import socket
            reached = []
            for family, address in (
                (socket.AF_INET, ("127.0.0.1", {tcp.getsockname()[1]})),
                (socket.AF_INET, ("169.254.169.254", 80)),
                (socket.AF_UNIX, "\\0bare-{CANARY}"),
                (socket.AF_UNIX, "/var/run/docker.sock"),
            ):
                try:
                    with socket.socket(family) as each:
                        each.settimeout(2)
                        each.connect(address)
                        reached.append(address)
                except OSError:
                    pass
            answer = [name for _, name in socket.if_nameindex()], reached
            """
        )
    assert interfaces in ([], ["lo"])
    assert reached == []


def test_no_secret_is_in_sight(bare):
    found = bare.run(
        f"""
        import os
        folders = ("{REPOSITORY}/solutions", "{REPOSITORY}/autograder", "/root/.ssh", "/var/lib/docker")
        answer = [path for path in folders if os.path.exists(path) and os.listdir(path)]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for file in ("environ", "cmdline"):
                try:
                    with open(f"/proc/{{pid}}/{{file}}", "rb") as opened:
                        text = opened.read()
                except OSError:
                    continue
                if b"{CANARY}" in text or b"pytest" in text:
                    answer.append(f"{{pid}} {{file}}")
        """
    )
    assert found == []


def test_folders_show_nothing_but_the_way_to_what_is_shown(bare, walled):
    """Nobody's home, and no neighbour of this project: not even by name."""
    shown = [] if walled == "docker" else [*view.trees(), *(link for _target, link in view.links())]
    ways = {str(parent) for path in shown for parent in (path, *path.parents)}
    above = {str(parent) for path in (Path(sys.prefix), REPOSITORY) for parent in path.parents if walled != "docker"}
    seen = bare.run(
        f"""
        import os
        answer = []
        for folder in {sorted({"/home", "/srv", "/mnt", "/media", *above} - {"/", "/tmp", "/work", "/opt"})!r}:
            try:
                answer += [os.path.join(folder, name) for name in os.listdir(folder)]
            except OSError:
                pass
        """
    )
    assert set(seen) <= ways


def test_the_root_is_read_only(bare):
    written = bare.run(
        """
        import os, numpy
        answer = []
        for folder in ("/", "/etc", "/usr", "/usr/lib", "/opt/autograder", "/opt/autograder/inside",
                       os.path.dirname(os.path.dirname(numpy.__file__)), os.path.dirname(os.__file__)):
            try:
                open(f"{folder}/planted", "w").close()
                answer.append(folder)
            except OSError:
                pass
        """
    )
    assert written == []


def test_no_mount_can_be_made_and_no_device_opened(bare):
    gained = bare.run(
        """
        import ctypes, os
        libc = ctypes.CDLL(None)
        answer = []
        if libc.mount(b"tmpfs", b"/work", b"tmpfs", 0, None) == 0:
            answer.append("mount")
        if libc.mount(None, b"/", None, 0x20 | 0x1000, None) == 0:
            answer.append("remount")
        try:
            os.mknod("disk", 0o60600, os.makedev(254, 0))
            open("disk", "rb").read(1)
            answer.append("device")
        except OSError:
            pass
        try:
            os.sethostname("other")
            answer.append("hostname")
        except (OSError, AttributeError):
            pass
        """.replace("os.sethostname", "__import__('socket').sethostname")
    )
    assert gained == []


def test_few_capabilities_are_left(bare):
    """chown, dac_override, fowner, kill, setgid, setuid: what a zygote needs for its kernels, and no other."""
    held = bare.run(
        """
        with open("/proc/self/status") as status:
            answer = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff"))
        """
    )
    assert held & ~0b1110_1011 == 0


def test_the_disk_is_limited(bare):
    written = bare.run(
        """
        answer = 0
        try:
            for number in range(64):
                with open(f"{number}", "wb", buffering=0) as file:
                    answer += file.write(bytes(2**20))
        except OSError:
            pass
        """
    )
    assert written <= LIMITS.disk_bytes


def test_the_container_limits_processes(bare, walled):
    if "cgroup-pids" not in bare.walls:
        pytest.skip(f"{walled} has no pids cgroup: the inner limit counts processes")
    started = bare.run(FORKS)
    assert started < 100
