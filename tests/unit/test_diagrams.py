"""The drawings of `output_sizes` show what its formulas say, and stay out of its notebook."""

from __future__ import annotations

from pathlib import Path

import IPython.display
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course import diagrams
from solutions.output_sizes.reference import output_size, receptive_field

RELEASED = Path(__file__).parents[2] / "assignments" / "output_sizes" / "output_sizes.ipynb"


@pytest.fixture
def shown(monkeypatch):
    pictures = []
    monkeypatch.setattr(IPython.display, "display", pictures.append)
    return pictures


@pytest.mark.parametrize("options", [{}, {"padding": 1}, {"stride": 2}, {"dilation": 2}, {"padding": 2, "stride": 3}])
def test_a_window_has_a_row_for_each_of_its_places(options):
    axes = Figure().subplots()
    drawn = {("before" if key == "padding" else key): value for key, value in options.items()}
    diagrams._windows(axes, 7, 3, after=options.get("padding", 0), **drawn)
    rows = {patch.get_y() for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_y() < 0}
    assert len(rows) == output_size(7, 3, **options)


@pytest.mark.parametrize("layers", [[(3, 1, 1)] * 3, [(3, 2, 1), (3, 2, 1), (3, 1, 1)], [(3, 1, 2), (5, 1, 1)]])
def test_a_cone_is_as_wide_as_the_receptive_field(layers):
    assert diagrams._cone(Figure().subplots(), layers) == receptive_field(layers)[0]


@pytest.mark.parametrize(
    ("draw", "arguments"),
    [
        ("show_windows", ({"one": {"i": 7, "k": 3}, "two": {"i": 7, "k": 3, "stride": 2}},)),
        ("show_cones", ({"one": [(3, 1, 1)]},)),
        ("show_shares", ({"parameters": [1, 3], "MACs": [2, 2]}, ["a", "b"])),
        ("show_curves", ({"one": [1, 2, 4]}, range(3))),
    ],
)
def test_each_drawing_is_a_picture_with_words_for_those_who_cannot_see_it(shown, draw, arguments):
    labels = {"show_shares": {"ylabel": "%"}, "show_curves": {"xlabel": "x", "ylabel": "y"}}
    getattr(diagrams, draw)(*arguments, text="what it shows", **labels.get(draw, {}))
    [picture] = shown
    assert picture.data.startswith(b"\x89PNG")
    assert picture.alt == "what it shows"


def test_the_notebook_holds_no_drawing_code():
    assert "matplotlib" not in RELEASED.read_text(encoding="utf-8")
