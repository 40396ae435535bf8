"""PerfData, as perfdash and perflens of kubernetes/perf-tests read it: each cell's SLO values in one file.

Format `v1`, https://github.com/kubernetes/perf-tests/blob/master/clusterloader2/pkg/measurement/util/perftype.go.
It has no null, so that a value that was not measured is no item; verdicts and bounds stay in results.jsonl.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from itertools import groupby
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
    kept = [one for one in records if one.slo is not None and one.value is not None and one.arm is None]
    groups = groupby(sorted(kept, key=lambda one: one.cell), key=lambda one: one.cell)
    return [_write(CellFolder(root / "cells" / cell), cell, list(found)) for cell, found in groups]


def _write(folder: CellFolder, cell: str, records: list[Record]) -> Path:
    measures = (folder.read("cell.json") or {}).get("measures", {})
    items = [_item(record, measures.get(record.slo, {}).get("p")) for record in records]
    document = {"version": VERSION, "dataItems": items, "labels": {"test": cell, "run": records[0].run}}
    file = folder.sub(FOLDER) / f"{KIND}_{cell}_{_stamp(records)}.json"
    file.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return file


def _item(record: Record, percentile: float | None) -> dict[str, Any]:
    """Return one data item; the worst element's labels change from run to run and would tear a series, so none."""
    name = f"Perc{percentile:g}" if percentile is not None else "value"
    return {"data": {name: record.value}, "unit": record.unit, "labels": {"Metric": record.metric}}


def _stamp(records: list[Record]) -> str:
    """Return the end of the window, UTC, without colons, which artifact stores refuse in file names."""
    ended = next((one.window_end for one in records if one.window_end is not None), records[0].started or 0.0)
    return time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(ended))
