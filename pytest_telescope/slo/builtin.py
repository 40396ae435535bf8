"""The SLOs that judge every load without being asked for."""

from __future__ import annotations

from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.names import BUILT_IN_SLOS as RESERVED

__all__ = ["RESERVED", "skips"]


def skips(cell: Cell) -> dict[str, str | None]:
    """Return the built-in SLOs of the cell's load, each with why it says nothing here, or None."""
    if isinstance(cell.load, ResourceConsumerSpec):
        return {"pods-complete": None, "consumed-as-asked": _idle(cell.load)}
    from pytest_telescope.load.clusterloader2.review import may_make_pods

    podless = None if may_make_pods(cell) else "the config makes no pods"
    return {"engine-thresholds": None, "pods-complete": podless}


def _idle(load: ResourceConsumerSpec) -> str | None:
    if load.consume.cpu == 0:
        return "the load asks for no CPU"
    held = load.hold_of(load.waves) > 0
    return None if held else "the load does not hold its pods (hold: 0s), so their use is never steady"
