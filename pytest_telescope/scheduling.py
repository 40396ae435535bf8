"""Which items run, in which order, and on which pytest-xdist worker."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import pytest

STAGES = ("test_provision", "test_load", "test_slo", "test_destroy")


def cell_of(item: pytest.Item) -> str | None:
    """Return the id of the cell an item belongs to; None for any other test.

    A stage without cells (a replay has SLOs only) comes as one item whose parameter is pytest's NOTSET.
    """
    callspec = getattr(item, "callspec", None)
    cell = callspec.params.get("cell") if callspec is not None else None
    return cell if isinstance(cell, str) else None


def in_order(items: Sequence[pytest.Item], cells: Sequence[str]) -> list[pytest.Item]:
    """Sort benchmark items by cell, then stage; the order inside a stage and of all other tests stays.

    pytest's own reordering by fixture scope would interleave clusters.
    """
    rank = {cell: number for number, cell in enumerate(cells)}
    stage = {name: number for number, name in enumerate(STAGES)}

    def position(item: pytest.Item) -> tuple[int, int]:
        cell = cell_of(item)
        if cell is None:
            return (-1, 0)
        name = getattr(item, "originalname", item.name)
        return (rank.get(cell, len(rank)), stage.get(name, len(stage)))

    return sorted(items, key=position)


def with_whole_cells(before: Sequence[pytest.Item], kept: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return `kept` plus every item of a cell of which at least one item was kept.

    A cell is provisioned, loaded, judged and destroyed as one: `-k`, `--lf` and the like choose cells, not stages.
    """
    chosen = {cell for item in kept if (cell := cell_of(item)) is not None}
    kept_ids = set(map(id, kept))
    return [item for item in before if id(item) in kept_ids or cell_of(item) in chosen]


def scheduler_class(group_of: Mapping[str, str]) -> Callable[[pytest.Config, Any], Any]:
    """Return the xdist scheduler that keeps the cells of one cluster on one worker.

    `--dist loadgroup` is no way: with pytest 9.2 it does nothing, before it changes node ids, and ids are trend keys.

    Args:
        group_of: cell id -> name of the cluster it runs on.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ClusterScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            parameter = nodeid.partition("[")[2].rstrip("]")
            cell = next((c for c in prefixes(parameter) if c in group_of), None)
            scope: str = group_of[cell] if cell else super()._split_scope(nodeid)
            return scope

    return ClusterScheduling


def prefixes(parameter: str) -> list[str]:
    """Return `a--b--c`, `a--b`, `a`: the item's parameter is a cell id or a cell id with an SLO's."""
    parts = parameter.split("--")
    return ["--".join(parts[:count]) for count in range(len(parts), 0, -1)]
