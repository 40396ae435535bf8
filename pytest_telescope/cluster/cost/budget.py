"""What a budget allows: refused before anything is built, and ended while the teardown can still be paid."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_telescope.cluster.cost.model import HOUR
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.money import Money
from pytest_telescope.cluster.cost.money import parse_money
from pytest_telescope.scenario.model import Budget


def refuse(estimate: Estimate, budget: Budget, hours: float) -> str | None:
    """Return why `hours` of the estimate do not fit the budget, or None.

    What has no price cannot be held to a budget, so it is refused wherever one is stated.
    """
    if budget.cost is None:
        return None
    place = f"{budget.place}: " if budget.place else ""
    allowed, most = parse_money(budget.cost), estimate.over(hours * HOUR)[1]
    if most > allowed:
        return (
            f"{place}{most} for {hours:.3g} h at up to {estimate.high:.4g} USD/h is more than budget.cost {allowed}; "
            "raise it, or ask for fewer or smaller nodes"
        )
    if estimate.unknown:
        return (
            f"{place}budget.cost {allowed} cannot be kept: no price for {'; '.join(estimate.unknown)}; "
            "name a file with the price in TELESCOPE_PRICES, or run with --set budget.cost=null"
        )
    return None


@dataclass(frozen=True, slots=True)
class Spending:
    """Money that runs since `started` (unix seconds)."""

    started: float
    usd_per_hour: float

    def spent(self, now: float) -> Money:
        """Return what is spent by `now`; nothing before the start."""
        return Money(max(0.0, now - self.started) * self.usd_per_hour / HOUR)


def must_stop_at(budget: Budget, started: float, usd_per_hour: float | None, teardown_seconds: float) -> float | None:
    """Return the unix seconds at which the load must end so that teardown fits the budget's money and time.

    None where the budget states neither. It may lie before `started`: then nothing may be begun.
    `usd_per_hour` is the most that the cluster costs; None is unknown, and then only `budget.time` counts: `refuse` has
    refused such a run where money is stated.
    """
    ends = []
    if budget.time is not None:
        ends.append(started + budget.time)
    if budget.cost is not None and usd_per_hour:
        ends.append(started + parse_money(budget.cost).usd / usd_per_hour * HOUR)
    return min(ends) - teardown_seconds if ends else None
