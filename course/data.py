"""Images to try things on: eight small photographs and two kinds of drawn scenes. Nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Image = np.ndarray[Any, np.dtype[np.float64]]

PHOTOS = ("astronaut", "brick", "cameraman", "cat", "coffee", "coins", "grass", "rocket")
"""Names of the photographs. `brick`, `cameraman`, `coins` and `grass` are grey, the others in colour."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that an eye sees (ITU-R BT.601)."""


def photo(name: str, *, colour: bool = False) -> Image:
    """Load a photograph, float64 in [0, 1]: grey `(128, 128)`, or `(3, 128, 128)` with `colour=True`.

    Raises:
        ValueError: there is no photograph of that name.
    """
    if name not in PHOTOS:
        raise ValueError(f"no photo {name!r}: choose one of {', '.join(PHOTOS)}")
    with np.load(Path(__file__).parent / "images" / "photos.npz") as archive:
        pixels = archive[name] / 255
    if colour:
        return np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else np.stack([pixels] * 3)
    return pixels @ np.array(LUMA) if pixels.ndim == 3 else pixels


def cityscape(seed: int = 0, height: int = 64, width: int = 64) -> Image:
    """Draw towers before a bright sky, grey `(height, width)` in [0, 1]; each seed draws its own city."""
    rng = np.random.default_rng(seed)
    image = _sky(height, width)
    for plot in range(2, width - 10, 12):
        left = plot + int(rng.integers(0, 3))
        right = left + int(rng.integers(6, 10))
        roof = int(height * rng.uniform(0.12, 0.3))
        image[roof:, left:right] = rng.uniform(0.52, 0.6)
        image[roof + 3 : -4 : 5, left + 2 : right - 2 : 3] += 0.06  # rows of windows
    return _grain(image, rng, 0.01)


def landscape(seed: int = 0, height: int = 64, width: int = 64) -> Image:
    """Draw hills full of grass and leaves under a bright sky, grey `(height, width)` in [0, 1].

    The leaves have more edges than a city has, but in all directions and short.
    """
    rng = np.random.default_rng(seed)
    image = _sky(height, width)
    columns = np.linspace(0, 2 * np.pi, width)
    rows = np.arange(height)[:, None]
    for crest, brightness in ((0.25, 0.45), (0.45, 0.55)):
        waves = sum(
            rng.uniform(0.01, 0.045) * np.sin(frequency * columns + rng.uniform(0, 2 * np.pi))
            for frequency in (1, 2, 3)
        )
        hill = rows > height * (crest + waves)
        leaves = brightness + 0.21 * rng.standard_normal((height, width))
        image = np.where(hill, leaves, image)
    return _grain(image, rng, 0.01)


def _sky(height: int, width: int) -> Image:
    """Draw a sky that grows brighter towards the horizon."""
    return np.repeat(np.linspace(0.82, 0.9, height)[:, None], width, axis=1)


def _grain(image: Image, rng: np.random.Generator, sigma: float) -> Image:
    """Add camera noise; clip to [0, 1]."""
    return np.clip(image + sigma * rng.standard_normal(image.shape), 0.0, 1.0)
