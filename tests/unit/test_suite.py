"""An assignment's checks are found, run and turned into verdicts; whose failure it was is never confused."""

from __future__ import annotations

import pytest

from autograder.checks import check
from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import NOT_COUNTED
from autograder.errors import CheckerError, KernelLost, SandboxError, StudentFailure, UsageError
from autograder.inside.values import ANSWER

DOUBLE = """
@check(cell="doubling", points=4)
def doubles(student, draw):
    \"\"\"Twice the number.

    Not a line that students read.\"\"\"
    for case in draw.cases(lambda draw: Case(draw.integer(1, 10**6)), 5):
        close(student.double(*case.args), reference.double(*case.args))
"""
REFERENCE = "def double(x):\n    return 2 * x\n"


def checks(body, **options):
    told = {"cell": "doubling", "points": 4, **options}
    head = f"@check({', '.join(f'{key}={value!r}' for key, value in told.items())})\ndef checked(student, draw):\n"
    return head + '    """What is checked."""\n' + "".join(f"    {line}\n" for line in body.splitlines())


def run(suite, student="ada", secret="s", **namespace):
    [item] = suite.checks
    outcome = suite.run(item, LocalTransport(namespace), Attempt(student, secret))
    return suite.result(item, outcome)


class Broken:
    """A transport whose every request fails."""

    bounds = ANSWER
    runner = "cpu"

    def __init__(self, error):
        self.error = error

    def request(self, message, buffers, seconds):
        raise self.error


# finding them


def test_checks_come_in_the_order_of_their_definition(write_suite):
    suite = write_suite(
        "".join(checks("pass", cell=cell).replace("checked", cell) for cell in ("zeta", "alpha", "mid"))
    )
    assert [item.name for item in suite.checks] == ["zeta", "alpha", "mid"]


def test_a_check_keeps_what_it_was_marked_with(write_suite):
    [item] = write_suite(checks("pass", cell="pool", points=7, reveal="nothing", seconds=2.5)).checks
    assert (item.cell, item.points, item.reveal, item.seconds) == ("pool", 7, "nothing", 2.5)


def test_students_read_the_first_line_of_the_docstring(write_suite):
    [item] = write_suite(DOUBLE, reference=REFERENCE).checks
    assert item.title == "Twice the number."


def test_a_check_without_a_docstring_is_refused():
    with pytest.raises(CheckerError, match="docstring"):
        check(cell="c", points=1)(lambda student, draw: None)


def test_imported_checks_belong_to_the_module_that_defines_them(write_suite, tmp_path):
    write_suite(checks("pass"), name="other")
    suite = write_suite("from solutions.other.checks import checked\n" + checks("pass").replace("checked", "mine"))
    assert [item.name for item in suite.checks] == ["mine"]


def test_the_points_of_a_cell_are_the_sum_of_its_checks(write_suite):
    parts = [("a", "one", 3), ("b", "two", 5), ("c", "one", 4.5)]
    suite = write_suite("".join(checks("pass", cell=c, points=p).replace("checked", n) for n, c, p in parts))
    assert suite.cells() == {"one": 3 + 4.5, "two": 5}


def test_an_unknown_assignment_is_the_operators_error(write_suite):
    suite = write_suite(DOUBLE)
    with pytest.raises(UsageError, match="nothing_here"):
        type(suite).load("nothing_here", suite.folder.parents[1])


@pytest.mark.parametrize("part", ["checks", "mistakes", "reference"])
def test_material_that_cannot_be_imported_is_the_checkers_error(write_suite, part):
    with pytest.raises(CheckerError, match=rf"{part}\.py"):
        write_suite(**{"checks": checks("pass"), part: "1 / 0"})


def test_an_assignment_without_checks_is_the_checkers_error(write_suite):
    with pytest.raises(CheckerError, match="no @check"):
        write_suite("x = 1")


def test_the_digest_changes_with_any_file_that_a_verdict_rests_on(write_suite):
    digests = {
        write_suite(DOUBLE).sha256,
        write_suite(DOUBLE + "\n").sha256,
        write_suite(DOUBLE, reference=REFERENCE).sha256,
        write_suite(DOUBLE, mistakes="x = 1").sha256,
    }
    assert len(digests) == 4
    assert write_suite(DOUBLE).sha256 in digests


# running them


def test_a_right_answer_passes_with_all_points(write_suite):
    result = run(write_suite(DOUBLE, reference=REFERENCE), double=lambda x: x + x)
    assert (result.verdict, result.points, result.cause) == ("pass", 4, None)


