"""Numbers of a cell that no SLO judges: how long its stages took, what its load says of itself, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pytest_telescope.report.folder import CellFolder

Draft = dict[str, Any]
"""Some fields of a record, not checked yet."""


def stages(folder: CellFolder) -> Iterator[Draft]:
    """Yield the duration of each stage, of its last attempt.

    One that did not come to its end has none: how long it took to fail is in the message.
    """
    last = {stage["stage"]: stage for stage in folder.records("status.jsonl")}
    for name, stage in last.items():
        seconds, outcome = stage["ended"] - stage["started"], stage["outcome"].partition("\n")[0]
        is_done = outcome == "done"
        yield _draft(f"{name}_duration_seconds", seconds if is_done else None, {"better": "lower"}) | {
            "n": 1 if is_done else 0,
            "message": None if is_done else f"after {seconds:.1f} s: {outcome}",
        }


def load(folder: CellFolder) -> Iterator[Draft]:
    """Yield what the load says of itself; what its engine does not tell is not there."""
    told = folder.read("load/load.json")
    if told is None:
        return
    for metric, how in _table()["load"].items():
        value = _of_load(told, how)
        if value is not None:
            yield _draft(metric, value, how)


def cost(folder: CellFolder) -> Iterator[Draft]:
    """Yield what the cell's cluster cost so far and costs an hour; nothing where nothing is paid."""
    found = folder.read("cost.json")
    if found is not None:
        for metric, how in _table()["cost"].items():
            yield _draft(metric, found.get(how["fact"]), how)


SOURCES: Mapping[str, Callable[[CellFolder], Iterator[Draft]]] = {"stages": stages, "load": load, "cost": cost}
"""Name -> what yields metric, value, unit and which way is good, as far as the cell came."""


def _of_load(told: Mapping[str, Any], how: Mapping[str, Any]) -> float | None:
    """Return a number of the load, None where its engine has none."""
    section, name = ("pods", how["pods"]) if "pods" in how else ("facts", how["fact"])
    value: float | None = told.get(section, {}).get(name)
    return value * how["scale"] if value is not None and "scale" in how else value


def _draft(metric: str, value: float | None, how: Mapping[str, Any]) -> Draft:
    unit = how.get("unit") or _unit(metric)
    return {"metric": metric, "value": value, "unit": unit, "n": int(value is not None), "better": how.get("better")}


def _unit(metric: str) -> str:
    units: dict[str, str] = _table()["units"]
    return next((unit for suffix, unit in units.items() if metric.endswith(suffix)), "count")


@cache
def _table() -> Mapping[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("measured.yaml").read_text(encoding="utf-8"))
    return found
