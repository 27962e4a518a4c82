"""Answers without the work earn nothing: constants, zeros, the input itself, networks without layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from autograder.checks.draw import Attempt
from autograder.checks.local import LocalTransport
from autograder.checks.suite import Suite

CONSTANTS = [None, 0, 1, -1, 0.0, 1.0, True, "", (), [], (0, 0), np.zeros(1), np.ones((3, 3)), {}]


def points(name, functions):
    """The points by check, of those that give any."""
    suite = Suite.load(name)
    transport = LocalTransport(functions)
    outcomes = [(item, suite.run(item, transport, Attempt("ada", "any"))) for item in suite.checks]
    results = suite.counted([suite.result(item, outcome) for item, outcome in outcomes])
    return {result.name: result.points for result in results if result.points}


def functions_of(name):
    reference = Suite.load(name).reference
    return {key: value for key, value in vars(reference).items() if callable(value) and not key.startswith("_")}


@pytest.mark.parametrize("name", ["convolution", "output_sizes", pytest.param("architectures", marks=pytest.mark.slow)])
@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
def test_a_constant_earns_nothing(name, constant):
    assert points(name, dict.fromkeys(functions_of(name), lambda *_, **__: constant)) == {}


@pytest.mark.parametrize("name", ["convolution", "output_sizes"])
def test_the_input_earns_nothing(name):
    assert points(name, dict.fromkeys(functions_of(name), lambda x, *_, **__: x)) == {}


def shaped(value, fill):
    """`fill(shape)` where an answer is an array, within the same lists and tuples."""
    if isinstance(value, list | tuple):
        return type(value)(shaped(each, fill) for each in value)
    if isinstance(value, np.ndarray):
        return fill(value.shape)
    return type(value)(fill(()))


@pytest.mark.parametrize(
    "fill",
    [
        np.zeros,
        np.ones,
        lambda shape: np.full(shape, -0.5),
        lambda shape: np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape),
        lambda shape: np.random.default_rng(0).random(shape),
    ],
    ids=["zeros", "ones", "a constant", "counted", "random"],
)
def test_arrays_of_the_right_shape_earn_nothing(fill):
    right = functions_of("convolution")
    wrong = {key: lambda *a, f=f, **k: shaped(f(*a, **k), fill) for key, f in right.items() if not isinstance(f, type)}
    assert points("convolution", wrong) == {}


def without_layers(right):
    """A network with the shapes and dropouts of the right one; returns its input where it can, and has no layers."""

    class Empty(nn.Module):
        expansion = getattr(right, "expansion", 1)

        def __init__(self, *arguments, **keywords):
            super().__init__()
            self.right = [right(*arguments, **keywords)]  # a list registers nothing

        def forward(self, x):
            with torch.no_grad():
                outputs = self.right[0].train(self.training)(x)
            if isinstance(outputs, torch.Tensor) and outputs.shape == x.shape:
                return x
            return outputs * 0 if isinstance(outputs, torch.Tensor) else tuple(each * 0 for each in outputs)

    return Empty


@pytest.mark.slow
def test_networks_without_layers_earn_nothing():
    right = functions_of("architectures")
    wrong = {key: without_layers(value) for key, value in right.items() if value.__module__.startswith("solutions")}
    assert points("architectures", wrong) == {}


@pytest.mark.slow
def test_properties_would_give_points_for_nothing(monkeypatch):
    monkeypatch.setattr(Suite, "counted", lambda _self, results: list(results))
    right = functions_of("architectures")
    wrong = {key: without_layers(value) for key, value in right.items() if value.__module__.startswith("solutions")}
    assert sum(points("architectures", wrong).values()) == 15
