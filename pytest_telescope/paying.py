"""The money of one cluster: told and refused before it is built, and ended while its teardown can still be paid."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.alarm import ringing_at

if TYPE_CHECKING:
    from pytest_telescope.cluster.model import Lease
    from pytest_telescope.cluster.model import Provider
    from pytest_telescope.scenario.model import Cell

TEARDOWN = 900.0
"""Seconds that are kept for the destroy: a quarter of an hour, as in the estimate. Never measured on a cloud."""
HOUR = 3600.0
FREE = frozenset({"local", "attached"})
"""Providers whose clusters cost nothing more than there already is."""


class Paying:
    """What the cluster of `cells` costs; nothing on `local`.

    Args:
        cells: that run on it, one after the other; the first one's budget counts.
        say: told prices.
    """

    def __init__(self, cells: Iterable[Cell], say: Callable[[str], None]) -> None:
        from pytest_telescope.cluster.cost.gate import Gate
        from pytest_telescope.cluster.cost.lasting import expected_seconds

        self._cells = tuple(cells)
        self._budget = self._cells[0].budget
        self._expected = expected_seconds([cell.load for cell in self._cells], self._budget.time)
        self.gate = Gate(provider=self._cells[0].provider, budget=self._budget, hours=self._expected / HOUR, say=say)

    def ending(self, lease: Lease) -> AbstractContextManager[None]:
        """Return what ends a load when only the teardown's share of money and time is left."""
        from pytest_telescope.cluster.cost.budget import must_stop_at

        price = self.gate.estimate.high if self.gate.estimate is not None else None
        end = must_stop_at(self._budget, lease.created, price, TEARDOWN)
        return ringing_at(end, f"the budget is used up but for the teardown ({self._words()})")

    def _words(self) -> str:
        said = {"cost": self._budget.cost, "time": f"{self._budget.time:g} s" if self._budget.time else None}
        return ", ".join(f"{name} {value}" for name, value in said.items() if value)

    def record(self, lease: Lease, now: float | None = None) -> dict[str, Any]:
        """Return what is written down of the price: flat, None where something has no price."""
        from pytest_telescope.cluster.cost.budget import Spending
        from pytest_telescope.cluster.cost.model import recorded

        estimate = self.gate.estimate
        if estimate is None:
            return {}
        worst = (lease.due or lease.created) - lease.created
        spent = Spending(lease.created, estimate.high).spent(time.time() if now is None else now)
        return {**recorded(estimate, self._expected, worst), "usd_so_far": spent.usd if not estimate.unknown else None}


def refusal(provider: str, cells: Iterable[Cell]) -> str | None:
    """Return why the cluster of `cells` does not fit their budget by its spec alone, or None."""
    if provider in FREE:
        return None
    from pytest_telescope.cluster.cost.budget import refuse
    from pytest_telescope.cluster.cost.lasting import expected_seconds
    from pytest_telescope.cluster.cost.spec import of_spec

    group = tuple(cells)
    budget = group[0].budget
    hours = expected_seconds([cell.load for cell in group], budget.time) / HOUR
    return refuse(of_spec(provider, group[0].cluster), budget, hours)


def paying(provider: Provider, cells: Iterable[Cell], say: Callable[[str], None]) -> Paying | None:
    """Return the money of a cluster and have every plan of Terraform held to it; None where nothing is paid."""
    if provider.name in FREE:
        return None
    found = Paying(cells, say)
    provider.approve = found.gate
    return found
