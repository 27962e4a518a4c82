"""Heat maps of an expected and a found image and of their difference, side by side, as a small PNG.

Only figures of their own and no `pyplot`: nothing is kept between two calls, and any thread may draw.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from autograder.model.report import Picture

INK, MISSING = "#374151", "#e5e7eb"


def heat_maps(picture: Picture) -> bytes:
    """A PNG of three panels, at most 680 by 250 pixels.

    Expected and found share a colour scale, so that equal colours are equal numbers. The difference (found minus
    expected) has a scale of its own that is white at zero. What is no finite number stays grey.
    """
    expected = np.atleast_2d(np.asarray(picture.expected, dtype=np.float64))
    found = np.atleast_2d(np.asarray(picture.actual, dtype=np.float64))
    with np.errstate(invalid="ignore", over="ignore"):
        difference = found - expected
    shared = _span(expected, found)
    largest = max(np.abs(_span(difference)).max(), np.finfo(np.float64).tiny)
    figure = Figure(figsize=(6.8, 2.5), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    scale = Normalize(*shared)
    _panel(left, expected, "expected", scale, "viridis")
    image = _panel(middle, found, "found", scale, "viridis")
    _colour_bar(figure, image, [left, middle])
    around_zero = TwoSlopeNorm(0.0, -largest, largest)
    image = _panel(right, difference, "found \N{MINUS SIGN} expected", around_zero, "RdBu_r")
    _colour_bar(figure, image, [right])
    if picture.title:
        # student-side names may hold a $, which matplotlib would read as mathematics
        figure.suptitle(picture.title, fontsize=9, color=INK, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _span(*images: np.ndarray) -> tuple[float, float]:
    """The smallest and largest finite number of some images; 0 and 1 when there is none."""
    finite = np.concatenate([image[np.isfinite(image)] for image in images])
    if finite.size == 0:
        return 0.0, 1.0
    return float(finite.min()), float(finite.max())


def _panel(axes: Any, image: np.ndarray, title: str, scale: Normalize, colours: str) -> Any:
    axes.set_facecolor(MISSING)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_edgecolor(MISSING)
    return axes.imshow(np.ma.masked_invalid(image), norm=scale, cmap=colours, interpolation="nearest")


def _colour_bar(figure: Figure, image: Any, axes: list[Any]) -> None:
    bar = figure.colorbar(image, ax=axes, shrink=0.85, aspect=14, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, colors=INK, length=0)
