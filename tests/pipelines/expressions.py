"""Expressions of Azure Pipelines, as far as the files here use them; what is not known is refused, never guessed.

Semantics: https://learn.microsoft.com/azure/devops/pipelines/process/expressions
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>\w+)|(?P<sign>[()\[\],.]))")
Value = Any
"""None, a bool, a float, a str, a list or a dict."""
Function = Callable[..., Value]


class ExpressionError(Exception):
    """An expression that this runner does not understand, or that asks for what is not there."""


def text_of(value: Value) -> str:
    """Return a value as Azure Pipelines writes it into a string."""
    match value:
        case None:
            return ""
        case bool():
            return str(value)
        case float():
            return f"{value:g}"
        case str():
            return value
        case _:
            raise ExpressionError(f"{type(value).__name__} within a string: {value!r}")


def truth(value: Value) -> bool:
    """Return a value as a condition."""
    return bool(value) if not isinstance(value, list | dict) else True


def equal(left: Value, right: Value) -> bool:
    """Compare: the right side takes the left one's type, strings ignore case."""
    match left:
        case None:
            return right is None or right == ""
        case bool():
            return left == truth(right)
        case float():
            try:
                return left == float(text_of(right))
            except ValueError:
                return False
        case str():
            return left.casefold() == text_of(right).casefold()
        case _:
            raise ExpressionError(f"eq of {type(left).__name__}")


def _formatted(pattern: str, *values: Value) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: text_of(values[int(found[1])]), pattern)


PURE: Mapping[str, Function] = {
    "eq": equal,
    "ne": lambda left, right: not equal(left, right),
    "and": lambda *values: all(map(truth, values)),
    "or": lambda *values: any(map(truth, values)),
    "not": lambda value: not truth(value),
    "format": _formatted,
    "replace": lambda text, old, new: text_of(text).replace(old, new),
    "startswith": lambda text, start: text_of(text).casefold().startswith(start.casefold()),
    "in": lambda value, *others: any(equal(value, other) for other in others),
    "coalesce": lambda *values: next((value for value in values if value not in {None, ""}), None),
}


class Names(dict[str, Value]):
    """A mapping whose names ignore case; a name that is not there is an error."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__({name.casefold(): value for name, value in values.items()})

    def __missing__(self, name: str) -> Value:
        raise ExpressionError(f"{name!r} is not defined; known are {', '.join(sorted(self))}")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What an expression may name: contexts by name, and functions beside the pure ones."""

    contexts: Mapping[str, Value]
    functions: Mapping[str, Function]

    def with_(self, name: str, value: Value) -> Scope:
        """Return the scope with one more name, the variable of a loop."""
        return Scope(contexts={**self.contexts, name: value}, functions=self.functions)


def evaluate(text: str, scope: Scope) -> Value:
    """Return what an expression says.

    Raises:
        ExpressionError: it is malformed, or names what is not known.
    """
    reader = _Reader(text, scope)
    value = reader.value()
    if reader.tokens:
        raise ExpressionError(f"{text!r}: {reader.tokens[0][1]!r} is left over")
    return value


class _Reader:
    def __init__(self, text: str, scope: Scope) -> None:
        self.text, self.scope = text, scope
        self.tokens = list(_tokens(text))

    def take(self, sign: str | None = None) -> tuple[str, str]:
        if not self.tokens or (sign is not None and self.tokens[0][1] != sign):
            raise ExpressionError(f"{self.text!r}: expected {sign or 'a value'}")
        return self.tokens.pop(0)

    def next_is(self, sign: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == ("sign", sign)

    def value(self) -> Value:
        value = self._start()
        while self.next_is(".") or self.next_is("["):
            value = self._step(value)
        return value

    def _start(self) -> Value:
        kind, found = self.take()
        if kind == "string":
            return found[1:-1].replace("''", "'")
        if kind == "number":
            return float(found)
        if kind == "sign":
            raise ExpressionError(f"{self.text!r}: {found!r} is no value")
        return self._call(found) if self.next_is("(") else self._named(found)

    def _named(self, word: str) -> Value:
        literals = {"true": True, "false": False, "null": None}
        if word.casefold() in literals:
            return literals[word.casefold()]
        if word not in self.scope.contexts:
            raise ExpressionError(f"{self.text!r}: {word} is not known; known are {', '.join(self.scope.contexts)}")
        return self.scope.contexts[word]

    def _call(self, name: str) -> Value:
        known = {**PURE, **self.scope.functions}
        if name.casefold() not in known:
            raise ExpressionError(f"{self.text!r}: the function {name} is not known here")
        self.take("(")
        arguments: list[Value] = []
        while not self.next_is(")"):
            arguments.append(self.value())
            if not self.next_is(")"):
                self.take(",")
        self.take(")")
        return known[name.casefold()](*arguments)

    def _step(self, value: Value) -> Value:
        if self.take()[1] == ".":
            key: Value = self.take()[1]
        else:
            key = self.value()
            self.take("]")
        if isinstance(value, Names):
            return value[str(key).casefold()]
        if isinstance(value, Mapping):
            if key not in value:
                raise ExpressionError(f"{self.text!r}: {key!r} is not among {', '.join(value)}")
            return value[key]
        if isinstance(value, Sequence) and isinstance(key, float):
            return value[int(key)]
        raise ExpressionError(f"{self.text!r}: {type(value).__name__} has no {key!r}")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise ExpressionError(f"{text!r}: cannot read {text[at:]!r}")
        kind = token.lastgroup or ""
        found.append((kind, token[kind]))
        at = token.end()
    return found
