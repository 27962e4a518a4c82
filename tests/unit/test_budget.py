"""What is kept of a submission's answers, and what is worked on of a long one, is bounded."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
import torch

from autograder.checks import equal
from autograder.checks.diagnosis import Outcome, alike
from autograder.checks.record import Budget, Comparison, NotKept, Record, recording, size_of
from autograder.inside.values import ANSWER, Bounds, Decoder, Encoder, ValueRefused
from autograder.kernel import messages


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (1, 0, 200),
        (np.zeros(1000), 8000, 8200),
        (torch.zeros(1000), 4000, 4200),
        ("x" * 1000, 1000, 4200),
        (b"x" * 1000, 1000, 1200),
        ([np.zeros(10)] * 10, 800, 2000),
        ({"a": (np.zeros(100), "b")}, 800, 2000),
    ],
)
def test_the_size_of_an_answer_is_that_of_all_its_parts(value, least, most):
    assert least <= size_of(value, 10**9) <= most


def test_an_answer_that_is_too_large_is_not_looked_at_to_its_end():
    assert 10**6 < size_of(["x" * 10**6] * 10**5, 10**6) < 10**7


def test_answers_are_kept_until_the_budget_is_spent():
    budget = Budget(10_000)
    first, second, third = budget.keep(np.zeros(1000)), budget.keep(np.zeros(1000)), budget.keep(1.0)
    assert isinstance(first, np.ndarray)
    assert isinstance(second, NotKept)
    assert third == 1.0


def test_an_answer_that_was_not_kept_is_like_no_other():
    runs = [Record(budget=Budget(10)), Record(budget=Budget(10))]
    for run in runs:
        run.add(Comparison(False, np.zeros(1000)))
    assert not alike(*map(Outcome, runs))
    for run in (kept := [Record(), Record()]):
        run.add(Comparison(False, np.zeros(1000)))
    assert alike(*map(Outcome, kept))


@pytest.mark.parametrize("value", ["\N{GRINNING FACE}" * 10**6, b"\0" * 10**6, ["x" * 10**6] * 20])
def test_a_long_text_is_compared_without_a_copy_of_it(value):
    record = Record()
    tracemalloc.start()
    try:
        with recording(record):
            assert not equal(value, "a" if isinstance(value, str) else b"a" if isinstance(value, bytes) else [1] * 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000
    assert len(record.failures[0].message) <= 300


def test_texts_count_together():
    most = ANSWER.text
    assert Encoder(bounds=ANSWER).encode(["x" * (most // 2)] * 2)
    with pytest.raises(ValueRefused, match="1,048,576 characters"):
        Encoder(bounds=ANSWER).encode(["x" * (most // 2 + 1)] * 2)
    with pytest.raises(ValueRefused, match="10 characters"):
        Decoder([], bounds=Bounds(text=10)).decode({"t": "dict", "v": [["abcdef", "ghijk"]]})


def test_json_that_is_longer_than_any_answer_is_no_message():
    longest = json.dumps({"data": "\N{GRINNING FACE}" * ANSWER.text}).encode()
    assert not messages._is_bloated([longest])
    assert messages._is_bloated([b" " * (messages.MAX_JSON + 1)])
