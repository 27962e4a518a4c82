"""Two images as heat maps: any numbers are drawn, in a picture of the same size."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import strategies as st

from autograder.checks.compare import _picture
from autograder.gradebook.figures import heat_maps
from autograder.model.report import Picture

WORDS = [
    np.float64(x).tobytes()
    for x in (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, 0, -0.0, 1, 1e-300, 1e16, 2**53)
]


def check(data: bytes) -> bool:
    """Two bytes for the shape, then numbers; those that are missing are zeros."""
    rows, columns = (2 + byte % 63 for byte in data[:2].ljust(2, b"\0"))
    size = 8 * rows * columns
    numbers = data[2:].ljust(2 * size, b"\0")
    wanted, found = (np.frombuffer(numbers[at : at + size], dtype="<f8").reshape(rows, columns) for at in (0, size))
    picture = _picture(found, wanted, data[:9].decode("latin-1"))
    assert picture is not None
    if data[1:2] > b"\x7f":
        picture = Picture(wanted.tolist(), found.tolist(), "$x_{")  # as it is, not as a comparison rounds it
    png = heat_maps(picture)
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert width == 680
    assert height <= 330
    return True


numbers = st.one_of(st.floats(), st.floats(-1, 1), st.sampled_from([1e308, -1.7e308, 5e-324, 1e16, 1e16 + 2]))
cases = st.builds(
    lambda shape, found, wanted: bytes(shape) + (np.array(found * 9 + wanted * 9, dtype="<f8").tobytes()),
    st.tuples(st.sampled_from([0, 1, 5, 62]), st.sampled_from([0, 2, 62, 189, 191])),
    st.lists(numbers, min_size=1, max_size=8),
    st.lists(numbers, min_size=1, max_size=8),
)
