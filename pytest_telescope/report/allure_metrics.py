"""Performance metrics for Allure 3: `<run>-perf.json`, one entry an SLO that was measured.

The format is not documented; it is what `@allurereport/core-api` 3.18 (`dist/metrics.d.ts`) types and reads. All of it
is here, since it may change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

MEASURED = ("PASS", "FAIL")
"""Verdicts whose value is a measurement; that of INVALID is one that nobody should compare with."""

UNITS = {"s": ("ms", 1e3), "ratio": ("%", 1e2), "B": ("MiB", 2.0**-20), "bit/s": ("Mbit/s", 1e-6)}
"""Base unit -> the unit that is shown, and the factor: Allure shows three decimals, which of 0.9 ms in seconds leaves
0.001. It is the same for all values and times, so that a trend never changes its unit."""


def write(folder: Path, run: str, records: Iterable[Record]) -> Path | None:
    """Write the metrics of a run beside its results, at once; nothing where nothing was measured."""
    found = [entry(record) for record in records if is_metric(record)]
    if not found:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{run}-perf.partial"
    partial.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return partial.replace(folder / f"{run}-perf.json")


def is_metric(record: Record) -> bool:
    """Return whether a record is a number of an SLO that was measured; null is not written."""
    return record.slo is not None and record.value is not None and record.verdict in MEASURED


def entry(record: Record) -> dict[str, Any]:
    """Return a metric under its key, `<cell>/<slo>`: a trend of its own in each cell, on each provider.

    The two arms of a comparison are two metrics, and the repeats of an arm are samples of one.
    """
    key = f"{record.cell}/{record.metric}" + (f"/{record.arm}" if record.arm else "")
    unit, factor = UNITS.get(record.unit, (record.unit, 1.0))
    first = record.window_start or record.started or 0.0
    return {
        "id": f"{record.run}/{key}" + (f"/{record.repeat}" if record.repeat else ""),
        "key": key,
        "value": None if record.value is None else record.value * factor,
        "start": round(1000 * first),
        "stop": round(1000 * (record.window_end or first)),
        "title": title(record),
        "unit": unit,
        "group": record.scenario,
        "better": record.better or "neutral",
    }


def title(record: Record) -> str:
    """Return `aks p300: sandbox-create`; a number of `local` says that it is no figure of a cloud."""
    rest = record.cell.partition("--")[2].replace("--", " ")
    where = " ".join(one for one in (record.provider, rest, record.arm) if one)
    return f"{where}: {record.metric}" + (" (functional)" if record.functional else "")
