"""Each protection against other users of the machine, taken away: then the other user wins."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import two_users
from two_users import ATTACKER, attack

from autograder import access
from autograder.access import kept_private
from autograder.errors import UsageError
from autograder.inside import removal
from autograder.jobs import cluster
from autograder.sandbox import run_folder
from autograder.settings import Settings

COURSE = '[course]\nid = "c"\ntitle = "C"\n[[assignments]]\nname = "a"\ntitle = "A"\nprofile = "numpy"\n'
Patch = pytest.MonkeyPatch


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users may enter, with one in it that is as /tmp is."""
    if reason := two_users.missing():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="local-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "tmp").mkdir()
        (Path(folder) / "tmp").chmod(0o1777)
        yield Path(folder)


def _listening() -> set[int]:
    here = psutil.Process()
    return {
        each.laddr.port
        for process in (here, *here.children(recursive=True))
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }


@pytest.mark.parametrize("protected", [True, False])
def test_without_tls_another_user_runs_code_by_dask(shared: Path, monkeypatch: Patch, protected: bool) -> None:
    from distributed.security import Security

    if not protected:
        monkeypatch.setattr(cluster, "PROTOCOL", "tcp://")
        monkeypatch.setattr(cluster, "_certificate", Security)
    before = _listening()
    with cluster.client(None, 1):
        got = attack("by_dask", given=sorted(_listening() - before))
    assert any("scheduler of user 0" in each for each in got) is not protected
    assert any("worker of user 0" in each for each in got) is not protected


@pytest.mark.parametrize("protected", [True, False])
def test_without_the_private_folder_temporary_files_are_the_attackers(
    shared: Path, monkeypatch: Patch, protected: bool
) -> None:
    theirs = shared / "theirs"
    theirs.mkdir()
    os.chown(theirs, ATTACKER, ATTACKER)
    attack("planting", links={str(shared / "tmp" / "run"): str(theirs)}, folders=[], files=[])
    monkeypatch.setenv("AUTOGRADER_RUN", str(shared / "tmp" / "run"))
    if protected:
        with pytest.raises(UsageError, match="is a link"):
            run_folder.own_folder()
        assert list(theirs.iterdir()) == []
        return
    monkeypatch.setattr(run_folder, "_expect_private", lambda *_: None)
    (own,) = (run_folder.own_folder().resolve(),)
    assert own.parent == theirs  # whose owner can move it away, and put another in its place


@contextmanager
def _swapped(patch: Patch, folder: Path, target: Path) -> Iterator[None]:
    """Put a link to `target` in place of `folder` just before it is opened."""
    opened = removal._open

    def late(name: str, parent: int | None) -> int:
        if name == folder.name and not folder.is_symlink():
            folder.rename(folder.with_name("aside"))
            folder.symlink_to(target)
        return opened(name, parent)

    with patch.context() as within:
        within.setattr(removal, "_open", late)
        yield


@pytest.mark.parametrize("protected", [True, False])
def test_without_descriptors_that_follow_no_link_files_elsewhere_are_removed(
    shared: Path, monkeypatch: Patch, protected: bool
) -> None:
    (shared / "elsewhere").mkdir()
    (shared / "elsewhere" / "kept").touch()
    (shared / "top" / "folder").mkdir(parents=True)
    if not protected:
        monkeypatch.setattr(removal, "FOLDER", removal.FOLDER & ~os.O_NOFOLLOW)
    with _swapped(monkeypatch, shared / "top" / "folder", shared / "elsewhere"):
        removal.remove(str(shared / "top"))
    assert (shared / "elsewhere" / "kept").exists() is protected


@pytest.mark.parametrize("protected", [True, False])
def test_without_closed_modes_another_user_reads_what_is_kept(
    shared: Path, monkeypatch: Patch, protected: bool
) -> None:
    monkeypatch.delenv("AUTOGRADER_DB_URL", raising=False)
    course = shared / "course"
    (course / "feedback").mkdir(parents=True)
    (course / "course.toml").write_text(COURSE)
    (course / "gradebook.db").touch(0o644)  # a grader without this protection left it
    if not protected:
        monkeypatch.setattr(access, "UMASK", 0o022)
        monkeypatch.setattr(access, "close", lambda *_: None)
    with kept_private(Settings.read(shared)):
        (course / "attempts.db").touch()
        (course / "feedback" / "page.html").touch()
    got = {Path(path).name for path in attack("readable", tops=[str(course)])}
    assert (got & {"gradebook.db", "attempts.db", "page.html"} == set()) is protected
    assert ({"gradebook.db", "attempts.db", "page.html"} <= got) is not protected
