"""One submission in, one report out: the student's, the sandbox's and the checker's failures are never confused.

The kernel is this process: what real ones do is in tests/integration/test_session.py.
"""

from __future__ import annotations

import copy
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from handed_in import RELEASED, cell, graded, handed_in, notebook, solution
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import compute_checksum

from autograder.checks.local import LocalTransport
from autograder.errors import CheckerError, KernelLost, MachineBusy, SandboxError, UsageError
from autograder.grading import grade
from autograder.grading.audit import Trial
from autograder.grading.grade import Basis, Grader, Task
from autograder.inside.values import Bounds
from autograder.kernel.session import Execution
from autograder.model.assignment import Assignment, Limits
from autograder.model.report import failing_everywhere
from autograder.model.submission import Submission, SubmittedFile
from autograder.notebooks import document

CHECKS = """
@check(cell="double", points=6)
def doubles(student, draw):
    \"\"\"Twice the number.\"\"\"
    for case in draw.cases(lambda draw: Case(draw.integer(3, 10**6)), 3):
        close(student.double(*case.args), reference.double(*case.args))

@check(cell="triple", points=4)
def triples(student, draw):
    \"\"\"Three times the number.\"\"\"
    close(student.triple(5), reference.triple(5))
"""
MISTAKES = '@mistake(of="double", hint="You squared it.")\ndef squared(x):\n    return x * x\n'
REFERENCE = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x\n"


class InProcessSession:
    """Runs the cells in this process, which stands for a kernel in a slot."""

    walls = ("a wall",)
    bounds = Bounds(2**20)
    runner = "cpu"

    def __init__(self, slot, student, limits, files=(), forbidden=()):
        self.versions = {"python": "3.11.7", "numpy": "2.4.6"}
        self.slot = slot
        self.namespace = {}
        slot.rewound = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, given, runs):
        execution = Execution(copy.deepcopy(given))
        self.cells = [cell for cell in execution.notebook.cells if cell.cell_type == "code"]
        self.runs = runs
        self.start(self.cells)
        return execution

    def start(self, cells):
        for ran in filter(self.runs, cells):
            try:
                exec(ran.source, self.namespace)
            except Exception as error:  # noqa: BLE001 - as a kernel does
                ran.outputs = [new_output("error", ename=type(error).__name__, evalue=str(error), traceback=[])]

    def rewind(self, position):
        self.slot.rewound.append(position)
        self.namespace.clear()
        self.start(copy.deepcopy(self.cells[:position]))

    def left(self):
        return self.slot.left

    def request(self, message, buffers, seconds):
        if self.slot.errors:
            raise self.slot.errors.pop(0)
        return LocalTransport(self.namespace).request(message, buffers, seconds)


class Pool:
    """Leases slots whose requests, or which themselves, fail with the given errors, one after the other."""

    def __init__(self, lease_errors=(), request_errors=(), image_error=None):
        self.lease_errors, self.leases = list(lease_errors), 0
        self.slot = SimpleNamespace(errors=list(request_errors), left=1.0)
        self.image_error = image_error
        self.sandbox = SimpleNamespace(image_id=self.image_id)

    def image_id(self, spec):
        if self.image_error is not None:
            raise self.image_error
        return "image"

    @contextmanager
    def lease(self, spec):
        self.leases += 1
        if self.lease_errors:
            raise self.lease_errors.pop(0)
        yield self.slot


@pytest.fixture(autouse=True)
def _kernels_in_this_process(monkeypatch):
    monkeypatch.setattr(grade, "KernelSession", InProcessSession)


@pytest.fixture
def task(write_suite):
    """Make the task of two exercises; source texts may be replaced."""

    def make(checks=CHECKS, mistakes=MISTAKES, names=(), released=RELEASED):
        assignment = Assignment("exercise", "Exercise", 10, forbidden=names)
        parsed = document.parse(nbformat.writes(released).encode(), Limits())
        suite = write_suite(checks, mistakes, REFERENCE)
        return Task(assignment, parsed, "secret", suite.sha256, suite)

    return make


def submit(given):
    return Submission("ada", "exercise", given if isinstance(given, bytes) else nbformat.writes(given).encode())


def results(report):
    return {check.name: (check.verdict, check.cause) for check in report.checks}


