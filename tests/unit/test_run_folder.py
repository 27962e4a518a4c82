"""The folder of temporary files is a real one of this user alone, or nothing is started."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.sandbox import owner, run_folder
from autograder.sandbox.run_folder import own_folder, sweep

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where it shall be, in a folder as /tmp is."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("AUTOGRADER_RUN", str(shared / "run"))
    return shared / "run"


def refused(match):
    return pytest.raises(UsageError, match=match)


def test_it_is_made_and_closed_whatever_the_umask_is(place):
    before = os.umask(0)
    try:
        assert run_folder.run_folder() == place
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_by_default_it_is_in_the_temporary_folder(place, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_RUN")
    monkeypatch.setattr(run_folder.tempfile, "tempdir", str(place.parent))
    assert run_folder.run_folder() == place.parent / f"autograder-{os.geteuid()}"


def test_a_link_is_refused_wherever_it_leads(place, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir(0o700)
    for target in (mine, tmp_path / "nowhere", "/"):
        place.symlink_to(target)
        with refused("is a link: remove it, or set AUTOGRADER_RUN"):
            run_folder.run_folder()
        place.unlink()


def test_what_is_no_folder_is_refused(place):
    place.touch()
    with refused("is no folder"):
        run_folder.run_folder()
    place.unlink()
    os.mkfifo(place)
    with refused("is no folder"):
        run_folder.run_folder()


@pytest.mark.parametrize("mode", [0o777, 0o755, 0o750, 0o701, 0o1777])
def test_an_open_folder_is_refused(place, mode):
    place.mkdir()
    place.chmod(mode)
    with refused(r"is open to other users \(mode \d+\): close it"):
        run_folder.run_folder()


@needs_root
def test_another_users_folder_is_refused(place):
    place.mkdir(0o700)
    os.chown(place, 12345, 12345)
    with refused("belongs to another user"):
        run_folder.run_folder()


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_folder_that_others_can_replace_is_refused(place, mode):
    place.parent.chmod(mode)
    with refused("could be replaced: .*has no sticky bit"):
        run_folder.run_folder()


@needs_root
def test_a_folder_in_another_users_is_refused(place):
    place.mkdir(0o700)
    os.chown(place.parent, 12345, 12345)
    with refused("could be replaced: .*belongs to another user"):
        run_folder.run_folder()


def test_a_folder_that_cannot_be_made_is_told(place):
    place.parent.rmdir()
    place.parent.touch()
    with refused("cannot be used"):
        run_folder.run_folder()


def dead_mark():
    code = "from autograder.sandbox import owner; print(owner.mark())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_what_the_dead_left_is_swept_and_what_the_living_have_stays(place):
    run_folder.run_folder()
    for name, mark in (("s-dead", dead_mark()), ("g-dead", dead_mark()), ("s-alive", owner.mark()), ("s-new", None)):
        (place / name).mkdir()
        if mark is not None:
            (place / name / "owner").write_text(mark)
    sweep()
    assert sorted(path.name for path in place.iterdir()) == ["s-alive", "s-new"]


def test_sweeping_follows_no_link_and_waits_for_no_pipe(place, tmp_path):
    run_folder.run_folder()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "owner").write_text(dead_mark())
    (outside / "kept").touch()
    (place / "s-link").symlink_to(outside)
    for name in ("s-pipe", "s-linked-owner", "s-folder", "s-huge"):
        (place / name).mkdir()
    os.mkfifo(place / "s-pipe" / "owner")
    (place / "s-linked-owner" / "owner").symlink_to(outside / "owner")
    (place / "s-folder" / "owner").mkdir()
    (place / "s-huge" / "owner").write_text("9" * 2**20)
    sweep()
    assert (outside / "kept").exists()
    assert len(list(place.iterdir())) == 5


def test_a_process_has_its_own_folder_and_removes_it_at_its_end(place):
    assert own_folder() == own_folder()
    code = "from autograder.sandbox.run_folder import own_folder; print(own_folder()); assert own_folder().is_dir()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    other = done.stdout.strip()
    assert other.startswith(f"{place}/g-")
    assert other != str(own_folder())
    assert not Path(other).exists()
