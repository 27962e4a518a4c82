"""A call to the student crosses as plain values, and whatever goes wrong in it is told in words for the student."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from autograder.checks.local import LocalTransport
from autograder.checks.record import Record, recording
from autograder.checks.student import Handle, Student, signature
from autograder.errors import CheckerError, StudentFailure
from autograder.inside.probe import Probe
from autograder.inside.values import Bounds

IMAGE = np.arange(12.0).reshape(3, 4)


class Reply:
    """A transport that gives one reply, whatever it is asked."""

    bounds = Bounds(2**20)
    runner = "cpu"

    def __init__(self, reply, buffers=()):
        self.reply, self.buffers = reply, buffers

    def request(self, message, buffers, seconds):
        self.asked = message, buffers, seconds
        return self.reply, list(self.buffers)


class Net:
    def __init__(self, weight=2):
        self.weight = weight

    def __call__(self, x):
        return self.weight * x

    def parameters(self, *, scale=1):
        return [self.weight * scale]


def failure_of(call):
    with pytest.raises(StudentFailure) as caught:
        call()
    return caught.value


def writable(text):
    """Whether a text has no half of a surrogate pair, which no file takes."""
    return text.encode(errors="replace").decode() == text


# values that cross


def test_arguments_and_answers_cross_unchanged(student_with):
    student = student_with(echo=lambda *args, **kwargs: (args, kwargs))
    args, kwargs = student.echo(IMAGE, 3, "x", stride=(1, 2), mask=None)
    np.testing.assert_array_equal(args[0], IMAGE)
    assert args[1:] == (3, "x")
    assert kwargs == {"stride": (1, 2), "mask": None}


def test_the_student_cannot_change_the_arrays_of_the_check(student_with):
    def spoil(x):
        x[:] = 0

    mine = IMAGE.copy()
    student_with(spoil=spoil).spoil(mine)
    np.testing.assert_array_equal(mine, IMAGE)


def test_a_tensor_comes_back_as_a_tensor(student_with):
    answer = student_with(double=lambda t: 2 * t).double(torch.ones(3, dtype=torch.float32))
    assert isinstance(answer, torch.Tensor)
    assert answer.tolist() == [2.0, 2.0, 2.0]


def test_a_variable_is_read(student_with):
    assert student_with(answer=42).value("answer") == 42


def test_an_object_stays_inside_and_can_be_used_from_outside(student_with):
    net = student_with(Net=Net).Net(weight=3)
    assert isinstance(net, Handle)
    assert net.type_name == "Net"
    assert net(5) == 15
    assert net.method("parameters", scale=10) == [30]


def test_a_handle_may_be_an_argument(student_with):
    student = student_with(Net=Net, weigh=lambda nets: sum(net.weight for net in nets))
    assert student.weigh([student.Net(1), student.Net(20)]) == 21


def test_what_cannot_cross_into_a_sandbox_is_the_checkers_error(student_with):
    with pytest.raises(CheckerError):
        student_with(f=lambda x: x).f(object())


def test_private_names_are_no_functions_of_the_student(student_with):
    with pytest.raises(AttributeError):
        student_with()._anything  # noqa: B018 - the access is what is tested


def test_the_record_knows_what_was_called(student_with, record):
    student = student_with(f=lambda x: x, answer=1)
    student.f(IMAGE)
    assert record.call == signature("f", [IMAGE], {}, inputs=False)
    student.value("answer")
    assert record.functions == {"f", "answer"}


def test_the_time_limit_of_the_check_reaches_the_transport(record):
    transport = Reply({"status": "ok", "value": 1})
    Student("ada", transport, seconds=2.5).f()
    assert transport.asked[2] == 2.5


# randomness


def test_the_same_attempt_sees_the_same_random_numbers(student_with):
    names = {"draw": lambda: (random.random(), float(np.random.rand()), float(torch.rand(1)))}  # noqa: NPY002 - a student's
    first, again, other = (student_with(seed=seed, **names) for seed in (1, 1, 2))
    numbers = first.draw()
    assert again.draw() == numbers
    assert other.draw() != numbers
    assert first.draw() != numbers


# failures


def raising(error):
    def function(*_args):
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("bad shape"), "exception"),
        (NotImplementedError(), "missing"),
        (MemoryError(), "memory"),
        (SystemExit(1), "exception"),
        (RecursionError("too deep"), "exception"),
    ],
)
def test_what_a_function_raises_is_the_students_failure(student_with, error, cause):
    failure = failure_of(student_with(f=raising(error)).f)
    assert failure.cause == cause
    assert "`f`" in failure.message


def test_an_exception_is_told_by_type_and_text(student_with):
    failure = failure_of(student_with(f=raising(IndexError("axis 3 is out of bounds"))).f)
    assert "IndexError" in failure.message
    assert "axis 3 is out of bounds" in failure.message


def test_an_unwritten_function_is_said_to_be_unwritten(student_with):
    assert "not written" in failure_of(student_with(f=raising(NotImplementedError())).f).message


def test_a_function_that_is_not_there_is_missing(student_with):
    failure = failure_of(student_with().conv2d)
    assert failure.cause == "missing"
    assert "conv2d" in failure.message


def test_a_variable_is_no_function(student_with):
    failure = failure_of(student_with(conv2d=3).conv2d)
    assert failure.cause == "missing"
    assert "int" in failure.message


def test_an_exception_without_readable_text_is_a_failure_all_the_same(student_with):
    class Hostile(Exception):  # noqa: N818 - a student's
        def __str__(self):
            raise ValueError

    assert failure_of(student_with(f=raising(Hostile())).f).cause == "exception"


def test_a_message_that_is_no_unicode_text_can_be_written_down(student_with):
    message = failure_of(student_with(f=raising(ValueError("\ud800"))).f).message
    assert "ValueError" in message
    assert writable(message)


def test_an_answer_that_is_too_large_is_refused(record):
    transport = Reply({"status": "ok", "value": 1})
    Student("ada", transport).f()
    assert transport.asked[0]["bounds"] == list(transport.bounds)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        ({}, "exception"),
        ({"status": "ok", "value": {"t": "ndarray", "d": "<f8", "s": [3], "b": 0}}, "type"),
        ({"status": "ok", "value": {"t": "int", "v": "zz"}}, "type"),
        ({"status": "ok", "value": {"t": "handle", "n": 0}}, "type"),
        ({"status": "ok", "value": [1, 2]}, "type"),
        ({"status": "ok", "value": "\ud800"}, "type"),
        ({"status": "error"}, "exception"),
        ({"status": "error", "cause": "died", "type": 3, "message": ["x"], "traceback": {}}, "exception"),
        ({"status": "error", "cause": {}, "type": None, "message": "\ud800", "traceback": "\ud800"}, "exception"),
        ({"status": ["error"], "cause": "type"}, "type"),
    ],
)
def test_whatever_a_kernel_replies_that_is_no_value_is_the_students_failure(record, reply, cause):
    failure = failure_of(Student("ada", Reply(reply)).f)
    assert failure.cause == cause
    assert "`f`" in failure.message
    assert writable(failure.message + failure.detail)


def test_an_answer_without_a_value_is_none(record):
    assert Student("ada", Reply({"status": "ok"})).f() is None


def test_a_kernel_cannot_claim_a_failure_that_costs_nothing(record):
    assert failure_of(Student("ada", Reply({"status": "error", "cause": "sandbox"})).f).cause == "exception"


# what a message may show of a call


def test_arrays_are_shown_by_their_shape_alone():
    text = signature("f", [IMAGE, torch.ones(2, 3)], {"bias": np.array([0.5]), "scale": np.float64(7.5)}, inputs=True)
    assert text == "f(3x4, 2x3, bias=1 number, scale=number)"


def test_numbers_are_hidden_unless_the_check_reveals_inputs():
    hidden = [271, 27.1, "secret", (2, 7, 1), [271], True, None, IMAGE]
    assert signature("f", hidden, {}, inputs=False) == (
        "f(a hidden int, a hidden float, a hidden str, a hidden tuple, a hidden list, a hidden bool, None, 3x4)"
    )
    assert signature("f", [271], {}, inputs=True) == "f(271)"


def test_options_are_always_shown():
    assert signature("f", [], {"stride": 2, "mode": "same"}, inputs=False) == "f(stride=2, mode='same')"


def test_arrays_in_lists_are_shown_by_their_shape_too():
    text = signature("f", [], {"layers": [np.array([271.0]), (3, IMAGE)]}, inputs=False)
    assert text == "f(layers=[1 number, (3, 3x4)])"
    assert signature("f", [np.ones(7), list(range(271))], {}, inputs=True) == "f(7 numbers, a long list)"


def test_an_object_is_shown_by_its_type():
    with recording(Record()):
        net = Handle(0, "LeNet", Student("ada", Reply({})))
    assert signature("f", [net], {}, inputs=False) == "f(LeNet)"


def test_ctrl_c_while_our_own_code_runs_is_no_answer():
    def interrupted():
        raise KeyboardInterrupt

    with recording(Record()), pytest.raises(KeyboardInterrupt):
        Student("ada", LocalTransport({"interrupted": interrupted})).interrupted()
    reply, _ = Probe({"f": interrupted}).answer({"operation": "call", "name": "f"}, [])  # a student's is one
    assert (reply["cause"], reply["type"]) == ("exception", "KeyboardInterrupt")
