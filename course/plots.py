"""Pictures in a notebook: `show` one image or `show_row` of several. Small, fast, and the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, np.dtype[np.float64]]
Window = tuple[int, int, int, int]

PANEL_HEIGHT = 1.9  # inches, as all sizes here
STRIP_HEIGHT = 0.42  # of a signal
TITLE_HEIGHT = 0.3
GAP = 0.15
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
    # not pyplot: it keeps every figure until closed, and the inline backend draws each one twice
    from IPython.display import Image, display
    from matplotlib.figure import Figure

    panels = [_panel(image) for image in images]
    tall = PANEL_HEIGHT if any(panel.shape[0] > 1 for panel in panels) else STRIP_HEIGHT
    widths = [_width(panel) for panel in panels]
    total, height = sum(widths) + GAP * (len(panels) + 1), tall + TITLE_HEIGHT + GAP
    figure = Figure(figsize=(total, height), dpi=DPI)
    left = GAP
    for index, (panel, width) in enumerate(zip(panels, widths, strict=True)):
        axes = figure.add_axes((left / total, GAP / height, width / total, tall / height))
        _draw(axes, panel, numbers=numbers)
        axes.set_title(titles[index] if index < len(titles) else "", fontsize=9)
        if index < len(windows) and windows[index] is not None:
            _outline(axes, windows[index])
        left += width + GAP
    png = BytesIO()
    figure.savefig(png, format="png")
    display(Image(data=png.getvalue(), format="png", alt=text or "; ".join(titles)))


def _width(panel: Array) -> float:
    """Give the width in inches: an image keeps its proportions, a signal has room for numbers."""
    rows, columns = panel.shape[:2]
    if rows == 1:
        return min(0.42 * columns, 8.0)
    return PANEL_HEIGHT * min(max(columns / rows, 0.3), 4.0)


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


def _draw(axes: Axes, panel: Array, *, numbers: bool) -> None:
    """Draw one panel, and its numbers if wanted."""
    axes.set_xticks([])
    axes.set_yticks([])
    if panel.ndim == 3:
        axes.imshow(np.clip(panel, 0.0, 1.0))
        return
    finite = panel[np.isfinite(panel)]
    high = float(finite.max(initial=0.0))
    low = float(finite.min(initial=0.0))
    if low < 0:
        high = max(high, -low)
        drawn = axes.imshow(panel, cmap="RdBu", vmin=-high, vmax=high, aspect="auto")
    else:
        drawn = axes.imshow(panel, cmap="gray", vmin=0.0, vmax=high or 1.0, aspect="auto")
    if not numbers:
        return
    shades = drawn.cmap(drawn.norm(panel))[..., :3].mean(axis=-1)
    for (row, column), value in np.ndenumerate(panel):
        ink = "black" if shades[row, column] > 0.5 else "white"
        axes.text(column, row, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=9)


def _outline(axes: Axes, window: Window) -> None:
    """Draw the border of a window."""
    from matplotlib.patches import Rectangle

    row, column, height, width = window
    axes.add_patch(
        Rectangle((column - 0.5, row - 0.5), width, height, fill=False, edgecolor="tab:orange", linewidth=2.5)
    )
