"""Records as older runs wrote them (schema 1) become records of today; what they did not say is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.report.record import better

NEEDED = frozenset(
    {"schema", "run", "cell", "fingerprint", "functional", "metric", "value", "unit", "n", "slo", "verdict", "bound"}
)
SOME = ("reused", "position", "operator", "margin", "message")
"""Not in every line: the first two came later, the others are of judgements."""
SAME = ("run", "cell", "fingerprint", "functional", "metric", "value", "unit", "n", "slo", "verdict")


def converted(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of schema 1 as fields of a `Record`; their values are not checked here.

    Raises:
        UsageError: a field is missing or unknown, the bound is no bound, or the cell is no cell.
    """
    names = line.keys() - set(SOME)
    if names != NEEDED:
        raise UsageError(_unlike(names))
    return {
        **{name: line[name] for name in SAME},
        **_of_cell(line["cell"]),
        **_bounded(line["bound"]),
        **{name: line.get(name) for name in SOME},
        "better": _better(line),
    }


def _better(line: Mapping[str, Any]) -> str | None:
    """Schema 1 had two kinds of lines: judgements, and durations of stages."""
    return "lower" if line["slo"] is None else better(line.get("operator"))


def _unlike(names: frozenset[str] | set[str]) -> str:
    missing, unknown = sorted(NEEDED - names), sorted(names - NEEDED)
    told = [f"without {', '.join(missing)}"] if missing else []
    told += [f"with unknown {', '.join(map(repr, unknown))}"] if unknown else []
    return f"a record of schema 1 {' and '.join(told)}"


def _of_cell(cell: object) -> dict[str, str | None]:
    from pytest_telescope.scenario.ids import parse_cell_id

    if not isinstance(cell, str):
        raise UsageError(f"cell: {cell!r} is no cell")
    name = parse_cell_id(cell)
    return {"provider": name.provider, "scenario": name.scenario, "row": name.row, "engine": name.engine}


def _bounded(bound: object) -> dict[str, Any]:
    if bound is None:
        return {"bound": None, "bound_high": None}
    if not isinstance(bound, list) or len(bound) not in {1, 2}:
        raise UsageError(f"bound: {bound!r} is not a list of one or two numbers")
    return {"bound": bound[0], "bound_high": bound[1] if len(bound) == 2 else None}
