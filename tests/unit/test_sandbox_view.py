"""A bubblewrap sandbox shows libraries and packages, and never a folder that somebody works in."""

import sys
from pathlib import Path

import numpy as np

import autograder
from autograder.sandbox import view


def test_no_tree_lies_in_another():
    trees = view.trees()
    assert not [tree for tree in trees if set(tree.parents) & set(trees)]
    assert not [tree for tree in trees if tree.is_symlink()]


def test_the_interpreter_and_its_packages_can_be_reached():
    shown = set(view.trees())
    for path in (view.python(), Path(np.__file__)):
        assert set(path.resolve().parents) & shown


def test_a_whole_prefix_is_never_shown():
    prefixes = {Path("/"), Path("/usr"), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    assert not prefixes & set(view.trees())


def test_the_graders_own_code_is_in_no_tree():
    home = Path(autograder.__file__).resolve().parent
    shown = [tree for tree in view.trees() if tree in home.parents]
    assert not shown or home in view.covered("torch")
