"""Every place of a process that holds one of some functions: modules, classes, containers, defaults, closures."""

from __future__ import annotations

import builtins
import functools
import gc
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

globals()["__builtins__"] = dict(vars(builtins))  # a copy: what a student's code patches is not used here

FEW = 3
CHUNK = 128
"""Objects whose references are looked at together."""
NAMESPACE: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
"""Of a class, whatever its metaclass says of `__dict__`: a student may have written that."""
NO_CLASSES: Mapping[int, type] = types.MappingProxyType({})


class Place(NamedTuple):
    """Where something holds a function: `put(holder, key, value)` puts another there."""

    put: Callable[[Any, Any, Any], None]
    holder: Any
    key: Any
    value: Any


def find(replaced: Mapping[Any, Any], owners: set[type], ours: type) -> list[Place]:
    """Return every place that holds a key of `replaced`, with its value.

    `owners` are the classes whose methods are among them. Instances of `ours` hold each once, and keep it.
    """
    stranger = object()
    functions = (*replaced, stranger)
    values = dict(zip(map(id, functions), replaced.values(), strict=False))
    held = list(_in_namespaces(values, owners))
    known = Counter(id(place.value) for place in held)
    known.update(id(place.value) for place in held if place.put in {_set_key, _set_member})  # the place has it too
    usual = sys.getrefcount(stranger) + 2  # `ours`, `replaced`
    elsewhere = tuple(
        each
        for each in functions
        if each is not stranger and sys.getrefcount(each) - usual > known[id(values[id(each)])]
    )
    if elsewhere:
        gc.unfreeze()  # what is frozen is not searched
        held += _anywhere(elsewhere, values, (ours, types.FrameType), {id(replaced), id(functions)})
        gc.freeze()
    return held


def within(holders: Iterator[Any] | list[Any], replaced: Mapping[Any, Any]) -> list[Place]:
    """Return the places in these objects alone."""
    values = {id(function): value for function, value in replaced.items()}
    return [place for holder in holders for place in _held(holder, values)]


def _in_namespaces(values: dict[int, Any], owners: set[type]) -> Iterator[Place]:
    """Where functions nearly always are: in modules, in what modules hold by name, in their classes."""
    seen: set[int] = set()
    for module in list(sys.modules.values()):
        namespace = vars(module) if isinstance(module, types.ModuleType) else {}
        for holder in (namespace, *(each for each in list(namespace.values()) if type(each) in {set, list, dict})):
            inside = holder.values() if isinstance(holder, dict) else holder
            if id(holder) not in seen and not values.keys().isdisjoint(map(id, list(inside))):
                yield from _held(holder, values)
            seen.add(id(holder))
    for owner in owners:
        yield from _held(owner, values)


def _anywhere(
    functions: tuple[Any, ...], values: dict[int, Any], ignored: tuple[type, ...], ours: set[int]
) -> Iterator[Place]:
    """Where else they are: in whatever the garbage collector knows."""
    wrappers: list[Any] = []
    classes = _classes()
    ours = {*ours, id(functions), id(wrappers), id(classes)}
    for holder in _referrers(functions):
        if id(holder) in ours or isinstance(holder, ignored):
            continue
        if type(holder) in {tuple, staticmethod, classmethod}:
            wrappers.append(holder)
        else:
            yield from _held(holder, values, classes)
    inner = tuple(wrappers)
    around = {id(each): _rewrapped(each, values) for each in inner}
    for holder in _referrers(inner):
        if id(holder) not in ours and holder is not inner and not isinstance(holder, ignored):
            yield from _held(holder, around, classes)


def _referrers(things: tuple[Any, ...]) -> list[Any]:
    """What refers to one of `things`. The garbage collector's own search takes as long for each of them."""
    if len(things) < FEW:
        return gc.get_referrers(*things) if things else []
    wanted = set(map(id, things))
    objects = gc.get_objects()
    found: list[Any] = []
    for start in range(0, len(objects), CHUNK):
        chunk = objects[start : start + CHUNK]
        if not wanted.isdisjoint(map(id, gc.get_referents(*chunk))):
            found += [each for each in chunk if not wanted.isdisjoint(map(id, gc.get_referents(each)))]
    return [each for each in found if each is not objects]


def _rewrapped(wrapper: Any, values: dict[int, Any]) -> Any:
    if type(wrapper) is tuple:
        return tuple(values.get(id(each), each) for each in wrapper)
    return type(wrapper)(values[id(wrapper.__func__)])


def _held(  # noqa: C901 - one case for each kind
    holder: Any, values: dict[int, Any], classes: Mapping[int, type] = NO_CLASSES
) -> Iterator[Place]:
    """The places within one object; `classes` are those whose namespaces may be given as an object."""
    kind = type(holder)
    if isinstance(holder, type):
        yield from (
            Place(_set_attribute, holder, key, values[id(v)])
            for key, v in list(NAMESPACE(holder).items())
            if id(v) in values
        )
    elif isinstance(holder, dict):
        held_by = classes.get(id(holder))
        put, where = (_set_item, holder) if held_by is None else (_set_attribute, held_by)
        yield from (Place(put, where, key, values[id(v)]) for key, v in list(holder.items()) if id(v) in values)
        for key in [key for key in holder if id(key) in values]:
            yield Place(_set_key, holder, key, values[id(key)])
    elif kind is list:
        yield from (Place(_set_item, holder, place, values[id(v)]) for place, v in enumerate(holder) if id(v) in values)
    elif kind is set:
        yield from (Place(_set_member, holder, each, values[id(each)]) for each in list(holder) if id(each) in values)
    elif kind is types.CellType:
        yield Place(_set_cell, holder, None, values[id(holder.cell_contents)])
    elif kind is functools.partial:
        if id(holder.func) in values:
            yield Place(_set_function, holder, None, values[id(holder.func)])
    elif kind is types.FunctionType:
        if id(holder.__defaults__) in values:
            yield Place(setattr, holder, "__defaults__", values[id(holder.__defaults__)])
    elif not isinstance(holder, type | types.FrameType | types.ModuleType) and isinstance(
        held := getattr(holder, "__dict__", None), dict
    ):
        yield from (Place(_set_item, held, key, values[id(v)]) for key, v in list(held.items()) if id(v) in values)


def _classes() -> dict[int, type]:
    """Classes by the identities of their namespaces, which notice no assignment but to the classes' attributes."""
    classes = [each for each in gc.get_objects() if issubclass(type(each), type)]  # not what an object says it is
    return {id(namespace): each for each in classes for namespace in gc.get_referents(NAMESPACE(each))}


def _set_item(holder: Any, key: Any, value: Any) -> None:
    holder[key] = value


def _set_key(holder: Any, key: Any, value: Any) -> None:
    if key in holder:
        holder[value] = holder.pop(key)


def _set_member(holder: Any, key: Any, value: Any) -> None:
    holder.discard(key)
    holder.add(value)


def _set_cell(holder: Any, _key: Any, value: Any) -> None:
    holder.cell_contents = value


def _set_function(holder: Any, _key: Any, value: Any) -> None:
    _, arguments, keywords, namespace = holder.__reduce__()[2]
    holder.__setstate__((value, arguments, keywords, namespace))


def _set_attribute(holder: Any, key: Any, value: Any) -> None:
    try:
        setattr(holder, key, value)
    except TypeError:  # a class that is written in C
        import ctypes

        (namespace,) = gc.get_referents(NAMESPACE(holder))
        namespace[key] = value
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(holder))