# the student's work


def test_no_notebook_at_all_is_told_in_its_own_words(task):
    missing = Submission("ada", "exercise", b"", unreadable="no file named so")
    done = Grader(Pool()).grade(task(), missing)
    assert {check.message for check in done.report.checks} == {"no file named so"}
    assert done.report.provenance.submission_sha256 != submit(b"").sha256


def test_a_syntax_error_names_its_line_and_no_file_of_the_kernel(task):
    broken = handed_in(double="def double(x):\n    return (2 *")
    checks = Grader(Pool()).grade(task(), submit(broken)).report.cell("double")
    assert [(check.cause, check.message) for check in checks] == [
        ("exception", "the cell raised SyntaxError: '(' was never closed (line 2), so nothing it defines is there")
    ]


def written_with(version, given):
    given.metadata["language_info"] = {"name": "python", "version": version}
    return submit(given)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("3.13.1", " (Python 3.13.1 wrote this notebook, and it is graded with Python 3.11.7)"),
        ("3.11.2", ""),
        ("", ""),
        ("<b>", ""),
    ],
)
def test_code_for_another_python_is_told_so_with_both_versions(task, version, told):
    broken = handed_in(double="def double(x):\n    return (2 *", triple="def triple(x):\n    from math import none")
    report = Grader(Pool()).grade(task(), written_with(version, broken)).report
    (double,), (triple,) = report.cell("double"), report.cell("triple")
    reason = f"SyntaxError: '(' was never closed (line 2){told}, so nothing it defines"
    assert double.message == f"the cell raised {reason} is there"
    assert triple.message.endswith(told)
    assert ("3.13" in triple.message) is bool(told)
    assert report.software == "Python 3.11.7, numpy 2.4.6"


def test_a_wrong_value_is_no_question_of_versions(task):
    report = (
        Grader(Pool()).grade(task(), written_with("3.13.1", handed_in(double="def double(x):\n    return x"))).report
    )
    assert "3.13" not in report.cell("double")[0].message


def test_a_released_cell_that_fails_is_told_once_where_it_fails_for_all(task):
    def setup(source):
        made = handed_in(double=None, triple=None)
        made.cells[0] = cell(source, "setup", locked=True)
        return made

    def graded_by(released, *given):
        grader, made = Grader(Pool()), task(released=released)
        return [grader.grade(made, submit(each)).report for each in given]

    broken = setup("import no_such_package")
    reports = graded_by(broken, handed_in(), handed_in(double="def double(x):\n    return x"))
    assert [report.warnings for report in reports] == [(), ()]
    (told,) = failing_everywhere(reports)
    assert "`setup`: ModuleNotFoundError: No module named 'no_such_package'" in told
    assert "each of 2 submissions" in told
    right, reached = setup("x = answer"), "answer = 1"
    one, other = graded_by(right, handed_in(added=[reached]), handed_in())
    assert (one.setup_errors, len(other.setup_errors)) == ((), 1)
    assert failing_everywhere([one, other]) == []
    assert failing_everywhere(graded_by(setup("raise NotImplementedError()"), handed_in())) == []


def test_a_right_answer_whose_setup_fails_is_no_right_answer_for_the_audit(task):
    broken = notebook(cell("1 / 0", "setup", locked=True), *RELEASED.cells[1:])
    report = Grader(Pool()).grade(task(released=broken), submit(handed_in())).report
    assert report.score == 10
    assert (
        Trial("model answer", None, report).verdict == "the released cell `setup`: ZeroDivisionError: division by zero"
    )


def test_files_reach_the_kernel_the_released_ones_first_and_count_for_the_verdict(task, monkeypatch):
    given = []

    class Session(InProcessSession):
        def __init__(self, slot, student, limits, files=(), forbidden=()):
            super().__init__(slot, student, limits)
            given.extend((file.name, file.content) for file in files)

    monkeypatch.setattr(grade, "KernelSession", Session)
    made = task()
    with_files = replace(made, files=(SubmittedFile("data.csv", b"released"),))
    handed = (SubmittedFile("data.csv", b"mine"), SubmittedFile("helpers.py", b"x = 1"))
    report = Grader(Pool()).grade(with_files, replace(submit(handed_in()), files=handed)).report
    assert given == [("data.csv", b"released"), ("helpers.py", b"x = 1")]
    assert report.notes == ("`data.csv` was handed in changed: the released text or data was used.",)
    one, other = (
        replace(made, files=(SubmittedFile("data.csv", content),)).provenance(submit(handed_in()), "image")
        for content in (b"1", b"2")
    )
    assert one != other != made.provenance(submit(handed_in()), "image")


