"""Whatever lies in `submitted/`, what is plainly meant is graded, and nothing about one student stops another."""

import hashlib
import io
import os
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from handed_in import RELEASED, STUB, cell, graded, handed_in, notebook, solution

from autograder.errors import UsageError
from autograder.model.assignment import Assignment, Limits
from autograder.notebooks.releases import Releases
from autograder.submissions import beside, tree
from autograder.submissions.collect import collect, strays, students, submitters

HERE = Path(__file__).parents[2]
COURSE = ("convolution", "output_sizes", "architectures")
SUMS = Assignment("sums_1", "Sums")
DONE = nbformat.writes(handed_in())
OTHER = nbformat.writes(notebook(solution("square", "def square(x):\n    return x * x"), graded("square", 10)))
UNNAMED = nbformat.writes(notebook(cell("def double(x):\n    return 2 * x")))
BETTER = nbformat.writes(handed_in(double="def double(x):\n    return x + x"))
UNDONE = nbformat.writes(RELEASED)


@pytest.fixture
def releases(tmp_path):
    """Of two assignments: `sums_1`, which has a file beside it, and `squares`."""
    square = notebook(solution("square", STUB.format("square")), graded("square", 10))
    for name, released in (("sums_1", RELEASED), ("squares", square)):
        folder = tmp_path / "assignments" / name
        folder.mkdir(parents=True)
        nbformat.write(released, folder / f"{name}.ipynb")
    (tmp_path / "assignments" / "sums_1" / "points.csv").write_text("1,2\n")
    return Releases(tmp_path / "assignments", ["sums_1", "squares"])


@pytest.fixture
def hand_in(tmp_path):
    """Put files into `submitted/`."""

    def put(**files):
        for name, content in files.items():
            path = tmp_path / "submitted" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def each(files):
        put(**files)

    (tmp_path / "submitted").mkdir()
    return each


@pytest.fixture
def collected(tmp_path, releases, hand_in):
    """Collect the submissions of `sums_1`."""

    def collect_them(files=None, *only, assignment=SUMS):
        hand_in(files or {})
        return collect(tmp_path, assignment, releases, only)

    return collect_them


@pytest.fixture
def one(collected, tmp_path):
    """The only submission of these files."""

    def collect_it(files):
        if files:
            shutil.rmtree(tmp_path / "submitted" / "ada", ignore_errors=True)
        found = collected({f"ada/{name}": content for name, content in files.items()})
        assert found.held == {}
        assert found.warnings == []
        (submission,) = found.submissions
        return submission

    return collect_it


@pytest.fixture
def held(collected):
    """Why the only submission of these files waits for staff."""

    def collect_it(files):
        found = collected({f"ada/{name}": content for name, content in files.items()})
        assert found.submissions == []
        return found.held["ada"]

    return collect_it


def zipped(files):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


