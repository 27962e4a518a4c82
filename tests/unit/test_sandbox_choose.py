"""The strongest sandbox that works is taken; a name is taken at its word; no walls only by name, with a warning."""

import pytest

from autograder.errors import UsageError
from autograder.sandbox import choose
from autograder.sandbox.bwrap import Bubblewrap
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
