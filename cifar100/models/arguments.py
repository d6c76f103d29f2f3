"""Arguments of a network: known by name, and of the kind that it declares."""

import inspect
import math
import typing
from collections.abc import Callable, Collection, Mapping
from types import NoneType, UnionType
from typing import Any

from cifar100.errors import UserError, suggestion

# What an experiment says elsewhere: the data set, and a setting of its own.
ELSEWHERE = ("num_classes", "dropout")
WORDS = {
    **{int: "an integer", float: "a number", str: "a word"},
    **{bool: "true or false", NoneType: "null"},
}


def check(name: str, network: Callable, arguments: Mapping[str, Any]) -> None:
    """Raise `UserError` for an argument that `network` does not take, or not so."""
    kinds = typing.get_type_hints(network)
    valid = inspect.signature(network).parameters.keys() - ELSEWHERE
    for key, value in arguments.items():
        if key not in valid:
            raise UserError(f"{name} takes no '{key}'{suggestion(key, valid)}")
        if not fits(value, kinds[key]):
            kind = in_words(kinds[key])
            raise UserError(f"{name}: {key} is {kind}, not {value!r}")


def fits(value: Any, kind: Any) -> bool:
    """Whether `value` is of the annotated `kind`; a truth value is no number, nor is
    what JSON calls NaN or Infinity."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return any(fits(value, part) for part in parts)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if parts[-1] is Ellipsis:
            parts = parts[:1] * len(value)
        return len(value) == len(parts) and all(map(fits, value, parts))
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def in_words(kind: Any) -> str:
    """What an annotated kind wants: `tuple[int, ...]` is "a tuple of integers"."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return " or ".join(map(in_words, parts))
    if origin is tuple:
        count = "" if parts[-1] is Ellipsis else f"{len(parts)} "
        noun = in_words(parts[0]).split()[-1]
        return f"a tuple of {count}{noun}s (with --set a list, such as [8,16])"
    return WORDS[kind]


def check_word(argument: str, word: str, words: Collection[str]) -> None:
    """Raise `ValueError` for a `word` that is none of `words`."""
    if word not in words:
        raise ValueError(f"{argument}: '{word}' is none of {', '.join(words)}")
