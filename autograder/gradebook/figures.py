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

INK, LINE, MISSING = "#374151", "#e5e7eb", "#9ca3af"
WIDTH, PANEL = 6.8, 1.7
"""Inches, at 100 pixels each: the whole picture, and the place for one image."""
LARGEST = 1e300
"""Magnitude of what is drawn: the range of larger numbers is more than a float holds."""


def heat_maps(picture: Picture) -> bytes:
    """A PNG of three panels, 680 pixels wide and at most 330 high.

    Expected and found share a colour scale, so that equal colours are equal numbers. The difference (found
    minus expected) has a scale of its own that is white at zero. What is no finite number stays grey.
    """
    expected, found = _image(picture.expected), _image(picture.actual)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = found - expected
    largest = max(np.abs(_span(difference)).max(), np.finfo(np.float64).tiny)
    rows, columns = expected.shape
    height = float(np.clip(PANEL * rows / columns, 0.5, 2.6))
    total = height + 0.36 + (0.3 if picture.title else 0.0)
    figure = Figure(figsize=(WIDTH, total), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)

    def axes(left: float, width: float) -> Any:
        return figure.add_axes((left / WIDTH, 0.08 / total, width / WIDTH, height / total))

    shared = Normalize(*_span(expected, found))
    _panel(axes(0.05, PANEL), expected, "expected", shared, "viridis")
    image = _panel(axes(1.87, PANEL), found, "found", shared, "viridis")
    _colour_bar(figure, image, axes(3.66, 0.1))
    around_zero = TwoSlopeNorm(0.0, -largest, largest)
    image = _panel(axes(4.35, PANEL), difference, "found \N{MINUS SIGN} expected", around_zero, "RdBu_r")
    _colour_bar(figure, image, axes(6.14, 0.1))
    if picture.title:
        # the name of a student's function may hold a $, which matplotlib would read as mathematics
        figure.text(0.05 / WIDTH, 1 - 0.2 / total, picture.title, fontsize=9, color=INK, parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _image(rows: list[list[float]]) -> np.ndarray:
    """The numbers of an image, of which matplotlib can draw differences and scales."""
    image = np.atleast_2d(np.asarray(rows, dtype=np.float64))
    return np.where(np.isfinite(image), np.clip(image, -LARGEST, LARGEST), image)


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
        side.set_edgecolor(LINE)
    return axes.imshow(np.ma.masked_invalid(image), norm=scale, cmap=colours, interpolation="nearest")


def _colour_bar(figure: Figure, image: Any, axes: Any) -> None:
    bar = figure.colorbar(image, cax=axes)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=7, colors=INK, length=0)
