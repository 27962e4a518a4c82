"""The checks of `output_sizes`: right answers pass, mistakes get their hints, and odd values never break a check."""

from pathlib import Path

import jupytext
import pytest

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import Suite
from solutions.output_sizes import reference
from solutions.output_sizes.spec import RELU, is_layer, residual

FOLDER = Path(reference.__file__).parent
ADA = Attempt("ada", "any")
VARIABLES = (
    "my_smallest_side", "my_largest_side", "my_saved_weights", "my_depth", "my_parameters", "my_macs",
    "alexnet_conv1_side", "alexnet_padding", "vgg16_wrong_row", "vgg16_total", "googlenet_wrong_row",
    "googlenet_right_parameters", "resnet18_projections", "resnet18_total",
)  # fmt: skip


@pytest.fixture(scope="module")
def suite():
    return Suite.load("output_sizes")


def failures(suite, namespace):
    transport = LocalTransport(namespace)
    outcomes = {item: suite.run(item, transport, ADA) for item in suite.checks}
    return {item: outcome for item, outcome in outcomes.items() if outcome.failed}


def test_the_checks_sum_to_the_points_of_the_cells(suite):
    cells = jupytext.read(FOLDER / "notebook.py").cells
    flags = [cell.metadata["nbgrader"] for cell in cells]
    points = {flag["grade_id"]: flag["points"] for flag in flags if flag["grade"] and not flag["solution"]}
    assert suite.cells() == points
    assert sum(points.values()) == 100


def test_right_answers_pass(suite, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    for source in ([cell.source for cell in jupytext.read(FOLDER / "notebook.py").cells if cell.cell_type == "code"],
                   [(FOLDER / "second.py").read_text()]):  # fmt: skip
        namespace = {"__name__": "__main__"}
        for text in source:
            exec(text, namespace)
        assert not failures(suite, namespace)


def test_every_mistake_of_a_function_is_found(suite):
    right = vars(suite.reference)
    called = {}
    for item in suite.checks:
        for name in suite.run(item, LocalTransport(right), ADA).record.functions:
            called.setdefault(name, []).append(item)
    for known in suite.mistakes:
        if known.of in right:
            wrong = LocalTransport({**right, known.of: known.function})
            outcomes = {item: suite.run(item, wrong, ADA) for item in called[known.of]}
            failed = {item: outcome for item, outcome in outcomes.items() if outcome.failed}
            hints = {found.hint for found in suite.diagnose(failed, ADA).values()}
            assert hints == {known.hint}, known.name


@pytest.mark.parametrize(
    "odd",
    [
        None, "x", [], (7, 2), {}, float("nan"), 10**300, object(), [object()], {1: [object()]},
        ("concat", {"branches": [object()]}), ("relu", {}), ("conv", {"stride": 0}),
        ["concat", {"branches": [[["relu", {}]]]}],
    ],
)  # fmt: skip
def test_odd_values_are_the_students_failure_never_the_checkers(suite, odd):
    functions = {known.of for known in suite.mistakes} & vars(suite.reference).keys()
    namespace = {name: (lambda *args, **options: odd) for name in functions}
    namespace |= dict.fromkeys(VARIABLES, odd)
    assert len(failures(suite, namespace)) == len(suite.checks)
    failures(suite, {**namespace, "summarise": reference.summarise})  # does not raise


def test_what_is_a_layer():
    assert is_layer(RELU)
    assert is_layer(reference.inception(1, 2, 3, 4, 5, 6))
    assert is_layer(["residual", {"body": [["conv", {"kernel_size": 3}]], "shortcut": ()}])
    for other in [None, "relu", (), ("relu",), ("relu", None), ("conv", {"stride": object()}), ("conv", {3: 3})]:
        assert not is_layer(other)
    assert not is_layer(("relu", {f"option{n}": n for n in range(2000)}))
    deep = RELU
    for _ in range(5):
        deep = residual([deep])
    assert not is_layer(deep)
