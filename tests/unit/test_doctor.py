"""The doctor says for each wall whether it stands, and what to do where it does not."""

import io

import pytest
from rich.console import Console

from autograder.errors import SandboxError
from autograder.sandbox import doctor
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.doctor import Finding, diagnose, render
from autograder.sandbox.gpu import Gpu

WALLS = ["sandbox", "engine", "image", "cgroup memory", "bwrap", "user namespaces", "own user", "Landlock", "seccomp",
         "rlimits", "Python", "torch", "GPU"]  # fmt: skip


def by_wall(findings):
    return {finding.wall: finding for finding in findings}


@pytest.fixture
def no_engine(monkeypatch):
    def refuse():
        raise SandboxError("no container engine answers [Errno 2]")

    monkeypatch.setattr(doctor, "connect", refuse)


def test_every_wall_is_looked_at(no_engine):
    assert [finding.wall for finding in diagnose()] == WALLS


def test_a_missing_wall_comes_with_advice(no_engine, monkeypatch):
    monkeypatch.setattr(Bubblewrap, "missing", lambda self: "bwrap is not installed")
    findings = by_wall(diagnose())
    for wall in ("sandbox", "engine", "bwrap"):
        assert not findings[wall].stands
        assert findings[wall].advice
    assert findings["bwrap"].found == "bwrap is not installed"


def test_without_an_engine_bwrap_is_taken(no_engine, monkeypatch):
    monkeypatch.setattr(Bubblewrap, "missing", lambda self: None)
    sandbox = by_wall(diagnose())["sandbox"]
    assert sandbox.stands
    assert "bwrap" in sandbox.found


@pytest.mark.parametrize(
    ("torch", "stands", "told"), [("2.13.0", True, "0: Fake H0, 80 GiB"), ("2.13.0+cpu", False, "a CPU build")]
)
def test_a_gpu_is_named_and_of_use_only_with_a_torch_that_can_use_it(monkeypatch, no_engine, torch, stands, told):
    monkeypatch.setattr(doctor.gpu, "found", lambda: (Gpu("GPU-a", 0, "Fake H0", 80 * 2**30, 0),))
    monkeypatch.setattr(doctor, "version", lambda _name: torch)
    finding = by_wall(diagnose())["GPU"]
    assert (finding.stands, told in finding.found) == (stands, True)


def test_without_the_image_docker_is_not_taken(monkeypatch):
    class Client:
        def version(self):
            return {"Version": "99"}

        def info(self):
            return {"MemoryLimit": False}

    monkeypatch.setattr(doctor, "connect", Client)
    monkeypatch.setattr(doctor.Docker, "missing", lambda self: "the image is not there")
    findings = by_wall(diagnose())
    assert findings["engine"].stands
    assert findings["engine"].found.startswith("99")
    assert not findings["image"].stands
    assert findings["image"].advice == "autograder image build"
    assert not findings["cgroup memory"].stands
    assert "docker" not in findings["sandbox"].found


def test_the_table_shows_text_as_it_is():
    output = io.StringIO()
    render([Finding("engine", False, "[Errno 2] [bold]x", "stops", "do")], Console(file=output, width=120))
    assert "[Errno 2] [bold]x" in output.getvalue()
    assert "missing" in output.getvalue()