def test_a_wrong_answer_fails_without_points_and_says_why(write_suite):
    result = run(write_suite(DOUBLE, reference=REFERENCE), double=lambda x: x)
    assert (result.verdict, result.points, result.cause) == ("fail", 0, "value")
    assert "double" in result.message


def test_the_message_counts_the_cases_that_agree(write_suite):
    calls = iter(range(5))
    result = run(write_suite(DOUBLE, reference=REFERENCE), double=lambda x: 2 * x + (next(calls) in {1, 3}))
    assert "3 of 5 cases agree" in result.message


def test_comparisons_outside_the_cases_are_not_counted_as_cases(write_suite):
    body = "for case in draw.cases([Case(1), Case(2)]):\n    close(student.f(*case.args), 0)\nclose(student.f(3), 0)"
    assert "1 of 2 cases agree" in run(write_suite(checks(body)), f=lambda x: max(x - 1, 0)).message


def test_cases_of_two_rounds_are_counted_together(write_suite):
    one_round = "for case in draw.cases([Case(1), Case(2), Case(3)]):\n    close(student.f(*case.args), 0)\n"
    assert "2 of 6 cases agree" in run(write_suite(checks(one_round * 2)), f=lambda x: x - 1).message


def test_an_exception_of_the_student_ends_the_check_and_costs_it(write_suite):
    result = run(write_suite(DOUBLE, reference=REFERENCE), double=lambda x: x / 0)
    assert (result.verdict, result.cause) == ("fail", "exception")
    assert "ZeroDivisionError" in result.message


def test_what_was_wrong_before_an_exception_is_told_first(write_suite):
    answers = iter([0])
    result = run(write_suite(DOUBLE, reference=REFERENCE), double=lambda x: next(answers))
    assert result.cause == "value"


def test_a_check_that_raises_is_the_checkers_error(write_suite):
    with pytest.raises(CheckerError, match="ZeroDivisionError"):
        run(write_suite(checks("close(student.f(), 1)\n1 / 0")), f=lambda: 1)


def test_a_check_that_compares_nothing_is_the_checkers_error(write_suite):
    with pytest.raises(CheckerError, match="nothing"):
        run(write_suite(checks("student.f()")), f=lambda: 1)


def test_a_check_may_stumble_over_a_value_that_it_found_wrong(write_suite):
    result = run(write_suite(checks("out = student.f()\nclose(out, np.ones(2))\nout.shape[0]")
                             .replace("np.ones", "__import__('numpy').ones")), f=lambda: None)  # fmt: skip
    assert (result.verdict, result.cause) == ("fail", "type")


def test_a_lost_kernel_costs_the_check(write_suite):
    suite = write_suite(checks("close(student.f(), 1)"))
    [item] = suite.checks
    outcome = suite.run(item, Broken(KernelLost("timeout", "`f` gave no answer")), Attempt("ada", "s"))
    assert suite.result(item, outcome).cause == "timeout"


@pytest.mark.parametrize("error", [SandboxError("gone"), CheckerError("wrong")])
def test_other_failures_cost_nothing_and_are_passed_on(write_suite, error):
    suite = write_suite(checks("close(student.f(), 1)"))
    with pytest.raises(type(error)) as caught:
        suite.run(suite.checks[0], Broken(error), Attempt("ada", "s"))
    assert caught.value is error
    assert not isinstance(caught.value, StudentFailure)


def test_an_attempt_always_gets_the_same_inputs_and_any_other_different_ones(write_suite):
    suite = write_suite(DOUBLE, reference=REFERENCE)

    def inputs(*attempt):
        seen = []
        suite.run(suite.checks[0], LocalTransport({"double": lambda x: seen.append(x) or 2 * x}), Attempt(*attempt))
        return seen

    told = inputs("ada", "secret", "1")
    assert inputs("ada", "secret", "1") == told
    assert all(inputs(*other) != told for other in [("alan", "secret", "1"), ("ada", "t", "1"), ("ada", "secret", "2")])


def test_a_check_that_reveals_inputs_shows_them(write_suite):
    body = "equal(student.f(271), 1)"
    assert "271" in run(write_suite(checks(body, reveal="inputs")), f=lambda x: 0).message


def test_a_check_hides_inputs_by_default(write_suite):
    assert "271" not in run(write_suite(checks("equal(student.f(271), 1)")), f=lambda x: 0).message


