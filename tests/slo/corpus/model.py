"""A case: a small world of samples, one SLO over it, and the answer that is known without any query."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from pytest_telescope.metrics.model import Window
from pytest_telescope.slo.model import Verdict
from tests.slo.corpus.writing import Job
from tests.slo.world import INTERVAL
from tests.slo.world import T0

Value = float | tuple[float, float]
"""A number, or the ends (low, high] of the bucket that holds it."""
WINDOW = Window(start=T0, end=T0 + 60, steps={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a reader of the samples who makes no mistake would say.

    Attributes:
        verdict: PASS or FAIL where the samples decide the bound, INVALID where they do not, SKIP where the SLO says
            before the run that it means nothing here, ERROR where the question itself cannot be answered.
        known: how the answer is known without PromQL.
        value: of the worst element, in base units; None where there is none to be had.
        count: observations that were made in the window; None where it does not matter.
        refused: words of the mistake with which the SLO must be refused before anything is built; then `verdict` and
            `value` are what the SLO asks for, had it been asked rightly.
    """

    verdict: Verdict
    known: str
    value: Value | None = None
    count: float | None = None
    refused: str = ""

    @property
    def range(self) -> tuple[float, float] | None:
        """The value as (low, high), equal where it is exact."""
        return (self.value, self.value) if isinstance(self.value, float | int) else self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One world, one SLO, one truth.

    Attributes:
        name: of the case; its series are in the job of this name.
        pitfalls: rows of the reference's table of PromQL pitfalls (`1` to `30`), its sections (`3.1`), or a word.
        slo: YAML as in scenario.yaml; `id` and `job` are the name where it says none (`job: null` is no job). `{JOB}`
            in a query is the matcher of the case's job.
        write: writes the world.
        plain: for a query, what is asked where nobody thought of the pitfall; the other forms have a common one.
        own: whether it needs a TSDB of its own.
        marked: whether its series get staleness markers where they end, as a scraping Prometheus writes them.
        targets: targets of the case's job that the cluster has.
        drift: seconds that two clocks parted.
        kubernetes: version that the cell asks for.
    """

    name: str
    pitfalls: tuple[str, ...]
    slo: str
    write: Callable[[Job], None]
    truth: Truth
    plain: str = ""
    own: bool = False
    marked: bool = False
    window: Window = WINDOW
    interval: float = INTERVAL
    targets: int = 1
    drift: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
    kubernetes: str | None = None

    def here(self, query: str) -> str:
        """Return a query with the matcher of the case's job in it."""
        return query.replace("{JOB}", f'{{job="{self.name}"}}')

    def job(self) -> Job:
        """Return where the case's series are written."""
        return Job(self.name, window=self.window, interval=self.interval)


def passes(value: Value | None, known: str, *, count: float | None = None) -> Truth:
    """The bound is kept."""
    return Truth(verdict=Verdict.PASS, value=value, count=count, known=known)


def fails(value: Value | None, known: str, *, count: float | None = None) -> Truth:
    """The bound is missed."""
    return Truth(verdict=Verdict.FAIL, value=value, count=count, known=known)


def invalid(known: str) -> Truth:
    """The samples do not decide."""
    return Truth(verdict=Verdict.INVALID, known=known)


def refused(words: str, value: Value, known: str) -> Truth:
    """The bound is missed, and the SLO asks in a way that would not see it."""
    return Truth(verdict=Verdict.FAIL, value=value, known=known, refused=words)


def lasting(seconds: float, **steps: tuple[float, float]) -> Window:
    """Return a window from T0 on, with steps in seconds since its start."""
    named = {name.replace("_", "-"): (T0 + start, T0 + end) for name, (start, end) in steps.items()}
    return Window(start=T0, end=T0 + seconds, steps=named)


QUICK, GOOD, SLOW = (0.0, 0.5), (0.5, 1.0), (2.0, 5.0)
"""The buckets that hold the observations of 0.1 s, 0.6 s and 4 s."""
BEYOND = (10.0, math.inf)
