"""What staff and students open shows nothing that acts: pages, terminal and table of each attack on those who look."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import showing
from attack import Attack
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader import handlers
from rich.console import Console
from shooting_range import KINDS, Range
from traitlets.config import Config

from autograder import console
from autograder.errors import UsageError
from autograder.gradebook import pages
from autograder.gradebook.export import QuotedCsv
from autograder.gradebook.feedback import annotate
from autograder.gradebook.nbgrader import CourseGradebook
from autograder.grading.grade import Graded
from autograder.model.submission import Submission
from autograder.table import print_class, print_report

LARGEST_PAGE = 4 * 2**20
MOST_PIXELS = 100 * 10**6
"""Of all pictures of a page: a browser holds four bytes for each."""
TAGS = {
    "script", "iframe", "frame", "object", "embed", "applet", "svg", "math", "form", "button", "meta", "link", "base",
    "style", "template", "video", "audio", "source", "portal", "details", "marquee",
}  # fmt: skip
ADDRESSES = {
    "href", "src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href", "ping", "cite",
}  # fmt: skip
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
TURNING = re.compile(r"[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
NAMES = (
    "=1+1", "+1+1", "-2+3", "@SUM(1)", "=cmd|'C calc'!A0", "ada,100,100", 'ada"', "ada\n=1+1", "ada\r",
    "\x1b[2J\x1b]0;t\x07",
    "<img src=x onerror=alert(1)>", '";alert(1);"', "{{ 7 * 7 }}", "\u202eada", "[red]ada", "%s{0}",
    "'; drop table student; --",
)  # fmt: skip
"""Of folders in submitted/, which name students."""


class Acting(HTMLParser):
    """Everything in a page that could act, tell that the page was opened, or paint over it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TAGS:
            self.found[f"<{tag}>"] += 1
        for name, given in attrs:
            value = (given or "").strip().lower()
            if name.startswith("on") or name == "srcdoc":
                self.found[f"{tag} {name}"] += 1
            if name in ADDRESSES and not value.startswith(("#", "data:image/png;base64,")):
                plain_link = tag == "a" and name == "href" and value.startswith(("https://", "http://", "mailto:"))
                if not plain_link:
                    self.found[f"{tag} {name}={value[:60]}"] += 1
            if name == "style" and re.search(r"url\(|expression|position\s*:\s*(fixed|absolute)|@import", value):
                self.found[f"{tag} style={value[:60]}"] += 1


@dataclass
class Gallery:
    """Each attack graded once, in the first sandbox that is there."""

    range: Range
    kind: str
    graded: dict[str, Graded]

    def show(self, attack: Attack) -> Graded:
        """The attack, graded as a student of its own."""
        if attack.name not in self.graded:
            content = self.range.content(attack)
            student = f"student{len(self.graded)}"
            submission = Submission(student, "vault", content)
            self.graded[attack.name] = self.range.grader(self.kind).grade(self.range.task, submission)
        return self.graded[attack.name]

    def notebook(self, graded: Graded) -> Any:
        """What its pages are made from."""
        return annotate(graded.notebook or self.range.task.released, graded.report)


@pytest.fixture(scope="module")
def gallery(shooting_range: Range) -> Gallery:
    chosen = os.environ.get("AUTOGRADER_REDTEAM")
    kinds = [kind for kind in KINDS if chosen in {None, kind} and KINDS[kind]().missing() is None]
    if not kinds:
        pytest.skip("no sandbox is there")
    return Gallery(shooting_range, kinds[-1], {})


@pytest.fixture(scope="module")
def clean(gallery: Gallery) -> Callable[[Callable[[Any], str]], Counter[str]]:
    """What an honest student's page does by itself, made as the page in question."""
    graded = gallery.show(Attack(0, "an honest student", last="print('x')"))
    return lambda make: Acting(make(gallery.notebook(graded))).found


