"""What the stages of a cell show in Allure: their steps with true times, configs, facts and logs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.report import allure_files
from pytest_telescope.report.allure_shape import Attached
from pytest_telescope.report.allure_shape import Shown
from pytest_telescope.report.allure_shape import Step
from pytest_telescope.report.allure_shape import ended
from pytest_telescope.report.allure_shape import limited
from pytest_telescope.report.allure_shape import timeline
from pytest_telescope.report.allure_terraform import Command
from pytest_telescope.report.allure_terraform import commands

if TYPE_CHECKING:
    from pytest_telescope.report.folder import CellFolder
    from pytest_telescope.scenario.model import Cell

BEFORE = {"provision": "checks", "load": "prepare", "destroy": "clean up"}
"""What a stage does before it says anything."""
Note = tuple[float, str]


def provision(folder: CellFolder, cell: Cell, log: Attached | None) -> Shown:
    """Return how the cluster came up and what it is.

    Args:
        folder: of the cell.
        cell: as it was planned.
        log: Terraform's own; None where there is none.
    """
    stage, notes = _stage(folder, "provision")
    about = folder.read("cell.json") or {}
    attached = [_planned(cell), *_facts(about), *_told(notes, stage), *([log] if log else [])]
    return Shown(steps=_steps(stage, notes, log), attached=tuple(attached))


def load(folder: CellFolder) -> Shown:
    """Return the steps of the load inside its stage, its configs and what it said."""
    stage, notes = _stage(folder, "load")
    found = folder.read("load/load.json") or {}
    steps = _steps(stage, notes, None)
    if stage and found.get("steps"):
        steps = _with_load(stage, notes, found)
    attached = (*_told(notes, stage), *allure_files.attached(folder.path, allure_files.LOAD))
    return Shown(steps=steps, attached=attached, parameters=_pods(found))


def destroy(folder: CellFolder) -> Shown:
    """Return how the cluster went, and the logs that were collected before."""
    stage, notes = _stage(folder, "destroy")
    attached = (*_told(notes, stage), *allure_files.attached(folder.path, allure_files.DESTROY))
    return Shown(steps=_steps(stage, notes, None), attached=attached)


def _stage(folder: CellFolder, name: str) -> tuple[Mapping[str, Any], list[Note]]:
    """Return the last record of a stage in status.jsonl, and what was said within it."""
    found: Mapping[str, Any] = {}
    for one in folder.records("status.jsonl"):
        found = one if one.get("stage") == name else found
    if not found:
        return {}, []
    begun, over = found["started"], found["ended"]
    notes = [
        (float(note["time"]), str(note["text"]))
        for note in folder.records("notes.jsonl")
        if note.get("stage") == name and begun - 0.01 <= note["time"] <= over + 0.01
    ]
    return found, [note for note in notes if not _is_frame(note[1])]


def _is_frame(said: str) -> bool:
    """Return whether a note only tells that the stage begins or ends."""
    return said == "started" or (" after " in said and said.endswith(" s") and said.startswith(("done", "failed")))


def _steps(stage: Mapping[str, Any], notes: list[Note], log: Attached | None) -> tuple[Step, ...]:
    """Return the steps of a stage that is over: what it said, and each of Terraform's commands."""
    if not stage:
        return ()
    begun, over = stage["started"], stage["ended"]
    ran = [one for one in commands(log.body.splitlines() if log else ()) if begun - 1 <= one.began <= over]
    known = {f"terraform {one.name}" for one in ran}
    said = [(when, kind(text)) for when, text in notes if kind(text) not in known]
    marks = [(begun, BEFORE[stage["stage"]]), *said, *((one.began, f"terraform {one.name}") for one in ran)]
    steps = [_with_resources(step, ran) for step in timeline(begun, over, marks)]
    return ended(steps, stage["outcome"])


def kind(said: str) -> str:
    """Return what a line is about, without how far it is: `wave 1/2: 40 of 60 pods running` is about `wave 1/2`."""
    return said.partition(": ")[0].partition("\n")[0]


def _with_resources(step: Step, ran: list[Command]) -> Step:
    """Put the resources of a command of Terraform below its step."""
    if step.start is None or step.stop is None:
        return step
    own = next((one for one in ran if step.name == f"terraform {one.name}" and abs(one.began - step.start) <= 1), None)
    return step if own is None else replace(step, steps=own.steps(step.stop))


def _with_load(stage: Mapping[str, Any], notes: list[Note], found: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return what was before the load, the load with its own steps, and what came after."""
    first, last = (_within(stage, found[name]) for name in ("started", "ended"))
    own = sorted(found["steps"].items(), key=lambda one: one[1])
    inner = limited(
        [Step(name=name, start=_within(stage, times[0]), stop=_within(stage, times[1])) for name, times in own]
    )
    before = [(when, kind(text)) for when, text in notes if when < first]
    after = [(when, kind(text)) for when, text in notes if when > last and not _is_of_load(text, found)]
    steps = [
        *timeline(stage["started"], first, [(stage["started"], BEFORE["load"]), *before]),
        Step(name="the load", start=first, stop=last, steps=inner, parameters=_pods(found)),
        *timeline(last, stage["ended"], after),
    ]
    return ended(steps, stage["outcome"])


def _within(stage: Mapping[str, Any], when: float) -> float:
    return float(min(max(when, stage["started"]), stage["ended"]))


def _is_of_load(said: str, found: Mapping[str, Any]) -> bool:
    """Return whether a note that came late only tells of the load, which has its own steps."""
    return said == found.get("message") or kind(said).rpartition(" ")[2] in found["steps"]


def _pods(found: Mapping[str, Any]) -> dict[str, str]:
    pods = found.get("pods") or {}
    names = ("created", "running", "failed", "never_ran")
    return {f"pods {name.replace('_', ' ')}": str(pods[name]) for name in names if name in pods}


def _told(notes: list[Note], stage: Mapping[str, Any]) -> Iterator[Attached]:
    """Yield what the stage said, line by line, with the seconds since it began."""
    if notes:
        lines = "".join(f"{when - stage['started']:8.1f} s  {said}\n" for when, said in notes)
        yield allure_files.text("what it said", "text", lines)


def _facts(about: Mapping[str, Any]) -> Iterator[Attached]:
    """Yield what the cluster is: as a table, and the whole document."""
    if not about:
        return
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("fact", "value"))
    rows.writerows((name, _flat(value)) for name, value in sorted((about.get("facts") or {}).items()))
    yield allure_files.text("cluster and nodes", "csv", table.getvalue())
    yield allure_files.text("cell.json", "json", json.dumps(about, indent=1, default=str))


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _planned(cell: Cell) -> Attached:
    """Return the scenario as it was planned for this cell: overlay, row and `--set` are applied, defaults left out."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's, where it is there: ten times quicker
    document = {
        "cell": cell.id,
        "values": dict(cell.values),
        "cluster": cell.cluster.model_dump(mode="json", exclude_defaults=True),
        "load": cell.load.model_dump(mode="json", exclude_none=True),
        "slos": [slo.model_dump(mode="json", exclude_none=True, exclude_defaults=True) for slo in cell.slos],
    }
    return allure_files.text("scenario as planned", "yaml", yaml.dump(document, Dumper=dumper, sort_keys=False))