def test_a_right_notebook_gets_all_points(task):
    report = Grader(Pool()).grade(task(), submit(handed_in())).report
    assert (report.status, report.score, report.max_score) == ("graded", 10, 10)
    assert (report.student, report.assignment, report.walls) == ("ada", "exercise", ("a wall",))


def test_a_wrong_exercise_costs_its_own_points_and_gets_its_hint(task):
    report = Grader(Pool()).grade(task(), submit(handed_in(double="def double(x):\n    return x * x"))).report
    assert results(report) == {"doubles": ("fail", "value"), "triples": ("pass", None)}
    assert [check.hint for check in report.checks] == ["You squared it.", ""]


def test_a_mistake_upstream_is_named_downstream(task):
    uses_double = "def triple(x):\n    return double(x) + x"
    given = handed_in(double="def double(x):\n    return 2 * x + 1", triple=uses_double)
    report = Grader(Pool()).grade(task(), submit(given)).report
    assert results(report) == {"doubles": ("fail", "value"), "triples": ("fail", "value")}
    assert [check.hint for check in report.checks] == ["", ""]
    upstream = "This exercise uses `double`, which fails checks of its own: look there first, it may be why"
    assert [upstream in check.message for check in report.checks] == [False, True]

    alone = handed_in(triple="def triple(x):\n    return double(x) + 2 * x")
    assert upstream not in Grader(Pool()).grade(task(), submit(alone)).report.checks[1].message


def test_a_hint_says_enough_without_what_lies_upstream(task):
    mistakes = MISTAKES + '@mistake(of="triple", hint="Four times.")\ndef fourfold(x):\n    return 4 * x\n'
    given = handed_in(double="def double(x):\n    return x * x", triple="def triple(x):\n    double\n    return 4 * x")
    report = Grader(Pool()).grade(task(mistakes=mistakes), submit(given)).report
    assert [check.hint for check in report.checks] == ["You squared it.", "Four times."]
    assert "look there first" not in report.checks[1].message


def test_an_untouched_notebook_is_missing_everything(task):
    report = Grader(Pool()).grade(task(), submit(RELEASED)).report
    assert results(report) == {"doubles": ("fail", "missing"), "triples": ("fail", "missing")}


def test_a_cell_that_fails_costs_no_other_exercise(task):
    report = Grader(Pool()).grade(task(), submit(handed_in(double="1 / 0\ndef double(x):\n    return 2 * x"))).report
    assert results(report) == {"doubles": ("fail", "exception"), "triples": ("pass", None)}
    assert "ZeroDivisionError" in report.checks[0].message


def test_the_graded_notebook_is_the_one_that_was_run(task):
    outcome = Grader(Pool()).grade(task(), submit(handed_in(triple="1 / 0")))
    errors = [output.ename for ran in outcome.notebook.cells if ran.cell_type == "code" for output in ran.outputs]
    assert errors == ["ZeroDivisionError"]


def test_visible_tests_are_not_run(task):
    outcome = Grader(Pool()).grade(task(), submit(handed_in()))
    assert not any(ran.outputs for ran in outcome.notebook.cells if ran.cell_type == "code")


def test_repairs_are_told(task):
    report = Grader(Pool()).grade(task(), submit(notebook(*handed_in().cells[:3]))).report
    assert any("triple" in repair for repair in report.repairs)


ENDLESS = nbformat.writes(handed_in(double="x = [" + "1," * document.MAX_CODE + "]")).encode()


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"nbformat": 4, "cells": 1}', b"\xff", ENDLESS])
def test_an_unreadable_notebook_is_graded_without_a_slot(task, content):
    pool = Pool()
    outcome = Grader(pool).grade(task(), submit(content))
    assert outcome.notebook is None
    assert (outcome.report.status, outcome.report.score, outcome.report.max_score) == ("graded", 0, 10)
    assert results(outcome.report) == {"doubles": ("not_run", "type"), "triples": ("not_run", "type")}
    assert all(check.message for check in outcome.report.checks)
    assert pool.leases == 0


