"""Amounts of money, in US dollars only: prices are known in no other currency."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_telescope.scenario.units import usd


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """US dollars."""

    usd: float

    def __str__(self) -> str:
        """Return e.g. `40.00 USD`, and small amounts with three digits that count."""
        return f"{self.usd:.2f} USD" if self.usd >= 1 or not self.usd else f"{self.usd:.3g} USD"


def parse_money(text: str) -> Money:
    """Return `40 USD` as money.

    Raises:
        UnitError: not an amount, or another currency.
    """
    return Money(usd(text))
