"""What is wrong with a scenario.yaml, collected so that one run shows all of it, a line each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from types import UnionType
from typing import Any
from typing import Union
from typing import get_args
from typing import get_origin

from pydantic import BaseModel
from pydantic import ValidationError

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.document import Node
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.names import suggest

Step = str | int
_BOUNDS = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_NOT = {
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "string_type": "is not text",
    "bool_type": "is neither true nor false",
    "tuple_type": "is not a list",
    "model_type": "is not a mapping of keys",
    "mapping_type": "is not a mapping of keys",
    "dict_type": "is not a mapping of keys",
    "string_pattern_mismatch": "is not lower-case letters and digits with single dashes between",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
}


class Problems:
    """Problems of one or more files: one a value, in the order of the lines."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, int, str], str] = {}
        self.note = ""
        """The row whose values are filled in just now, e.g. ` (row p60)`."""

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, place: Place, path: str, text: str) -> None:
        """Add a problem of the value at `path`, unless one of it is known."""
        where = f"{place}: {path}: " if path else f"{place}: "
        self._texts.setdefault((str(place.file), place.line, path), where + text)

    def at(self, node: Node, path: str, text: str) -> None:
        """Add a problem of `node`; where it was filled from a row, the row is named."""
        self.add(node.place, path, text + (self.note if "${" in node.text else ""))

    def take(self, other: Problems) -> None:
        """Add the problems of `other`."""
        for key, text in other._texts.items():
            self._texts.setdefault(key, text)

    def lines(self) -> list[str]:
        """Return one line a problem, sorted by file and line."""
        return [self._texts[key] for key in sorted(self._texts)]

    def check(self) -> None:
        """Do nothing if there is no problem.

        Raises:
            UsageError: there are problems; the message has them all.
        """
        if self._texts:
            raise UsageError("\n".join(self.lines()))


def walk(node: Node, steps: Iterable[Step]) -> tuple[Node, list[Step]]:
    """Return the deepest node on the way `steps`, and the steps that exist; pydantic's own steps are passed over."""
    taken: list[Step] = []
    for step in steps:
        content = node.content
        if isinstance(content, Mapping) and step in content:
            node = content[str(step)]
        elif isinstance(content, tuple) and isinstance(step, int) and step < len(content):
            node = content[step]
        else:
            continue
        taken.append(step)
    return node, taken


def dotted(*steps: Step) -> str:
    """Return the path of a value as messages write it."""
    return ".".join(str(step) for step in steps if step != "")


def explain(error: ValidationError, model: type[BaseModel], node: Node, path: str, problems: Problems) -> None:
    """Add every problem that pydantic found in `node`, which is at `path`, read as `model`."""
    grouped: dict[tuple[Step, ...], list[Any]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(_steps(detail, node), []).append(detail)
    for steps, details in grouped.items():
        found, _ = walk(node, steps)
        problems.at(found, dotted(path, *steps), _text(details, model, steps, found))


def _steps(detail: Any, node: Node) -> tuple[Step, ...]:
    _, taken = walk(node, detail["loc"])
    return (*taken, detail["loc"][-1]) if detail["type"] == "missing" else tuple(taken)


def _text(details: list[Any], model: type[BaseModel], steps: tuple[Step, ...], node: Node) -> str:
    kinds = {detail["type"] for detail in details}
    parent = _model_at(model, steps[:-1])
    if "extra_forbidden" in kinds:
        return suggest("key", str(steps[-1]), tuple(parent.model_fields) if parent else ())
    example = _example(parent, steps)
    if "missing" in kinds:
        return f"missing; write e.g. {steps[-1]}: {example}" if example else "missing; write it"
    for detail in details:
        if detail["type"] == "value_error":
            return str(detail["ctx"]["error"])
    return _mismatch(details, node, example)


def _mismatch(details: list[Any], node: Node, example: str) -> str:
    value = details[0]["input"]
    hint = _quotes(details, value, node) or _near(details, value) or (f"write e.g. {example}" if example else "")
    parts = list(dict.fromkeys(_part(detail) for detail in details))
    if len(parts) > 1 and all(part.startswith("is not ") for part in parts):
        parts = ["is neither " + " nor ".join(part.removeprefix("is not ") for part in parts)]
    return f"{shown(value, node)} {', '.join(parts)}" + (f"; {hint}" if hint else "")


def _part(detail: Any) -> str:
    kind = detail["type"]
    if kind in _BOUNDS:
        return f"is not {_BOUNDS[kind]} {next(iter(detail['ctx'].values())):g}"
    if kind == "literal_error":
        return f"is not {detail['ctx']['expected']}"
    return _NOT.get(kind) or f"is wrong: {detail['msg']}"


def _quotes(details: list[Any], value: object, node: Node) -> str:
    """Say so where only the quotes are wrong; a filled value has its quotes in the row."""
    kinds = {detail["type"] for detail in details}
    where = "in the row, write it" if "${" in node.text else "write it"
    if kinds == {"string_type"} and not isinstance(value, Mapping | tuple):
        return f'{where} in quotes: "{_as_written(value, node)}"'
    if kinds <= {"int_type", "float_type"} and isinstance(value, str) and _NUMBER.fullmatch(value):
        return f"{where} without quotes: {value}"
    return ""


def _near(details: list[Any], value: object) -> str:
    """Return the nearest of the words that are allowed, if one is near."""
    if not isinstance(value, str) or details[0]["type"] != "literal_error":
        return ""
    near = difflib.get_close_matches(value, re.findall("'([^']+)'", details[0]["ctx"]["expected"]), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def shown(value: object, node: Node) -> str:
    """Return a value as a message shows it, with what it was filled from."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, tuple | list):
        return "a list"
    text = repr(value) if isinstance(value, str) else _as_written(value, node)
    return f"{text} (from {node.text})" if "${" in node.text else text


def _as_written(value: object, node: Node) -> str:
    return node.text if node.text and "${" not in node.text else str(value)


def _example(parent: type[BaseModel] | None, steps: tuple[Step, ...]) -> str:
    field = parent.model_fields.get(str(steps[-1])) if parent and steps else None
    return " or ".join(str(example) for example in field.examples or ()) if field else ""


def _model_at(model: type[BaseModel], steps: tuple[Step, ...]) -> type[BaseModel] | None:
    annotation: Any = model
    for step in steps:
        inner = next(_models(annotation), None) if not _is_container(annotation) else None
        if inner is None:
            annotation = get_args(_container(annotation))[-1] if _container(annotation) else None
        else:
            field = inner.model_fields.get(str(step))
            annotation = field.annotation if field else None
    return next(_models(annotation), None) if not _is_container(annotation) else None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {Union, UnionType}:
        for inner in get_args(annotation):
            yield from _models(inner)


def _container(annotation: Any) -> Any:
    options = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((option for option in options if get_origin(option) in {Mapping, tuple}), None)


def _is_container(annotation: Any) -> bool:
    return _container(annotation) is not None
