"""A CL2 config read without rendering it: a Go template over YAML, every value with its line; pure but for the reading.

Lines that hold only template actions count as blank, so that both branches of an `{{if}}` are there; an action within a
line stands for itself, as text that nobody should guess. What cannot be read this way has no `root` but a `problem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import Literal
from typing import NamedTuple

Form = Literal["scalar", "map", "list"]

_ACTION = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}|\{\{(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|[^\"`])*?\}\}", re.DOTALL)
_CUT = re.compile(r"\{\{.*\}\}")
_OPENS = frozenset({"if", "range", "with", "block", "define"})
_REBINDS = _OPENS - {"if"}
_SILENT = _OPENS | {"else", "end", "break", "continue", "comment", "set"}
_FIRST = re.compile(r"(/\*)|(\$\w*(?:,\s*\$\w*)?\s*:?=)|(\w+)")
_STARTS = frozenset({"MappingStartEvent", "SequenceStartEvent"})
_ENDS = frozenset({"MappingEndEvent", "SequenceEndEvent"})
_MARK = re.compile("\ue000(\\d+)\ue001")
_WHOLE = re.compile("(?:^|[\\[{,]|[:-]\\s)\\s*\ue000(?=\\s*(?:$|#|[,\\]}]))")
_MARKED_LINE = re.compile("^.*\ue000.*$", re.MULTILINE)
_LEAD = re.compile("(?:[^\\S\n]*\ue000\\d+\ue001)*[^\\S\n]*")


class Action(NamedTuple):
    """One `{{…}}`.

    Attributes:
        word: what it does: `if`, `range`, `with`, `else`, `end`, `set`, `comment`, or `output`.
        text: between the braces.
        line: from 1.
        rebound: it stands within a `{{range}}` or `{{with}}`, where `.` is not the variables of the file.
    """

    word: str
    text: str
    line: int
    rebound: bool


@dataclass(frozen=True, slots=True)
class Node:
    """One value.

    Attributes:
        form: what it is; `pairs` are those of a map, `items` those of a list, `text` that of a scalar as written.
        line: from 1.
        templated: a scalar that a template makes, or part of it.
    """

    form: Form
    line: int
    text: str = ""
    templated: bool = False
    pairs: tuple[tuple[Node, Node], ...] = ()
    items: tuple[Node, ...] = ()

    def fields(self, name: str) -> Iterator[Node]:
        """Yield the values of a key, in any case of letters; several where branches repeat it."""
        wanted = name.lower()
        return (value for key, value in self.pairs if key.text.lower() == wanted)

    def entries(self, name: str) -> Iterator[Node]:
        """Yield the items of the lists below a key."""
        return (item for value in self.fields(name) for item in value.items)

    def literal(self, name: str) -> str | None:
        """Return the text of a key's only scalar, None where it is missing, repeated or templated."""
        found = list(self.fields(name))
        return found[0].text if len(found) == 1 and found[0].form == "scalar" and not found[0].templated else None


class Tree(NamedTuple):
    """The values of a file.

    Attributes:
        root: its first YAML document; None where it cannot be read without rendering.
        problem: why not, and `line` where.
        opaque: lines that a template fills in whole, so what stands there is not known.
    """

    root: Node | None
    problem: str
    line: int
    opaque: frozenset[int]


