"""The JSON Schema of one line of results.jsonl; `docs/results.schema.json` is its copy.

`python -m pytest_telescope.report.results_schema > docs/results.schema.json` makes it anew.
"""

from __future__ import annotations

import json
from typing import Any

from pytest_telescope.report.record import SCHEMA
from pytest_telescope.report.record import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Return the schema: every field is written, so every field is required."""
    made = Record.model_json_schema(by_alias=True)
    properties = {name: _readable(part) for name, part in made["properties"].items()}
    return {
        "$schema": DIALECT,
        "title": f"A record of results.jsonl of pytest-telescope, schema {SCHEMA}",
        "description": Record.__doc__,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _readable(part: dict[str, Any]) -> dict[str, Any]:
    """Return a field without what pydantic adds for Python: titles and defaults, which no line leaves out."""
    return {key: value for key, value in part.items() if key not in {"title", "default"}}


def text() -> str:
    """Return the schema as `docs/results.schema.json` holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
