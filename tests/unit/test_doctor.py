"""The doctor says for each wall whether it stands, and what to do where it does not."""

import io
import re
from types import SimpleNamespace

import landlock
import pytest
import requests
from docker.errors import DockerException, ImageNotFound
from rich.console import Console

from autograder.errors import SandboxError
from autograder.sandbox import bwrap, doctor, namespaces
from autograder.sandbox.doctor import Finding, diagnose
from autograder.sandbox.gpu import Gpu
from autograder.sandbox.namespaces import Obstacle
from autograder.table import print_findings

WALLS = ["sandbox", "engine", "image", "cgroup memory", "bwrap", "user namespaces", "own user", "Landlock", "seccomp",
         "rlimits", "temporary files", "Python", "torch", "GPU"]  # fmt: skip


def by_wall(findings):
    return {finding.wall: finding for finding in findings}


@pytest.fixture
def no_engine(monkeypatch):
    def refuse():
        raise SandboxError("no container engine answers [Errno 2]") from DockerException(
            FileNotFoundError(2, "No such file or directory")
        )

    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(doctor, "connect", refuse)


@pytest.fixture
def no_bwrap(monkeypatch):
    monkeypatch.setattr(bwrap, "obstacle", lambda: Obstacle("the kernel refuses it", "change the kernel"))
    monkeypatch.setattr(namespaces, "refused_user_namespaces", lambda: Obstacle("the kernel has none", "change it"))


def test_every_wall_is_looked_at(no_engine):
    assert [finding.wall for finding in diagnose()] == WALLS


def test_a_missing_wall_comes_with_advice(no_engine, no_bwrap):
    findings = by_wall(diagnose())
    for wall in ("sandbox", "engine", "bwrap"):
        assert not findings[wall].stands
        assert findings[wall].advice
    assert "no container engine answers" in findings["engine"].found
    assert findings["bwrap"].found == "the kernel refuses it"
    assert findings["bwrap"].advice == "change the kernel"


def test_nothing_is_advised_that_is_told_already_or_is_there(no_engine, no_bwrap):
    for finding in diagnose():
        assert finding.advice not in finding.found or not finding.advice
        assert "apt-get install bubblewrap" not in finding.advice


def test_without_an_engine_bwrap_is_taken(no_engine, monkeypatch):
    monkeypatch.setattr(bwrap, "obstacle", lambda: None)
    sandbox = by_wall(diagnose())["sandbox"]
    assert sandbox.stands
    assert "bwrap" in sandbox.found


@pytest.mark.parametrize(
    ("root", "works", "stands", "advice"),
    [(False, False, False, "change it"), (False, True, None, ""), (True, False, None, ""), (True, True, None, "")],
)
def test_user_namespaces_are_asked_for_only_where_they_are_needed(
    no_engine, no_bwrap, monkeypatch, root, works, stands, advice
):
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0 if root else 1000)
    if works:
        monkeypatch.setattr(bwrap, "obstacle", lambda: None)
    finding = by_wall(diagnose())["user namespaces"]
    assert (finding.stands, finding.advice) == (stands, advice)
    assert "the kernel has none" in finding.found


@pytest.mark.parametrize(
    ("torch", "stands", "told"), [("2.13.0", True, "0: Fake H0, 80 GiB"), ("2.13.0+cpu", False, "a CPU build")]
)
def test_a_gpu_is_named_and_of_use_only_with_a_torch_that_can_use_it(monkeypatch, no_engine, torch, stands, told):
    monkeypatch.setattr(doctor.gpu, "found", lambda: (Gpu("GPU-a", 0, "Fake H0", 80 * 2**30, 0),))
    monkeypatch.setattr(doctor, "version", lambda _name: torch)
    finding = by_wall(diagnose())["GPU"]
    assert (finding.stands, told in finding.found) == (stands, True)


def test_without_the_image_docker_is_not_taken(monkeypatch):
    monkeypatch.setattr(doctor, "connect", lambda: engine(ImageNotFound("no such image")))
    findings = by_wall(diagnose())
    assert findings["engine"].stands
    assert findings["engine"].found.startswith("99")
    assert not findings["image"].stands
    assert "autograder image build" in findings["image"].advice
    assert not findings["cgroup memory"].stands
    assert "docker" not in findings["sandbox"].found


def test_an_engine_that_hangs_up_is_not_told_to_build_an_image(monkeypatch):
    monkeypatch.setattr(doctor, "connect", lambda: engine(requests.ConnectionError(ConnectionResetError(104, "reset"))))
    image = by_wall(diagnose())["image"]
    assert not image.stands
    assert "hung up" in image.found
    assert image.advice == ""


@pytest.mark.parametrize(("rootless", "advice"), [(True, "delegate"), (False, "cgroup_enable=memory")])
def test_an_engine_without_limits_is_told_what_it_lacks(monkeypatch, rootless, advice):
    options = ["name=seccomp,profile=default", *(["name=rootless"] if rootless else [])]
    monkeypatch.setattr(doctor, "connect", lambda: engine(ImageNotFound("no"), SecurityOptions=options))
    assert advice in by_wall(diagnose())["cgroup memory"].advice


def engine(error, **more):
    """A client of an engine that cannot limit memory, and that has no image for the reason `error`."""

    def fail(_name):
        raise error

    return SimpleNamespace(
        version=lambda: {"Version": "99"},
        info=lambda: {"MemoryLimit": False, **more},
        images=SimpleNamespace(get=fail),
    )


@pytest.mark.parametrize(
    ("enabled", "advice"), [("lockdown,capability\n", "lsm=landlock,lockdown,capability`"), ("landlock,yama", "filter")]
)
def test_landlock_is_advised_as_this_kernel_needs_it(no_engine, monkeypatch, tmp_path, enabled, advice):
    def refuse():
        raise landlock.SyscallError(95, "Operation not supported")

    (tmp_path / "lsm").write_text(enabled)
    monkeypatch.setattr(doctor, "LSM", tmp_path / "lsm")
    monkeypatch.setattr(landlock, "landlock_abi_version", refuse)
    finding = by_wall(diagnose())["Landlock"]
    assert finding.stands is False
    assert advice in finding.advice


FINDINGS = [
    Finding("engine", False, "[Errno 2] [bold]x\x1b[2J", "what it stops", "do this"),
    Finding("bwrap", True, "/" + "/".join(["folder"] * 30), "the same"),
]


def test_the_table_shows_text_as_it_is():
    output = io.StringIO()
    print_findings(Console(file=output, width=120, force_terminal=True, color_system=None), FINDINGS)
    assert "[Errno 2] [bold]x" in output.getvalue()
    assert "missing" in output.getvalue()
    assert "\x1b[2J" not in output.getvalue()
    assert FINDINGS[1].found in re.sub(r"\s|stands|bwrap", "", output.getvalue())


def test_in_a_file_each_finding_is_one_line():
    output = io.StringIO()
    print_findings(Console(file=output, width=40), FINDINGS)
    _heading, engine, bwrap = output.getvalue().splitlines()
    assert engine.endswith("against: what it stops; to do: do this")
    assert f"{FINDINGS[1].found}; against: the same" in bwrap
