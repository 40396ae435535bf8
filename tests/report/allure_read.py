"""Reads a folder of Allure results as a report would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one folder."""

    folder: Path

    def all(self) -> list[dict[str, Any]]:
        """Return every result."""
        return [json.loads(file.read_text("utf-8")) for file in sorted(self.folder.glob("*-result.json"))]

    def one(self, test: str, slo: str | None = None, cell: str | None = None) -> dict[str, Any]:
        """Return the one result of a test, by the last part of its fullName and its parameters."""
        found = [
            result
            for result in self.all()
            if result["fullName"].endswith(f"#{test}")
            and parameters(result).get("slo") == slo
            and cell in {None, parameters(result)["cell"]}
        ]
        assert len(found) == 1, [result["name"] for result in self.all()]
        return found[0]

    def attached(self, result: Mapping[str, Any]) -> dict[str, str]:
        """Return name -> text of everything attached to a result or below one of its steps."""
        holders = [result, *walk(result)]
        return {
            one["name"]: (self.folder / one["source"]).read_text("utf-8")
            for holder in holders
            for one in holder.get("attachments", ())
        }


def walk(holder: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all steps below a result or a step."""
    for step in holder.get("steps", ()):
        yield step
        yield from walk(step)


def step(result: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the one step whose name begins so."""
    found = [one for one in walk(result) if one["name"].startswith(name)]
    assert len(found) == 1, [one["name"] for one in walk(result)]
    return found[0]


def parameters(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a result."""
    return {one["name"]: one["value"] for one in result["parameters"]}


def labels(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of a result."""
    return {one["name"]: one["value"] for one in result["labels"]}
