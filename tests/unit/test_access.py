"""What a course keeps is its owner's alone, or also a group's; what was open before is closed."""

import os
import stat
import warnings

import pytest

from autograder import access
from autograder.access import Access, close, kept_private, opened, write
from autograder.errors import UsageError
from autograder.settings import Settings

COURSE = '[course]\nid = "c"\ntitle = "C"\n{group}\n[[assignments]]\nname = "a"\ntitle = "A"\nprofile = "numpy"\n'
OTHER_GROUP = 65533
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to any group")


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_DB_URL", raising=False)
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "course.toml").write_text(COURSE.format(group=""))
    return Settings.read(tmp_path)


def fill(settings):
    """Files of every kind, all open."""
    course = settings.course_folder
    for name in ("gradebook.db", "gradebook.db-journal", "attempts.db", "attempts.db-wal", ".secret"):
        (course / name).write_text("x")
    for folder in ("autograded", "feedback"):
        (course / folder / "ada" / "a").mkdir(parents=True)
        (course / folder / "ada" / "a" / "page").write_text("x")
    kept = [path for path in course.rglob("*") if path.name != "course.toml"]
    for path in kept:
        path.chmod(0o777 if path.is_dir() else 0o666)
    return kept


def modes(paths):
    return {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}


def test_what_is_open_is_named_and_then_closed(settings):
    kept = fill(settings)
    told = opened(settings)
    assert len(told) == len(kept)
    assert "gradebook.db (0666)" in told
    assert "autograded (0777)" in told
    assert "feedback/ada/a/page (0666)" in told
    close(settings, Access())
    assert modes(kept) == {(True, 0o700), (False, 0o600)}
    assert opened(settings) == []
    assert stat.S_IMODE((settings.course_folder / "course.toml").stat().st_mode) & 0o044  # students have it


def test_what_its_owner_may_not_do_stays_so(settings):
    (settings.course_folder / "attempts.db").touch(0o444)
    close(settings, Access())
    assert stat.S_IMODE((settings.course_folder / "attempts.db").stat().st_mode) == 0o400


def test_a_gradebook_elsewhere_is_closed_too(settings, tmp_path, monkeypatch):
    book = tmp_path / "book.db"
    book.touch(0o644)
    monkeypatch.setenv("AUTOGRADER_DB_URL", f"sqlite:///{book}")
    elsewhere = Settings.read(tmp_path)
    assert any("book.db (0644)" in told for told in opened(elsewhere))
    close(elsewhere, Access())
    assert stat.S_IMODE(book.stat().st_mode) == 0o600


def test_links_are_left_alone(settings, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir(0o755)
    (outside / "file").touch(0o644)
    outside.chmod(0o755)
    (settings.course_folder / "autograded").mkdir()
    (settings.course_folder / "autograded" / "ada").symlink_to(outside)
    (settings.course_folder / "feedback").symlink_to(outside)
    (settings.course_folder / "attempts.db").symlink_to(outside / "file")
    close(settings, Access())
    assert modes([outside, outside / "file"]) == {(True, 0o755), (False, 0o644)}


def test_students_work_is_told_and_left_to_the_staff(settings):
    submitted = settings.course_folder / "submitted"
    submitted.mkdir()
    submitted.chmod(0o755)
    assert opened(settings) == ["submitted (0755)"]
    close(settings, Access())
    assert stat.S_IMODE(submitted.stat().st_mode) == 0o755


def test_new_files_are_closed_while_the_block_runs_and_the_umask_is_given_back(settings):
    before = os.umask(0o022)
    try:
        with kept_private(settings):
            (settings.course_folder / "attempts.db").touch()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert stat.S_IMODE((settings.course_folder / "attempts.db").stat().st_mode) == 0o600


@needs_root
def test_a_group_may_read_and_no_more(settings, monkeypatch):
    monkeypatch.setattr(access.grp, "getgrnam", lambda _name: os_group())
    kept = fill(settings)
    (settings.root / "course" / "course.toml").write_text(COURSE.format(group='group = "staff"'))
    grouped = Settings.read(settings.root)
    with kept_private(grouped):
        (settings.course_folder / "feedback" / "new").touch()
    kept.append(settings.course_folder / "feedback" / "new")
    secret = settings.course_folder / ".secret"
    assert modes([path for path in kept if path != secret]) == {(True, 0o750), (False, 0o640)}
    assert {path.stat().st_gid for path in kept if path != secret} == {OTHER_GROUP}
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert opened(grouped) == []


def os_group():
    return access.grp.struct_group(("staff", "x", OTHER_GROUP, []))


def test_a_group_that_is_not_there_is_named(settings):
    with pytest.raises(UsageError, match=r"group = 'no-such-group-here'.*groupadd"):
        Access.of("no-such-group-here")


def test_what_cannot_be_closed_is_told_and_stops_nothing(settings, monkeypatch):
    fill(settings)

    def refuse(_access, _descriptor):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Access, "apply", refuse)
    with pytest.warns(RuntimeWarning, match=r"cannot be closed: .*and \d+ more"), kept_private(settings):
        pass


@pytest.mark.parametrize("before", [None, 0o644, 0o666])
def test_a_report_is_closed_whatever_was_there(tmp_path, before):
    path = tmp_path / "report.json"
    if before is not None:
        path.write_text("a longer text than the new one")
        path.chmod(before)
    write(path, "new", Access())
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_never_goes_into_a_file_that_another_user_holds_open(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")
    with path.open() as held:
        write(path, "new", Access())
        assert held.read() == "old"


@needs_root
def test_a_link_to_another_users_file_is_refused(tmp_path):
    foreign = tmp_path / "foreign"
    foreign.write_text("theirs")
    os.chown(foreign, 12345, 12345)
    (tmp_path / "report.json").symlink_to(foreign)
    with pytest.raises(UsageError, match="belongs to another user"):
        write(tmp_path / "report.json", "new", Access())
    assert foreign.read_text() == "theirs"


def test_a_stream_is_written_to_as_it_is(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write(access.Path("/dev/null"), "text", Access())
    assert access.Path("/dev/null").is_char_device()
