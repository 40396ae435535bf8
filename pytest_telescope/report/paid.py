"""What a plan says of money: an estimate a cluster, told with its first cell, and the sum of all."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_telescope.cluster.clouds.due import lasting
from pytest_telescope.cluster.cost.budget import refuse
from pytest_telescope.cluster.cost.lasting import expected_seconds
from pytest_telescope.cluster.cost.model import HOUR
from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.money import Money
from pytest_telescope.cluster.cost.spec import of_spec

if TYPE_CHECKING:
    from pytest_telescope.scenario.model import Cell
    from pytest_telescope.slo.planned import Planned

FREE = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One cluster with all cells that run on it, one after the other.

    Attributes:
        expected: seconds that it is expected to be there.
        worst: seconds until its due time at first: all time-outs of all its cells.
    """

    cells: tuple[Cell, ...]
    estimate: Estimate
    expected: float
    worst: float

    def lines(self) -> list[str]:
        """Return the sum, its parts and what speaks against it."""
        cell, estimate = self.cells[0], self.estimate
        hours = self.expected / HOUR
        found = [self._sum(), f"per hour: {', '.join(map(str, estimate.parts)) or 'nothing with a price'}"]
        found += [f"unknown: no price for {name}" for name in estimate.unknown]
        if refusal := refuse(estimate, cell.budget, hours):
            found.append(f"refused before anything is built: {refusal}")
        return found

    def _sum(self) -> str:
        cell, estimate = self.cells[0], self.estimate
        return (
            f"{estimate.text()} in {estimate.region}; expected {_over(estimate, self.expected)}; "
            f"at worst, until the due time, {_over(estimate, self.worst)}; budget {cell.budget.cost or 'not stated'}"
        )


class Paid:
    """The money of a plan."""

    def __init__(self, plans: Iterable[Planned]) -> None:
        self._first: dict[str, str] = {}
        self._clusters: dict[str, Priced] = {}
        groups: dict[str, list[Cell]] = {}
        for planned in plans:
            groups.setdefault(planned.cluster, []).append(planned.cell)
        for name, cells in groups.items():
            self._first[name] = cells[0].id
            if cells[0].provider != FREE:
                self._clusters[name] = priced(cells)

    def lines(self, planned: Planned) -> list[str]:
        """Return what one cell pays; a cluster is told once, with the first of its cells."""
        if planned.cell.provider == FREE:
            return ["nothing: it runs on this machine"]
        if planned.cell.id != (first := self._first[planned.cluster]):
            return [f"on the cluster of {first}, whose price is for all its cells"]
        return self._clusters[planned.cluster].lines()

    def due(self, planned: Planned) -> list[str]:
        """Return when a sweeper may delete the cluster; nothing for cells that pay nothing or share one told."""
        if planned.cell.provider == FREE or planned.cell.id != self._first[planned.cluster]:
            return []
        hours = self._clusters[planned.cluster].worst / HOUR
        return [f"{hours:.3g} h after its lease begins; later while the run lives"]

    def closing(self) -> Iterator[str]:
        """Yield the sum of several clusters, and where the prices come from."""
        clusters = list(self._clusters.values())
        if len(clusters) > 1:
            expected = Money(sum(one.estimate.over(one.expected)[1].usd for one in clusters))
            worst = Money(sum(one.estimate.over(one.worst)[1].usd for one in clusters))
            least = "at least " if any(one.estimate.unknown for one in clusters) else ""
            yield f"paid in all: expected {least}{expected}, at worst {least}{worst} for {len(clusters)} clusters"
        for estimate in {one.estimate.provider: one.estimate for one in clusters}.values():
            yield (
                f"prices of {estimate.provider}: as of {estimate.as_of}, list prices without traffic, logs and "
                f"discounts; {'; '.join(estimate.sources)}"
            )


def priced(cells: list[Cell]) -> Priced:
    """Return what the cluster costs that `cells` run on, one after the other."""
    loads = [cell.load for cell in cells]
    limits = [cell.budget.time for cell in cells if cell.budget.time is not None]
    limit = sum(limits) if len(limits) == len(cells) else None
    return Priced(
        cells=tuple(cells),
        estimate=of_spec(cells[0].provider, cells[0].cluster),
        expected=expected_seconds(loads, limit),
        worst=lasting(loads),
    )


def _over(estimate: Estimate, seconds: float) -> str:
    """Return `6.60 USD (2.4 h)`; the most where autoscaled, `unknown` where nothing has a price."""
    hours = f"({seconds / HOUR:.3g} h)"
    if not estimate.parts:
        return f"unknown {hours}"
    return f"{'at least ' if estimate.unknown else ''}{estimate.over(seconds)[1]} {hours}"
