"""JSON values turned into what type hints ask for."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

__all__ = ["json_converter"]

Converter = Callable[[Any], Any]


@cache
def json_converter(hint: Any) -> Converter:
    """Make the function that converts a JSON value.

    Hints are read once: a plan has a NamedTuple for each of thousands of pairs.

    Parameters
    ----------
    hint : type
        A JSON type, a Literal, a NamedTuple, or a list, tuple, dict or union with None
        of them.

    Returns
    -------
    callable
        It raises a ValueError where the value is of another type.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if origin in (Union, types.UnionType):
        return _optional(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _row(hint, tuple, arguments)
    if origin in (list, tuple):
        return _items(hint, origin, json_converter(arguments[0]))
    if origin is dict:
        return _values(hint, json_converter(arguments[1]))
    if hasattr(hint, "_fields"):
        return _row(hint, hint._make, tuple(get_type_hints(hint).values()))
    if origin is not None:  # a Literal
        return lambda value: value if value in arguments else _refuse(hint, value)
    return _plain(hint)


def _optional(arguments: tuple[Any, ...]) -> Converter:
    (hint,) = (some for some in arguments if some is not type(None))
    convert = json_converter(hint)
    if type(None) not in arguments:
        return convert
    return lambda value: None if value is None else convert(value)


def _row(hint: Any, make: Callable[[Any], Any], hints: tuple[Any, ...]) -> Converter:
    converters = [json_converter(some) for some in hints]

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            _refuse(hint, value)
        if len(value) != len(converters):
            raise ValueError(f"{value!r} has not {len(converters)} items")
        return make([one(item) for one, item in zip(converters, value, strict=True)])

    return convert


def _items(hint: Any, make: Callable[[Any], Any], one: Converter) -> Converter:
    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            _refuse(hint, value)
        return make([one(item) for item in value])

    return convert


def _values(hint: Any, one: Converter) -> Converter:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            _refuse(hint, value)
        return {key: one(item) for key, item in value.items()}

    return convert


def _plain(hint: Any) -> Converter:
    def convert(value: Any) -> Any:
        if type(value) is hint:
            return value
        if hint is float and type(value) is int:
            return float(value)
        return _refuse(hint, value)

    return convert


def _refuse(hint: Any, value: Any) -> Any:
    raise ValueError(f"{value!r} is not of type {getattr(hint, '__name__', hint)}")
