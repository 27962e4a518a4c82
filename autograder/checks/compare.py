"""Compare a student's value with the expected one, and say how they differ as torch.testing does.

Nothing here raises for a wrong value: a comparison is recorded and returned as a bool, so that a check can go
on and its message can count the cases.
"""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks.record import Comparison, current
from autograder.errors import Cause
from autograder.inside.values import Opaque
from autograder.model.report import Picture

TOLERANCES = {
    "float64": (1e-6, 1e-8),
    "float32": (1e-4, 1e-5),
    "float16": (1e-2, 1e-3),
    "bfloat16": (2e-2, 1e-2),
    "complex64": (1e-4, 1e-5),
}
"""Relative and absolute tolerance by dtype: room for another order of summation, not for another formula."""
LARGEST_PICTURE = 64


class _Short(reprlib.Repr):
    """Like `repr`, but it looks at no more of a value than a message shows."""

    repr_bytes = reprlib.Repr.repr_str  # which it has for texts alone

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 8
        self.maxlist = self.maxtuple = self.maxdict = 200
        self.maxstring = self.maxother = self.maxlong = 4000


_SHORT = _Short()


@dataclass(frozen=True, slots=True)
class Difference:
    """The first way in which two values differ: in type, then shape, then dtype, then value."""

    cause: Cause
    message: str
    count: str = ""
    """The message without any element of the values, for checks that reveal nothing."""


def close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    what: str = "the result",
    picture: bool = False,
) -> bool:
    """Whether `actual` is `expected` within the tolerances of its dtype. NaN never passes.

    `picture=True` lets the student see both as heat maps (2-D values of at most 64 by 64).
    """

    def leaf(found: Any, wanted: Any, where: str) -> Difference | None:
        return _numbers_differ(found, wanted, where, rtol, atol)

    difference = _differ(actual, expected, what, leaf)
    return _note(difference, actual, expected, _picture(actual, expected, what) if picture else None)


def equal(actual: Any, expected: Any, *, what: str = "the result") -> bool:
    """Whether `actual` is exactly `expected` (numbers, strings, arrays; lists, tuples and dicts of them)."""

    def leaf(found: Any, wanted: Any, where: str) -> Difference | None:
        return _numbers_differ(found, wanted, where, 0.0, 0.0)

    return _note(_differ(actual, expected, what, leaf), actual, expected, None)


def expect(condition: bool, message: str, *, actual: Any = None) -> bool:
    """Record whether a property holds. `message` tells the student which; a hint rests on `actual`."""
    held = bool(condition)
    return current().add(Comparison(held, actual if actual is not None else held, "value", message))


def differ(actual: Any, expected: Any, what: str = "the result") -> Difference | None:
    """How `actual` differs from `expected` within default tolerances; None when it does not.

    Records nothing.
    """
    return _differ(actual, expected, what, lambda a, e, where: _numbers_differ(a, e, where, None, None))


def note(difference: Difference | None, actual: Any, expected: Any = None) -> bool:
    """Record a difference that a helper found by itself; None is a comparison that held."""
    return _note(difference, actual, expected, None)


