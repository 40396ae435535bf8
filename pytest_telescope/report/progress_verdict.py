"""The last line of a run: its verdict, its cause, and how much of it is red."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.report import folding
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.scenario.ids import parse_slo_item_id

SHOWN = 3
"""Red items that are named; the table and the short summary have them all."""
RED = {"FAIL", "INVALID", "ERROR"}


def read(file: Path) -> Mapping[str, Any]:
    """Return verdict.json; a run that ended before it was written is an ERROR."""
    try:
        found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"verdict": "ERROR", "cause": "infrastructure", "red": {}, "reasons": ["the run has no verdict.json"]}
    return found


def judged_in(cells: Iterable[CellFolder]) -> tuple[tuple[str, str], ...]:
    """Return (verdict, level) of every judgement of `cells`."""
    found = (one for folder in cells for one in folder.records("judgements.jsonl"))
    return tuple((one["verdict"], one.get("level", "gate")) for one in found)


def verdict_line(document: Mapping[str, Any], judged: Iterable[tuple[str, str]]) -> str:
    """Return `FAIL slo: 2 of 14 SLOs are red: running, sandbox-create`.

    Args:
        document: verdict.json.
        judged: (verdict, level) of every SLO.
    """
    levels = list(judged)
    asked = [verdict for verdict, _ in levels if verdict != "SKIP"]
    red = sum(verdict in RED and (level == "gate" or verdict != "FAIL") for verdict, level in levels)
    cause = document.get("cause")
    head = f"{document.get('verdict', 'ERROR')}{f' {cause}' if cause else ''}: "
    return head + _rest(document, red, len(asked))


def _rest(document: Mapping[str, Any], red: int, asked: int) -> str:
    items, reasons = document.get("red") or {}, list(document.get("reasons") or ())
    if not items and not reasons:
        return f"{asked} of {asked} SLOs are green" if asked else "nothing was judged"
    slos = [node for node in items if "::test_slo[" in node]
    others = [_short(node) for node in items if node not in slos]
    told = [f"{red} of {asked} SLOs are red: {_named(_by_cell(slos))}"] if slos else []
    told += [_named(others)] if others else []
    told += [] if slos else [f"{asked} SLOs were judged" if asked else "nothing was judged"]
    return "; ".join([*told, *reasons[:SHOWN]])


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _by_cell(nodes: list[str]) -> list[str]:
    found = [parse_slo_item_id(_short(node).partition("[")[2].removesuffix("]")) for node in nodes]
    cells = {cell for cell, _ in found}
    return [slo if len(cells) == 1 else f"{slo} ({cell})" for cell, slo in found]


def _short(node: str) -> str:
    """Return `test_load[local-cri]` of a node id."""
    return node.rpartition("::")[2]


def errors(service: folding.Service, document: Mapping[str, Any]) -> list[str]:
    """Return the line for every red item, and every other reason for red, that puts it on the run's summary page."""
    red = {node.rpartition("::")[2]: line for node, line in (document.get("red") or {}).items()}
    named = " ".join(red.values())
    others = [reason for reason in document.get("reasons") or () if reason not in named]
    return [folding.error(service, line, name) for name, line in red.items()] + [
        folding.error(service, reason, "run") for reason in others
    ]
