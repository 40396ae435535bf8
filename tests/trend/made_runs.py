"""Run folders of any history, as runs write them."""

from __future__ import annotations

import calendar
import json
import time
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_telescope.report.record import Record

CELL = "aks-cri--p300"
DAY = 86_400.0
BEGAN = float(calendar.timegm((2026, 1, 5, 4, 0, 0)))


def run_id(number: int) -> str:
    """Return the id of the run on the given day, from 0."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime(BEGAN + DAY * number)) + f"-{number:04x}"


def record(number: int, metric: str, value: float | None, **fields: Any) -> Record:
    """Return a record of the run on the given day."""
    cell = fields.pop("cell", CELL)
    known: dict[str, Any] = {
        "run": run_id(number),
        "started": BEGAN + DAY * number,
        "cell": cell,
        "provider": cell.partition("-")[0],
        "scenario": "cri",
        "engine": "resource-consumer",
        "metric": metric,
        "slo": metric,
        "value": value,
        "unit": "s",
        "n": 300.0,
        "better": "lower",
        "verdict": "PASS",
        "fingerprint": "f00d",
        "functional": cell.startswith("local"),
    }
    return Record.model_validate({**known, **fields})


def write(
    base: Path, records: Sequence[Record], abouts: Mapping[tuple[str, str], Mapping[str, Any]] | None = None
) -> Path:
    """Write records into run folders below `base`, with the cell.json of (run, cell) where given; return `base`."""
    for one in records:
        publish = base / "runs" / one.run / "publish"
        publish.mkdir(parents=True, exist_ok=True)
        with (publish / "results.jsonl").open("a") as stream:
            stream.write(one.model_dump_json(by_alias=True) + "\n")
    for (run, cell), about in (abouts or {}).items():
        folder = base / "runs" / run / "publish" / "cells" / cell
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cell.json").write_text(json.dumps(about))
    return base
