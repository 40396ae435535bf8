"""`--replay RUN`: cells, window and facts from a finished run, SLOs from today."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.report.folder import RunFolder

if TYPE_CHECKING:
    from pytest_telescope.slo.planned import Planned


def plans(run: Path, *, base: Path) -> tuple[list[Planned], RunFolder, str]:
    """Return the run's recorded cells with today's SLOs, its folder, and where this replay writes.

    Raises:
        UsageError: no such run, nothing recorded in it, or a scenario that is gone.
    """
    folder = RunFolder(_find(run, base))
    documents = [document for cell in folder.cells() if (document := _recorded(folder, cell))]
    if not documents:
        raise UsageError(f"{folder.path}: nothing was recorded in this run, so nothing can be judged again")
    number = len(list((folder.path / "replays").glob("*"))) + 1
    return [_planned(document) for document in documents], folder, f"replays/{number}"


def _find(run: Path, base: Path) -> Path:
    for candidate in (run, base / "runs" / run):
        if (candidate / "publish").is_dir():
            return candidate.resolve()
    known = sorted(p.name for p in (base / "runs").glob("*"))[-5:]
    raise UsageError(f"--replay {run}: no such run folder; the newest in {base / 'runs'}: {', '.join(known) or 'none'}")


def _recorded(folder: RunFolder, cell: str) -> dict[str, Any] | None:
    files = folder.cell(cell)
    document: dict[str, Any] | None = files.read("cell.json")
    return document if document and (files.path / "recording" / "recording.json").exists() else None


def _planned(document: dict[str, Any]) -> Planned:
    from pytest_telescope import cells

    scenario = cells.scenario(document["scenario"])
    sets = {name: str(value) for name, value in document["values"].items()}
    found = scenario.cells(
        document["provider"],
        rows=[document["row"]] if document["row"] else None,
        engines=[document["engine"]],
        sets=sets,
    )
    wanted = document.get("of") or document["cell"]
    cell = next((one for one in found if one.id == wanted), None)
    if cell is None:
        raise UsageError(
            f"{document['cell']}: scenario {document['scenario']} no longer has this cell; its SLOs cannot be known"
        )
    told = document.get
    arm = replace(cell, id=document["cell"], arm=told("arm"), repeat=told("repeat"), of=told("of"))
    return cells.without_machine_skip(cells.planned(arm))
