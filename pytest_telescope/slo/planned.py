"""A cell with the SLOs it is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.model import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A cell with its resolved SLOs.

    Attributes:
        skip: why nothing of it can run on this machine, else None.
        notes: what a person should know of its load before it runs, each with file:line.
        cluster: name of the cluster it runs on: its own id, or one name for all rows that share.
    """

    cell: Cell
    slos: tuple[Slo, ...]
    skip: str | None
    cluster: str
    notes: tuple[str, ...] = ()
