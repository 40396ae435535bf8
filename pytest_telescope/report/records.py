"""What programs read: results.jsonl, one flat record a number. Each is checked before it is written."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pydantic import ValidationError

from pytest_telescope.report import measured
from pytest_telescope.report.fingerprint import fingerprint
from pytest_telescope.report.fingerprint import measures
from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.measured import Draft
from pytest_telescope.report.reading import RESULTS
from pytest_telescope.report.reading import told
from pytest_telescope.report.record import Record
from pytest_telescope.report.record import better
from pytest_telescope.report.run_verdict import UNRECORDED
from pytest_telescope.report.run_verdict import run_verdict

if TYPE_CHECKING:
    from pytest_telescope.slo.model import Slo

REPLAYS = "replays"


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A number that is no valid record; `str()` is a reason for the run to be red."""

    cell: str
    metric: str
    why: str

    def __str__(self) -> str:
        return f"{UNRECORDED} {self.cell} {self.metric}: {self.why}"


def cell_records(
    run: str, cell_id: str, folder: CellFolder, slos: Iterable[Slo] | None = None
) -> Iterator[Record | Unrecorded]:
    """Yield one record for every judgement of a cell, its stages' durations and what its load says of itself.

    A number that was not measured is null, never 0. What cannot be a record is named, and the others still come.

    Args:
        run: the run's id.
        cell_id: the id of the cell's items and folder.
        folder: what the cell left.
        slos: by which it was judged; None: by those that its cell.json knows, which a replay's judgements are not of.
    """
    about = folder.read("cell.json") or {}
    known = _measures(about, folder, slos)
    common = _common(run, cell_id, about, folder)
    found: dict[str, Record | Unrecorded] = {}
    for name, source in measured.SOURCES.items():
        for draft in _drafts(cell_id, name, source, folder):
            found |= _checked(common | {"fingerprint": fingerprint(about)}, draft, cell_id)
    for judgement in folder.records("judgements.jsonl"):
        for draft in _drafts(cell_id, str(judgement.get("slo")), _judged, judgement, about, known):
            found |= _checked(common, draft, cell_id)
    yield from found.values()


def _drafts(cell: str, name: str, source: Callable[..., Iterable[Draft]], *of: object) -> list[Draft | Unrecorded]:
    """Return what a source tells; where it cannot be read, only that: other sources still tell theirs."""
    try:
        return list(source(*of))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return [Unrecorded(cell, name, f"cannot be read: {type(error).__name__}: {error}")]


def _checked(common: Mapping[str, Any], draft: Draft | Unrecorded, cell: str) -> dict[str, Record | Unrecorded]:
    """Return a number by its metric, one that is no record with what is wrong."""
    if isinstance(draft, Unrecorded):
        return {draft.metric: draft}
    metric = str(draft["metric"])
    try:
        return {metric: Record.model_validate({**common, **draft})}
    except ValidationError as error:
        return {metric: Unrecorded(cell, metric, told(error))}


def _measures(
    about: Mapping[str, Any], folder: CellFolder, slos: Iterable[Slo] | None
) -> Mapping[str, Mapping[str, Any]]:
    if slos is not None:
        return measures(slos)
    is_replay = folder.path.parent.parent.parent.name == REPLAYS
    found: Mapping[str, Mapping[str, Any]] = {} if is_replay else about.get("measures", {})
    return found


def _common(run: str, cell_id: str, about: Mapping[str, Any], folder: CellFolder) -> dict[str, Any]:
    """Return what all numbers of a cell share."""
    return {
        "run": run,
        "started": next((stage["started"] for stage in folder.records("status.jsonl")), None),
        **_named(cell_id, about),
        "reused": about.get("reused"),
        "position": about.get("position"),
        **_window(folder),
    }


def _named(cell_id: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return which cell it is; a cell that never was provisioned has no cell.json, and its id says the most of it."""
    from pytest_telescope.scenario.ids import parse_cell_id

    name = parse_cell_id(cell_id)
    return {
        "cell": about.get("of") or name.of,
        "provider": name.provider,
        "scenario": name.scenario,
        "row": name.row,
        "engine": about.get("engine") or name.engine,
        "arm": about.get("arm") or name.arm,
        "repeat": about.get("repeat") or name.repeat,
        "functional": name.provider == "local",
    }


def _window(folder: CellFolder) -> dict[str, float | None]:
    window: Mapping[str, float] = {}
    with contextlib.suppress(ValueError):  # cut short by a kill: then nothing was judged by it either
        window = (folder.read("recording/recording.json") or {}).get("window", {})
    return {"window_start": window.get("start"), "window_end": window.get("end")}


def _judged(judgement: Mapping[str, Any], about: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Draft]:
    """Yield the fields that a line of judgements.jsonl says."""
    slo = judgement.get("slo")
    low, high = judgement.get("interval") or (None, None)
    window = judgement.get("window")
    measure = known.get(str(slo))
    yield {
        "metric": slo,
        "slo": slo,
        "value": _finite(judgement.get("value")),
        "unit": judgement.get("unit"),
        "n": _finite(judgement.get("count")),
        "low": _finite(low),
        "high": _finite(high),
        **_bounded(judgement.get("bound") or {}),
        **{name: judgement.get(name) for name in ("verdict", "level", "message")},
        "margin": _finite(judgement.get("margin")),
        "labels": _flat(judgement.get("labels") or {}),
        "fingerprint": fingerprint(about, measure) if measure is not None else None,
        **({"window_start": window[0], "window_end": window[1]} if window else {}),
    }


def _bounded(bound: Mapping[str, Any]) -> dict[str, Any]:
    operator, values = bound.get("operator"), bound.get("values") or [None]
    return {
        "operator": operator,
        "bound": values[0],
        "bound_high": values[1] if len(values) > 1 else None,
        "better": better(operator),
    }


def _flat(labels: Mapping[str, str]) -> str | None:
    return ",".join(f"{name}={labels[name]}" for name in sorted(labels)) or None


def _finite(value: object) -> object:
    """Return null for what JSON cannot hold; what is no number stays, and is refused as a record."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_lines(file: Path, records: Iterable[Record | Unrecorded]) -> list[str]:
    """Write the records, all or nothing, and return a reason for red for each number that is none."""
    lost = []
    partial = file.with_name(f".{file.name}.partial")
    with partial.open("w", encoding="utf-8") as lines:
        for one in records:
            if isinstance(one, Record):
                lines.write(one.model_dump_json(by_alias=True) + "\n")
            else:
                lost.append(str(one))
    partial.replace(file)
    return lost


def write_results(root: Path, records: Iterable[Record | Unrecorded]) -> list[str]:
    """Write results.jsonl and each cell's PerfData below `root`; return why the run is red, where something is lost.

    Args:
        root: `publish/` of a run, or a replay's folder.
        records: of all cells.
    """
    from pytest_telescope.report import perfdata
    from pytest_telescope.report.reading import read_results

    reasons = write_lines(root / RESULTS, records)
    perfdata.write(root, read_results(root / RESULTS))
    return reasons


def verdict(red: Mapping[str, str], extra: Iterable[str]) -> dict[str, Any]:
    """Return what verdict.json says (see `run_verdict`)."""
    return run_verdict(red, extra).model_dump(by_alias=True)
