"""The vocabulary of a network's spec: a list of layers, each a pair `(kind, options)` of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Layer = tuple[str, dict[str, Any]]
Spec = list[Layer]

RELU: Layer = ("relu", {})
DROPOUT: Layer = ("dropout", {})
NORMALISE: Layer = ("lrn", {})
BATCHNORM: Layer = ("batchnorm", {})
FLATTEN: Layer = ("flatten", {})
GLOBAL_POOL: Layer = ("global_pool", {})


def conv(out_channels: int, kernel_size: int, **options: int) -> Layer:
    """Convolution; options: stride=1, padding=0, dilation=1, groups=1, bias=True."""
    return ("conv", {"out_channels": out_channels, "kernel_size": kernel_size, **options})


def pool(kernel_size: int, **options: int) -> Layer:
    """Maximum or average pooling; options: stride=kernel_size, padding=0, ceil_mode=False."""
    return ("pool", {"kernel_size": kernel_size, **options})


def linear(out_features: int, **options: int) -> Layer:
    """Linear layer; option: bias=True."""
    return ("linear", {"out_features": out_features, **options})


def concat(*branches: Sequence[Layer]) -> Layer:
    """Branches that read the same input; their outputs are stacked along the channels."""
    return ("concat", {"branches": [list(branch) for branch in branches]})


def residual(body: Sequence[Layer], shortcut: Sequence[Layer] = ()) -> Layer:
    """The sum of a body and a shortcut (empty: the input itself)."""
    return ("residual", {"body": list(body), "shortcut": list(shortcut)})


def is_layer(value: Any, depth: int = 4) -> bool:
    """Whether a student's value is a layer, small enough to be handed back, with at most `depth` levels of others.

    Its kind and the names of its options are not looked at: `summarise` does that.
    """
    if not isinstance(value, tuple | list) or len(value) != 2 or depth == 0:
        return False
    kind, options = value
    if not isinstance(kind, str) or not isinstance(options, dict) or len(repr(value)) > 10_000:
        return False
    return all(isinstance(name, str) and _is_option(option, depth) for name, option in options.items())


def _is_option(value: Any, depth: int) -> bool:
    """Whether a value is a number, a spec, or a list of specs."""
    if isinstance(value, tuple | list):
        return _is_spec(value, depth) or all(_is_spec(part, depth) for part in value)
    return isinstance(value, int)


def _is_spec(value: Any, depth: int) -> bool:
    return isinstance(value, tuple | list) and all(is_layer(layer, depth - 1) for layer in value)
