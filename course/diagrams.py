"""Drawings of layers in a notebook: the places of a window, what one output sees, curves and bars of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INPUT, TAP, EDGE = "#bcd7ee", "#f28e2b", {"edgecolor": "black", "linewidth": 0.6}
MARKERS = "osv^"
PANEL = 3.0  # inches: the width of one drawing of several


def show_windows(panels: Mapping[str, Mapping[str, int]], *, text: str) -> None:
    """Show each line of pixels, by title, and below it every place of its window.

    A panel has `i` pixels, a window of `k` taps and, where they are not 0, 0, 1, 1, the padding `before` and
    `after`, `stride` and `dilation`. `text` describes the picture to those who cannot see it.
    """
    figure, axes = _panels(len(panels), 3.1)
    for one, (title, options) in zip(axes, panels.items(), strict=True):
        _windows(one, **options)
        one.set_title(title, fontsize=9)
    _show(figure, text)


def show_cones(panels: Mapping[str, Sequence[tuple[int, int, int]]], *, text: str) -> None:
    """Show for each chain of layers `(kernel_size, stride, dilation)`, by title, what one output sees of the image."""
    figure, axes = _panels(len(panels), 2.6)
    for one, (title, layers) in zip(axes, panels.items(), strict=True):
        seen = _cone(one, layers)
        one.set_title(f"{title}\none output sees {seen} pixels", fontsize=9)
    _show(figure, text)


def show_curves(
    curves: Mapping[str, Sequence[float]], x: Sequence[float], *, xlabel: str, ylabel: str, text: str, base: int = 10
) -> None:
    """Show curves over `x`, by name; each step up the vertical axis is a factor of `base`."""
    figure, (axes,) = _panels(1, 3.1, 6.0)
    for (name, curve), marker in zip(curves.items(), MARKERS, strict=False):
        axes.plot(x, curve, f"{marker}-", label=name)
    axes.set_yscale("log", base=base)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _show(figure, text)


def show_shares(shares: Mapping[str, Sequence[float]], names: Sequence[str], *, ylabel: str, text: str) -> None:
    """Show two series of numbers as bars side by side over `names`: each number in percent of its series."""
    figure, (axes,) = _panels(1, 2.6, 8.0)
    for offset, colour, (name, counts) in zip((-0.2, 0.2), (INPUT, TAP), shares.items(), strict=True):
        places = [place + offset for place in range(len(names))]
        axes.bar(places, [100 * count / sum(counts) for count in counts], 0.4, label=name, color=colour, **EDGE)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel(ylabel)
    axes.legend()
    _show(figure, text)


def _panels(count: int, height: float, width: float = PANEL) -> tuple[Figure, Sequence[Axes]]:
    from matplotlib.figure import Figure  # pyplot keeps its figures and draws them twice

    figure = Figure(figsize=(count * width, height))
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def _show(figure: Figure, text: str) -> None:
    from IPython.display import Image, display

    png = BytesIO()
    figure.savefig(png, format="png", dpi=90, bbox_inches="tight")
    display(Image(data=png.getvalue(), format="png", alt=text))


def _square(axes: Axes, x: float, y: float, colour: str, **style: Any) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x + 0.06, y + 0.06), 0.88, 0.88, facecolor=colour, **EDGE, **style))


def _windows(axes: Axes, i: int, k: int, before: int = 0, after: int = 0, stride: int = 1, dilation: int = 1) -> None:
    end, offsets = i + after, range(0, dilation * k, dilation)
    starts = [start for start in range(-before, end, stride) if start + offsets[-1] < end]
    seen = {start + offset for start in starts for offset in offsets}
    for x in range(-before, end):
        inside = 0 <= x < i
        line, hatch = "-" if inside else ":", "" if x in seen else "////"
        _square(axes, x, 0, INPUT if inside else "white", linestyle=line, hatch=hatch)
    for row, start in enumerate(starts, start=1):
        axes.hlines(0.5 - 1.1 * row, start + 0.5, start + offsets[-1] + 0.5, TAP, zorder=0)
        for offset in offsets:
            _square(axes, start + offset, -1.1 * row, TAP)
    axes.set(xlim=(-2.2, 8.5), ylim=(-8, 1.2), aspect="equal", anchor="N")
    axes.axis("off")


def _cone(axes: Axes, layers: Sequence[tuple[int, int, int]]) -> int:
    """Draw the output on top and the image at the bottom; how many pixels of the image the output sees."""
    pixels, jump = {0}, 1
    for _, stride, _ in layers:
        jump *= stride
    axes.scatter(0, 0, s=34, color=TAP, zorder=2, **EDGE)
    for row, (k, stride, dilation) in enumerate(reversed(layers), start=1):
        taps = [dilation * (tap - k // 2) for tap in range(k)]
        for x in pixels:
            for tap in taps:
                below = (jump // stride) * (stride * x + tap)
                axes.plot([jump * x, below], [1 - row, -row], color="#999999", linewidth=0.7, zorder=1)
        pixels, jump = {stride * x + tap for x in pixels for tap in taps}, jump // stride
        axes.scatter([jump * x for x in pixels], [-row] * len(pixels), s=34, color=INPUT, zorder=2, **EDGE)
    axes.set_xlim(-8.2, 8.2)
    axes.axis("off")
    return max(pixels) - min(pixels) + 1
