"""The heat maps: a small PNG that shows where two images differ, whatever numbers are in them."""

import io
import math
import struct
import threading

import numpy as np
import pytest
from matplotlib.image import imread

from autograder.gradebook.figures import heat_maps
from autograder.model.report import Picture

PANELS = (5, 175), (187, 357), (435, 605)


def picture(expected, actual, title=""):
    return Picture(np.asarray(expected, float).tolist(), np.asarray(actual, float).tolist(), title)


def pixels(png):
    return imread(io.BytesIO(png))[..., :3]


def panel(png, index):
    left, right = PANELS[index]
    return pixels(png)[:, left + 10 : right - 10]


def test_is_a_small_png():
    png = heat_maps(picture(np.eye(8), np.eye(8)[::-1], "conv2d of an 8 by 8 image"))
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width == 680
    assert height <= 330
    assert len(png) < 40_000


def test_equal_images_look_equal_and_their_difference_is_white():
    png = heat_maps(picture(np.arange(16).reshape(4, 4), np.arange(16).reshape(4, 4)))
    # the titles differ, so only the image rows below them are compared
    assert np.array_equal(panel(png, 0)[40:160], panel(png, 1)[40:160])
    assert panel(png, 2)[60, 75].min() > 0.95


def test_shares_one_scale_between_expected_and_found():
    one, other = (
        heat_maps(picture([[0.0, 1.0]], [[0.0, 1.0]])),
        heat_maps(picture([[0.0, 1.0]], [[0.0, 10.0]])),
    )
    assert not np.allclose(panel(one, 0), panel(other, 0))


def test_the_sign_of_a_difference_has_its_colour():
    png = heat_maps(picture([[0.0, 0.0], [0.0, 0.0]], [[1.0, -1.0], [1.0, -1.0]]))
    row = panel(png, 2)[100]
    assert row[10, 0] > row[10, 2]  # too large: red
    assert row[-10, 2] > row[-10, 0]  # too small: blue


def test_the_same_picture_gives_the_same_bytes():
    wanted = picture(np.eye(3), np.ones((3, 3)), "t")
    assert heat_maps(wanted) == heat_maps(wanted)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ([[0.0]], [[0.0]]),
        ([[1e300]], [[-1e300]]),
        ([[5e-324]], [[0.0]]),
        ([[math.nan, 1.0]], [[math.inf, -math.inf]]),
        ([[math.nan]], [[math.nan]]),
        ([[1.0] * 64], [[2.0] * 64]),
        ([[1.0]] * 64, [[2.0]] * 64),
    ],
)
def test_draws_any_numbers_without_a_warning(expected, actual):
    assert heat_maps(Picture(expected, actual, "$x_{ a title")).startswith(b"\x89PNG")


def test_draws_in_threads():
    drawn = []
    wanted = picture(np.eye(4), np.zeros((4, 4)))
    threads = [threading.Thread(target=lambda: drawn.append(heat_maps(wanted))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 3
    assert len(set(drawn)) == 1
