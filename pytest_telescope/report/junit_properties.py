"""The numbers that a JUnit case carries as properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_telescope.report.folder import CellFolder
    from pytest_telescope.slo.model import Judgement


def stage_properties(folder: CellFolder, stage: str) -> list[tuple[str, object]]:
    """Return how long a stage took; of the provision also what was built: versions, machines, fingerprint."""
    ran = [one for one in folder.records("status.jsonl") if one["stage"] == stage]
    found: list[tuple[str, object]] = [("duration_s", round(one["ended"] - one["started"], 3)) for one in ran[-1:]]
    about = folder.read("cell.json") if stage == "provision" else None
    if about is not None:
        found += [(name, value) for name, value in about["facts"].items() if isinstance(value, str | int | float)]
        found.append(("fingerprint", about["fingerprint"]))
    return found


def judgement_properties(judgement: Judgement) -> list[tuple[str, object]]:
    """Return value, bound, unit, count, margin and verdict, those that exist."""
    bound = judgement.bound.text if judgement.bound is not None else None
    pairs = {
        "verdict": str(judgement.verdict),
        "value": judgement.value,
        "bound": bound,
        "unit": judgement.unit,
        "count": judgement.count,
        "margin": judgement.margin,
        "message": judgement.message,
    }
    return [(name, value) for name, value in pairs.items() if value is not None]
