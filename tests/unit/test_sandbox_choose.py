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


def test_no_sandbox_is_taken_by_name_with_a_warning():
    with pytest.warns(RuntimeWarning, match="no sandbox"):
        assert choose.sandbox("none").name == "none"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="auto, docker, bwrap, none"):
        choose.sandbox("vm")