@pytest.fixture(scope="module")
def course(gallery: Gallery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with nbgrader's own gradebook, and feedback pages: each attack was handed in by one student."""
    root = tmp_path_factory.mktemp("course")
    graded = [gallery.show(attack) for attack in [Attack(0, "an honest student", last="print('x')"), *showing.ATTACKS]]
    record(root, gallery, [each for each in graded if each.report.status == "graded"])
    pages.generate(root, f"sqlite:///{root}/gradebook.db", "vault", "redteam")
    return root


def record(root: Path, gallery: Gallery, graded: list[Graded]) -> None:
    """Write reports into a new gradebook, and their notebooks beside it."""
    with CourseGradebook(root, course_id="redteam") as book:
        book.register("vault", gallery.range.task.released)
        book.add_students([each.report.student for each in graded])
        for each in graded:
            book.record(Submission(each.report.student, "vault", b"{}"), each.report, gallery.notebook(each))


def classic(notebook: Any) -> str:
    return str(HTMLExporter(template_name="classic").from_notebook_node(notebook)[0])


def lab(notebook: Any) -> str:
    return str(HTMLExporter(template_name="lab").from_notebook_node(notebook)[0])


def formgrade(notebook: Any) -> str:
    """As formgrader shows it to staff."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    names = ("assignment_id", "notebook_id", "submission_id", "base_url", "student", "last_name", "first_name")
    resources = {**dict.fromkeys(names, "x"), "index": 0, "total": 1, "notebook_path": "x"}
    return str(HTMLExporter(config=config).from_notebook_node(notebook, resources=resources)[0])


def pictures(page: str) -> int:
    """The pixels of all pictures in a page; text that only names a picture is none."""
    shown = r"""(?:<img\b[^>]*\bsrc=["']|url\()data:image/png;base64,([A-Za-z0-9+/=\s]{32,})"""
    sizes = [struct.unpack(">II", base64.b64decode(each[:40])[16:24]) for each in re.findall(shown, page)]
    return sum(width * height for width, height in sizes)


def terminal(print_it: Callable[..., None], *arguments: Any, **keywords: Any) -> str:
    """What a function prints to a terminal, without the colours that are ours."""
    file = io.StringIO()
    print_it(Console(file=file, width=200, force_terminal=True, color_system="truecolor"), *arguments, **keywords)
    return COLOURS.sub("", file.getvalue())


def named(attack: Attack) -> str:
    return attack.name.replace(" ", "-")


@pytest.mark.parametrize("make", [classic, lab, formgrade], ids=lambda make: make.__name__)
@pytest.mark.parametrize("hostile", showing.ATTACKS, ids=named)
def test_nothing_acts_in_a_page(gallery: Gallery, clean: Any, hostile: Attack, make: Callable[[Any], str]) -> None:
    page = make(gallery.notebook(gallery.show(hostile)))
    known = clean(make)
    assert {each: count for each, count in Acting(page).found.items() if count > known[each]} == {}
    assert len(page) < LARGEST_PAGE + len(make(gallery.notebook(gallery.show(Attack(0, "an honest student")))))


@pytest.mark.parametrize("hostile", showing.ATTACKS, ids=named)
def test_pictures_of_a_page_are_bearable(gallery: Gallery, hostile: Attack) -> None:
    assert pictures(classic(gallery.notebook(gallery.show(hostile)))) <= MOST_PIXELS


@pytest.mark.parametrize("hostile", showing.ATTACKS, ids=named)
def test_nothing_is_obeyed_on_a_terminal(gallery: Gallery, hostile: Attack) -> None:
    report = gallery.show(hostile).report
    for staff in (False, True):
        shown = terminal(print_report, report, staff=staff) + terminal(print_class, [report])
        assert OBEYED.findall(shown) == []
        assert TURNING.findall(shown) == []


@pytest.mark.parametrize("hostile", showing.ATTACKS, ids=named)
def test_the_reports_json_is_one_line_of_plain_ascii(gallery: Gallery, hostile: Attack) -> None:
    told = json.dumps(gallery.show(hostile).report.contract())
    assert told.isascii()
    assert OBEYED.findall(told) == []


@pytest.mark.parametrize("where", ["a message's next line", "a cell of its own that fails"])
def test_a_message_cannot_write_a_line_of_the_report(gallery: Gallery, where: str) -> None:
    """No line of a student's begins as ours do: a verdict's mark, or the sum."""
    (attack,) = (each for each in showing.ATTACKS if each.name == f"a verdict in {where}")
    report = gallery.show(attack).report
    shown = terminal(print_report, report)
    lines = [line.strip("│ ") for line in shown.splitlines()]
    passed = sum(check.verdict == "pass" and check.title.startswith("Numbers") for check in report.checks)
    assert sum(line.startswith("✓ Numbers") for line in lines) == passed
    assert sum(line.startswith("100 of 100") for line in lines) == (report.score == 100)


def test_nothing_acts_in_a_feedback_page(course: Path, gallery: Gallery) -> None:
    made = {path.parts[-3]: path.read_text() for path in (course / "feedback").glob("*/vault/vault.html")}
    honest = Acting(made.pop(gallery.show(Attack(0, "an honest student", last="print('x')")).report.student)).found
    assert len(made) == len([each for each in gallery.graded.values() if each.report.status == "graded"]) - 1
    acting = {student: Acting(page).found - honest for student, page in made.items()}
    assert {student: dict(found) for student, found in acting.items() if found} == {}


def exported(root: Path) -> list[dict[str, str]]:
    """The rows of the table that `nbgrader export` writes."""
    plugin = QuotedCsv()
    plugin.to = str(root / "scores.csv")
    with Gradebook(f"sqlite:///{root}/gradebook.db", course_id="redteam") as book:
        plugin.export(book)
    with (root / "scores.csv").open(newline="") as file:
        return [{str(key): str(value) for key, value in row.items()} for row in csv.DictReader(file)]


def test_an_exported_table_holds_nothing_of_what_students_wrote(course: Path, gallery: Gallery) -> None:
    rows = exported(course)
    assert {row["student_id"] for row in rows} == {each.report.student for each in gallery.graded.values()}
    for row in rows:
        assert set(row) <= {
            "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
            "late_submission_penalty", "score", "max_score",
        }  # fmt: skip
        assert not [value for value in row.values() if value.startswith(tuple("=+-@\t\r"))]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_names_of_students(gallery: Gallery, tmp_path: Path, name: str) -> None:
    """Refused with words, or shown as what they are, on a terminal, in the table and in pages."""
    graded = gallery.show(Attack(0, "an honest student", last="print('x')"))
    graded = replace(graded, report=replace(graded.report, student=name))
    shown = terminal(print_class, [graded.report]) + terminal(print_report, graded.report)
    assert OBEYED.findall(shown) == []
    try:
        record(tmp_path, gallery, [graded])
    except UsageError:
        return
    (row,) = exported(tmp_path)
    assert row["student_id"] == name
    assert not name.startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_names_in_notes_to_staff(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Doubts, refusals and failures name students on standard error."""
    file = io.StringIO()
    monkeypatch.setattr(console, "err", Console(file=file, width=200, force_terminal=True))
    console.note("look at", f"{name}: course/submitted/{name}/vault/timestamp.txt is no time as nbgrader writes it")
    told = COLOURS.sub("", file.getvalue())
    assert OBEYED.findall(told) == []
    assert TURNING.findall(told) == []