class TestWhereTheNotebookIs:
    def test_where_it_is_expected_there_is_nothing_to_say(self, one):
        submission = one({"sums_1/sums_1.ipynb": DONE, "sums_1/.ipynb_checkpoints/sums_1-checkpoint.ipynb": UNDONE})
        assert (submission.content, submission.unreadable) == (DONE.encode(), "")
        assert (submission.repairs, submission.warnings, submission.files) == ((), (), ())

    @pytest.mark.parametrize(
        "name",
        [
            "sums_1/sums_1 (1).ipynb", "sums_1/Sums_1.ipynb", "sums_1/sums_1-final.ipynb", "sums_1/sums_1.ipynb.txt",
            "sums_1/sums_1.IPYNB", "sums_1/Untitled.ipynb", "sums_1/sums_1/sums_1.ipynb", "sums_1/my work/sums_1.ipynb",
            "sums_1/sums_1/sums_1/sums_1.ipynb", "sums_1.ipynb", "sums_1 (2).ipynb", "Sums_1/sums_1.ipynb",
            "sums_1 /sums_1.ipynb", "Sums 1/Sums 1.ipynb", "sums-1/x.ipynb", "sums_1 (1)/sums_1.ipynb",
            "ada/sums_1/sums_1.ipynb", "homework/a.ipynb", "sums_1/sums_1.ipynb.json", "sums_1/sums_1", "sums_1",
            "sums_1/sums_1.json",
        ],
    )  # fmt: skip
    def test_elsewhere_it_is_graded_and_both_sides_are_told(self, one, name):
        submission = one({name: DONE})
        assert submission.content == DONE.encode()
        assert [name in repair for repair in submission.repairs] == [True]
        assert [name in warning for warning in submission.warnings] == [True]

    def test_outside_of_a_folder_that_holds_another_assignments(self, one):
        submission = one({"sums_1/sums_1.ipynb": OTHER, "sums_1/x.ipynb": OTHER + " ", "homework/sums_1.ipynb": DONE})
        assert submission.content == DONE.encode()

    def test_beside_another_assignments_folder(self, one):
        submission = one({"squares/squares.ipynb": OTHER, "squares/sums_1.ipynb": DONE, "sums_1.ipynb": BETTER})
        assert submission.content == BETTER.encode()

    def test_an_empty_folder_of_its_own_does_not_hide_one_beside_it(self, one):
        assert one({"sums_1/timestamp.txt": "", "sums_1.ipynb": DONE}).content == DONE.encode()

    def test_other_assignments_alone_are_no_submission(self, collected):
        assert collected({"ada/squares/squares.ipynb": OTHER, "ada/notes.txt": "x"}).submissions == []
        assert collected({}, "ada").missing == ["ada"]


class TestWhichNotebookIsMeant:
    @pytest.mark.parametrize("other", [UNDONE, BETTER, OTHER, UNNAMED, "", "{", DONE])
    def test_the_expected_name_goes_before_others(self, one, other):
        submission = one({"sums_1/sums_1.ipynb": DONE, "sums_1/copy.ipynb": other})
        assert (submission.content, submission.repairs) == (DONE.encode(), ())
        assert ["copy.ipynb beside it was not graded" in told for told in submission.warnings] == [True] * (
            other in {BETTER, UNNAMED}
        )

    @pytest.mark.parametrize("expected", [UNDONE, "", '{"nbformat":', OTHER])
    def test_where_nothing_was_done_in_it_the_only_other_is_graded(self, one, expected):
        submission = one({"sums_1/sums_1.ipynb": expected, "sums_1/final.ipynb": DONE})
        assert submission.content == DONE.encode()
        assert "`sums_1/final.ipynb` was graded: expected a file named `sums_1/sums_1.ipynb`" in submission.repairs[0]

    def test_of_several_the_expected_file_name_counts_wherever_it_lies(self, one):
        files = {"sums_1/a/sums_1.ipynb": DONE, "sums_1/a/old.ipynb": BETTER, "sums_1/b/older.ipynb": UNDONE}
        assert one(files).content == DONE.encode()

    def test_identical_files_are_one(self, one):
        assert one({"sums_1/a.ipynb": DONE, "sums_1/b.ipynb": DONE}).content == DONE.encode()

    def test_another_assignments_notebook_is_never_meant(self, one):
        assert one({"sums_1/squares.ipynb": OTHER, "sums_1/work.ipynb": UNNAMED}).content == UNNAMED.encode()

    @pytest.mark.parametrize(
        "files",
        [
            {"sums_1/a.ipynb": DONE, "sums_1/b.ipynb": BETTER},
            {"sums_1/sums_1.ipynb": UNDONE, "sums_1/a.ipynb": DONE, "sums_1/b.ipynb": BETTER},
            {"sums_1/x/sums_1.ipynb": DONE, "sums_1/y/sums_1.ipynb": BETTER},
            {"Sums_1/sums_1.ipynb": DONE, "SUMS_1/sums_1.ipynb": BETTER},
            {"sums_1.ipynb": DONE, "sums_1 (1).ipynb": BETTER, "x/a.ipynb": UNNAMED}
            | {f"y/{number}.ipynb": DONE + " " * number for number in range(5)},
        ],
    )
    def test_where_several_may_be_a_person_decides(self, held, files):
        if "sums_1.ipynb" in files:
            files = {name: content for name, content in files.items() if name != "sums_1.ipynb"}
        told = held(files)
        assert "may be the notebook" in told
        assert "keep one, as sums_1/sums_1.ipynb" in told

    def test_hundreds_of_notebooks_are_not_compared(self, held):
        assert "more than 30 notebooks" in held({f"sums_1/{number}.ipynb": DONE + " " * number for number in range(60)})