def same(one: Any, other: Any) -> bool:  # noqa: PLR0911 - one return a kind of value
    """Whether two answers are the same, NaN being NaN's equal: the test by which a mistake is recognised."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, Opaque) or isinstance(other, Opaque):
        return isinstance(one, Opaque) and isinstance(other, Opaque)
    a, b = _as_array(one), _as_array(other)
    if a is None or b is None or (type(one) is int and type(other) is int):
        return type(one) is type(other) and bool(one == other)
    if a.dtype.kind in "biu" and b.dtype.kind in "biu":
        return bool(np.array_equal(a, b))
    if a.shape != b.shape:
        return False
    rtol, atol = TOLERANCES["float32" if "float32" in (str(a.dtype), str(b.dtype)) else "float64"]
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.allclose(a, b, rtol=rtol, atol=atol * _scale(b), equal_nan=True))


def describe(value: Any) -> str:  # noqa: PLR0911 - one return a kind of value
    """What a value is, in a few words: `a float64 array of shape (2, 3)`, `a number (int)`, `a list of 4`."""
    if isinstance(value, Opaque):
        return f"an object of type {value.type_name}"
    if isinstance(value, np.ndarray):
        return f"a {value.dtype} array of shape {value.shape}"
    if _is_tensor(value):
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    if value is None:
        return "None (is there a `return`?)"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool | np.bool_):
        return "a bool"
    if isinstance(value, int | float | complex | np.generic):
        return f"a number ({type(value).__name__})"
    return f"a {type(value).__name__}"


def _note(difference: Difference | None, actual: Any, expected: Any, picture: Picture | None) -> bool:
    record = current()
    if difference is None:
        return record.add(Comparison(True, actual))
    message = difference.count or difference.message if record.reveal == "nothing" else difference.message
    detail = f"{difference.message}\nexpected: {_short(expected)}\nfound: {_short(actual)}"
    return record.add(Comparison(False, actual, difference.cause, message, detail, picture=picture))


def _short(value: Any) -> str:
    text = np.array2string(value, threshold=200, precision=6) if isinstance(value, np.ndarray) else _SHORT.repr(value)
    return text if len(text) < 4000 else text[:4000] + " ..."


def _quoted(value: str | bytes | None) -> str:
    """As `repr`, of the beginning alone: that of a long text takes ten times its memory."""
    return repr(value) if value is None else repr(value[:300])


Leaf = Callable[[Any, Any, str], Difference | None]


def _differ(  # noqa: PLR0911 - type, length, keys and values, each said first
    actual: Any, expected: Any, where: str, leaf: Leaf
) -> Difference | None:
    """Walk lists, tuples and dicts side by side; a list may stand for a tuple."""
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple):
            return Difference("type", f"{where} should be a {type(expected).__name__}, found {describe(actual)}")
        if len(actual) != len(expected):
            return Difference("shape", f"{where} should have {len(expected)} items, found {len(actual)}")
        pairs = ((f"{where}[{i}]", a, e) for i, (a, e) in enumerate(zip(actual, expected, strict=True)))
    elif isinstance(expected, dict):
        if not isinstance(actual, dict):
            return Difference("type", f"{where} should be a dict, found {describe(actual)}")
        if actual.keys() != expected.keys():
            return Difference("shape", f"{where} should have the keys {sorted(map(str, expected))}")
        pairs = ((f"{where}[{key!r}]", actual[key], value) for key, value in expected.items())
    elif isinstance(expected, str | bytes) or expected is None:
        if type(actual) is not type(expected):
            return Difference("type", f"{where} should be {describe(expected)}, found {describe(actual)}")
        if actual == expected:
            return None
        told = f"{where}: expected {_quoted(expected)}, found {_quoted(actual)}"[:300]
        return Difference("value", told, f"{where} is wrong")
    else:
        return leaf(actual, expected, where)
    return next((found for path, a, e in pairs if (found := _differ(a, e, path, leaf)) is not None), None)


def _numbers_differ(
    actual: Any, expected: Any, where: str, rtol: float | None, atol: float | None
) -> Difference | None:
    found, wanted = _as_array(actual), _as_array(expected)
    if wanted is None:
        raise TypeError(f"cannot compare with {describe(expected)}")
    if found is None or (_container(actual) != _container(expected) and not found.shape == wanted.shape == ()):
        return Difference("type", f"{where} should be {describe(expected)}, found {describe(actual)}")
    if found.shape != wanted.shape:
        return Difference("shape", f"{where} has shape {found.shape}, expected {wanted.shape}")
    if (wrong := _wrong_dtype(actual, expected, found, wanted)) is not None:
        return Difference("type", f"{where} {wrong}")
    if type(actual) is int and type(expected) is int and actual != expected and found == wanted:
        return Difference("value", f"{where}: expected {expected}, found {actual}", f"{where} is wrong")
    default = _tolerances(actual, expected, found, wanted)
    return _values_differ(
        found, wanted, where, default[0] if rtol is None else rtol, default[1] if atol is None else atol
    )


def _container(value: Any) -> str:
    return "tensor" if _is_tensor(value) else "array" if isinstance(value, np.ndarray) else "number"


def _tolerances(
    actual: Any, expected: Any, found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]
) -> tuple[float, float]:
    """Those of the coarser dtype; counts are exact.

    The absolute one grows with the largest element: what rounding leaves of a sum that cancels is as small as
    its summands are, not as the sum is.
    """
    if wanted.dtype.kind in "biu":
        return 0.0, 0.0
    coarser = actual if found.dtype.kind == "f" and _item_bytes(actual, found) < wanted.dtype.itemsize else expected
    rtol, atol = TOLERANCES.get(_dtype_name(coarser), TOLERANCES["float64"])
    return rtol, atol * _scale(wanted)


def _scale(values: np.ndarray[Any, Any]) -> float:
    """The largest finite magnitude, at least 1."""
    magnitudes = np.abs(values[np.isfinite(values)])
    # a long double may be larger than any float
    return max(1.0, min(float(magnitudes.max()), sys.float_info.max)) if magnitudes.size else 1.0


def _wrong_dtype(actual: Any, expected: Any, found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]) -> str | None:
    """How a dtype is wrong: bools for numbers, floats for counts, complex for reals, float32 for float64."""
    order = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
    have, need = (
        1 if type(value) is int else order[array.dtype.kind]  # an int too large for an array is still an int
        for value, array in ((actual, found), (expected, wanted))
    )
    if wanted.shape == () and not isinstance(expected, np.ndarray):
        if have == need or (have == 1 and need > 1):
            return None
        return f"should be {describe(expected)}, found {describe(actual)}"
    if have != need:
        return f"should have dtype {_dtype_name(expected)}, found {_dtype_name(actual)}"
    if need >= 2 and _item_bytes(actual, found) < _item_bytes(expected, wanted):
        return f"should have dtype {_dtype_name(expected)}, found {_dtype_name(actual)}: precision was lost"
    return None


def _values_differ(
    found: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], where: str, rtol: float, atol: float
) -> Difference | None:
    if found.dtype.kind in "biu" and wanted.dtype.kind in "biu" and rtol == atol == 0.0:
        wrong = found != wanted
        gap = np.where(wrong, np.abs(found.astype(np.float64) - wanted.astype(np.float64)), 0.0)
    else:
        with np.errstate(invalid="ignore", over="ignore"):
            gap = np.abs(found.astype(np.complex128) - wanted.astype(np.complex128))
            near = np.isfinite(wanted) & (gap <= atol + rtol * np.abs(wanted))
            wrong = ~(near | (found == wanted))  # NaN is neither
    bad = int(np.count_nonzero(wrong))
    if bad == 0:
        return None
    size = wanted.size
    worst = np.unravel_index(int(np.argmax(np.where(wrong, np.nan_to_num(gap, nan=math.inf), -1.0))), wanted.shape)
    told = f"expected {_number(wanted[worst])}, found {_number(found[worst])}"
    allowed = f" (allowed: {rtol:g} relative, {atol:g} absolute)" if rtol or atol else ""
    if wanted.shape == ():
        return Difference(
            "value", f"{where}: {told}{allowed if wanted.dtype.kind in 'fc' else ''}", f"{where} is wrong"
        )
    count = f"{where}: {bad} of {size} elements differ ({bad / size:.1%})"
    index = tuple(int(i) for i in worst)
    return Difference("value", f"{count}; the worst at index {index}: {told}{allowed}", count)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _dtype_name(value: Any) -> str:
    if hasattr(value, "dtype"):
        return str(value.dtype).removeprefix("torch.")
    return "float64" if isinstance(value, float) else type(value).__name__


def _item_bytes(value: Any, array: np.ndarray[Any, Any]) -> int:
    """Bytes of an element of `value`, of which `array` is the numpy form: bfloat16 has none of its own."""
    return int(value.element_size()) if _is_tensor(value) else array.dtype.itemsize


def _as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """A numeric array of the value, or None when it is no number, array or tensor."""
    if _is_tensor(value):
        tensor = value.detach().cpu()
        return np.asarray(
            tensor.float().numpy() if str(tensor.dtype) == "torch.bfloat16" else tensor.resolve_conj().numpy()
        )
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return array if array.dtype.kind in "biufc" else None
    if isinstance(value, bool | int | float | complex):
        if isinstance(value, int) and value.bit_length() > 62:
            return np.asarray(float(value) if value.bit_length() < 1000 else math.inf * (1 if value > 0 else -1))
        return np.asarray(value)
    return None


def _picture(actual: Any, expected: Any, title: str) -> Picture | None:
    found, wanted = _as_array(actual), _as_array(expected)
    if found is None or wanted is None or found.shape != wanted.shape or wanted.ndim != 2:
        return None
    if min(wanted.shape) < 2 or max(wanted.shape) > LARGEST_PICTURE or "c" in {found.dtype.kind, wanted.dtype.kind}:
        return None
    return Picture(wanted.astype(float).round(6).tolist(), found.astype(float).round(6).tolist(), title)
