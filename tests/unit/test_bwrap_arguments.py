"""bwrap's command line: the sandbox's own mounts never cover what is shown of this machine, wherever that lies."""

from pathlib import Path

import pytest

from autograder.sandbox import bwrap, view
from autograder.sandbox.bwrap import _arguments
from autograder.sandbox.interface import SlotSpec


def mounts(arguments):
    """What each mount puts where, in order."""
    kinds = {"--ro-bind": 2, "--bind": 2, "--tmpfs": 1, "--proc": 1, "--dev": 1}
    return [arguments[at + kinds[word]] for at, word in enumerate(arguments) if word in kinds]


@pytest.fixture
def code(tmp_path):
    for name in ("inside", "course", "absent"):
        (tmp_path / "code" / name).mkdir(parents=True)
    return tmp_path / "code"


@pytest.mark.parametrize("place", ["/opt/autograder", "/dev/shm", "/work", "/tmp", "/home/ada", "/srv/a course"])
def test_an_environment_may_lie_where_the_sandbox_has_something_of_its_own(monkeypatch, tmp_path, code, place):
    tree = Path(place) / "clone" / ".venv" / "lib"
    monkeypatch.setattr(view, "trees", lambda: [Path("/usr/lib"), tree])
    monkeypatch.setattr(view, "links", list)
    placed = mounts(_arguments(SlotSpec("torch"), tmp_path, code))
    assert str(tree) in placed
    later = placed[placed.index(str(tree)) + 1 :]
    assert not set(later) & set(map(str, (tree, *tree.parents)))


def test_a_folder_above_what_is_shown_is_empty_but_for_it(monkeypatch, tmp_path, code):
    home = Path("/home/ada")
    tree = home / "clone" / ".venv" / "lib"
    monkeypatch.setattr(view, "trees", lambda: [tree])
    placed = mounts(_arguments(SlotSpec("torch"), tmp_path, code))
    assert not set(map(str, tree.parents)) & set(placed)


def test_the_trial_makes_the_same_view():
    trial = list(bwrap._trial())
    assert set(map(str, view.trees())) <= set(mounts(trial))
    assert bwrap._namespaces() == trial[: len(bwrap._namespaces())]