def test_the_student_never_sees_what_staff_see(write_suite):
    result = run(write_suite(checks("equal(student.f(), [1, 271])")), f=lambda: [0, 271])
    assert "271" in result.detail
    assert "271" not in result.message


# hints

MISTAKES = """
@mistake(of="double", hint="You forgot the two.")
def once(x):
    return x

@mistake(of="double", hint="You squared it.")
def squared(x):
    return x * x

@mistake(of="triple", hint="Another function's.")
def thrice(x):
    return x
"""


def hints(suite, secret="s", **namespace):
    outcomes = {item: suite.run(item, LocalTransport(namespace), Attempt("ada", secret)) for item in suite.checks}
    failed = {item: outcome for item, outcome in outcomes.items() if outcome.failed}
    return {name: known.hint for name, known in suite.diagnose(failed, Attempt("ada", secret)).items()}


def test_a_known_mistake_gets_its_hint(write_suite):
    suite = write_suite(DOUBLE, MISTAKES, REFERENCE + "def triple(x):\n    return 3 * x\n")
    assert hints(suite, double=lambda x: x) == {"doubles": "You forgot the two."}
    assert hints(suite, double=lambda x: x**2) == {"doubles": "You squared it."}


def test_an_unknown_mistake_gets_no_hint(write_suite):
    assert hints(write_suite(DOUBLE, MISTAKES, REFERENCE), double=lambda x: x + 1) == {}


def test_a_mistake_that_raises_is_recognised_by_its_exception(write_suite):
    suite = write_suite(
        DOUBLE, '@mistake(of="double", hint="Index.")\ndef indexed(x):\n    raise IndexError("axis")', REFERENCE
    )

    def wrong(x):
        raise IndexError("axis")

    assert hints(suite, double=wrong) == {"doubles": "Index."}


def test_a_wrong_variable_is_recognised_by_what_the_mistake_returns_for_the_student(write_suite):
    suite = write_suite(
        checks('equal(student.value("answer"), len(student.name) * 2)'),
        '@mistake(of="answer", hint="Twice.")\ndef once(name):\n    return len(name)',
    )
    assert hints(suite, answer=len("ada")) == {"checked": "Twice."}


def test_a_hint_is_in_the_result_of_the_check(write_suite):
    suite = write_suite(DOUBLE, MISTAKES, REFERENCE)
    [item] = suite.checks
    outcome = suite.run(item, LocalTransport({"double": lambda x: x}), Attempt("ada", "s"))
    [known] = [m for m in suite.mistakes if m.name == "once"]
    assert suite.result(item, outcome, known).hint == known.hint
    assert suite.result(item, outcome).hint == ""


def counted(suite, **namespace):
    results = [suite.result(item, run_one(suite, item, namespace)) for item in suite.checks]
    return {each.name: (each.verdict, each.message) for each in suite.counted(results)}


def run_one(suite, item, namespace):
    return suite.run(item, LocalTransport(namespace), Attempt("ada", "s"))


PROPERTY = """
@check(cell="c", points=1)
def value(student, draw):
    \"\"\"The value.\"\"\"
    equal(student.f(3), 6)


@check(cell="c", points=1, is_property=True)
def even(student, draw):
    \"\"\"It is even.\"\"\"
    expect(student.f(3) % 2 == 0, "it should be even")
"""


def test_a_property_counts_where_a_value_check_of_the_exercise_passes(write_suite):
    suite = write_suite("from autograder.checks import check, equal, expect\n" + PROPERTY)
    assert counted(suite, f=lambda x: 2 * x) == {"value": ("pass", ""), "even": ("pass", "")}
    assert counted(suite, f=lambda x: 0)["even"] == ("fail", NOT_COUNTED)
    assert counted(suite, f=lambda x: 1)["even"] == ("fail", "f(a hidden int): it should be even")


def test_a_property_needs_the_value_of_its_own_exercise(write_suite):
    other = PROPERTY.replace('"c"', '"d"').replace("def ", "def other_").replace("student.f", "student.g")
    suite = write_suite("from autograder.checks import check, equal, expect\n" + PROPERTY + other)
    found = counted(suite, f=lambda x: 0, g=lambda x: 2 * x)
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "value": "fail", "even": "fail", "other_value": "pass", "other_even": "pass",
    }  # fmt: skip


def test_an_exercise_of_properties_alone_is_the_checkers_error(write_suite):
    with pytest.raises(CheckerError, match="all checks of c are of properties"):
        write_suite(checks("pass", is_property=True, cell="c"))
