"""What a comparison promises, by simulation: how often its intervals cover, and how often its verdicts are false.

`python -m benchmarks comparison` prints the table of docs/comparisons.md; every draw is seeded.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.compare.judging import judge
from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Sample
from pytest_telescope.compare.model import Series
from pytest_telescope.statistics import paired

CORRELATION = 0.7
"""Within pairs, as assumed where it was not measured."""
MARGIN = 0.05
SEED = 7
Draw = Callable[[random.Random], float]
"""A draw of mean 0 and standard deviation 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    low: float = 0.0
    high: float = 1.0

    @property
    def is_kept(self) -> bool:
        """Whether the value is what is promised."""
        return self.low <= self.value <= self.high

    def __str__(self) -> str:
        sign = "ok " if self.is_kept else "BAD"
        return f"{sign} {self.name}: {self.value:.1%} (promised {self.low:.0%} to {self.high:.0%})"


def pairs_of(
    source: random.Random, count: int, cv: float, effect: float, draw: Draw = lambda source: source.gauss(0, 1)
) -> tuple[list[float], list[float]]:
    """Return pairs whose runs vary by `cv` and correlate within pairs; B is `effect` (a share) above A."""
    spread = math.sqrt(math.log1p(cv**2))
    common = [draw(source) * spread * math.sqrt(CORRELATION) for _ in range(count)]
    own = spread * math.sqrt(1 - CORRELATION)
    a = [math.exp(one + draw(source) * own) for one in common]
    b = [math.exp(one + draw(source) * own) * (1 + effect) for one in common]
    return a, b


def seeded(count: int, cv: float) -> random.Random:
    """Return the draws of one line of the table."""
    return random.Random(f"{SEED} {count} {cv}")


def heavy(source: random.Random) -> float:
    """Return a draw of Student's t with 3 degrees of freedom, scaled to a standard deviation of 1."""
    return source.gauss(0, 1) / math.sqrt(source.gammavariate(1.5, 2) / 3) / math.sqrt(3)


def coverage(count: int, cv: float, trials: int, *, runs: bool = False, draw: Draw | None = None) -> float:
    """Return how often the 95 % interval holds the true effect of 10 %."""
    source, held = seeded(count, cv), 0
    for _ in range(trials):
        a, b = pairs_of(source, count, cv, 0.1, draw or (lambda one: one.gauss(0, 1)))
        if runs:
            b = pairs_of(source, count, cv, 0.1)[1]
        effect = (paired.of_runs if runs else paired.of_pairs)(a, b)
        assert effect is not None
        held += effect.low <= math.log(1.1) <= effect.high
    return held / trials


def series(a: Sequence[float], b: Sequence[float], metric: str = "m") -> Series:
    """Return two arms as a session has them."""
    left, right = (
        tuple(Sample(run="run", value=value, pair=("run", number)) for number, value in enumerate(values))
        for values in (a, b)
    )
    return Series(cell="aks-x", metric=metric, unit="s", better="lower", a=left, b=right, paired=True)


def outcomes(count: int, cv: float, effects: Sequence[float], trials: int) -> Iterator[list[Finding]]:
    """Yield what reports of one number for each of `effects` find."""
    source = seeded(count, cv)
    for _ in range(trials):
        drawn = [series(*pairs_of(source, count, cv, effect), f"m{n}") for n, effect in enumerate(effects)]
        yield judge(drawn, margin=MARGIN)


def share(count: int, cv: float, effect: float, trials: int, outcome: str) -> float:
    """Return how often one number alone is found to be `outcome`."""
    return sum(found.outcome == outcome for (found,) in outcomes(count, cv, [effect], trials)) / trials


def false_discoveries(numbers: int, worse: int, trials: int) -> float:
    """Return the mean share of false ones among the differences a report names: `worse` of `numbers` are 30 % worse."""
    shares = []
    for findings in outcomes(5, 0.1, [0.3] * worse + [0.0] * (numbers - worse), trials):
        named = [n for n, one in enumerate(findings) if one.outcome in {"better", "worse"}]
        shares.append(sum(n >= worse for n in named) / len(named) if named else 0.0)
    return sum(shares) / trials


def measure(trials: int = 4000) -> Iterator[Figure]:
    """Yield every figure."""
    for cv in (0.05, 0.1, 0.2):
        for count in (3, 4, 5, 8, 10):
            yield Figure(
                name=f"95 % interval of {count} pairs covers, CV {cv:.0%}",
                value=coverage(count, cv, trials),
                low=0.93,
                high=0.97,
            )
    for count in (3, 5, 10):
        yield Figure(
            name=f"95 % interval of {count} runs a side (Welch) covers, CV 10%",
            value=coverage(count, 0.1, trials, runs=True),
            low=0.93,
            high=0.98,
        )
        yield Figure(
            name=f"95 % interval of {count} pairs covers, heavy tails (t3), CV 10%",
            value=coverage(count, 0.1, trials, draw=heavy),
            low=0.93,
            high=0.99,
        )
    for cv in (0.02, 0.05, 0.1):
        for count in (3, 5, 10):
            found = share(count, cv, MARGIN, trials, "equivalent")
            name = f"equivalent within 5 % although the effect is 5 %: {count} pairs, CV {cv:.0%}"
            yield Figure(name=name, value=found, high=0.06)
    yield from powers(trials)
    yield Figure(
        name="false among named: 40 numbers, none worse", value=false_discoveries(40, 0, trials // 10), high=0.07
    )
    yield Figure(
        name="false among named: 40 numbers, 10 worse", value=false_discoveries(40, 10, trials // 10), high=0.06
    )


def powers(trials: int) -> Iterator[Figure]:
    """Yield how often an effect is found with as many pairs as are said to be needed for 80 %."""
    for cv, effect in ((0.03, 0.05), (0.05, 0.05), (0.05, 0.1), (0.1, 0.1), (0.1, 0.2), (0.2, 0.2)):
        spread = math.sqrt(math.log1p(cv**2)) * math.sqrt(2 * (1 - CORRELATION))
        needed = paired.pairs_needed(spread, math.log1p(effect))
        name = f"pairs find {effect:.0%} at CV {cv:.0%}"
        yield Figure(name=f"{needed} {name}, as said", value=found_by(needed, cv, effect, trials), low=0.78)
        yield Figure(name=f"{needed - 1} {name}, one fewer", value=found_by(needed - 1, cv, effect, trials), high=0.82)


def found_by(pairs: int, cv: float, effect: float, trials: int) -> float:
    """Return how often so many pairs find an effect."""
    source, found = seeded(pairs, cv), 0
    for _ in range(trials):
        one = paired.of_pairs(*pairs_of(source, pairs, cv, effect))
        found += one is not None and one.p <= 0.05
    return found / trials
