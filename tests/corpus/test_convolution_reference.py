"""The reference of `convolution`: worked examples of the lectures, torch and scipy as outside references."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from course.data import cityscape, landscape
from solutions.convolution import reference

# Dumoulin and Visin (2016), figure 2.1
IMAGE = np.array([[3, 3, 2, 1, 0], [0, 0, 1, 3, 1], [3, 1, 2, 2, 3], [2, 0, 0, 2, 2], [2, 0, 0, 0, 1]])
KERNEL = np.array([[0, 1, 2], [2, 2, 0], [0, 1, 2]])

BINARY = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
DIAGONALS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])

COLOURS = np.array(
    [
        [[0, 0, 0], [0, 156, 155], [0, 153, 154]],
        [[0, 0, 0], [0, 167, 166], [0, 164, 165]],
        [[0, 0, 0], [0, 163, 162], [0, 160, 161]],
    ]
)
WEIGHTS = np.array(
    [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ]
)

quiet = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
few = settings(max_examples=60)
sides = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def layers(draw):
    """Draw the input, weights and bias of a layer, and its options; the dilated kernel fits."""
    options = {
        "stride": draw(st.integers(1, 3)),
        "padding": draw(st.integers(0, 3)),
        "dilation": draw(st.integers(1, 3)),
        "groups": draw(st.integers(1, 3)),
    }
    kernel = draw(sides), draw(sides)
    least = [max(1, options["dilation"] * (k - 1) + 1 - 2 * options["padding"]) for k in kernel]
    size = [side + draw(st.integers(0, 6)) for side in least]
    depth, block, batch = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(seeds))
    x = rng.standard_normal((batch, depth * options["groups"], *size))
    w = rng.standard_normal((block * options["groups"], depth, *kernel))
    b = rng.standard_normal(len(w)) if draw(st.booleans()) else None
    return x, w, b, options


@st.composite
def images_and_kernels(draw):
    """Draw an image and a kernel that fits in it."""
    kernel = draw(sides), draw(sides)
    rng = np.random.default_rng(draw(seeds))
    size = [k + draw(st.integers(0, 6)) for k in kernel]
    return rng.standard_normal(size), rng.standard_normal(kernel)


def torch_conv2d(x, w, b=None, **options):
    """Compute the layer with torch in float64."""
    bias = None if b is None else torch.from_numpy(b)
    return functional.conv2d(torch.from_numpy(x), torch.from_numpy(w), bias, **options).numpy()


@pytest.mark.parametrize(
    ("function", "image", "kernel", "expected"),
    [
        (reference.correlate2d, IMAGE, KERNEL, [[12, 12, 17], [10, 17, 19], [9, 6, 14]]),
        (reference.convolve2d, IMAGE, KERNEL, [[18, 20, 19], [10, 9, 17], [11, 8, 14]]),
        (reference.correlate2d, BINARY, DIAGONALS, [[4, 3, 4], [2, 4, 3], [2, 3, 4]]),
        (reference.convolve2d, BINARY, DIAGONALS, [[4, 3, 4], [2, 4, 3], [2, 3, 4]]),
    ],
)
def test_worked_examples_of_the_lectures(function, image, kernel, expected):
    np.testing.assert_array_equal(function(image, kernel), expected)


def test_one_window_of_a_colour_image():
    apart = reference.depthwise_conv2d(COLOURS[None], WEIGHTS).ravel()
    np.testing.assert_array_equal(apart, [308, -498, 164])
    assert reference.correlate3d(COLOURS, WEIGHTS).item() == 308 - 498 + 164
    assert reference.conv2d(COLOURS[None], WEIGHTS[None], np.array([1.0])).item() == -25


def test_third_row_of_the_laplacian_on_a_3_wide_image():
    laplacian = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    row = reference.convolution_matrix(laplacian, (3, 3))[2]
    np.testing.assert_array_equal(row, [0, -1, 4, 0, 0, -1, 0, 0, 0])


@few
@given(layers())
def test_conv2d_is_torchs(layer):
    x, w, b, options = layer
    np.testing.assert_allclose(reference.conv2d(x, w, b, **options), torch_conv2d(x, w, b, **options), atol=1e-10)


@quiet
@few
@given(images_and_kernels(), st.integers(1, 3))
def test_correlate2d_is_torchs(case, stride):
    x, w = case
    valid = torch_conv2d(x[None, None], w[None, None], stride=stride)[0, 0]
    np.testing.assert_allclose(reference.correlate2d(x, w, stride=stride), valid, atol=1e-10)
    same = torch_conv2d(x[None, None], w[None, None], padding="same")[0, 0]
    found = reference.correlate2d(x, w, "same", stride)
    np.testing.assert_allclose(found, same[::stride, ::stride], atol=1e-10)
    assert found.shape == tuple(-(-side // stride) for side in x.shape)


@few
@given(images_and_kernels())
def test_convolve2d_is_scipys(case):
    x, w = case
    np.testing.assert_allclose(reference.convolve2d(x, w), scipy.signal.convolve2d(x, w, "valid"), atol=1e-10)


@given(st.integers(1, 6), st.integers(0, 8), seeds)
@few
def test_correlate1d_is_numpys(k, more, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(k + more), rng.standard_normal(k)
    np.testing.assert_allclose(reference.correlate1d(x, w), np.correlate(x, w, "valid"), atol=1e-12)


@few
@given(st.tuples(sides, sides, sides), seeds)
def test_correlate3d_is_torchs(kernel, seed):
    rng = np.random.default_rng(seed)
    x, w = (
        rng.standard_normal([k + more for k, more in zip(kernel, (1, 2, 3), strict=True)]),
        rng.standard_normal(kernel),
    )
    expected = functional.conv3d(torch.from_numpy(x)[None, None], torch.from_numpy(w)[None, None])[0, 0]
    np.testing.assert_allclose(reference.correlate3d(x, w), expected.numpy(), atol=1e-10)


@few
@given(st.integers(1, 4), st.integers(1, 4), sides, sides, seeds)
def test_depthwise_then_pointwise_is_torchs(channels, filters, k1, k2, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, channels, k1 + 2, k2 + 3))
    space, mix = rng.standard_normal((channels, k1, k2)), rng.standard_normal((filters, channels))
    between = torch_conv2d(x, space[:, None], groups=channels)
    np.testing.assert_allclose(reference.depthwise_conv2d(x, space), between, atol=1e-10)
    expected = torch_conv2d(between, mix[:, :, None, None])
    np.testing.assert_allclose(reference.pointwise_conv2d(between, mix), expected, atol=1e-10)


@quiet
@few
@given(images_and_kernels())
def test_the_transposed_matrix_gives_torchs_gradient(case):
    x, w = case
    image = torch.from_numpy(x).requires_grad_()
    out = functional.conv2d(image[None, None], torch.from_numpy(w)[None, None], padding="same")
    dy = np.random.default_rng(0).standard_normal(x.shape)
    out.backward(torch.from_numpy(dy)[None, None])
    matrix = reference.convolution_matrix(w, x.shape)
    np.testing.assert_allclose(matrix @ x.ravel(), out.detach().numpy().ravel(), atol=1e-10)
    np.testing.assert_allclose(matrix.T @ dy.ravel(), image.grad.numpy().ravel(), atol=1e-10)


@pytest.mark.parametrize("k", [1, 2, 3, 6, 9])
def test_blurs_sum_to_one_and_the_gaussian_is_scipys(k):
    profile = scipy.signal.windows.gaussian(k, 1.3)
    np.testing.assert_allclose(reference.gaussian_kernel(k, 1.3), np.outer(profile, profile) / profile.sum() ** 2)
    np.testing.assert_allclose([reference.gaussian_kernel(k, 1.3).sum(), reference.box_kernel(k).sum()], 1)


def test_sobel_is_scipys():
    x = np.random.default_rng(3).standard_normal((6, 9))
    horizontal, vertical = reference.sobel(x)
    np.testing.assert_allclose(horizontal, scipy.ndimage.sobel(x, axis=0, mode="constant"), atol=1e-12)
    np.testing.assert_allclose(vertical, scipy.ndimage.sobel(x, axis=1, mode="constant"), atol=1e-12)


def test_a_plain_bright_patch_does_not_match():
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    scene = np.zeros((8, 10))
    scene[4:7, 5:8] = cross
    scene[0:3, 1:4] = 1.5
    raw = reference.correlate2d(scene, cross)
    assert np.unravel_index(raw.argmax(), raw.shape) == (0, 1)
    assert reference.match_pattern(scene, cross) == (4, 5)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@few
def test_the_cascade_ranks_what_the_mean_edge_does_not(city_seed, country_seed):
    city, country = cityscape(city_seed), landscape(country_seed)
    edges = [np.abs(reference.correlate2d(image, reference.SOBEL)).mean() for image in (city, country)]
    assert edges[0] < edges[1]
    assert reference.skyline_score(city) > reference.skyline_score(country)


def test_an_unknown_border_is_refused():
    with pytest.raises(ValueError, match="border"):
        reference.correlate2d(IMAGE, KERNEL, "full")