# the sandbox's failures


@pytest.mark.parametrize("failures", range(grade.RETRIES + 1))
def test_a_sandbox_that_fails_now_and_then_is_tried_again(task, failures):
    pool = Pool(lease_errors=[SandboxError("gone")] * failures)
    report = Grader(pool).grade(task(), submit(handed_in())).report
    assert (report.status, report.score) == ("graded", 10)
    assert pool.leases == failures + 1


def test_a_sandbox_that_is_lost_in_a_check_is_tried_again(task):
    report = Grader(Pool(request_errors=[SandboxError("gone")])).grade(task(), submit(handed_in())).report
    assert (report.status, report.score) == ("graded", 10)


def test_a_sandbox_that_keeps_failing_costs_the_student_nothing(task):
    pool = Pool(lease_errors=[SandboxError("the engine is gone")] * 99)
    report = Grader(pool).grade(task(), submit(handed_in())).report
    assert report.status == "failed"
    assert "the engine is gone" in report.error
    assert {verdict for verdict, _ in results(report).values()} == {"not_run"}
    assert report.max_score == 10
    assert pool.leases == grade.RETRIES + 1


def test_an_engine_that_cannot_be_asked_is_the_sandboxs_failure(task):
    report = Grader(Pool(image_error=SandboxError("no engine answers"))).grade(task(), submit(handed_in())).report
    assert report.status == "failed"
    assert "no engine answers" in report.error


def test_a_machine_that_is_too_busy_costs_the_student_nothing_and_is_tried_again_once(task):
    pool = Pool(request_errors=[MachineBusy("too busy")])
    assert Grader(pool).grade(task(), submit(handed_in())).report.score == 10
    pool = Pool(request_errors=[MachineBusy("too busy")] * 99)
    report = Grader(pool).grade(task(), submit(handed_in())).report
    assert (report.status, pool.leases) == ("failed", 2)
    assert "too busy" in report.error


def test_a_lost_kernel_is_the_students_and_is_not_tried_again(task):
    pool = Pool(request_errors=[KernelLost("timeout", "too slow")])
    report = Grader(pool).grade(task(), submit(handed_in())).report
    assert results(report) == {"doubles": ("fail", "timeout"), "triples": ("pass", None)}
    assert pool.leases == 1


# the checker's failures


@pytest.mark.parametrize(
    ("material", "told"),
    [
        ({"checks": CHECKS.replace("reference.triple(5)", "1 / 0")}, "ZeroDivisionError"),
        ({"checks": CHECKS.replace("reference.triple(5)", "object()")}, "TypeError"),
        ({"checks": CHECKS.replace("close(student.triple(5), reference.triple(5))", "pass")}, "compared nothing"),
    ],
)
def test_a_broken_check_costs_nothing_and_is_told_to_staff_alone(task, material, told):
    pool = Pool()
    report = Grader(pool).grade(task(**material), submit(handed_in())).report
    assert report.status == "failed"
    assert told in report.error
    assert told not in str(report.contract())
    assert {verdict for verdict, _ in results(report).values()} == {"not_run"}
    assert pool.leases == 1


def test_a_broken_mistake_is_the_checkers_failure(task):
    variable = CHECKS.replace("student.triple(5)", 'student.value("answer")')
    mistakes = '@mistake(of="answer", hint="x")\ndef wrong(name):\n    raise KeyError(name)\n'
    report = Grader(Pool()).grade(task(variable, mistakes), submit(handed_in(triple="answer = 1"))).report
    assert report.status == "failed"
    assert "KeyError" in report.error


# forbidden shortcuts

NAMES = ("numpy.convolve", "scipy")


def test_a_forbidden_exercise_fails_without_being_called(task):
    double = "import numpy as np\ncalls = []\ndef double(x):\n    calls.append(x)\n    return np.convolve([x], [2])[0]"
    triple = "def triple(x):\n    return 3 * x if not calls else 0"
    report = Grader(Pool()).grade(task(names=NAMES), submit(handed_in(double, triple))).report
    assert results(report) == {"doubles": ("fail", "forbidden"), "triples": ("pass", None)}
    assert "numpy.convolve" in report.checks[0].message


