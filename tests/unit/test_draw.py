"""Inputs are hidden, the same for the same attempt, and different for every student."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from autograder.checks.draw import Attempt, Case, Draw


def seed_of(secret, student, sha256, assignment, check):
    return Attempt(student, secret, sha256).seed(assignment, check)


DRAWS = {
    "integer": lambda draw: draw.integer(0, 10**9),
    "choice": lambda draw: draw.choice(range(10**6)),
    "shuffled": lambda draw: draw.shuffled(range(50)),
    "normal": lambda draw: draw.normal(2, 3),
    "uniform": lambda draw: draw.uniform(4, low=-1.0, high=3.0),
    "images": lambda draw: draw.images(1, 2, 3, 4),
    "boolean": lambda draw: [draw.boolean() for _ in range(64)],
    "tensor.normal": lambda draw: draw.tensor.normal(2, 3),
    "tensor.images": lambda draw: draw.tensor.images(1, 2, 3, 4),
}


@pytest.mark.parametrize("kind", DRAWS)
def test_one_seed_always_draws_the_same(kind):
    np.testing.assert_array_equal(DRAWS[kind](Draw(7)), DRAWS[kind](Draw(7)))


@pytest.mark.parametrize("kind", DRAWS)
def test_another_seed_draws_something_else(kind):
    assert not np.array_equal(DRAWS[kind](Draw(7)), DRAWS[kind](Draw(8)))


def test_everything_that_names_an_attempt_changes_its_seed():
    told = ("secret", "ada", "0af1", "convolution", "padding")
    others = [tuple(part + "x" if i == place else part for i, part in enumerate(told)) for place in range(5)]
    assert len({seed_of(*names) for names in (told, *others)}) == 6


def test_names_cannot_be_shifted_into_one_another():
    assert seed_of("secret", "ab", "1", "c", "d") != seed_of("secret", "a", "1", "bc", "d")


def test_both_ends_of_a_range_are_drawn_and_nothing_else():
    draw = Draw(1)
    assert {draw.integer(2, 4) for _ in range(200)} == {2, 3, 4}


def test_a_shuffle_keeps_every_item():
    items = list("abcdefgh")
    assert sorted(Draw(3).shuffled(items)) == items


def test_uniform_numbers_and_images_stay_in_their_range():
    draw = Draw(4)
    numbers, images = draw.uniform(1000, low=-2.0, high=5.0), draw.images(2, 3, 8, 9)
    assert numbers.min() >= -2
    assert numbers.max() < 5
    assert images.shape == (2, 3, 8, 9)
    assert images.min() >= 0
    assert images.max() <= 1


@pytest.mark.parametrize("kind", ["normal", "images", "uniform"])
def test_a_tensor_is_the_array_in_float32(kind):
    shape = (1, 2, 3, 4)
    tensor, array = getattr(Draw(5).tensor, kind)(*shape), getattr(Draw(5), kind)(*shape)
    assert tensor.dtype is torch.float32
    np.testing.assert_array_equal(tensor.numpy(), array.astype(np.float32))


def test_cases_are_drawn_one_after_the_other_and_counted(record):
    seen = [(record.case, case.args[0]) for case in Draw(6).cases(lambda draw: Case(draw.integer(0, 10**9)), 4)]
    again = Draw(6)
    assert seen == [(number, again.integer(0, 10**9)) for number in range(1, 5)]
    assert record.cases == 4
    assert record.case is None


def test_what_a_check_draws_in_its_loop_changes_no_later_case(record):
    quiet, greedy = Draw(6), Draw(6)
    one = [case.args for case in quiet.cases(lambda draw: Case(draw.integer(0, 10**9)), 3)]
    other = [(case.args, greedy.normal(2))[0] for case in greedy.cases(lambda draw: Case(draw.integer(0, 10**9)), 3)]
    assert one == other


def test_given_cases_come_as_they_are(record):
    given = [Case(1, stride=2), Case(3)]
    assert list(Draw(0).cases(given)) == given


def test_a_second_round_of_cases_is_counted_on(record):
    numbers = [record.case for _ in itertools.chain(Draw(0).cases([Case(), Case()]), Draw(0).cases([Case()]))]
    assert numbers == [1, 2, 3]
    assert record.cases == 3
