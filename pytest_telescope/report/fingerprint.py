"""Fingerprints: equal where two numbers may be compared, and what changed where they may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.report.cell_parts import DIGITS
from pytest_telescope.report.cell_parts import measure_of
from pytest_telescope.report.cell_parts import parts_of

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.model import Slo
    from pytest_telescope.slo.planned import Planned

SCHEMA = 2
FACTS_OF_SCHEMA_ONE = ("kubernetes", "kernel", "containerd", "node_image", "machine_types", "region", "os")


def cell_document(planned: Planned, facts: dict[str, object]) -> dict[str, object]:
    """Return what is written as `cell.json`: enough to judge the recording again and to tell breaks in a trend."""
    cell = planned.cell
    parts = parts_of(cell, facts)
    return {
        "schema": SCHEMA,
        "cell": cell.id,
        "provider": cell.provider,
        "scenario": cell.scenario,
        "row": cell.row,
        "engine": cell.engine,
        **_of_comparison(cell),
        "values": dict(cell.values),
        "facts": facts,
        "functional": cell.provider == "local",
        "fingerprint": digest(parts),
        "definition": digest(parts_of(cell, {})),
        "parts": parts,
        "measures": measures(planned.slos),
    }


def _of_comparison(cell: Cell) -> dict[str, object]:
    """Return which part of an interleaved comparison the cell is, where it is one."""
    return {"of": cell.of, "arm": cell.arm, "repeat": cell.repeat} if cell.arm is not None else {}


def measures(slos: Iterable[Slo]) -> dict[str, dict[str, Any]]:
    """Return id -> how an SLO measures."""
    return {slo.id: dict(measure_of(slo)) for slo in slos}


def digest(document: object) -> str:
    """Return 16 hex digits over plain JSON data; the order of keys says nothing."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def fingerprint(about: Mapping[str, Any], measure: Mapping[str, Any] | None = None) -> str | None:
    """Return the fingerprint of a number of a cell; None where it is not known what the cell was made of.

    Args:
        about: its cell.json. A cluster that has served another row, or was there before the run, is another one.
        measure: how the number's SLO measures; None for a number that is not an SLO's.
    """
    if "parts" not in about:
        return about.get("fingerprint") if measure is None else None
    made = {"parts": about["parts"], "used": bool(about.get("reused"))}
    return digest(made if measure is None else {**made, "measure": measure})


def changes(before: Mapping[str, Any], after: Mapping[str, Any], slo: str | None = None) -> list[str]:
    """Return what changed between two runs of a cell, e.g. `kernel 6.1.0 -> 6.6.2`; empty where nothing that counts.

    Args:
        before: the earlier run's cell.json; where one of the two is of schema 1, only facts can be compared by name.
        after: the later run's.
        slo: an SLO whose measuring is compared too.
    """
    return list(_changes(before, after, slo))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], slo: str | None) -> Iterator[str]:
    if "parts" in before and "parts" in after:
        yield from _differences(before["parts"], after["parts"])
        yield from _differences(_use(before), _use(after))
    else:
        yield from _changes_of_schema_one(before, after)
    if slo is not None:
        yield from _differences(*(_named(slo, one.get("measures", {}).get(slo, {})) for one in (before, after)))


def _use(about: Mapping[str, Any]) -> dict[str, str]:
    return {"cluster": "used before" if about.get("reused") else "fresh"}


def _named(slo: str, measure: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{slo}: {name}": value for name, value in measure.items()}


def _changes_of_schema_one(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    facts = [
        {name: one.get("facts", {}).get(name) for name in FACTS_OF_SCHEMA_ONE if one.get("facts", {}).get(name)}
        for one in (before, after)
    ]
    yield from _differences(*facts)
    if before.get("definition") != after.get("definition"):
        yield "scenario, load or SLOs, or only the way they are compared (one run is of cell.json schema 1)"


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{name} changed" if _is_file(name, old, new) else f"{name} {_said(old)} -> {_said(new)}"


def _is_file(name: str, old: object, new: object) -> bool:
    """Return whether digests differ, which say nothing to a person."""
    return name.startswith("file ") and old is not None and new is not None


def _said(value: object) -> str:
    return "not there" if value is None else str(value)