class Source:
    """One file: its template actions, and its values once somebody asks.

    Attributes:
        path: of the file.
        actions: in order.
        conditional: lines within an `{{if}}` or `{{range}}`.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.actions: list[Action] = []
        self.conditional: set[int] = set()
        self._text = text.replace("\ue000", "?")
        self._raw: list[str] = []
        self._starts: list[int] = []
        self._open: list[tuple[str, int]] = []
        line = end = 0
        for match in _ACTION.finditer(self._text):
            line += self._text.count("\n", end, match.start())
            end = match.start()
            self._act(match, line + 1)

    @property
    def root(self) -> Node | None:
        """Return the first document, None where it cannot be read."""
        return self.tree.root

    def within_text(self, line: int) -> bool:
        """Return whether an action of a line makes part of a value, or a quoted one: text, never a number."""
        marked = _ACTION.sub("\ue000", self._text.split("\n")[line - 1])
        return "\ue000" in _WHOLE.sub("", marked)

    @cached_property
    def tree(self) -> Tree:
        """Read the values."""
        import yaml

        opaque: set[int] = set()
        try:
            events = _events(self._yaml(opaque))
            empty = not any(isinstance(event, yaml.DocumentStartEvent) for event in events)
            root = None if empty else self._node(next(events), events, {})
            return Tree(root, "it is empty" if empty else "", 1, frozenset(opaque))
        except (yaml.YAMLError, RecursionError, KeyError) as error:
            return Tree(None, *_said(error), frozenset(opaque))

    def _act(self, match: re.Match[str], line: int) -> None:
        text = match[0][2:-2].strip("-").strip()
        word = _word(text)
        if word == "end" and self._open:
            self.conditional.update(range(self._open.pop()[1], line + 1))
        rebound = bool(self._open) and any(opener in _REBINDS for opener, _ in self._open)
        self._raw.append(match[0])
        self._starts.append(match.start())
        self.actions.append(Action(word, text, line, rebound))
        if word in _OPENS:
            begin = self._text.rfind("\n", 0, match.start()) + 1
            before = self._text[begin : match.start()].strip()
            leads = not before or not _ACTION.sub("", before).strip()
            self._open.append((word, line if leads else line + 1))

    def _yaml(self, opaque: set[int]) -> str:
        """Return the text on the same lines, with a mark for each action within a line."""
        pieces, end, owed = [], 0, 0
        for number, (start, raw) in enumerate(zip(self._starts, self._raw, strict=True)):
            before, newline, after = self._text[end:start].partition("\n")
            pieces += [before, "\n" * owed if newline else "", newline, after, f"\ue000{number}\ue001"]
            owed = raw.count("\n") + (0 if newline else owed)
            end = start + len(raw)
        before, newline, after = self._text[end:].partition("\n")
        marked = "".join([*pieces, before, "\n" * owed, newline, after])
        return _MARKED_LINE.sub(lambda match: self._line(match[0], opaque), marked)

    def _line(self, line: str, opaque: set[int]) -> str:
        lead = _LEAD.match(line)
        head = lead.end() if lead else 0
        if head < len(line):
            return _MARK.sub(self._silent, line[:head]) + line[head:] if "\ue000" in line[:head] else line
        shown = [self.actions[int(mark)] for mark in _MARK.findall(line)]
        opaque.update(action.line for action in shown if action.word not in _SILENT)
        return ""

    def _silent(self, mark: re.Match[str]) -> str:
        return "" if self.actions[int(mark[1])].word in _SILENT else mark[0]

    def _restored(self, text: str) -> str:
        return _MARK.sub(lambda mark: self._raw[int(mark[1])], text)

    def _node(self, event: Any, events: Iterator[Any], anchors: dict[str, Node]) -> Node:
        """Build the value that an event begins, of those that follow it."""
        kind = type(event).__name__
        if kind == "AliasEvent":
            return anchors[event.anchor]
        line = event.start_mark.line + 1
        if kind == "ScalarEvent":
            templated = "\ue000" in event.value
            node = Node("scalar", line, self._restored(event.value) if templated else event.value, templated)
        else:
            parts = []
            while type(below := next(events)).__name__ not in _ENDS:
                parts.append(self._node(below, events, anchors))
            is_list = kind == "SequenceStartEvent"
            node = Node("list", line, items=tuple(parts)) if is_list else Node("map", line, pairs=_pairs(parts))
        if event.anchor:
            anchors[event.anchor] = node
        return node


class Objects(NamedTuple):
    """What CL2 sees of an object template unrendered: all from `{{` to the last `}}` of a line is cut out.

    Attributes:
        kinds: (apiVersion, kind) of its documents; empty text where it is not literal.
        problem: why CL2 cannot read it, empty where it can.
        line: of the problem.
    """

    kinds: tuple[tuple[str, str], ...]
    problem: str
    line: int


def read(path: Path) -> Source:
    """Read a config, module, object template or suite.

    Raises:
        OSError: the file cannot be read.
    """
    return _read(path, _stamp(path))


def read_objects(path: Path) -> Objects:
    """Read an object template as CL2 does when it looks for its kind.

    Raises:
        OSError: the file cannot be read.
    """
    return _read_objects(path, _stamp(path))


def is_suite(path: Path) -> bool:
    """Return whether a file is a test suite: a list of `identifier`, `configPath`, `overridePaths`.

    Raises:
        OSError: the file cannot be read.
    """
    root = read(path).root
    return root is not None and any(any(item.fields("configPath")) for item in root.items)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _read(path: Path, _stamp: tuple[int, int]) -> Source:
    return Source(path, path.read_text(encoding="utf-8", errors="replace"))


def _word(text: str) -> str:
    first = _FIRST.match(text)
    if first is None:
        return "output"
    if first[1]:
        return "comment"
    if first[2]:
        return "set"
    return first[3] if first[3] in _SILENT else "output"


def _events(text: str) -> Iterator[Any]:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(text)
    return iter(loader.get_event, None)


def _said(error: Exception) -> tuple[str, int]:
    mark = getattr(error, "problem_mark", None)
    return getattr(error, "problem", None) or f"{type(error).__name__} {error}", mark.line + 1 if mark else 1


def _pairs(parts: list[Node]) -> tuple[tuple[Node, Node], ...]:
    pairs = tuple(zip(parts[::2], parts[1::2], strict=True))
    if all(key.text != "<<" for key, _ in pairs):
        return pairs
    return tuple(one for pair in pairs for one in (_merged(pair[1]) if pair[0].text == "<<" else (pair,)))


def _merged(value: Node) -> tuple[tuple[Node, Node], ...]:
    return value.pairs or tuple(pair for item in value.items for pair in item.pairs)


@lru_cache(maxsize=256)
def _read_objects(path: Path, _stamp: tuple[int, int]) -> Objects:
    import yaml

    text = _CUT.sub("", path.read_text(encoding="utf-8", errors="replace"))
    try:
        return Objects(tuple(_kinds(_events(text))), "", 0)
    except yaml.YAMLError as error:
        return Objects((), *_said(error))


def _kinds(events: Iterator[Any]) -> Iterator[tuple[str, str]]:
    """Yield (apiVersion, kind) of each document: the scalars of its outermost map."""
    depth, scalars = 0, list[str]()
    for event in events:
        name = type(event).__name__
        depth += name in _STARTS
        depth -= name in _ENDS
        if name == "DocumentStartEvent":
            scalars = []
        elif name == "ScalarEvent" and depth == 1:
            scalars.append(event.value)
        elif depth == 1 and (name in _ENDS or name == "AliasEvent"):
            scalars.append("")
        elif name == "DocumentEndEvent" and scalars:
            yield from _kinds_of(scalars)


def _kinds_of(scalars: list[str]) -> Iterator[tuple[str, str]]:
    pairs = list(zip(scalars[::2], scalars[1::2], strict=False))
    versions = [value for key, value in pairs if key == "apiVersion"]
    for kind in [value for key, value in pairs if key == "kind"] or [""]:
        yield versions[0] if versions else "", kind
