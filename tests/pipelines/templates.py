"""Pipelines with their templates expanded, as Azure DevOps does before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.expressions import ExpressionError
from tests.pipelines.expressions import Names
from tests.pipelines.expressions import Scope
from tests.pipelines.expressions import Value
from tests.pipelines.expressions import evaluate
from tests.pipelines.expressions import text_of
from tests.pipelines.expressions import truth

_WHOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}")
_EACH = re.compile(r"each (\w+) in (.+)")
LISTS = ("variables", "steps", "jobs")
Tree = Any
"""Nested dicts and lists; every scalar of a file is a str, as Azure DevOps reads YAML."""


class TemplateError(Exception):
    """A file that Azure DevOps would refuse, with its path."""


class _Loader(yaml.BaseLoader):
    """Reads every scalar as a string and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise TemplateError(f"{node.start_mark}: {', '.join(twice)} stands twice")
        return super().construct_mapping(node, deep=deep)


def load(file: Path) -> dict[str, Tree]:
    """Return a file as it stands."""
    found: dict[str, Tree] = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    return found


@dataclass(kw_only=True)
class Expander:
    """Expands the files below `root`; remembers which it read.

    Attributes:
        predefined: variables that Azure DevOps knows at this time.
        settings: what an organisation has filled in, in place of a pipeline's own variables.
    """

    root: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    predefined: Mapping[str, str] = field(default_factory=dict)
    read: set[Path] = field(default_factory=set)

    def pipeline(self, file: Path, parameters: Mapping[str, Value] | None = None) -> dict[str, Tree]:
        """Return a pipeline without parameters, expressions and templates.

        Raises:
            TemplateError, ExpressionError: Azure DevOps would refuse it, or this runner does not know what it uses.
        """
        body = self._load(file)
        scope = self._scope(bound(body.pop("parameters", []), parameters or {}, file), {})
        variables = [
            {**one, "value": self.settings.get(one["name"], one["value"])}
            for one in self._expanded(body.pop("variables", []), scope, file)
        ]
        known = {one["name"]: one["value"] for one in variables}
        scope = self._scope(scope.contexts["parameters"], known)
        found: dict[str, Tree] = _plain({**self._expanded(body, scope, file), "variables": variables})
        return found

    def _load(self, file: Path) -> dict[str, Tree]:
        if not file.is_file():
            raise TemplateError(f"{file.relative_to(self.root)} does not exist")
        self.read.add(file)
        return load(file)

    def _scope(self, parameters: Mapping[str, Value], variables: Mapping[str, str]) -> Scope:
        known = Names({**self.predefined, **variables})
        return Scope(contexts={"parameters": parameters, "variables": known}, functions={})

    def _expanded(self, tree: Tree, scope: Scope, file: Path) -> Tree:
        match tree:
            case dict():
                return dict(self._pairs(tree, scope, file))
            case list():
                return list(self._items(tree, scope, file))
            case str():
                return _scalar(tree, scope, file)
            case _:
                return tree

    def _pairs(self, tree: Mapping[str, Tree], scope: Scope, file: Path) -> Iterator[tuple[str, Tree]]:
        taken = False
        for key, value in tree.items():
            directive = _directive(key)
            if directive is None:
                yield text_of(_scalar(key, scope, file)), self._expanded(value, scope, file)
                continue
            taken, scopes = _chosen(directive, scope, taken, file)
            for inner in scopes:
                yield from self._pairs(value, inner, file)

    def _items(self, tree: list[Tree], scope: Scope, file: Path) -> Iterator[Tree]:
        taken = False
        for item in tree:
            directive = _directive(next(iter(item))) if isinstance(item, dict) and len(item) == 1 else None
            if directive is not None:
                taken, scopes = _chosen(directive, scope, taken, file)
                for inner in scopes:
                    yield from self._items(next(iter(item.values())), inner, file)
            elif isinstance(item, dict) and "template" in item:
                yield from self._template(self._expanded(item, scope, file), scope, file)
            else:
                found = self._expanded(item, scope, file)
                yield from found if isinstance(item, str) and isinstance(found, list) else [found]

    def _template(self, item: Mapping[str, Tree], scope: Scope, file: Path) -> Iterator[Tree]:
        if unknown := set(item) - {"template", "parameters"}:
            raise TemplateError(f"{file}: a template takes parameters alone, not {', '.join(unknown)}")
        name = item["template"]
        target = self.root / name[1:] if name.startswith("/") else (file.parent / name).resolve()
        body = self._load(target)
        parameters = bound(body.pop("parameters", []), item.get("parameters", {}), target)
        if len(body) != 1 or next(iter(body)) not in LISTS:
            raise TemplateError(f"{target}: a template holds one of {', '.join(LISTS)}, not {', '.join(body)}")
        inner = Scope(contexts={"parameters": parameters, "variables": scope.contexts["variables"]}, functions={})
        yield from self._items(next(iter(body.values())), inner, target)


