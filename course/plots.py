"""Pictures in a notebook: `show` one image or `show_row` of several. Small, fast, and the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[np.float64]]
Window = tuple[int, int, int, int]

SIDE = 150  # pixels of the screen, about, of an image; the same number of them for each pixel of the image
CELL = 34  # of one value of a signal
MARGIN = 12
TITLE = 22
FRAME = 0.6  # grey of the thin line around an image
DPI = 80


def show(
    image: Any,
    title: str = "",
    *,
    numbers: bool = False,
    window: Window | None = None,
    text: str | None = None,
) -> None:
    """Show one image; see `show_row`."""
    show_row([image], [title], numbers=numbers, windows=[window], text=text)


def show_row(
    images: Sequence[Any],
    titles: Sequence[str] = (),
    *,
    numbers: bool = False,
    windows: Sequence[Window | None] = (),
    text: str | None = None,
) -> None:
    """Show images side by side below the cell.

    An image is an array or tensor: `(H, W)`, `(C, H, W)` or `(H, W, C)` with one or three channels, or a
    signal `(W,)`. Grey goes from black (0) to white (the greatest value); an image with negative values is
    drawn in red (negative), white (0) and blue (positive). `numbers=True` writes each value into its pixel.
    A window `(row, column, height, width)` is outlined. `text` describes the picture to those who cannot see
    it; where it is None the titles do.

    Raises:
        ValueError: an array that is no image.
    """
    # neither pyplot, which keeps its figures and draws them twice, nor axes, which take ten times as long
    from IPython.display import Image, display
    from matplotlib.figure import Figure

    panels = [_panel(image) for image in images]
    scales = [_scale(panel) for panel in panels]
    height = max(panel.shape[0] * scale for panel, scale in zip(panels, scales, strict=True)) + TITLE + MARGIN
    width = sum(panel.shape[1] * scale + MARGIN for panel, scale in zip(panels, scales, strict=True)) + MARGIN
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    left = MARGIN
    for index, (panel, scale) in enumerate(zip(panels, scales, strict=True)):
        top = height - TITLE
        _paint(figure, panel, left, top, scale, numbers=numbers)
        if index < len(titles):
            middle = left + panel.shape[1] * scale / 2
            figure.text(middle, top + 6, titles[index], ha="center", fontsize=9, transform=None)
        if index < len(windows) and windows[index] is not None:
            _outline(figure, windows[index], left, top, scale)
        left += panel.shape[1] * scale + MARGIN
    png = BytesIO()
    figure.savefig(png, format="png")
    display(Image(data=png.getvalue(), format="png", alt=text or "; ".join(titles)))


def _panel(image: Any) -> Array:
    """Bring an image to `(H, W)` or `(H, W, 3)` float64."""
    array = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image, dtype=np.float64)
    if array.ndim == 1:
        array = array[None, :]
    if array.ndim == 3 and array.shape[0] in {1, 3}:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[-1] != 3):
        raise ValueError(
            f"an image is (H, W), (C, H, W) or (H, W, C) with 1 or 3 channels; found shape {np.shape(image)}"
            " (one image of a batch is x[0])"
        )
    return array


def _scale(panel: Array) -> int:
    """Choose how many pixels of the screen, along a side, show one pixel of the image."""
    return CELL if panel.shape[0] == 1 else max(1, round(SIDE / max(panel.shape[:2])))


def _paint(figure: Figure, panel: Array, left: int, top: int, scale: int, *, numbers: bool) -> None:
    """Paint one panel below `top`, and its numbers if wanted; lengths in pixels of the screen."""
    colours = _colours(panel)
    enlarged = np.kron(colours, np.ones((scale, scale, 1)))
    framed = np.pad(enlarged, ((1, 1), (1, 1), (0, 0)), constant_values=FRAME)
    figure.figimage(framed, left - 1, top - panel.shape[0] * scale - 1, origin="upper")
    if not numbers or panel.ndim == 3:
        return
    for (row, column), value in np.ndenumerate(panel):
        ink = "black" if colours[row, column].mean() > 0.5 else "white"
        place = (left + (column + 0.5) * scale, top - (row + 0.5) * scale)
        figure.text(*place, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=9, transform=None)


def _colours(panel: Array) -> Array:
    """Turn values into red, green and blue in [0, 1], `(H, W, 3)`; what is not finite becomes black."""
    from matplotlib import colormaps

    values = np.nan_to_num(panel, nan=0.0, posinf=0.0, neginf=0.0)
    if panel.ndim == 3:
        return np.clip(values, 0.0, 1.0)
    greatest = float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        return colormaps["RdBu"](values / (2 * greatest) + 0.5)[..., :3]
    return np.repeat(values[..., None] / greatest, 3, axis=-1)


def _outline(figure: Figure, window: Window, left: int, top: int, scale: int) -> None:
    """Draw the border of a window of the image whose top left corner is at `left`, `top`."""
    from matplotlib.patches import Rectangle

    row, column, height, width = (scale * length for length in window)
    corner = (left + column, top - row - height)
    figure.add_artist(
        Rectangle(corner, width, height, fill=False, color="tab:orange", linewidth=2.5, transform=None)
    )
