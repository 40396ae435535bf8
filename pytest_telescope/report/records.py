"""What programs read: results.jsonl, one flat record a number, and verdict.json."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.report.folder import CellFolder

SCHEMA = 1
CAUSES = {"FAIL": "slo", "INVALID": "data", "ERROR": "infrastructure"}
WORST = ("leak", "infrastructure", "capacity", "data", "slo")
CAPACITY = "ERROR capacity:"
"""How the line of an item begins that the cloud had no room for."""


def cell_records(run: str, cell_id: str, folder: CellFolder) -> Iterator[dict[str, Any]]:
    """Yield one record for every judgement and stage duration of a cell.

    A number that was not measured is null, never 0.
    """
    about = folder.read("cell.json") or {}
    common = {
        "schema": SCHEMA,
        "run": run,
        "cell": cell_id,
        "fingerprint": about.get("fingerprint"),
        "functional": about.get("functional"),
        "reused": about.get("reused"),
        "position": about.get("position"),
    }
    for stage in folder.records("status.jsonl"):
        seconds = stage["ended"] - stage["started"]
        yield {
            **common,
            "metric": f"{stage['stage']}_duration_seconds",
            "value": seconds,
            "unit": "s",
            "n": 1,
            "slo": None,
            "verdict": None,
            "bound": None,
        }
    for judgement in folder.records("judgements.jsonl"):
        yield {**common, **_numbers(judgement)}


def _numbers(judgement: Mapping[str, Any]) -> dict[str, Any]:
    bound = judgement.get("bound") or {}
    return {
        "metric": judgement["slo"],
        "value": _finite(judgement["value"]),
        "unit": judgement["unit"],
        "n": judgement["count"],
        "slo": judgement["slo"],
        "verdict": judgement["verdict"],
        "bound": bound.get("values"),
        "operator": bound.get("operator"),
        "margin": _finite(judgement["margin"]),
        "message": judgement["message"],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def write_lines(file: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON lines and return how many."""
    lines = [json.dumps(record) + "\n" for record in records]
    file.write_text("".join(lines))
    return len(lines)


def verdict(red: Mapping[str, str], extra: Iterable[str]) -> dict[str, Any]:
    """Return the run's verdict: the worst cause first.

    Args:
        red: node id -> first line of every red item.
        extra: further reasons for red, e.g. `leak local-cri` or `local-cri judged nothing`.
    """
    reasons = list(extra)
    causes = {_cause(line) for line in red.values()}
    causes |= {"leak" if reason.startswith("leak") else "data" for reason in reasons}
    cause = next((name for name in WORST if name in causes), None)
    return {
        "schema": SCHEMA,
        "verdict": "FAIL" if causes == {"slo"} else _worst(causes),
        "cause": cause,
        "red": dict(red),
        "reasons": reasons,
    }


def _worst(causes: set[str]) -> str:
    if not causes:
        return "PASS"
    return "ERROR" if causes & {"leak", "infrastructure", "capacity"} else "INVALID"


def _cause(line: str) -> str:
    if "leak" in line:
        return "leak"
    if line.startswith(CAPACITY):
        return "capacity"
    return CAUSES.get(line.partition(" ")[0], "infrastructure")
