"""Which layer of a student's network plays the part of which layer of the reference, and where the two part.

Names, nesting and the order of definition say nothing: a layer is known by the shapes of its tensors and by the signals
that reach it when both networks hold the same numbers (a patterned run of `autograder.inside.networks.forward`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.errors import StudentFailure
from autograder.inside.networks import STATISTICS, table

ALIKE = 1e-4
"""How much two signals may differ, relative to their size: another order of summation, not another formula."""
MOST_LAYERS = 5000
KINDS = {
    "Conv1d": "convolution",
    "Conv2d": "convolution",
    "Conv3d": "convolution",
    "ConvTranspose2d": "transposed convolution",
    "Linear": "linear layer",
    "BatchNorm1d": "batch normalisation",
    "BatchNorm2d": "batch normalisation",
    "LayerNorm": "layer normalisation",
    "GroupNorm": "group normalisation",
}


@dataclass(frozen=True, slots=True)
class Signal:
    """A tensor as it passed: its shape, its Euclidean norm, its projection on a fixed direction."""

    shape: tuple[int, ...]
    norm: float
    projection: float

    def alike(self, other: Signal) -> bool:
        """Whether both have the same numbers in the same order; the shape may differ, as a flattened map's does."""
        if math.prod(self.shape) != math.prod(other.shape):
            return False
        allowed = ALIKE * max(self.norm, other.norm)
        return abs(self.norm - other.norm) <= allowed and abs(self.projection - other.projection) <= allowed


@dataclass(frozen=True, slots=True)
class Layer:
    """A module with tensors of its own, as a network described it."""

    name: str
    kind: str
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    input: Signal | None = None
    output: Signal | None = None
    gradient: Signal | None = None

    @property
    def norm(self) -> bool:
        """Whether it has vectors only, as layers of normalisation do."""
        return all(len(shape) < 2 for _, shape in self.tensors)

    @property
    def key(self) -> tuple[tuple[int, ...], ...]:
        """What a partner must have in common: the tables of its tensors."""
        return tuple(table(shape) for _, shape in self.tensors)

    def __str__(self) -> str:
        parts = [f"{own} {shape}" for name, shape in self.tensors if (own := name.rpartition(".")[2]) not in STATISTICS]
        return f"{self.kind} ({', '.join(parts)})"


def read_layers(answer: Any) -> list[Layer]:
    """The layers of an answer from inside, which may be anything.

    Raises:
        StudentFailure: it is not what the operations of `autograder.inside.networks` return.
    """
    try:
        found = list(answer["layers"])[:MOST_LAYERS]
        return [
            Layer(
                str(layer["name"])[:200],
                str(layer["kind"])[:60],
                tuple((str(name)[:200], _shape(shape)) for name, shape in layer["tensors"]),
                *(_signal(layer.get(name)) for name in ("input", "output", "gradient")),
            )
            for layer in found
        ]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StudentFailure("type", "the layers of the network cannot be read", repr(error)[:1000]) from None


def _shape(value: Any) -> tuple[int, ...]:
    shape = tuple(int(size) for size in value)
    if any(not 0 <= size < 2**40 for size in shape):
        raise ValueError("no sizes")
    return shape


def _signal(value: Any) -> Signal | None:
    if value is None:
        return None
    shape, norm, projection = value
    return Signal(_shape(shape), float(norm), float(projection))


def pair(expected: Sequence[Layer], found: Sequence[Layer]) -> list[Layer]:
    """For each expected layer its partner among those found; both networks have the same layers (`unpaired` is empty).

    Layers of the same tables are partners if the same gradient arrives at them (then they have the same place before
    and behind them); else, where the networks differ further on, if the same input does; else by order of execution.
    Of several with the same input, as a module's branches have, it is the one whose gradient is nearest: rounding may
    move a maximum from one pixel to the next, and with it a little of the gradient of all that lies before.
    """
    tests: tuple[Callable[[Layer, Layer], bool], ...] = (
        lambda one, other: _alike(one.gradient, other.gradient),
        lambda one, other: _alike(one.input, other.input),
        lambda _one, _other: True,
    )
    partners: dict[int, Layer] = {}
    free = list(found)
    for test in tests:
        for number, layer in enumerate(expected):
            if number in partners:
                continue
            places = [i for i, other in enumerate(free) if other.key == layer.key and test(layer, other)]
            if places:
                nearest = min(places, key=lambda i: _distance(layer.gradient, free[i].gradient))
                partners[number] = free.pop(nearest)
    return [partners[number] for number in range(len(expected))]


def _distance(one: Signal | None, other: Signal | None) -> float:
    """How far two signals are from each other, relative to their size."""
    if one is None or other is None:
        return math.inf
    gap = math.hypot(one.norm - other.norm, one.projection - other.projection)
    return gap / max(one.norm, other.norm, 1e-30)


def _alike(one: Signal | None, other: Signal | None) -> bool:
    return one is not None and other is not None and one.alike(other)


def unpaired(expected: Sequence[Layer], found: Sequence[Layer]) -> str:
    """In words, the layers that only one of the networks has; empty where they have the same layers."""
    wanted, given = Counter(layer.key for layer in expected), Counter(layer.key for layer in found)
    lost, surplus = _some(expected, wanted - given), _some(found, given - wanted)
    return " and ".join(part for part in (lost and f"{lost} missing", surplus and f"{surplus} not expected") if part)


def _some(layers: Sequence[Layer], which: Counter[tuple[tuple[int, ...], ...]]) -> str:
    """How many, and one of them: one with matrices where there is one, for a normalisation only follows it."""
    chosen = sorted((layer for layer in layers if layer.key in which), key=lambda layer: layer.norm)
    if not chosen:
        return ""
    number = which.total()
    return f"{chosen[0]} is" if number == 1 else f"{number} layers ({chosen[0]}, ...) are"


def parting(expected: Sequence[Layer], found: Sequence[Layer], partners: Sequence[str]) -> str:
    """In words, the first expected layer, in the order of execution, whose signals differ from its partner's."""
    known = {layer.name: layer for layer in found}
    for number, (layer, partner) in enumerate(zip(expected, partners, strict=True)):
        title, other = ordinal(expected, number), known.get(partner)
        if other is None:
            return f"your network did not use its {title}"
        if not _alike(layer.input, other.input):
            how = _against(layer.input, other.input)
            return f"first difference before the {title}: its input {how}"
        if not _alike(layer.output, other.output):
            how = _against(layer.output, other.output)
            return f"first difference at the {title}: from the right input, its output {how}"
    return "every layer does what is expected: the difference arises in what is done with their outputs"


def _against(expected: Signal | None, found: Signal | None) -> str:
    if expected is None or found is None:
        return "is no tensor"
    if expected.shape != found.shape:
        return f"has shape {found.shape}, expected {expected.shape}"
    return f"has the right shape {found.shape} but other values"


def ordinal(layers: Sequence[Layer], number: int) -> str:
    """A layer's place among its kind, as a reader counts: `3rd convolution`."""
    kind = KINDS.get(layers[number].kind, layers[number].kind)
    place = sum(KINDS.get(layer.kind, layer.kind) == kind for layer in layers[: number + 1])
    suffix = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{suffix} {kind}"
