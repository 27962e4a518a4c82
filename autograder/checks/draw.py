"""Seeded inputs of a check: hidden, the same for the same attempt, different for every other attempt."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from autograder.checks import record

T = TypeVar("T")
Array = np.ndarray[Any, np.dtype[np.float64]]


class Case:
    """The arguments of one call: `function(*case.args, **case.kwargs)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        parts = [repr(value) for value in self.args] + [f"{key}={value!r}" for key, value in self.kwargs.items()]
        return f"Case({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whose work is checked, and what its hidden inputs are drawn from."""

    student: str
    secret: str = field(repr=False)
    """The course's secret."""
    sha256: str = ""
    """Hex digest of what was handed in (`Submission.sha256`): the next attempt gets other inputs, so feedback on one
    tells nothing about those of the next."""

    def seed(self, assignment: str, check: str) -> int:
        """Return a 128-bit seed that nobody without the course's secret can compute (HMAC-SHA256)."""
        text = f"{self.student}\x1f{assignment}\x1f{check}\x1f{self.sha256}".encode()
        return int.from_bytes(hmac.new(self.secret.encode(), text, hashlib.sha256).digest()[:16], "big")


class Draw:
    """Random inputs from one seed.

    `rng` is the numpy Generator; `tensor` draws the same as float32 torch tensors.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.tensor = TensorDraw(self)

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def boolean(self) -> bool:
        """True or False."""
        return bool(self.rng.integers(2))

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order."""
        return [items[int(index)] for index in self.rng.permutation(len(items))]

    def normal(self, *shape: int) -> Array:
        """Standard normals of this shape, float64."""
        return self.rng.standard_normal(shape)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Array:
        """Uniform numbers in [low, high) of this shape, float64."""
        return self.rng.uniform(low, high, shape)

    def images(self, n: int, channels: int, height: int, width: int) -> Array:
        """Images `(N, C, H, W)` in [0, 1], float64."""
        return self.uniform(n, channels, height, width)

    def cases(self, make: Callable[[Draw], Case] | Sequence[Case], n: int | None = None) -> Iterator[Case]:
        """`n` cases drawn by `make`, or the given ones; messages count them."""
        running = record.current()
        cases = make if isinstance(make, Sequence) else [make(self) for _ in range(n or 1)]
        first = running.cases + 1  # a check may draw cases more than once
        running.cases += len(cases)
        for index, case in enumerate(cases, start=first):
            running.case = index
            yield case
        running.case = None


class TensorDraw:
    """The draws of a `Draw` as float32 torch tensors."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def _of(self, array: Array) -> Any:
        import torch

        return torch.from_numpy(array).float()

    def normal(self, *shape: int) -> Any:
        """Standard normals of this shape."""
        return self._of(self._draw.normal(*shape))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Any:
        """Uniform numbers in [low, high) of this shape."""
        return self._of(self._draw.uniform(*shape, low=low, high=high))

    def images(self, n: int, channels: int, height: int, width: int) -> Any:
        """Images `(N, C, H, W)` in [0, 1]."""
        return self._of(self._draw.images(n, channels, height, width))