# names that are used again further down

FACTOR, BY_FACTOR = "factor = [2]", "def double(x):\n    return factor[-1] * x"
DOUBLE, TRIPLE = "def double(x):\n    return 2 * x", "def triple(x):\n    return 3 * x"


def below(*sources, double=DOUBLE, triple=TRIPLE):
    """The notebook as it is handed in, with these cells at its end."""
    given = handed_in(double, triple)
    return submit(notebook(*given.cells, *map(new_code_cell, sources)))


@pytest.mark.parametrize(
    ("double", "later"),
    [
        (DOUBLE, "def double(x):\n    return x"),
        (DOUBLE, "double = 5"),
        (DOUBLE, "del double"),
        (DOUBLE, "from math import sqrt as double"),
        (DOUBLE, "for double in range(3):\n    pass"),
        (DOUBLE, "exec('double = 1')"),
        (DOUBLE, "globals()['double'] = 1"),
        (f"{FACTOR}\n{BY_FACTOR}", "factor = [5]"),
        (f"{FACTOR}\n{BY_FACTOR}", "def other():\n    global factor\n    factor = [5]\nother()"),
        (f"{FACTOR}\n{BY_FACTOR}", "factor.append(5)"),
        (f"{FACTOR}\n{BY_FACTOR}", "factor[-1] += 3"),
        (f"{FACTOR}\n{BY_FACTOR}", "def more(into):\n    into.append(5)\nmore(factor)"),
        ("def helper(x):\n    return 2 * x\ndef double(x):\n    return helper(x)", "class helper:\n    pass"),
        ("class A:\n    n = 2\ndef double(x):\n    return A.n * x", "A.n = 5"),
        ("def double(x):\n    return sum([x, x])", "sum = 0"),
    ],
)
def test_an_exercise_is_judged_with_its_names_as_they_were_at_its_graded_cell(task, double, later):
    pool = Pool()
    report = Grader(pool).grade(task(), below(later, double=double)).report
    assert results(report) == {"doubles": ("pass", None), "triples": ("pass", None)}
    assert pool.slot.rewound == [2]
    assert "further down; this exercise was judged with the definition above its examples." in report.notes[0]


def test_the_note_names_what_was_defined_again(task):
    report = Grader(Pool()).grade(task(), below("def double(x):\n    return x")).report
    told = "Exercise `double`: `double` is defined again further down; "
    assert report.notes == (told + "this exercise was judged with the definition above its examples.",)


def test_a_wrong_definition_gets_the_message_and_the_hint_of_the_one_above_its_examples(task):
    squares = "def double(x):\n    return x * x"
    report = Grader(Pool()).grade(task(), below("def double(x):\n    return 'no'", double=squares)).report
    assert results(report) == {"doubles": ("fail", "value"), "triples": ("pass", None)}
    assert report.checks[0].hint == "You squared it."


def test_a_definition_below_its_examples_counts_as_before(task):
    broken = "1 / 0\ndef double(x):\n    return 2 * x"
    report = Grader(Pool()).grade(task(), below(DOUBLE, double=broken)).report
    assert report.score == 10
    assert "this exercise was judged with the definition further down" in report.notes[0]
    wrong = Grader(Pool()).grade(task(), below("def double(x):\n    return x * x", double=broken)).report
    assert (wrong.checks[0].cause, wrong.checks[0].hint) == ("value", "You squared it.")
    assert "this exercise was judged with the definition further down" in wrong.notes[0]


@pytest.mark.parametrize(
    ("double", "later"),
    [
        ("def double(x):\n    return x * x", "x = 3\nprint(x)"),
        ("import math\ndef double(x):\n    return math.floor(x)", "import math\nprint(math.pi)"),
        ("import random\ndef double(x):\n    return random.randint(1, 2)", "random.seed(3)\ny = random.choice([1])"),
        ("def double(x):\n    y = 3\n    return y", "y = 4\ndef other(double):\n    y = 5"),
    ],
)
def test_a_wrong_exercise_whose_names_stay_as_they_are_is_run_once(task, double, later):
    pool = Pool()
    report = Grader(pool).grade(task(), below(later, double=double)).report
    assert results(report)["doubles"] == ("fail", "value")
    assert pool.slot.rewound == []
    assert report.notes == ()


