"""The strongest sandbox that works is taken; a name is taken at its word; no walls only by name, with a warning."""

import pytest

from autograder.errors import UsageError
from autograder.sandbox import choose, doctor
from autograder.sandbox.bwrap import Bubblewrap
from autograder.sandbox.choose import Kind
from autograder.sandbox.docker import Docker


@pytest.fixture
def works(monkeypatch):
    """`works("bwrap")`: these work here and no other."""

    def these(*names):
        for kind in (Docker, Bubblewrap):
            reason = None if kind.name in names else f"install {kind.name}"
            monkeypatch.setattr(kind, "missing", lambda self, reason=reason: reason)

    return these


@pytest.mark.parametrize("name", [None, "auto"])
def test_the_strongest_comes_first(works, name):
    works("docker", "bwrap")
    assert choose.sandbox(name).name == "docker"
    works("bwrap")
    assert choose.sandbox(name).name == "bwrap"


def test_where_nothing_works_it_says_what_to_install_and_does_without_no_wall(works):
    works()
    with pytest.raises(UsageError, match=r"install docker.*install bwrap"):
        choose.sandbox()


def test_a_name_is_not_replaced_by_another(works):
    works("bwrap")
    with pytest.raises(UsageError, match="install docker"):
        choose.sandbox("docker")


@pytest.mark.parametrize(("name", "other"), [("docker", "bwrap"), ("bwrap", "docker")])
def test_a_name_that_does_not_work_is_told_the_one_that_does(works, name, other):
    works(other)
    with pytest.raises(UsageError, match=f"{name}: install {name}; `--sandbox {other}` works here"):
        choose.sandbox(name)


@pytest.mark.parametrize("name", ["docker", "bwrap", "auto"])
def test_a_sandbox_that_does_not_work_is_never_advised(works, name):
    works()
    with pytest.raises(UsageError) as raised:
        choose.sandbox(name)
    assert "--sandbox" not in str(raised.value)


def test_no_sandbox_is_taken_by_name_with_a_warning():
    with pytest.warns(RuntimeWarning, match="no sandbox"):
        assert choose.sandbox("none").name == "none"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="auto, docker, bwrap, none"):
        choose.sandbox("vm")
    with pytest.raises(UsageError, match="no sandbox 'vm'"):
        choose.make("vm")


def test_a_new_line_of_the_registry_is_all_that_a_sandbox_needs(monkeypatch):
    new = Kind("vm", "autograder.sandbox.unconfined", "Unconfined", "a virtual machine")
    monkeypatch.setattr(choose, "KINDS", (new, *choose.KINDS))
    assert choose.sandbox().name == choose.make("vm").name == "none"  # the class behind it
    assert (choose.names()[0], choose.strongest_first()[0]) == ("vm", "vm")
    assert "auto: the first of vm, docker, bwrap that works here; vm: a virtual machine" in choose.option_help()
    findings = {finding.wall: finding for finding in doctor.diagnose()}
    assert findings["vm"].stands
    assert findings["sandbox"].found == "auto takes vm"


def test_each_sandbox_is_found_and_called_as_the_registry_says():
    assert [kind.make().name for kind in choose.KINDS] == list(choose.names())
