"""What comes back from a student's network may be anything: it is read with care, and a lie never breaks a check."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autograder.checks.networks import (
    agree,
    is_identity_with_zero_weights,
    same_dropout,
    same_gradients,
    same_parameters,
    same_shapes,
    same_statistics,
)
from autograder.checks.pairing import Layer, Signal, ordinal, read_layers
from autograder.checks.student import Student
from autograder.errors import StudentFailure
from autograder.inside.networks import OPERATIONS, pattern, table
from autograder.inside.values import Bounds, Encoder

X = torch.linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8).sin()


def squared(out):
    return (out**2).sum()


@pytest.fixture
def there(student_with):
    """Build a network in the student's process."""

    def build(family, *args):
        return student_with(build=lambda: family(*args)).build()

    return build


@pytest.mark.parametrize("answer", [None, 3, "net", [1], {"layers": []}])
def test_an_answer_that_is_no_network_is_the_students_failure(record, student_with, answer):
    with pytest.raises(StudentFailure, match=r"expected a network \(a torch.nn.Module\)") as raised:
        agree(student_with(build=lambda: answer).build(), nn.Conv2d(3, 4, 3), X)
    assert raised.value.cause == "type"


@pytest.mark.parametrize("answer", [lambda x: x, nn.Linear, object()])
def test_an_object_that_is_no_network_is_the_students_failure(record, there, answer):
    with pytest.raises(StudentFailure, match=r"expected a torch.nn.Module, found a"):
        agree(there(lambda: answer), nn.Conv2d(3, 4, 3), X)


@pytest.mark.parametrize("returned", [None, 3.0, "logits", [1, 2], {"a": None}])
def test_a_forward_that_returns_no_tensor_is_told(record, there, returned):
    class Odd(nn.Conv2d):
        def forward(self, _x):
            return returned

    with pytest.raises(StudentFailure, match="forward should return a tensor"):
        agree(there(Odd, 3, 4, 3), nn.Conv2d(3, 4, 3), X)


def test_a_forward_that_raises_is_told_with_its_error(record, there):
    with pytest.raises(
        StudentFailure, match=r"`forward` raised RuntimeError: .*expected input\[2, 3, 8, 8\] to have 5"
    ):
        agree(there(nn.Conv2d, 5, 4, 3), nn.Conv2d(3, 4, 3), X)


class Liar:
    """A transport whose every network operation is answered by the same value."""

    bounds = Bounds(2**20)
    runner = "cpu"

    def __init__(self, answer):
        self.answer = answer

    def request(self, message, _buffers, _seconds):
        if message["operation"] == "call":
            return {"status": "ok", "value": {"t": "handle", "n": 0, "k": "Net"}}, []
        encoder = Encoder()
        return {"status": "ok", "value": encoder.encode(self.answer)}, encoder.buffers


def lie(**changes):
    """The answer of a convolution, but for what is changed."""
    network = nn.Conv2d(3, 4, 3)
    answer = OPERATIONS["forward"](network, X, patterned=True) | OPERATIONS["layers"](network)
    answer |= OPERATIONS["backward"](network, X, [torch.zeros(2, 4, 6, 6)]) | {"layers": answer["layers"]}
    return answer | changes


LIES = [
    None,
    3,
    "layers",
    [],
    {},
    lie(layers=None),
    lie(layers=[1]),
    lie(layers=[{"name": 1, "kind": 2, "tensors": 3}]),
    lie(layers=[{"name": "", "kind": "", "tensors": [["w", [-1]]]}]),
    lie(layers=[{"name": "", "kind": "", "tensors": [["w", [2**60]]]}]),
    lie(layers=[{"name": "", "kind": "", "tensors": [], "input": [1, 2, 3]}]),
    lie(layers=[{"name": "", "kind": "", "tensors": [], "input": [[1], "a", "b"]}]),
    lie(outputs=None),
    lie(outputs=[]),
    lie(outputs=[3]),
    lie(outputs=torch.zeros(2, 4, 6, 6)),
    lie(outputs=[torch.full((2, 4, 6, 6), torch.nan)]),
    lie(outputs=[torch.zeros(1)] * 3),
    lie(dropouts=None),
    lie(dropouts=[3]),
    lie(dropouts=[["a", "b"]]),
    lie(dropouts=[[0.5, float("inf")]]),
    lie(parameters=None),
    lie(parameters={"weight": 3}),
    lie(parameters=float("nan")),
    lie(input="none"),
]


