"""Collect what a learning management system hands out as an archive: for `nbgrader zip_collect`.

`course/nbgrader_config.py` names both classes. nbgrader asks the extractor to unpack the archive, and then the
collector whose each file is. The names of two systems are known, as files and as folders that hold files:

- Canvas: `doejane_12345_67890_convolution.ipynb`, `doejane_LATE_12345_67890_convolution-1.ipynb`
- Moodle: `Jane Doe_123456_assignsubmission_file_/convolution.ipynb`, and the same without a folder
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from nbgrader.api import Gradebook
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from autograder.gradebook import companions
from autograder.gradebook.names import in_list

MOODLE: Final = re.compile(r"(?P<name>[^/]+)_(?P<number>\d+)_assignsubmission_file(?:_/|_|/)(?P<file>.+)")
CANVAS: Final = re.compile(r"(?P<name>[^_/]+)_(?P<late>LATE_)?(?P<user>\d+)_(?P<number>\d+)_(?P<file>.+)")
KEPT: Final = frozenset({companions.TIMESTAMP, companions.SECRET})
"""Files that nbgrader believes: never a student's."""
MAX_FILE: Final = 100 * 2**20
"""Bytes of one file of an archive."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a file's name in an archive says.

    Attributes:
        name: the person, as the system writes it: `doejane` or `Jane Doe`.
        user: the person's number in the system; empty where the name has none that stays the same.
        number: a number that grows with each file that is handed in, or differs between persons of one name.
        file: the path of the file as it was handed in.
        is_late: the system says so.
    """

    name: str
    user: str
    number: int
    file: str
    is_late: bool = False

    @property
    def person(self) -> tuple[str, str]:
        """Who it is: the name, and a number that tells people of one name apart in this archive."""
        return self.name, self.user or str(self.number)

    @property
    def fallback(self) -> str:
        """A student's id that is the same for all assignments."""
        return f"{self.name}_{self.user}" if self.user else self.name


def named(path: str) -> Named | None:
    """What a path in the archive says, with `/` between its parts; None where no system writes such names."""
    parts = path.split("/")
    rests = ["/".join(parts[start:]) for start in range(len(parts))]
    for rest in rests:
        if (found := MOODLE.fullmatch(rest)) and found["name"] not in {".", ".."}:
            return Named(found["name"].strip(), "", int(found["number"]), found["file"])
    for rest in reversed(rests):  # the archive's own folders come first, and may be called anything
        if found := CANVAS.fullmatch(rest):
            return Named(found["name"], found["user"], int(found["number"]), found["file"], bool(found["late"]))
    return None