class TestWhatItIs:
    def test_another_assignments_notebook(self, one):
        submission = one({"sums_1/sums_1.ipynb": OTHER})
        assert submission.content == b""
        assert submission.unreadable == (
            "This is the notebook of `squares`, handed in for `sums_1`: hand in sums_1.ipynb for `sums_1`, and "
            "squares.ipynb for `squares`."
        )

    def test_several_of_another_assignment(self, one):
        submission = one({"sums_1/a.ipynb": OTHER, "sums_1/b.ipynb": OTHER + " "})
        assert submission.unreadable.startswith("This is the notebook of `squares`")

    def test_what_was_cut_off_is_told_although_an_untouched_one_lies_beside_it(self, one):
        submission = one({"sums_1/sums_1.ipynb": DONE[:-300], "sums_1/copy.ipynb": UNDONE})
        assert "the beginning of a notebook" in submission.unreadable

    def test_one_cell_of_another_assignment_makes_it_no_other(self, one):
        mixed = handed_in()
        mixed.cells.append(solution("square", "def square(x):\n    return x"))
        assert one({"sums_1/sums_1.ipynb": nbformat.writes(mixed)}).unreadable == ""

    def test_an_archive_with_one_notebook(self, one):
        content = zipped({"work/sums_1.ipynb": DONE, "work/helpers.py": "x = 1", "__MACOSX/._sums_1.ipynb": "x"})
        for name in ("sums_1/sums_1.zip", "sums_1/sums_1.ipynb"):
            submission = one({name: content})
            assert submission.content == DONE.encode()
            assert "archive (zip): `sums_1.ipynb` was taken out of it" in submission.repairs[0]
            assert [(file.name, file.content) for file in submission.files] == [("helpers.py", b"x = 1")]

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({"a.ipynb": DONE, "b.ipynb": BETTER}, "2 notebooks (a.ipynb, b.ipynb)"),
            ({"a.txt": "x"}, "no notebook"),
            ({"a.ipynb": "%PDF-1.7"}, "a PDF document"),
        ],
    )
    def test_other_archives_are_told(self, one, files, told):
        assert told in one({"sums_1/sums_1.zip": zipped(files)}).unreadable

    def test_members_of_an_archive_whose_names_are_no_paths(self, one):
        names = ("nameless", "/", "//a", "../../up.py", "/root.py", "C:\\b.py")
        content = zipped({**dict.fromkeys(names, "x"), "sums_1.ipynb": DONE})
        submission = one({"sums_1/sums_1.zip": content.replace(b"nameless", b"\0ameless")})
        assert submission.content == DONE.encode()
        assert [file.name for file in submission.files] == ["C:/b.py"]

    def test_an_archive_that_unfolds_is_never_unfolded(self, one):
        bomb = zipped({"sums_1.ipynb": b"\0" * (25 * 2**20)})
        assert len(bomb) < 2**20
        assert "expected at most 20 MiB" in one({"sums_1/sums_1.zip": bomb}).unreadable
        nested = DONE.encode()
        for _ in range(3):
            nested = zipped({"sums_1.ipynb": nested})
        assert "an archive (zip)" in one({"sums_1/sums_1.zip": nested}).unreadable

    def test_exports_that_cannot_be_read_back(self, one):
        for name, content, told in (
            ("sums_1.pdf", "%PDF-1.7", "a PDF document"),
            ("sums_1.html", "<html><div class='jp-Notebook'>", "exported to (HTML)"),
            ("solution.py", "import os\ndef f():\n    pass\n", "a Python script"),
        ):
            submission = one({f"sums_1/{name}": content})
            assert submission.unreadable.startswith("What you handed in is a")
            assert told in submission.unreadable

    def test_nothing_at_all(self, one):
        assert "found only data.csv" in one({"sums_1/data.csv": "1", "sums_1/timestamp.txt": ""}).unreadable


