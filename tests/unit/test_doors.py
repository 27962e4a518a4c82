"""What is forbidden along with a name."""

from __future__ import annotations

import pytest

from autograder.inside import doors


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("numpy.convolve", "numpy.correlate"),
        ("numpy.correlate", "numpy._core.multiarray.correlate"),
        ("numpy.convolve", "numpy.polymul"),
        ("numpy.convolve", "numpy.ma.convolve"),
        ("numpy.fft.rfft", "numpy.fft.ifftn"),
        ("numpy.fft", "numpy.fft._pocketfft_umath"),
        ("numpy.lib.stride_tricks.sliding_window_view", "numpy.lib.stride_tricks.as_strided"),
        ("torch.nn.functional.conv2d", "torch.nn.Conv2d"),
        ("torch.conv1d", "torch.nn.functional.conv3d"),
        ("torch", "torch.jit.script"),
        ("scipy.signal.convolve2d", "scipy.ndimage.correlate"),
        ("scipy", "scipy.signal.fftconvolve"),
    ],
)
def test_other_ways_to_the_same_are_forbidden_too(name, more):
    assert {name, more} <= {*doors.family([name])}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("numpy.lib.stride_tricks.as_strided", "numpy.lib.stride_tricks.sliding_window_view"),
        ("torch.nn.Conv2d", "torch.nn.functional.conv2d"),
        ("torch.hub", "torch.nn.functional.conv2d"),
        ("numpy.fft", "numpy.convolve"),
        ("numpy.convolver", "numpy.polymul"),
    ],
)
def test_what_does_something_else_is_not(name, other):
    assert other not in doors.family([name])


def test_nothing_forbids_nothing():
    assert doors.family([]) == ()
