"""What a container may do is what was asked of the engine; these requests are read here, without one."""

import os

import pytest
import requests
from docker import errors

from autograder.errors import SandboxError
from autograder.model.assignment import Limits
from autograder.sandbox import docker as ours
from autograder.sandbox import owner
from autograder.sandbox.docker import Container, Docker, container_settings, reap
from autograder.sandbox.interface import IMAGE, KEPT_OUT, SlotSpec

MIB = 2**20


@pytest.fixture
def settings(tmp_path):
    spec = SlotSpec("numpy", Limits(memory_bytes=512 * MIB, processes=32, disk_bytes=16 * MIB), runtime="runsc")
    return container_settings(spec, tmp_path / "slot", tmp_path / "code", site="/site", cpus=1.5)


def test_a_container_has_no_network_no_swap_and_no_way_up(settings):
    assert settings["network_mode"] == "none"
    assert settings["ipc_mode"] == "private"
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert "CAP_SYS_ADMIN" not in settings["cap_add"]
    assert settings["security_opt"] == ["no-new-privileges"]
    assert settings["mem_limit"] == settings["memswap_limit"]


def test_limits_leave_room_for_the_zygote(settings):
    assert 512 * MIB + 16 * MIB < settings["mem_limit"] < 1024 * MIB
    assert 32 < settings["pids_limit"] < 64
    assert settings["nano_cpus"] == 1_500_000_000
    assert f"size={16 * MIB}," in settings["tmpfs"]["/work"]


def test_only_the_slots_own_folder_can_be_written(settings, tmp_path):
    writable = {path: told["bind"] for path, told in settings["volumes"].items() if told["mode"] != "ro,z"}
    assert writable == {f"{tmp_path}/slot": "/slot"}
    assert all(mount["ReadOnly"] for mount in settings["mounts"])


def test_packages_of_other_profiles_are_covered(settings, tmp_path):
    covered = {mount["Target"] for mount in settings["mounts"] if mount["Source"] == f"{tmp_path}/code/absent"}
    assert covered == {f"/site/{package}" for package in KEPT_OUT["numpy"]}


