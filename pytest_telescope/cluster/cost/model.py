"""An estimate: what is paid an hour, part by part, and what has no price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.cost.money import Money

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that is paid by the hour.

    Attributes:
        low, high: USD an hour; they differ where an autoscaler decides.
        sure: the price was taken from the table's source; otherwise it was never compared with a price page.
    """

    name: str
    low: float
    high: float
    sure: bool = True

    def __str__(self) -> str:
        price = f"{self.low:.4g}" if self.low == self.high else f"{self.low:.4g}..{self.high:.4g}"
        return f"{self.name} {price}{'' if self.sure else ' (unverified)'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a cluster costs while it is there; traffic, logs and discounts are not in it.

    Attributes:
        unknown: what costs something and has no price here; it is in no sum, so that sums are lower bounds then.
        as_of: date of the machines' prices, as the table has it.
    """

    provider: str
    region: str
    parts: tuple[Part, ...] = ()
    unknown: tuple[str, ...] = ()
    as_of: str = ""
    sources: tuple[str, ...] = ()

    @property
    def low(self) -> float:
        """USD an hour with every autoscaled pool at its least."""
        return sum(part.low for part in self.parts)

    @property
    def high(self) -> float:
        """USD an hour with every autoscaled pool at its most."""
        return sum(part.high for part in self.parts)

    def over(self, seconds: float) -> tuple[Money, Money]:
        """Return the least and the most that `seconds` cost."""
        return Money(self.low * seconds / HOUR), Money(self.high * seconds / HOUR)

    def text(self) -> str:
        """Return `2.77 USD/h`, with a range where autoscaled, and `at least` where something has no price."""
        if not self.parts and self.unknown:
            return "unknown"
        least = "at least " if self.unknown else ""
        price = f"{self.low:.4g}" if self.low == self.high else f"{self.low:.4g}..{self.high:.4g}"
        return f"{least}{price} USD/h"


def recorded(estimate: Estimate, expected_seconds: float, worst_seconds: float) -> dict[str, Any]:
    """Return the flat facts that a cell's record keeps.

    Every sum is None where something has no price: a part of a price is no price.
    """
    known = not estimate.unknown
    return {
        "usd_per_hour": estimate.high if known else None,
        "usd_per_hour_least": estimate.low if known else None,
        "usd_per_hour_known": estimate.high,
        "usd_expected": estimate.over(expected_seconds)[1].usd if known else None,
        "usd_worst": estimate.over(worst_seconds)[1].usd if known else None,
        "prices_as_of": estimate.as_of,
        "prices_unknown": list(estimate.unknown),
    }
