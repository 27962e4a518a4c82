"""What students import: images (`photo`, `cityscape`, `landscape`), `numbers` and `own_name`, and `show...` to draw.

    from course import photo, show

A name is imported from its module when it is first asked for: a notebook in plain Python needs no numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from course.data import PHOTOS, cityscape, landscape, photo
    from course.diagrams import show_cones, show_curves, show_shares, show_windows
    from course.personal import numbers, own_name
    from course.plots import show, show_row

__all__ = [
    "PHOTOS", "cityscape", "landscape", "numbers", "own_name", "photo", "show", "show_cones", "show_curves", "show_row",
    "show_shares", "show_windows",
]  # fmt: skip

_MODULES = {
    "PHOTOS": "data",
    "cityscape": "data",
    "landscape": "data",
    "numbers": "personal",
    "own_name": "personal",
    "photo": "data",
    "show": "plots",
    "show_cones": "diagrams",
    "show_curves": "diagrams",
    "show_row": "plots",
    "show_shares": "diagrams",
    "show_windows": "diagrams",
}


def __getattr__(name: str) -> Any:
    """Import `name` from its module (PEP 562).

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module 'course' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"course.{_MODULES[name]}"), name)
