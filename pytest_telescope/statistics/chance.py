"""How likely a series without a step shows one that explains it as well: read from a table made by simulation."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("chance.yaml")
LEAST_CHANCE = 1e-9
AT_THIRTY, MOST = 0.004, 0.01
"""Chance of a false alarm that one look at a series of 30 runs may have, and that any look may have at most."""

Where = Literal["step", "tail"]


@dataclass(frozen=True, slots=True)
class Table:
    """chance.yaml: for each length of series the gain that is exceeded with each chance."""

    chances: tuple[float, ...]
    gains: dict[Where, dict[int, tuple[float, ...]]]


def level(runs: int) -> float:
    """Return the chance of a false alarm that a look at `runs` runs may have.

    Spent mostly on later looks: who looks after every run looks often while there is little to see.
    """
    return min(MOST, AT_THIRTY * (runs / 30) ** 2)


def chance(gain: float, runs: int, where: Where = "step") -> float:
    """Return the chance that the best step of a series without one gains more than `gain`.

    Between lengths the gains are interpolated over log(runs), between chances over the gain; beyond the table
    log(chance) goes on straight, as the tail of a ratio of sums of squares does.
    """
    gains = _gains(runs, where)
    chances = _table().chances
    after = min(max(1, bisect_left(gains, gain)), len(gains) - 1)
    low, high = gains[after - 1], gains[after]
    share = (gain - low) / (high - low)
    log_chance = math.log(chances[after - 1]) + share * math.log(chances[after] / chances[after - 1])
    return min(1.0, max(LEAST_CHANCE, math.exp(min(0.0, log_chance))))


def gain_at(wanted: float, runs: int, where: Where = "step") -> float:
    """Return the gain that is exceeded with a chance of `wanted`, which the table must hold."""
    gains, chances = _gains(runs, where), _table().chances
    after = next((number for number in range(1, len(chances)) if chances[number] <= wanted), len(chances) - 1)
    share = math.log(wanted / chances[after - 1]) / math.log(chances[after] / chances[after - 1])
    return gains[after - 1] + share * (gains[after] - gains[after - 1])


@cache
def _gains(runs: int, where: Where) -> tuple[float, ...]:
    known = _table().gains[where]
    lengths = sorted(known)
    inside = min(max(runs, lengths[0]), lengths[-1])
    after = min(max(1, bisect_left(lengths, inside)), len(lengths) - 1)
    low, high = lengths[after - 1], lengths[after]
    share = math.log(inside / low) / math.log(high / low)
    return tuple(one + share * (other - one) for one, other in zip(known[low], known[high], strict=True))


@cache
def _table() -> Table:
    import yaml

    document = yaml.load(FILE.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    wheres: tuple[Where, ...] = ("step", "tail")
    gains = {where: {runs: tuple(row) for runs, row in document[where].items()} for where in wheres}
    return Table(tuple(document["chances"]), gains)
