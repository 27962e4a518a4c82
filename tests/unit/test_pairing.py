"""Which layer plays the part of which, where names and order say nothing and signals are not quite the same."""

from dataclasses import replace

import pytest

from autograder.checks.pairing import ALIKE, Layer, Signal, pair

SEEN = Signal((2, 8, 6, 6), 10.0, 3.0)
"""What a module's branches all see."""


def branch(name, norm, projection):
    """A convolution beside others of the same tables and the same input, known by the gradient that arrives at it."""
    tensors = (("weight", (4, 8, 1, 1)), ("bias", (4,)))
    return Layer(name, "Conv2d", tensors, SEEN, None, Signal((2, 4, 6, 6), norm, projection))


def rounded(layer, share):
    """The layer where a maximum further on moved by a pixel: its gradient differs by a share of its size."""
    gradient = layer.gradient
    return replace(layer, gradient=replace(gradient, norm=gradient.norm * (1 + share)))


EXPECTED = [branch("narrow", 1.0, 0.4), branch("wide", 1.3, -0.2), branch("pooled", 0.7, 0.1)]


@pytest.mark.parametrize("share", [0.0, ALIKE / 2, 30 * ALIKE])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0)])
def test_branches_are_paired_by_the_nearest_gradient_in_any_order(share, order):
    found = [rounded(EXPECTED[number], share) for number in order]
    assert [layer.name for layer in pair(EXPECTED, found)] == ["narrow", "wide", "pooled"]


def test_the_same_gradient_goes_before_a_near_one():
    near, same = branch("near", 1.0 + 5 * ALIKE, 0.4), branch("same", 1.0, 0.4)
    far = branch("far", 1.0 + 9 * ALIKE, 0.4)
    assert [layer.name for layer in pair([far, same], [same, near])] == ["near", "same"]


def test_a_near_gradient_does_not_outweigh_another_input():
    beside = rounded(EXPECTED[0], 0.5)
    elsewhere = replace(rounded(EXPECTED[0], 30 * ALIKE), name="elsewhere", input=Signal(SEEN.shape, 20.0, 3.0))
    expected = [EXPECTED[0], replace(elsewhere, gradient=EXPECTED[1].gradient)]
    assert pair(expected, [elsewhere, beside]) == [beside, elsewhere]


def test_without_any_signal_they_are_paired_in_the_order_of_execution():
    expected = [replace(layer, input=None, gradient=None) for layer in EXPECTED]
    found = [replace(layer, name=layer.name.upper()) for layer in expected]
    assert [layer.name for layer in pair(expected, found)] == ["NARROW", "WIDE", "POOLED"]
