"""PerfData, as perfdash and perflens of kubernetes/perf-tests read it: each cell's SLO values in one file.

Format `v1`, https://github.com/kubernetes/perf-tests/blob/master/clusterloader2/pkg/measurement/util/perftype.go.
It has no null, so that a value that was not measured is no item; verdicts and bounds stay in results.jsonl.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.record import Record

VERSION = "v1"
KIND = "Telescope Slos"
"""What perfdash tells files apart by; `_` ends it."""
FOLDER = "perfdata"


def write(root: Path, records: Iterable[Record]) -> list[Path]:
    """Write a file for each cell below `root` that has SLO values; arms of a comparison are no history and have none.

    Returns:
        The files.
    """
    items: dict[str, list[dict[str, Any]]] = {}
    first: dict[str, Record] = {}
    measures: dict[str, Any] = {}
    for one in records:
        if one.slo is None or one.value is None or one.arm is not None:
            continue
        if one.cell not in first:
            measures[one.cell] = (CellFolder(root / "cells" / one.cell).read("cell.json") or {}).get("measures", {})
        first.setdefault(one.cell, one)
        items.setdefault(one.cell, []).append(_item(one, measures[one.cell].get(one.slo, {}).get("p")))
    return [_write(root, first[cell], items[cell]) for cell in first]


def _write(root: Path, first: Record, items: list[dict[str, Any]]) -> Path:
    document = {"version": VERSION, "dataItems": items, "labels": {"test": first.cell, "run": first.run}}
    file = CellFolder(root / "cells" / first.cell).sub(FOLDER) / f"{KIND}_{first.cell}_{_stamp(first)}.json"
    file.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return file


def _item(record: Record, percentile: float | None) -> dict[str, Any]:
    """Return one data item; the worst element's labels change from run to run and would tear a series, so none."""
    name = f"Perc{percentile:g}" if percentile is not None else "value"
    return {"data": {name: record.value}, "unit": record.unit, "labels": {"Metric": record.metric}}


def _stamp(record: Record) -> str:
    """Return the end of the window, UTC, without colons, which artifact stores refuse in file names."""
    ended = record.window_end if record.window_end is not None else record.started or 0.0
    return time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(ended))
