"""Walks a parsed summary file along the paths of summary_kinds.yaml; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

_SEGMENT = re.compile(
    r"(?:<(?P<capture>\w+)(?::(?P<keys>[^>]*))?>|(?P<key>\w+))?(?P<may_miss>\?)?(?P<each>\[.*\])?(?P<length>#)?"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a path.

    Attributes:
        capture: what a key becomes: metric, stat or a label; empty where the key is given.
        keys: those that must be there; empty for any.
        may_miss: missing or null is fine.
        each: labels that each item of a list gives (label -> key, or `*` -> key); None where there is no list.
        length: the length of the list is the number.
    """

    capture: str
    keys: tuple[str, ...]
    may_miss: bool
    each: tuple[tuple[str, str], ...] | None
    length: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a path led to: a value, or a problem instead of it.

    Attributes:
        where: the way to it, for people.
        metric, stat: keys that were captured as such.
        labels: other keys that were captured, and labels of the items passed.
    """

    value: Any
    where: str = ""
    metric: str = ""
    stat: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def through(self, key: str, value: Any, capture: str) -> Found:
        """Return what is one key further on."""
        where = f"{self.where}.{key}" if self.where else key
        moved = replace(self, value=value, where=where)
        if capture == "metric":
            return replace(moved, metric=key)
        if capture == "stat":
            return replace(moved, stat=key)
        return replace(moved, labels={**self.labels, capture: key}) if capture else moved


def walk(content: Any, path: str) -> Iterator[Found]:
    """Yield all values below `content` that `path` leads to, and a problem for each that is not there."""
    yield from _walk(Found(content), steps(path))


@cache
def steps(path: str) -> tuple[Step, ...]:
    """Return the parts of a path as written in summary_kinds.yaml."""
    return tuple(_step(text) for text in path.split("."))


def _step(text: str) -> Step:
    match = _SEGMENT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a part of a path: {text}")
    keys = match["keys"].split("|") if match["keys"] else [match["key"]] if match["key"] else []
    each = None if match["each"] is None else tuple(_label(word) for word in match["each"][1:-1].split())
    return Step(match["capture"] or "", tuple(keys), bool(match["may_miss"]), each, bool(match["length"]))


def _label(word: str) -> tuple[str, str]:
    if word.startswith("*"):
        return "*", word[1:]
    label, _, key = word.partition("=")
    return label, key


def _walk(at: Found, path: tuple[Step, ...]) -> Iterator[Found]:
    if at.problem or not path:
        yield at
        return
    for child in _children(at, path[0]):
        for item in _items(child, path[0]):
            yield from _walk(item, path[1:])


def _children(at: Found, step: Step) -> Iterator[Found]:
    if not step.keys and not step.capture:
        yield at
    elif isinstance(at.value, list) and step.keys and step.keys[0].isdecimal():
        yield _index(at, int(step.keys[0]))
    elif not isinstance(at.value, dict):
        yield replace(at, problem=f"{_name(at.where)} is not an object")
    else:
        for key in step.keys or tuple(at.value):
            yield from _child(at, step, key)


def _index(at: Found, index: int) -> Found:
    if index >= len(at.value):
        return replace(at, problem=f"{_name(at.where)} is too short a list")
    return replace(at, value=at.value[index])


def _child(at: Found, step: Step, key: str) -> Iterator[Found]:
    child = at.through(key, at.value.get(key), step.capture)
    if child.value is not None:
        yield child
    elif not step.may_miss:
        yield replace(child, problem=f"{child.where} is {'null' if key in at.value else 'missing'}")


def _items(at: Found, step: Step) -> Iterator[Found]:
    if at.problem or (step.each is None and not step.length):
        yield at
    elif not isinstance(at.value, list):
        yield replace(at, problem=f"{_name(at.where)} is not a list")
    elif step.length:
        yield replace(at, value=Decimal(len(at.value)))
    else:
        for index, item in enumerate(at.value):
            yield _item(at, step, item, f"{at.where}[{index}]")


def _item(at: Found, step: Step, item: Any, where: str) -> Found:
    inside = replace(at, value=item, where=where)
    if not isinstance(item, dict):
        return replace(inside, problem=f"{where} is not an object")
    labels = dict(at.labels)
    for label, key in step.each or ():
        taken = _taken(label, item.get(key))
        if taken is None:
            return replace(inside, problem=f"{where}.{key} is not text")
        labels.update(taken)
    return replace(inside, labels=labels)


def _taken(label: str, value: Any) -> Mapping[str, str] | None:
    """Return the labels that an item gives; None where one of them is not text."""
    if label != "*":
        return {label: value} if isinstance(value, str) else None
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return None
    return {name: text for name, text in value.items() if name != "__name__"}


def _name(where: str) -> str:
    return where or "the file"
