"""YAML read to nodes, so that every value knows its file and line.

Plain scalars follow YAML 1.2: only `true` and `false` are booleans, so `on:` is a word; `010` is ten; `1:30` is text.
Anchors, aliases and `<<` are read; tags are not, so nothing but plain data can come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.names import Scalar

MOST_NODES = 200_000
DEEPEST = 50

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_BOOL = "tag:yaml.org,2002:bool"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_STR = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_SAFE = {_NULL, _BOOL, _INT, _FLOAT, _STR, _MERGE, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class _Loader(_BASE):  # type: ignore[misc]  # libyaml's loader where it was built, else the pure one
    """The safe loader with YAML 1.2's plain scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 pyyaml's own way: a class attribute it replaces


for _tag, _pattern, _first in (
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_INT, r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", list("-+0123456789")),
    (_FLOAT, r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    (_MERGE, r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document.

    Attributes:
        content: a scalar, None for null, a mapping or a tuple of nodes.
        place: the line of its key, or its own where it has none.
        text: as written, for scalars.
    """

    content: Scalar | Mapping[str, Node] | tuple[Node, ...] | None
    place: Place
    text: str = ""


def read(path: Path, shown: Path | None = None) -> Node:
    """Return the one document of a YAML file; error messages name the file as `shown`.

    Raises:
        UsageError: no such file, not UTF-8, not one YAML document, a duplicate key, a tag, an endless alias.
    """
    shown = shown or path
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{shown}:{line}: not UTF-8 (byte {error.object[error.start]:#04x}); save the file as UTF-8"
        ) from None
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror}") from None
    return parse(text, shown)


def parse(text: str, shown: Path) -> Node:
    """Return the one document in `text`; see `read`."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise UsageError(_explain(error, text, shown)) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UsageError(f"{shown}:{line}: a control character is not allowed in YAML; remove it") from None
    if root is None:
        raise UsageError(f"{shown}:1: the file is empty; see docs/scenario.md for the keys")
    builder = _Builder(shown)
    node = builder.node(root, root.start_mark.line + 1)
    if builder.problems:
        raise UsageError("\n".join(builder.problems))
    return node


def of_text(text: str, place: Place) -> Node:
    """Return the scalar that `text` is in YAML, as if it stood at `place`; in quotes it is a text."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return Node(text[1:-1], place, text)
    tag = _Loader("").resolve(yaml.ScalarNode, text, (True, False))
    return Node(_scalar(tag, text), place, text)


class _Builder:
    """Turns pyyaml's nodes into ours, collecting what is wrong with them."""

    def __init__(self, shown: Path) -> None:
        self._shown = shown
        self._places: dict[int, Place] = {}
        self.problems: list[str] = []
        self._count = 0
        self._depth = 0

    def node(self, node: Any, line: int) -> Node:
        """Return our node for pyyaml's; `line` is that of its key."""
        self._count += 1
        self._depth += 1
        if self._count > MOST_NODES or self._depth > DEEPEST:
            raise UsageError(f"{self._place(line)}: too much, or endless: an alias may hold itself; write it out")
        if node.tag not in _SAFE:
            raise UsageError(f"{self._place(line)}: tag {node.tag!r} is not read; remove it")
        content = self._content(node)
        self._depth -= 1
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        return Node(content, self._place(line), text)

    def _content(self, node: Any) -> Scalar | Mapping[str, Node] | tuple[Node, ...] | None:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node.tag, node.value)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.node(item, item.start_mark.line + 1) for item in node.value)
        return self._mapping(node)

    def _mapping(self, node: Any) -> Mapping[str, Node]:
        own: dict[str, Node] = {}
        below: dict[str, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == _MERGE:
                for content in self._merged(value, line):
                    below = {**content, **below}
                continue
            name = self._key(key, line)
            if name in own:
                first = own[name].place.line
                self.problems.append(f"{self._place(line)}: duplicate key {name!r}, first in line {first}; remove one")
            own[name] = self.node(value, line)
        return {**below, **own}

    def _merged(self, value: Any, line: int) -> Iterator[Mapping[str, Node]]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            content = self.node(source, line).content
            if not isinstance(content, Mapping):
                raise UsageError(f"{self._place(line)}: << wants an alias of a mapping; write e.g. <<: *name")
            yield content

    def _key(self, key: Any, line: int) -> str:
        if not isinstance(key, yaml.ScalarNode) or key.tag not in {_STR, _INT, _FLOAT, _BOOL}:
            raise UsageError(f"{self._place(line)}: a key must be a word; put it in quotes")
        return str(key.value)

    def _place(self, line: int) -> Place:
        if line not in self._places:
            self._places[line] = Place(self._shown, line)
        return self._places[line]


def _scalar(tag: str, text: str) -> Scalar | None:
    if tag == _NULL:
        return None
    if tag == _BOOL:
        return text.lower() == "true"
    if tag == _INT:
        return int(text, 0 if text[:2] in {"0x", "0o"} else 10)
    return float(text) if tag == _FLOAT else text


_HINTS = (
    ("mapping values are not allowed", "indent keys of one mapping alike, and quote a value that holds ': '"),
    ("could not find expected ':'", "a key needs ': ' and a value, or a quote is not closed"),
    ("did not find expected key", "indent keys of one mapping alike, and close quotes and brackets"),
    ("did not find expected '-'", "indent the items of a list alike"),
    ("did not find expected ',' or", "close the bracket, and put ', ' between its entries"),
    ("expected ',' or", "close the bracket, and put ', ' between its entries"),
    ("unexpected end of stream", "close the quote or bracket that is open"),
    ("undefined alias", "define &name before *name, or quote a value that begins with *"),
    ("cannot start any token", "quote a value that begins with @, ` or %"),
    ("expected a single document", "keep one document a file: remove '---' and what follows"),
    ("but found another document", "keep one document a file: remove '---' and what follows"),
)


def _explain(error: yaml.MarkedYAMLError, text: str, shown: Path) -> str:
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    # an open quote is found at the end of the file, but mended where it begins
    at_end = "end of stream" in str(error.problem)
    line = marks[-1 if at_end else 0].line if marks else 0
    lines = text.split("\n")
    written = lines[line] if line < len(lines) else ""
    problem = " ".join(filter(None, (error.context, error.problem)))
    if "\t" in written[: len(written) - len(written.lstrip())]:
        return f"{shown}:{line + 1}: a tab indents this line; YAML wants spaces: replace the tab"
    hint = next((hint for part, hint in _HINTS if part in problem), "see the line above it, too")
    if re.search(r"[{,\[].*:\s*\$\{", written):
        hint = 'quote "${...}" inside { }'
    return f"{shown}:{line + 1}: not YAML: {problem}; {hint}"
