"""What a report says of its runs besides their items: identity, variables, and the run's own files as attachments."""

from __future__ import annotations

import calendar
import csv
import re
import shutil
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope.errors import UsageError
from pytest_telescope.report.history import Comparable
from pytest_telescope.report.history import Identity
from pytest_telescope.report.sources import Source

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

FILES = ("verdict.json", "junit.xml", "results.jsonl", "trend.html")
"""What a run publishes beside its Allure results, and a reader may want to take along."""
LARGEST = 2_000_000
"""Bytes; every attachment is in the page."""
COLUMNS = ("verdict", "cell", "slo", "value", "unit", "operator", "bound", "margin", "n", "message")


def records_of(source: Source, refused: Callable[[UsageError], None]) -> list[Record]:
    """Return the numbers of a run, none if it wrote none; `refused` is told of every line that is no record."""
    from pytest_telescope.report.reading import read_results

    file = source.publish / "results.jsonl"
    return list(read_results(file, refused=refused)) if file.exists() else []


def cells_of(source: Source, records: Iterable[Record]) -> list[str]:
    """Return the cells of a run, by its records, or by its folders where it died before it wrote any."""
    found = {record.cell for record in records}
    folder = source.publish / "cells"
    return sorted(found or (path.name for path in (folder.iterdir() if folder.is_dir() else ()) if path.is_dir()))


def identity(sources: Sequence[Source], records: Sequence[Record], cells: Iterable[str]) -> Identity:
    """Return what tells this report from others in a history."""
    began = [record.started for record in records if record.started is not None]
    return Identity(
        runs=tuple(source.run for source in sources),
        cells=tuple(sorted(set(cells))),
        started=min(began, default=min(_began(source) for source in sources)),
        fingerprints={f"{record.cell}/{record.metric}": record.fingerprint for record in records},
    )


def is_trend(sources: Iterable[Source], records: Iterable[Record]) -> bool:
    """Return whether the report may become a point of a history: no replay, no interleaved comparison."""
    return not any(source.replay for source in sources) and all(record.arm is None for record in records)


def variables(sources: Sequence[Source], records: Iterable[Record], beside: Comparable) -> dict[str, str]:
    """Return what stands at the head of the report."""
    found = {
        "run": ", ".join(source.run for source in sources),
        "verdict": ", ".join(dict.fromkeys(source.verdict for source in sources if source.verdict)),
        "functional": "local: no figures of a cloud" if any(record.functional for record in records) else "",
        "earlier runs": str(len(beside.points)),
        "not comparable": f"{beside.broken} values: fingerprint" if beside.broken else "",
    }
    return {name: value for name, value in found.items() if value}


def attach(sources: Sequence[Source], records: Iterable[Record], folder: Path) -> list[str]:
    """Put what a reader may take along into `folder`; return the names of what is too large for a page."""
    left = []
    folder.mkdir()
    _table(folder / "judgements.csv", [record for record in records if record.slo is not None])
    for source in sources:
        prefix = f"{source.run}-" if len(sources) > 1 else ""
        for file in (source.publish / name for name in FILES):
            if file.is_file() and file.stat().st_size <= LARGEST:
                shutil.copyfile(file, folder / f"{prefix}{file.name}")
            elif file.is_file():
                left.append(f"{source.run}: {file.name}")
    return left


def _table(file: Path, judged: Sequence[Record]) -> None:
    """Write the judgements as a table, the red ones first; Allure shows it as one."""
    weight = {verdict: number for number, verdict in enumerate(("FAIL", "INVALID", "ERROR", "PASS", "SKIP"))}
    if not judged:
        return
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for record in sorted(judged, key=lambda one: (weight.get(one.verdict or "SKIP", 9), one.cell, one.metric)):
            writer.writerow(_plain(getattr(record, name)) for name in COLUMNS)


def _plain(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value


def _began(source: Source) -> float:
    """Return when a run began, by its id, else by the age of its results."""
    match = re.match(r"\d{8}-\d{6}", source.run)
    if match is None:
        return min(file.stat().st_mtime for file in source.results.glob("*-result.json"))
    try:
        return calendar.timegm(time.strptime(match[0], "%Y%m%d-%H%M%S"))
    except ValueError:
        return source.results.stat().st_mtime