def test_a_right_notebook_is_run_once_whatever_it_defines_again(task):
    pool = Pool()
    assert Grader(pool).grade(task(), below("x = 1", "def double(y):\n    return y + y")).report.score == 10
    assert pool.slot.rewound == []


def test_where_no_time_is_left_staff_decide(task):
    pool = Pool()
    pool.slot.left = 0.0
    report = Grader(pool).grade(task(), below("double = 5")).report
    assert (report.status, report.manual, pool.slot.rewound) == ("graded", ("double",), [])
    assert "`double` is changed further down, and no time was left" in report.warnings[0]


def test_a_ban_is_not_judged_again(task):
    pool = Pool()
    double = "import numpy as np\ndef double(x):\n    return np.convolve([x], [2])[0]"
    report = Grader(pool).grade(task(names=NAMES), below("double = 1", double=double)).report
    assert results(report)["doubles"] == ("fail", "forbidden")
    assert pool.slot.rewound == []


# what a task is


@pytest.fixture
def project(write_suite, tmp_path):
    """A project whose assignment is released with these points; its root."""

    def make(double=6, released=True):
        write_suite(CHECKS, MISTAKES, REFERENCE)
        given = notebook(solution("double"), graded("double", double), solution("triple"), graded("triple", 4))
        folder = tmp_path / "assignments" / "exercise"
        folder.mkdir(parents=True)
        if released:
            (folder / "exercise.ipynb").write_text(nbformat.writes(given))
        return tmp_path

    return make


EXERCISE = Assignment("exercise", "Exercise", 10)


def test_a_task_is_what_was_released(project):
    task = Task.load(EXERCISE, project(), "secret")
    assert task.suite.cells() == {"double": 6, "triple": 4}
    assert len(task.released.cells) == 4


def test_a_released_cell_keeps_its_checksum_by_which_nbgrader_knows_an_answer_nobody_wrote(project):
    root = project()
    path = root / "assignments/exercise/exercise.ipynb"
    released = nbformat.read(path, as_version=4)
    for each in released.cells:
        if "nbgrader" in each.metadata:
            each.metadata.nbgrader.checksum = compute_checksum(each)
    nbformat.write(released, path)
    kept = Basis.load(EXERCISE, root, "secret").released
    assert [cell.metadata.get("nbgrader", {}) for cell in kept.cells] == [
        cell.metadata.get("nbgrader", {}) for cell in released.cells
    ]


def test_a_released_notebook_that_cannot_be_read_is_the_operators_error(project):
    root = project()
    (root / "assignments/exercise/exercise.ipynb").write_text("{")
    with pytest.raises(UsageError, match="autograder release exercise"):
        Basis.load(EXERCISE, root, "secret")


def test_an_assignment_that_was_not_released_is_the_operators_error(project):
    with pytest.raises(UsageError, match="autograder release exercise"):
        Task.load(EXERCISE, project(released=False), "secret")


def test_points_that_do_not_fit_the_checks_are_the_checkers_error(project):
    with pytest.raises(CheckerError, match="double"):
        Task.load(EXERCISE, project(double=7), "secret")


def test_provenance_changes_with_what_a_verdict_rests_on(task):
    given = submit(handed_in())
    other_release = handed_in(double=None, triple=None, added=["x = 1"])
    made = [
        task().provenance(given, "image"),
        task().provenance(submit(handed_in(double="x")), "image"),
        task().provenance(given, "another image"),
        task(checks=CHECKS + "\n").provenance(given, "image"),
        task(released=other_release).provenance(given, "image"),
        task().provenance(Submission("alan", "exercise", given.content), "image"),
    ]
    assert len(set(made)) == len(made)
    assert task().provenance(given, "image") == made[0]
    assert not any("secret" in str(provenance) for provenance in made)


def test_points_that_do_not_fit_the_settings_are_the_checkers_error(project):
    with pytest.raises(CheckerError, match=r"sum to 10 points, course\.toml says 90: mend one"):
        Task.load(replace(EXERCISE, points=90.0), project(), "secret")