class Extractor(ExtractorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Unpack zip archives: regular files of a limited size, and no archive that lies in another."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Called by nbgrader's `zip_collect` with the folders `archive/` and `extracted/`."""
        for path in sorted(Path(archive_path).rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            target = Path(extracted_path) / path.relative_to(archive_path).parent
            if zipfile.is_zipfile(path) and path.suffix.lower() == ".zip" and named(path.name) is None:
                self._unpack(path, target / path.stem)
            else:
                self._write(target / path.name, path.read_bytes())

    def _unpack(self, path: Path, target: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/")).parts
                kind = member.external_attr >> 28  # of Unix's file types, 8 is a regular file and 0 is none given
                if kind not in {0, 8} or member.file_size > MAX_FILE or {"..", "/"} & {*parts} or not parts:
                    self.log.warning("Skipped, no regular file of at most %d bytes: %s", MAX_FILE, member.filename)
                    continue
                try:
                    with archive.open(member) as file:
                        self._write(target.joinpath(*parts), file.read(MAX_FILE))
                except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
                    self.log.warning("Skipped, it cannot be unpacked: %s: %s", member.filename, error)

    def _write(self, target: Path, content: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


class Collector(FileNameCollectorPlugin):  # type: ignore[misc]  # nbgrader has no types
    """Say whose a file is: the student of the gradebook who has this number or this name; else as it is named.

    - Canvas: the student whose `lms_user_id` is the number; else the one whose last and first name make the name.
    - Moodle: the one whose first and last name, or whose id, make the name. Its number differs for each assignment.
    - Nobody in the gradebook: `doejane_12345` for Canvas, `Jane Doe` for Moodle.

    Where a student handed in the same file several times, the last one counts.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._chosen: dict[str, dict[str, str]] | None = None
        self._earlier: set[str] = set()
        if self.parent is not None:
            know_released_notebooks(self.parent.coursedir)
            self.log.addFilter(self._heeded)

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Called by nbgrader's `zip_collect` for each file in `extracted/`, with its absolute path.

        Returns:
            the student's id and the file's path in the submission; None for a file that is passed over.
        """
        if self._chosen is None:
            root = Path(self.parent._format_collect_path(self.parent.extracted_directory))
            self._chosen = self._choose(root)
        return self._chosen.get(os.path.realpath(submitted_file))

    def _choose(self, root: Path) -> dict[str, dict[str, str]]:
        course = self.parent.coursedir
        with Gradebook(course.db_url, course.course_id) as book:
            roll = Roll(student.to_dict() for student in book.students)
        found = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
        told = {path: name for path in found if (name := named(path.relative_to(root).as_posix())) is not None}
        students = self._students(roll, told.values())
        files: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
        for path, name in told.items():
            if PurePosixPath(name.file).name in KEPT:
                continue
            file, attempt = _attempt(name.file, course.assignment_id)
            files[students[name.person], file].append((attempt, name.number, os.path.realpath(path)))
        chosen = {}
        for (student, file), versions in files.items():
            *earlier, (_, _, last) = sorted(versions)
            chosen[last] = {"student_id": student, "file_id": file}
            self._earlier |= {passed for _, _, passed in earlier}
            for _, _, passed in earlier:
                self.log.info("Passed over, since it was handed in again later: %s", passed)
        return chosen

    def _heeded(self, record: logging.LogRecord) -> bool:
        """A filter of log records: what nbgrader warns of although nothing is wrong becomes information.

        That are the folders that it makes, and files that a later attempt has replaced.
        """
        told = str(record.msg)
        skipped, _, path = told.partition(" with no match information provided: ")
        is_right = told.startswith("Directory not found. Creating") or (
            skipped == "Skipped submission" and os.path.realpath(path) in self._earlier
        )
        if is_right or told.endswith(f" files collected, {len(self._earlier)} files skipped"):
            record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        return True

    def _students(self, roll: Roll, told: Iterable[Named]) -> dict[tuple[str, str], str]:
        """The students' ids, by person. Persons whom the gradebook does not tell apart keep their numbers."""
        told = list(told)
        late = {name.person for name in told if name.is_late}
        persons: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for person, name in sorted({name.person: name for name in told}.items()):
            persons[roll.student(name) or name.fallback].append(person)
        students = {}
        for student, alike in persons.items():
            for person in alike:
                students[person] = student if len(alike) == 1 else "_".join(person)
            if len(alike) > 1:
                names = ", ".join(in_list(students[person]) for person in alike)
                self.log.warning("%s are several people, whom the gradebook does not tell apart", names)
        for person in sorted(late):
            self.log.warning("%s is marked LATE without a time: write it into timestamp.txt", students[person])
        return students


def know_released_notebooks(course: Any) -> None:
    """Let nbgrader take notebook names from `assignments/` (its source) unless `release/` has this assignment.

    `zip_collect` compares what was handed in with the notebooks in `release/`, which only nbgrader's exchange fills:
    for a course without an exchange it would warn of each right file.
    """
    released = Path(course.format_path(course.release_directory, ".", course.assignment_id))
    if not any(released.glob("*.ipynb")):
        course.release_directory = course.source_directory


class Roll:
    """The students of the gradebook, by what systems call them."""

    def __init__(self, students: Iterable[Mapping[str, Any]]) -> None:
        self._by_number: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for student in students:
            if student["lms_user_id"]:
                self._by_number[str(student["lms_user_id"])].add(student["id"])
            first, last = student["first_name"] or "", student["last_name"] or ""
            for name in (last + first, first + last, student["id"]):
                if key := _letters(name):
                    self._by_name[key].add(student["id"])

    def student(self, told: Named) -> str:
        """The id of the student whom a file's name means; empty where it means nobody, or several."""
        for found in (self._by_number.get(told.user, set()), self._by_name.get(_letters(told.name), set())):
            if len(found) == 1:
                return next(iter(found))
        return ""


def _letters(name: str) -> str:
    """A name as Canvas writes it: small letters and digits without their marks."""
    split = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in split if letter.isalnum())


def _attempt(file: str, assignment: str) -> tuple[str, int]:
    """The file as it was called when it was handed in, and Canvas's number of the attempt."""
    again = re.fullmatch(rf"({re.escape(assignment)})-(\d+)(\.ipynb)", file)
    return (again[1] + again[3], int(again[2])) if again else (file, 0)