class TestFilesBeside:
    def names(self, submission):
        return [file.name for file in submission.files]

    def test_are_kept_with_their_folders(self, one):
        submission = one({
            "sums_1/sums_1.ipynb": DONE, "sums_1/helpers.py": "x = 1", "sums_1/data/in/a.csv": "1",
            "sums_1/timestamp.txt": "",
            "sums_1/submission_secret.txt": "s", "sums_1/points.csv": "1,2\n", "sums_1/squares.ipynb": OTHER,
            "sums_1/__pycache__/h.pyc": "x", "sums_1/.git/config": "x", "sums_1/.DS_Store": "x",
            "sums_1/feedback/f.html": "x",
        })  # fmt: skip
        assert self.names(submission) == ["data/in/a.csv", "helpers.py"]
        assert submission.files[1].content == b"x = 1"
        assert (submission.warnings, submission.repairs) == ((), ())

    def test_a_changed_file_of_the_release_is_the_students(self, one):
        assert self.names(one({"sums_1/sums_1.ipynb": DONE, "sums_1/points.csv": "3,4\n"})) == ["points.csv"]

    def test_they_are_those_of_the_notebooks_folder(self, one):
        files = {"sums_1/in/sums_1.ipynb": DONE, "sums_1/in/a.py": "1", "sums_1/b.py": "2"}
        assert self.names(one(files)) == ["a.py"]
        shared = {"sums_1.ipynb": DONE, "helpers.py": "1", "squares/squares.ipynb": OTHER, "squares/b.py": "2"}
        assert self.names(one(shared)) == ["helpers.py"]

    def test_are_capped_in_number_size_and_depth_and_it_is_told(self, one, monkeypatch):
        monkeypatch.setattr(beside, "MAX_BYTES", 1000)
        monkeypatch.setattr(beside, "MAX_FILES", 5)
        files = {f"sums_1/{number}.txt": "x" for number in range(9)} | {
            "sums_1/large.csv": "x" * 2000,
            "sums_1/z.py": "1",
        }
        submission = one({"sums_1/sums_1.ipynb": DONE, "sums_1/1/2/3/4/5/deep.py": "1", **files})
        assert "z.py" in self.names(submission)
        assert len(submission.files) == 5
        assert "large.csv" not in self.names(submission)
        assert "files beside the notebook were left out" in submission.repairs[0]
        assert "files beside the notebook were left out" in submission.warnings[0]

    def test_links_are_never_followed(self, one, hand_in, tmp_path):
        hand_in({"ada/sums_1/sums_1.ipynb": DONE})
        folder = tmp_path / "submitted" / "ada" / "sums_1"
        (folder / "passwd").symlink_to("/etc/passwd")
        (folder / "etc").symlink_to("/etc")
        os.mkfifo(folder / "pipe")
        submission = one({})
        assert submission.files == ()
        assert "passwd" in submission.warnings[0]

    def test_a_name_is_one_line_wherever_it_is_told(self, one):
        submission = one({"sums_1/a\nnot graded: bob\x1b[2J.ipynb": DONE, "sums_1/x\x1b.txt": "1"})
        assert submission.files == ()
        assert all(told.isprintable() for told in (*submission.repairs, *submission.warnings))

    def test_a_folder_without_end_is_cut(self, one, hand_in, monkeypatch):
        monkeypatch.setattr(tree, "MAX_ENTRIES", 20)
        submission = one({"sums_1/sums_1.ipynb": DONE, **{f"sums_1/x{number}.txt": "" for number in range(50)}})
        assert "left out" in submission.warnings[0]


