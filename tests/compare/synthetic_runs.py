"""Runs made up of numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_telescope.report.record import Record

CELL = "aks-cri--p300"


def record(value: float | None, **changed: Any) -> Record:
    """Return a record of latency in seconds, lower is better, `aks` unless said otherwise."""
    metric = changed.pop("metric", "running")
    cell = changed.pop("cell", CELL)
    provider, _, scenario = cell.partition("--")[0].partition("-")
    fields: dict[str, Any] = {
        "run": "run-a",
        "cell": cell,
        "provider": provider,
        "scenario": scenario,
        "engine": "resource-consumer",
        "metric": metric,
        "slo": metric,
        "value": value,
        "unit": "s",
        "n": 300.0,
        "better": "lower",
        "verdict": "PASS",
        "fingerprint": "same",
        "functional": provider == "local",
    }
    return Record(**{**fields, **changed})


def runs(name: str, values: Sequence[float | None], **changed: Any) -> list[Record]:
    """Return a run for each value, `<name>-0` and so on."""
    return [record(value, run=f"{name}-{number}", **changed) for number, value in enumerate(values)]


def arms(a: Sequence[float | None], b: Sequence[float | None], **changed: Any) -> list[Record]:
    """Return a session's interleaved pairs, with a fingerprint an arm."""
    return [
        record(value, **{"run": "run-ab", "arm": arm, "repeat": repeat, "fingerprint": f"of {arm}", **changed})
        for arm, values in (("a-old", a), ("b-new", b))
        for repeat, value in enumerate(values, start=1)
    ]


def written(base: Path, records: Sequence[Record]) -> None:
    """Write records as run folders below `base`, each with its results.jsonl."""
    for run in dict.fromkeys(one.run for one in records):
        folder = base / "runs" / run / "publish"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [one.model_dump_json(by_alias=True) + "\n" for one in records if one.run == run]
        (folder / "results.jsonl").write_text("".join(lines))
