"""The JSON Schema of scenario.yaml (draft 2020-12), made from the models; `docs/scenario.schema.json` is its copy.

Editors use it for completion and for hints. It knows the shape; what only the loader can see (files, ids, pods that
fit, names of `${...}`) stays with `telescope validate`.
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
from collections.abc import Mapping
from typing import Any

from pytest_telescope.scenario import model
from pytest_telescope.scenario import written
from pytest_telescope.scenario.names import NAME
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.placeholders import VALUE_NAME
from pytest_telescope.scenario.written import FIXED
from pytest_telescope.scenario.written import Written

Schema = dict[str, Any]

_PLACEHOLDER: Schema = {
    "type": "string",
    "pattern": rf"\$\{{{VALUE_NAME}\}}",
    "description": "Filled from the row of the matrix or by --set.",
}
_UNFILLED = frozenset({"name", "component", "matrix", "default", "id"})
_NULL: Schema = {"type": "null"}


def schema() -> Schema:
    """Return the schema of a scenario.yaml."""
    made = Written.model_json_schema(by_alias=True)
    definitions: dict[str, Schema] = made.pop("$defs")
    definitions = {name: _readable(name, part) for name, part in definitions.items()}
    top = _readable("Written", made)
    top["properties"]["matrix"] = _matrix()
    patches = {f"{name}Patch": _patch(part) for name, part in definitions.items()}
    overlay = _overlay(top)
    top["properties"]["on"] = _on()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "scenario.yaml of pytest-telescope",
        **{key: value for key, value in top.items() if key != "title"},
        "$defs": {**definitions, **patches, "Overlay": overlay, "placeholder": _PLACEHOLDER},
    }


def text() -> str:
    """Return the schema as `docs/scenario.schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _readable(name: str, part: Schema) -> Schema:
    """Add the attributes' docstrings, and allow a placeholder wherever a value is no free text."""
    words = _docstrings().get(name, {})
    made = {key: value for key, value in part.items() if key not in {"title", "properties"}}
    made["properties"] = {}
    for key, written_value in part.get("properties", {}).items():
        value = {inner: rest for inner, rest in written_value.items() if inner not in {"title", "default"}}
        filled = value if key in _UNFILLED else _fillable(value)
        about = words.get(key.replace("-", "_"))
        made["properties"][key] = {"description": about, **filled} if about else filled
    return made


def _fillable(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    made = {key: _fillable(value) if key in {"items", "additionalProperties"} else value for key, value in part.items()}
    made.update({key: [_fillable(one) for one in made[key]] for key in ("prefixItems",) if key in made})
    if "anyOf" in made:
        options = [*made["anyOf"], *([{"$ref": "#/$defs/placeholder"}] if _scalar(made) else [])]
        options = [option for option in options if option != _NULL]
        alone = options[0] if len(options) == 1 else {"anyOf": options}
        return {**{key: value for key, value in made.items() if key != "anyOf"}, **alone}
    if not _scalar(made):
        return made
    about = {key: made.pop(key) for key in ("description", "examples") if key in made}
    return {**about, "anyOf": [made, {"$ref": "#/$defs/placeholder"}]}


def _scalar(part: Schema) -> bool:
    if "anyOf" in part:
        return any(_scalar(option) for option in part["anyOf"])
    kind = part.get("type")
    closed = kind in {"integer", "number", "boolean"} or "enum" in part or "const" in part
    return closed or (kind == "string" and "pattern" in part)


def _patch(part: Schema) -> Schema:
    """Return what an overlay may write of `part`: nothing is required, null deletes."""
    made = copy.deepcopy(part)
    made.pop("required", None)
    made["properties"] = {key: _or_null(_patched(value)) for key, value in made.get("properties", {}).items()}
    return made


def _patched(part: Any) -> Any:
    """Point to the patch of every spec that merges; what is inside a list is replaced as a whole."""
    if not isinstance(part, Mapping):
        return part
    made: Schema = {}
    for key, value in part.items():
        if key == "$ref" and not value.endswith("placeholder"):
            made[key] = f"{value}Patch"
        elif key == "additionalProperties" and value:
            made[key] = _or_null(_patched(value))
        elif key in {"anyOf", "allOf"}:
            made[key] = [_patched(one) for one in value]
        else:
            made[key] = value
    return made


def _or_null(part: Any) -> Any:
    return {"anyOf": [part, _NULL]} if isinstance(part, Mapping) else part


def _overlay(top: Schema) -> Schema:
    keys = [key for key in top["properties"] if key not in FIXED]
    properties = {key: _or_null(_patched(top["properties"][key])) for key in keys}
    properties["matrix"] = _or_null(_matrix())
    patches = {"type": "object", "additionalProperties": _or_null({"$ref": "#/$defs/SloSpecPatch"})}
    properties["slos"] = {
        "description": "A list replaces all SLOs; a mapping of ids changes those, and null removes one.",
        "anyOf": [top["properties"]["slos"], patches, _NULL],
    }
    return {
        "type": "object",
        "description": "What differs on one provider: mappings merge, null deletes, matrix is replaced as a whole.",
        "additionalProperties": False,
        "properties": properties,
    }


def _matrix() -> Schema:
    value = {"type": ["string", "number", "boolean"]}
    row = {"type": "object", "minProperties": 1, "additionalProperties": value, "propertyNames": _pattern(VALUE_NAME)}
    return {
        "description": "Row -> the values that ${name} is filled from; all rows give the same names.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": _pattern(NAME),
        "additionalProperties": row,
    }


def _on() -> Schema:
    option = {"anyOf": [{"$ref": "#/$defs/Overlay"}, {"type": "boolean"}, _NULL]}
    return {
        "description": "Provider -> what differs there; false where the scenario does not run there.",
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(PROVIDERS, option),
    }


def _pattern(pattern: str) -> Schema:
    return {"pattern": f"^{pattern}$"}


def _docstrings() -> dict[str, dict[str, str]]:
    """Return class -> attribute -> the docstring below it, those of base classes included."""
    found: dict[str, dict[str, str]] = {}
    for module in (model, written):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                bases = [found.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
                found[node.name] = {name: about for base in bases for name, about in base.items()}
                found[node.name].update(_attributes(node))
    return found


def _attributes(node: ast.ClassDef) -> dict[str, str]:
    words: dict[str, str] = {}
    for before, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            words[before.target.id] = inspect.cleandoc(str(after.value.value))
    return words


if __name__ == "__main__":
    print(text(), end="")