def test_nothing_of_the_hosts_environment_is_handed_on(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRADER_SECRET", "canary")
    again = container_settings(SlotSpec("torch"), tmp_path, tmp_path, site="/site", cpus=1)
    assert "canary" not in str(again)
    assert settings["runtime"] == "runsc"


class Engine:
    """A docker client that remembers what it was asked, and fails as told."""

    def __init__(self, failures=(), labels=None, info=None):
        self.failures = list(failures)
        self.told = info or {}
        self.made = []
        self.removed = []
        self.image = type(
            "Image", (), {"labels": {ours.SITE_LABEL: "/site"} if labels is None else labels, "id": "sha256:1"}
        )
        self.images = self.containers = self

    def get(self, name):
        return self.image

    def info(self):
        return {"MemoryLimit": True, "PidsLimit": False, **self.told}

    def create(self, **settings):
        self.made.append(settings)
        return self

    def start(self):
        if self.failures:
            raise self.failures.pop(0)

    def remove(self, **how):
        self.removed.append(how)


def server_error(status):
    response = requests.Response()
    response.status_code = status
    return errors.APIError("request", response=response, explanation="stumbled")


@pytest.fixture
def sandbox(monkeypatch):
    def sandbox(engine):
        monkeypatch.setattr(ours, "connect", lambda: engine)
        monkeypatch.setattr(ours, "reap", lambda client: 0)
        return Docker()

    return sandbox


@pytest.fixture
def start(sandbox, tmp_path):
    def start(engine, spec=None):
        return sandbox(engine).start(spec or SlotSpec("numpy"), tmp_path / "slot", tmp_path / "code")

    return start


def test_the_walls_are_those_that_the_engine_can_build(start):
    walls = start(Engine(), SlotSpec("numpy", runtime="runsc")).walls
    assert walls == ("docker", "pid-namespace", "no-network", "read-only-root", "cgroup-memory", "runsc")


@pytest.mark.parametrize("known", [{"runc": {}, "runsc": {}}, {}, None])
@pytest.mark.parametrize("runtime", ["runsc", None, "io.containerd.kata.v2"])
def test_a_runtime_that_the_engine_has_or_does_not_list_is_taken(sandbox, known, runtime):
    assert sandbox(Engine(info={"Runtimes": known})).image_id(SlotSpec("numpy", runtime=runtime)) == "sha256:1"


def test_a_runtime_that_the_engine_has_not_is_named_once(sandbox):
    with pytest.raises(SandboxError, match=r"no runtime 'runcs', it has runc, runsc: install it"):
        sandbox(Engine(info={"Runtimes": {"runsc": {}, "runc": {}}})).image_id(SlotSpec("numpy", runtime="runcs"))


USERNS = {
    "DockerRootDir": "/var/lib/docker/100000.200000",
    "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
}


def test_an_engine_that_maps_users_is_given_the_slots_folder(start, monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(os, "chown", lambda *asked: given.append(asked))
    assert "user-namespace" in start(Engine(info=USERNS)).walls
    assert given == [(tmp_path / "slot", 100_000, 200_000)]
    assert "user-namespace" not in start(Engine(info={"DockerRootDir": "/var/lib/docker"})).walls
    assert len(given) == 1


def test_who_cannot_give_the_slots_folder_to_that_engine_is_told_what_to_do(start, monkeypatch):
    def refuse(*_asked):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    engine = Engine(info=USERNS)
    with pytest.raises(SandboxError, match="rootless engine"):
        start(engine)
    assert engine.made == []


def test_a_start_that_may_succeed_is_tried_once_more(start):
    engine = Engine([server_error(500)])
    start(engine)
    assert len(engine.made) == 2
    assert len(engine.removed) == 1


@pytest.mark.parametrize(("failures", "tries"), [([400], 1), ([500, 500], 2)])
def test_a_start_that_fails_leaves_no_container(start, failures, tries):
    engine = Engine([server_error(status) for status in failures])
    with pytest.raises(SandboxError, match="stumbled"):
        start(engine)
    assert len(engine.made) == len(engine.removed) == tries


def test_another_projects_image_is_refused(start):
    with pytest.raises(SandboxError, match="autograder image build"):
        start(Engine(labels={}))


def test_without_an_engine_it_is_missing_and_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "DOCKER_HOST" in (Docker().missing() or "")


def test_without_the_image_it_is_missing_and_says_what_to_do(monkeypatch):
    class Empty(Engine):
        def get(self, name):
            assert name == IMAGE
            response = requests.Response()
            response.status_code = 404
            raise errors.ImageNotFound("no", response=response)

    monkeypatch.setattr(ours, "connect", Empty)
    monkeypatch.setattr(ours, "reap", lambda client: 0)
    assert "autograder image build" in (Docker().missing() or "")


class Left:
    """A container on the engine."""

    def __init__(self, mark):
        self.labels = {ours.OWNER_LABEL: mark}
        self.removed = False

    def remove(self, **how):
        self.removed = True


def test_only_what_dead_graders_left_is_reaped(monkeypatch):
    mine, elsewhere = Left(owner.mark()), Left("other/pid:[1] 1 1")
    dead = Left(owner.mark().rpartition(" ")[0] + " 0")
    client = type("Client", (), {"containers": type("All", (), {"list": lambda *_, **__: [mine, elsewhere, dead]})()})
    assert reap(client) == 1
    assert [left.removed for left in (mine, elsewhere, dead)] == [False, False, True]


@pytest.mark.parametrize("status", [404, 409])
def test_removing_what_is_gone_already_is_fine(status):
    asked = []

    class Gone:
        def remove(self, **how):
            asked.append(how)
            response = requests.Response()
            response.status_code = status
            raise (errors.NotFound if status == 404 else errors.APIError)("gone", response=response)

    Container(Gone(), ()).remove()
    assert asked == [{"force": True, "v": True}]  # once: what is gone needs no second try


def test_a_container_that_cannot_be_removed_is_told():
    class Stuck:
        def remove(self, **how):
            raise server_error(500)

    with pytest.raises(SandboxError, match="stumbled"):
        Container(Stuck(), ()).remove()
