"""Pictures in a notebook: `show` one image or `show_row` of several. Small, fast, and the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[np.float64]]
Window = tuple[int, int, int, int]

# lengths are in pixels of the screen
SIDE = 170  # of an image, its longer side
CELL = 34  # of one value of a signal
MARGIN = 12
TITLE = 22
LETTER = 6  # of a title, about
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

    named = [titles[index] if index < len(titles) else "" for index in range(len(images))]
    panels = [_panel(image, title) for image, title in zip(images, named, strict=True)]
    height = max(panel.height for panel in panels) + TITLE + MARGIN
    width = sum(panel.slot + MARGIN for panel in panels) + MARGIN
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    left = MARGIN
    for index, panel in enumerate(panels):
        corner = (left + (panel.slot - panel.width) // 2, height - TITLE)
        window = windows[index] if index < len(windows) else None
        _paint(figure, panel, corner, window, numbers=numbers)
        left += panel.slot + MARGIN
    png = BytesIO()
    figure.savefig(png, format="png", pil_kwargs={"compress_level": 1})  # a third of the time, a little larger
    display(Image(data=png.getvalue(), format="png", alt=text or "; ".join(named)))


@dataclass(frozen=True)
class _Panel:
    """An image on its way to the screen: its values `(H, W)` or `(H, W, 3)`, its size there, its title."""

    values: Array
    height: int
    width: int
    title: str

    @property
    def slot(self) -> int:
        """Width that the image and its title need."""
        return max(self.width, LETTER * len(self.title))


def _panel(image: Any, title: str) -> _Panel:
    """Bring an image to `(H, W)` or `(H, W, 3)` float64 and choose its size on the screen."""
    array = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image, dtype=np.float64)
    if array.ndim == 1:
        return _Panel(array[None, :], CELL, CELL * array.size, title)
    if array.ndim == 3 and array.shape[0] in {1, 3}:
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.size == 0 or array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[-1] != 3):
        raise ValueError(
            f"an image is (H, W), (C, H, W) or (H, W, C) with 1 or 3 channels; found shape {np.shape(image)}"
            " (one image of a batch is x[0])"
        )
    rows, columns = array.shape[:2]
    scale = max(1.0, SIDE / max(rows, columns))
    return _Panel(array, round(rows * scale), round(columns * scale), title)


def _paint(figure: Figure, panel: _Panel, corner: tuple[int, int], window: Window | None, *, numbers: bool) -> None:
    """Paint one panel with its top left corner at `(x, y)` from the lower left of the figure."""
    left, top = corner
    colours = _colours(panel.values)
    enlarged = _enlarge(colours, panel.height, panel.width)
    framed = np.pad(enlarged, ((1, 1), (1, 1), (0, 0)), constant_values=FRAME)
    figure.figimage(framed, left - 1, top - panel.height - 1, origin="upper")
    figure.text(left + panel.width / 2, top + 6, panel.title, ha="center", fontsize=9, transform=None)
    tall, wide = panel.height / panel.values.shape[0], panel.width / panel.values.shape[1]
    if numbers and panel.values.ndim == 2:
        for (row, column), value in np.ndenumerate(panel.values):
            ink = "black" if colours[row, column].mean() > 0.5 else "white"
            x, y = left + (column + 0.5) * wide, top - (row + 0.5) * tall
            figure.text(x, y, f"{value:.3g}", ha="center", va="center", color=ink, fontsize=9, transform=None)
    if window is not None:
        from matplotlib.patches import Rectangle

        row, column, rows, columns = window
        lower_left = (left + column * wide, top - (row + rows) * tall)
        size = (columns * wide, rows * tall)
        outline = Rectangle(lower_left, *size, fill=False, color="tab:orange", linewidth=2.5, transform=None)
        figure.add_artist(outline)


def _colours(values: Array) -> Array:
    """Turn values into red, green and blue in [0, 1], `(H, W, 3)`; what is not finite counts as 0."""
    from matplotlib import colormaps

    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if values.ndim == 3:
        return np.clip(values, 0.0, 1.0)
    greatest = float(np.abs(values).max()) or 1.0
    if values.min() < 0:
        return colormaps["RdBu"](values / (2 * greatest) + 0.5)[..., :3]
    return np.repeat(values[..., None] / greatest, 3, axis=-1)


def _enlarge(colours: Array, height: int, width: int) -> Array:
    """Repeat pixels to `(height, width, 3)`: pixels stay visible as squares."""
    rows = np.arange(height) * colours.shape[0] // height
    columns = np.arange(width) * colours.shape[1] // width
    return colours[rows[:, None], columns]
