"""What is not the same on both sides, from what the runs wrote down of their cells."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pytest_telescope.report.record import Record

Document = Mapping[str, Any]
Documents = Callable[["Record"], "Document | None"]
"""The cell.json of the cell that a record is of, None where it is not there."""


def in_folders(published: Mapping[str, Path]) -> Documents:
    """Return what finds cell.json: run id -> its published folder."""

    def of(record: Record) -> Document | None:
        folder = published.get(record.run)
        return None if folder is None else _document(folder / "cells" / _cell_of(record) / "cell.json")

    return of


def _cell_of(record: Record) -> str:
    from pytest_telescope.scenario.ids import arm_id

    if record.arm is None or record.repeat is None:
        return record.cell
    return arm_id(record.cell, record.arm, record.repeat)


def _document(file: Path) -> Document | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def differing(a: Iterable[Record], b: Iterable[Record], documents: Documents) -> tuple[str, ...] | None:
    """Return what differs between the records of one cell on both sides, a line each; None where it is not known.

    Repeats of one side are alike, or the number is not compared at all; so one of each side is looked at, the last:
    of cells that share a cluster it is the one that, as nearly all, had it after others.
    """
    left, right = list(a), list(b)
    if not left or not right:
        return None
    before, after = documents(left[-1]), documents(right[-1])
    if before is not None and after is not None:
        from pytest_telescope.report.fingerprint import changes

        return tuple(changes(before, after))
    sides = [{(one.metric, one.fingerprint) for one in side} for side in (left, right)]
    return () if sides[0] == sides[1] and None not in {one for _, one in sides[0]} else None