class TestNothingStopsTheOthers:
    NAMES = (
        "O'Brien",
        "Lovelace, Ada",
        "ada+x@uni.edu",
        "Jos\u00e9",
        "Jose\u0301",
        "\u0905\u0928\u0940\u0924\u093e",
        "Bob",
        "bob",
    )

    def test_names(self, collected):
        refused = ("=1+1", "\u202eeve", "a\nb", ".hidden", "-rf", "x" * 200)
        found = collected({f"{name}/sums_1/sums_1.ipynb": DONE for name in (*self.NAMES, *refused)})
        assert [submission.student for submission in found.submissions] == sorted(self.NAMES)
        assert len(found.warnings) == len(refused) + 2, "two pairs are alike"
        assert all(told.isprintable() for told in found.warnings)
        chosen = collected({}, "bob", "=1+1", "Jose\u0301", "zoe")
        assert [submission.student for submission in chosen.submissions] == ["Jose\u0301", "bob"]
        assert chosen.missing == ["zoe"]

    def test_what_lies_beside_the_students_is_told(self, collected, tmp_path):
        found = collected({
            "ada/sums_1/sums_1.ipynb": DONE, "notes.txt": "x", ".DS_Store": "x", "__MACOSX/x": "x",
            "sums_1/ada/sums_1.ipynb": DONE,
            ".example": "", ".ipynb_checkpoints/a.ipynb": DONE,
        })  # fmt: skip
        (tmp_path / "submitted" / "eve").symlink_to("ada")
        found = collected()
        assert [submission.student for submission in found.submissions] == ["ada"]
        told = "\n".join(found.warnings)
        for part in (
            "'eve' is a link",
            "'notes.txt' is no folder",
            "'sums_1' is named as an assignment",
            ".DS_Store, ",
        ):
            assert part in told
        assert len(found.warnings) == 4

    def test_a_linked_folder_waits_for_staff(self, collected, tmp_path):
        collected({"ada/sums_1/sums_1.ipynb": DONE})
        (tmp_path / "submitted" / "eve").mkdir()
        (tmp_path / "submitted" / "eve" / "sums_1").symlink_to(tmp_path / "submitted" / "ada" / "sums_1")
        found = collected()
        assert [submission.student for submission in found.submissions] == ["ada"]
        assert "is a link" in found.held["eve"]

    @pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
    def test_a_notebook_that_is_no_file_is_the_students(self, collected, tmp_path, kind):
        collected({"ada/sums_1/x.txt": "", "bob/sums_1/sums_1.ipynb": DONE})
        path = tmp_path / "submitted" / "ada" / "sums_1" / "sums_1.ipynb"
        {"link": lambda: path.symlink_to("/etc/passwd"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
        ada, bob = collected().submissions
        assert "expected a" in ada.unreadable
        assert (ada.content, bob.content) == (b"", DONE.encode())

    @pytest.mark.parametrize("what", ["ada", "ada/sums_1", "ada/sums_1/sums_1.ipynb"])
    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything: run as nobody in test_as_nobody.py")
    def test_what_may_not_be_read_waits_for_staff(self, collected, tmp_path, what):
        collected({"ada/sums_1/sums_1.ipynb": DONE, "bob/sums_1/sums_1.ipynb": DONE, "ada/sums_1/more/x.py": "1"})
        (tmp_path / "submitted" / what).chmod(0)
        try:
            found = collected()
        finally:
            (tmp_path / "submitted" / what).chmod(0o755)
        assert [submission.student for submission in found.submissions] == ["bob"]
        assert "Permission denied: let the grader's user read it, then grade again" in found.held["ada"]

    @pytest.mark.parametrize("what", ["sums_1/more", "sums_1/data.csv", "sums_1/timestamp.txt", "other"])
    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything: run as nobody in test_as_nobody.py")
    def test_what_may_not_be_read_beside_it_is_told(self, one, hand_in, tmp_path, what):
        names = ("sums_1/sums_1.ipynb", "sums_1/more/x.py", "sums_1/data.csv", "sums_1/timestamp.txt", "other/a.ipynb")
        hand_in({f"ada/{name}": DONE for name in names})
        path = tmp_path / "submitted" / "ada" / what
        path.chmod(0)
        try:
            submission = one({})
        finally:
            path.chmod(0o755)
        assert submission.content == DONE.encode()
        if what != "other":
            assert what.rpartition("/")[2] in " ".join(submission.warnings)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything: run as nobody in test_as_nobody.py")
    def test_submitted_itself_may_not_be_read(self, collected, tmp_path):
        (tmp_path / "submitted").chmod(0)
        with pytest.raises(UsageError, match="submitted cannot be read: Permission denied"):
            collected()
        (tmp_path / "submitted").chmod(0o755)

    def test_a_timestamp_stops_nobody(self, collected):
        found = collected({
            "ada/sums_1/sums_1.ipynb": DONE, "ada/sums_1/timestamp.txt": "2026-1e9999999-01 12:00:00 UTC",
            "bob/sums_1/sums_1.ipynb": DONE, "bob/sums_1/timestamp.txt": "2026-03-01 12:00:00 UTC",
        })  # fmt: skip
        ada, bob = found.submissions
        assert "timestamp.txt is no time" in ada.warnings[0]
        assert (bob.timestamp.hour, bob.warnings) == (12, ())

    def test_no_folder_at_all(self, collected, tmp_path):
        shutil.rmtree(tmp_path / "submitted")
        found = collect(tmp_path, SUMS, Releases(tmp_path, ["sums_1"]))
        assert (found.submissions, found.held, found.warnings) == ([], {}, [])


@pytest.mark.parametrize("name", COURSE)
def test_released_notebooks_of_the_course_are_told_apart(name):
    content = (HERE / "assignments" / name / f"{name}.ipynb").read_bytes()
    course = Releases(HERE / "assignments", COURSE)
    assert [course.assignment_of(content, expected) for expected in COURSE] == [name] * len(COURSE)
    assert course.assignment_of(b'{"cells": [], "nbformat": 4}', name) is None


def test_folders_of_no_assignment_are_strays(hand_in, tmp_path, releases):
    hand_in({
        "ada/sums_1/sums_1.ipynb": DONE, "ada/summs/sums_1.ipynb": DONE, "ada/.git/a.ipynb": DONE,
        "ada/pictures/a.png": "x",
        "bob/summs/sums_1.ipynb": DONE, "cay/Squares/a.ipynb": OTHER,
    })  # fmt: skip
    assert strays(tmp_path, releases) == [f"{tmp_path}/submitted/ada/summs: no assignment has this name"]


def test_who_handed_in_something(hand_in, tmp_path, releases):
    hand_in({
        "ada/sums_1/x.txt": "", "bob/summs/sums_1.ipynb": DONE, "cay/squares/a.ipynb": OTHER,
        "dan/sums_1/a.ipynb": DONE,
        "dan/sums_1/b.ipynb": BETTER, "=1/sums_1/sums_1.ipynb": DONE,
    })  # fmt: skip
    assert submitters(tmp_path, SUMS, releases) == {"ada", "bob", "dan"}
    assert students(tmp_path, releases) == ["ada", "bob", "cay", "dan"]


def test_what_is_found_decides_whether_it_is_graded_again(one):
    first = one({"sums_1/a.ipynb": DONE})
    second = one({"sums_1/helpers.py": "x = 1"})
    assert first.sha256 != second.sha256
    assert first.sha256 != hashlib.sha256(DONE.encode()).hexdigest()


def test_the_caps_are_those_of_the_assignment(collected):
    small = Assignment("sums_1", "Sums", limits=Limits(notebook_bytes=1000))
    (submission,) = collected({"ada/sums_1/sums_1.ipynb": DONE}, assignment=small).submissions
    assert "larger file" in submission.unreadable
