"""`${name}` in the values of a scenario: found, and filled from a row; never from the process environment."""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Mapping
from typing import Any

from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.names import JUDGED_LATER
from pytest_telescope.scenario.names import Scalar
from pytest_telescope.scenario.names import suggest
from pytest_telescope.scenario.problems import Problems
from pytest_telescope.scenario.problems import dotted

_ANY = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_WHOLE = re.compile(r"\$\{([^}]*)\}")
VALUE_NAME = r"[a-z_][a-z0-9_]*"


def used(node: Node) -> frozenset[str]:
    """Return the names of all placeholders in `node`; an escaped `$${` is no placeholder, but counts as use of ``."""
    found: set[str] = set()
    _collect(node, found)
    return frozenset(found)


def fill(node: Node, values: Mapping[str, Scalar], keep: Collection[str], path: str, problems: Problems) -> Any:
    """Return `node` as plain values with every `${name}` replaced.

    A scalar that is nothing but `${name}` takes the type of the value. Names in `keep` stay as they are.
    """
    content = node.content
    if isinstance(content, str):
        return _filled(node, values, keep, path, problems) if "${" in content else content
    if isinstance(content, Mapping):
        return {key: fill(value, values, keep, f"{path}.{key}", problems) for key, value in content.items()}
    if isinstance(content, tuple):
        return tuple(fill(value, values, keep, dotted(path, at), problems) for at, value in enumerate(content))
    return content


def plain(node: Node) -> Any:
    """Return `node` as plain values, nothing filled."""
    content = node.content
    if isinstance(content, Mapping):
        return {key: plain(value) for key, value in content.items()}
    return tuple(plain(value) for value in content) if isinstance(content, tuple) else content


def spelled(value: Scalar) -> str:
    """Return a value as it reads inside a longer text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _collect(node: Node, found: set[str]) -> None:
    content = node.content
    if isinstance(content, str):
        if "${" in content:
            found.update(match[1] or "" for match in _ANY.finditer(content))
    elif isinstance(content, Mapping):
        for value in content.values():
            _collect(value, found)
    elif isinstance(content, tuple):
        for value in content:
            _collect(value, found)


def _filled(node: Node, values: Mapping[str, Scalar], keep: Collection[str], path: str, problems: Problems) -> Scalar:
    text = str(node.content)
    whole = _WHOLE.fullmatch(text)
    if whole and whole[1] in values:
        return values[whole[1]]

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if name in values and match[0].endswith("}"):
            return spelled(values[name])
        if name not in keep or not match[0].endswith("}"):
            problems.add(node.place, path, _unknown(match[0], name, values, keep))
        return match[0]

    return _ANY.sub(replace, text)


def _unknown(written: str, name: str, values: Mapping[str, Scalar], keep: Collection[str]) -> str:
    if not written.endswith("}"):
        return f"{written!r} is not closed; write ${{name}}, or $${{ for the characters themselves"
    if name in JUDGED_LATER and name not in keep:
        return f"${{{name}}} is known only in slos; write a number or a name of the row: {', '.join(values) or 'none'}"
    return suggest("value", name, (*values, *keep)) + "; the row of the matrix gives values, $${ is a plain ${"
