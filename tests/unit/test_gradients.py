"""The numerical gradient agrees with calculus."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.checks import numerical_gradient

RNG = np.random.default_rng(0)


def test_a_linear_function_has_its_coefficients_as_gradient():
    coefficients = RNG.normal(size=(2, 3))
    gradient = numerical_gradient(lambda x: float((coefficients * x).sum()), RNG.normal(size=(2, 3)))
    np.testing.assert_allclose(gradient, coefficients, atol=1e-8)


def test_a_smooth_function_agrees_with_its_derivative():
    x = RNG.normal(size=5)
    np.testing.assert_allclose(numerical_gradient(lambda v: float(np.sin(v).sum()), x), np.cos(x), atol=1e-8)


def test_elements_that_interact_have_their_own_derivatives():
    x = RNG.normal(size=(2, 2))
    adjugate = np.array([[x[1, 1], -x[1, 0]], [-x[0, 1], x[0, 0]]])
    np.testing.assert_allclose(numerical_gradient(lambda m: float(np.linalg.det(m)), x), adjugate, atol=1e-8)


def test_the_point_is_left_as_it_was_even_where_the_function_fails():
    x = RNG.normal(size=4)
    kept = x.copy()
    with pytest.raises(ZeroDivisionError):
        numerical_gradient(lambda _: 1 / 0, x)
    np.testing.assert_array_equal(x, kept)


def test_integers_are_taken_as_floats():
    np.testing.assert_allclose(numerical_gradient(lambda v: float((v**2).sum()), np.array([1, 2])), [2, 4], atol=1e-8)


def test_a_scalar_has_a_scalar_gradient():
    assert numerical_gradient(lambda v: float(v) ** 2, np.array(3.0)).shape == ()
