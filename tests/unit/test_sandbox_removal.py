"""A folder is removed however deep, wide or locked it is, and nothing outside it is touched."""

import contextlib
import os
from pathlib import Path

import pytest

from autograder.inside import removal
from autograder.inside.removal import remove


@pytest.fixture
def top(tmp_path):
    (tmp_path / "top").mkdir()
    return tmp_path / "top"


def test_what_is_not_there_is_removed_already(tmp_path):
    assert remove(str(tmp_path / "absent")) == []


def test_deeper_than_python_recurses_and_than_a_path_is_long(top):
    with contextlib.chdir(top):
        for _ in range(1500):
            Path("deep").mkdir()
            os.chdir("deep")
        Path("bottom").touch()
    assert remove(str(top)) == []
    assert not top.exists()


def test_links_are_removed_and_not_followed(top, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_text("kept")
    (top / "folder").symlink_to(tmp_path / "outside")
    (top / "file").symlink_to(tmp_path / "outside" / "kept")
    (top / "nowhere").symlink_to("/does/not/exist")
    assert remove(str(top)) == []
    assert (tmp_path / "outside" / "kept").read_text() == "kept"


@pytest.mark.parametrize("name", [".", "inner"])
def test_a_link_in_place_of_a_folder_is_removed_itself(top, tmp_path, name):
    (tmp_path / "outside" / "kept").mkdir(parents=True)
    place = top if name == "." else top / name
    if name == ".":
        top.rmdir()
    place.symlink_to(tmp_path / "outside")
    assert remove(str(place)) == []
    assert not place.is_symlink()
    assert (tmp_path / "outside" / "kept").is_dir()


def test_a_file_in_place_of_a_folder_is_removed(top):
    (top / "file").touch()
    assert remove(str(top / "file")) == []
    assert not (top / "file").exists()


@pytest.mark.parametrize("call", ["scandir", "rename", "rmdir", "_open"])
def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(top, tmp_path, monkeypatch, call):
    """Another process swaps a folder for a link just before each call that would meet it."""
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "kept").write_text("kept")
    outside.chmod(0o555)
    (top / "victim" / "inner").mkdir(parents=True)
    module = removal if call == "_open" else removal.os
    real, rename = getattr(module, call), os.rename

    def swapped(*arguments, **options):
        if (top / "victim").is_dir() and not (top / "victim").is_symlink():
            rename(top / "victim", tmp_path / "aside")
            (top / "victim").symlink_to(outside)
        return real(*arguments, **options)

    monkeypatch.setattr(module, call, swapped)
    remove(str(top))
    assert (outside / "inner" / "kept").read_text() == "kept"
    assert outside.stat().st_mode & 0o777 == 0o555


def test_a_name_is_relative_to_the_parent_that_is_open(top, tmp_path):
    """The folder that was opened is meant, whatever lies at its path by now."""
    (top / "s-left").mkdir()
    parent = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    top.rename(tmp_path / "moved")
    (tmp_path / "outside" / "s-left").mkdir(parents=True)
    top.symlink_to(tmp_path / "outside")
    assert remove("s-left", parent) == []
    os.close(parent)
    assert (tmp_path / "outside" / "s-left").is_dir()
    assert not (tmp_path / "moved" / "s-left").exists()


def test_locked_folders_and_odd_files(top):
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "file").write_text("x")
    os.mkfifo(top / "a" / "pipe")
    (top / os.fsdecode(b"\xff\n")).mkdir()
    for folder in (top / "a" / "b", top / "a", top):
        folder.chmod(0)
    assert remove(str(top)) == []
    assert not top.exists()


def test_folders_of_the_same_name_do_not_meet(top):
    for first in "abc":
        for second in "abc":
            (top / first / second / "same").mkdir(parents=True)
    assert remove(str(top)) == []


def test_what_cannot_be_removed_is_named(top, monkeypatch):
    (top / "file").write_text("x")

    def refuse(path, **_):
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(os, "unlink", refuse)
    (first, *_) = remove(str(top))
    assert "file" in first


def test_a_folder_is_emptied_and_stays(tmp_path):
    (tmp_path / "outside").write_text("stays")
    top = tmp_path / "shared"
    (top / "folder" / "inner").mkdir(parents=True)
    (top / "folder" / "inner" / "file").touch()
    (top / "file").touch()
    (top / "link").symlink_to(tmp_path / "outside")
    (top / "folder").chmod(0)
    assert removal.empty(str(top)) == []
    assert list(top.iterdir()) == []
    assert (tmp_path / "outside").read_text() == "stays"
    assert removal.empty(str(tmp_path / "none")) == []


def test_what_cannot_be_removed_is_named_and_the_rest_is_removed(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).touch()
    unlink = removal.os.unlink

    def stubborn(path, **where):
        if path.endswith("a"):
            raise PermissionError(1, "no", path)
        unlink(path, **where)

    monkeypatch.setattr(removal.os, "unlink", stubborn)
    (told,) = removal.empty(str(tmp_path))
    assert told.endswith("'a'")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