def _plain(tree: Tree) -> Tree:
    """Return the tree with every value of an expression written out."""
    match tree:
        case dict():
            return {key: _plain(value) for key, value in tree.items()}
        case list():
            return [_plain(one) for one in tree]
        case _:
            return text_of(tree)


def _directive(key: str) -> str | None:
    found = _WHOLE.fullmatch(key.strip())
    text = found[1].strip() if found else ""
    return text if re.match(r"(if|elseif|each|insert)\b|else$", text) else None


def _chosen(directive: str, scope: Scope, taken: bool, file: Path) -> tuple[bool, list[Scope]]:
    """Return whether a branch of this `if` is taken by now, and the scopes in which what hangs on it is expanded."""
    try:
        if each := _EACH.fullmatch(directive):
            return False, [scope.with_(each[1], one) for one in evaluate(each[2], scope)]
        if directive == "else":
            return True, [] if taken else [scope]
        word, _, condition = directive.partition(" ")
        if word == "elseif" and taken:
            return True, []
        if word in {"if", "elseif"}:
            holds = truth(evaluate(condition, scope))
            return holds, [scope] if holds else []
    except ExpressionError as error:
        raise TemplateError(f"{file}: {error}") from error
    raise TemplateError(f"{file}: ${{{{ {directive} }}}} is not known here")


def _scalar(text: str, scope: Scope, file: Path) -> Value:
    try:
        if (whole := _WHOLE.fullmatch(text)) is not None:
            return evaluate(whole[1], scope)
        found = _WHOLE.sub(lambda part: text_of(evaluate(part[1], scope)), text)
    except ExpressionError as error:
        raise TemplateError(f"{file}: {error}") from error
    if "${{" in found:
        raise TemplateError(f"{file}: {text!r} holds an expression that is not closed")
    return found


def bound(declared: list[dict[str, Tree]], given: Mapping[str, Value], file: Path) -> dict[str, Value]:
    """Return every declared parameter's value.

    Raises:
        TemplateError: one is missing, unknown, of another type, or none of its values.
    """
    names = [one["name"] for one in declared]
    if unknown := set(given) - set(names):
        raise TemplateError(
            f"{file}: no parameter {', '.join(sorted(unknown))}; there are {', '.join(names) or 'none'}"
        )
    values = {}
    for one in declared:
        if one["name"] not in given and "default" not in one:
            raise TemplateError(f"{file}: the parameter {one['name']} is missing")
        value = _typed(given.get(one["name"], one.get("default")), one.get("type", "string"), f"{file}: {one['name']}")
        if "values" in one and text_of(value) not in one["values"]:
            raise TemplateError(f"{file}: {one['name']} is {value!r}, which is none of {', '.join(one['values'])}")
        values[one["name"]] = value
    return values


def _typed(value: Value, kind: str, what: str) -> Value:
    if kind == "object":
        return value
    if kind == "boolean" and text_of(value).casefold() in {"true", "false"}:
        return text_of(value).casefold() == "true"
    if kind == "number" and re.fullmatch(r"-?\d+(\.\d+)?", text_of(value)):
        return float(text_of(value))
    if kind == "string" and isinstance(value, str):
        return value
    raise TemplateError(f"{what} is {value!r}, which is no {kind}")