@pytest.mark.parametrize("answer", LIES, ids=lambda answer: str(answer)[:40])
@pytest.mark.parametrize(
    "compare",
    [
        lambda net, right: agree(net, right, X),
        lambda net, right: same_gradients(net, right, X, squared),
        lambda net, right: same_statistics(net, right, X),
        same_parameters,
        lambda net, right: same_shapes(net, right, X),
        lambda net, right: same_dropout(net, right, X),
        lambda net, _right: is_identity_with_zero_weights(net, X),
    ],
    ids=["agree", "gradients", "statistics", "parameters", "shapes", "dropout", "identity"],
)
def test_a_lie_from_inside_is_the_students_failure_or_wrong_and_never_breaks_a_check(record, answer, compare):
    student = Student("ada", Liar(answer))
    caught = None
    try:
        compare(student.build(), nn.Conv2d(3, 4, 3))
    except StudentFailure as failure:
        caught = failure
    assert caught is None or (caught.cause == "type" and caught.message)
    assert caught is not None or record.comparisons


# ---- parts


def test_layers_are_counted_by_their_kind():
    layers = [Layer(str(n), kind, ()) for n, kind in enumerate(["Conv2d", "BatchNorm2d", "Conv2d", "Mine", "Conv1d"])]
    told = ["1st convolution", "1st batch normalisation", "2nd convolution", "1st Mine", "3rd convolution"]
    assert [ordinal(layers, number) for number in range(5)] == told
    many = [Layer(str(n), "Linear", ()) for n in range(112)]
    assert [ordinal(many, n).split()[0] for n in (10, 11, 12, 20, 21, 110)] == [
        "11th",
        "12th",
        "13th",
        "21st",
        "22nd",
        "111th",
    ]


def test_signals_are_alike_whatever_the_shape_if_the_numbers_are():
    assert Signal((2, 3, 4), 5.0, -1.0).alike(Signal((2, 12), 5.0, -1.0))
    assert not Signal((2, 12), 5.0, -1.0).alike(Signal((2, 12), 5.0, 1.0))
    assert not Signal((2, 12), 5.0, -1.0).alike(Signal((3, 12), 5.0, -1.0))
    assert not Signal((2, 12), float("nan"), -1.0).alike(Signal((2, 12), 5.0, -1.0))


def test_patterns_depend_on_shape_and_seed_alone():
    assert torch.equal(pattern((4, 9), 0, norm=False), pattern((4, 9), 0, norm=False))
    assert not torch.equal(pattern((4, 9), 0, norm=False), pattern((4, 9), 0, norm=False, seed=1))
    assert not torch.equal(pattern((4,), 0, norm=True), pattern((4,), 2, norm=True))
    assert pattern((1000, 50), 0, norm=False).std() == pytest.approx((2 / 50) ** 0.5, rel=0.02)
    variance = pattern((1000,), 3, norm=True)
    assert 0.5 <= variance.min() < variance.max() <= 1.5


def test_a_table_is_outputs_by_weights_of_each():
    assert table((16, 6, 5, 5)) == table((16, 150)) == (16, 150)
    assert table((7,)) == (7,)
    assert table(()) == (1,)


def test_layers_are_read_up_to_a_limit_and_names_are_cut():
    layer = {"name": "a" * 1000, "kind": "b" * 1000, "tensors": []}
    read = read_layers({"layers": [layer] * 6000})
    assert len(read) == 5000
    assert (len(read[0].name), len(read[0].kind)) == (200, 60)
