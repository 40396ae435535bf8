"""Losing data never turns a verdict greener: many random losses, judged by the real Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from tests.slo.conftest import record_world
from tests.slo.world import INTERVAL
from tests.slo.world import SCRAPES
from tests.slo.world import T0
from tests.slo.world import WINDOW
from tests.slo.world import World

CASES = 60
METRIC = "work_duration_seconds"


@dataclass(frozen=True)
class Loss:
    """Observations of one target, the scrapes that are left, and whether a lost scrape says `up 0`."""

    observations: Sequence[tuple[float, float]]
    kept: tuple[float, ...]
    is_told: bool


def losses(seed: int) -> list[Loss]:
    random = Random(seed)
    return [_loss(random) for _ in range(CASES)]


def _loss(random: Random) -> Loss:
    slow = random.choice([0, 2, 3, 4, 5, 30])
    values = [0.6] * (300 - slow) + [random.choice([4.0, 40.0])] * slow
    moments = [random.choice([T0 - 5, T0 + random.uniform(1, 45)]) for _ in values]
    dropped = set(random.sample(SCRAPES, random.choice([1, 1, 2, 3, 8, len(SCRAPES)])))
    kept = tuple(when for when in SCRAPES if when not in dropped)
    return Loss(list(zip(moments, values, strict=True)), kept, is_told=random.random() < 0.5)


def written(cases: Sequence[Loss]) -> World:
    made = World()
    for number, case in enumerate(cases):
        for job, kept in ((f"whole-{number}", SCRAPES), (f"lossy-{number}", case.kept)):
            if case.is_told:
                made.target(job, up=lambda now, kept=kept: 1.0 if now in kept else 0.0)  # type: ignore[misc] # bound early
            else:
                made.target(job, scrapes=kept)
            made.histogram(METRIC, {"job": job, "instance": "i1"}, case.observations, scrapes=kept)
    return made


def verdict(prom: Prometheus, job: str) -> Verdict:
    limit = Bound(operator="max", values=(1.0,), unit="s", text="1s")
    slo = Slo(id="x", form="histogram", bound=limit, metrics=(METRIC,), job=job, p=99.0, min_count=100)
    return judge(slo, prom, WINDOW, facts={}, scrape_interval=INTERVAL, targets={job: 1}).verdict


@pytest.mark.e2e
@pytest.mark.parametrize("seed", [1, 2])
def test_losing_scrapes_never_turns_a_verdict_green(tmp_path: Path, seed: int) -> None:
    cases = losses(seed)
    recording = record_world(tmp_path / "recording", written(cases).openmetrics())

    with serve(recording) as prom:
        found = [(verdict(prom, f"whole-{n}"), verdict(prom, f"lossy-{n}"), n) for n in range(CASES)]

    greener = [one for one in found if one[1] is Verdict.PASS and one[0] is not Verdict.PASS]
    assert not greener
    assert {whole for whole, _, _ in found} == {Verdict.PASS, Verdict.FAIL}
    assert Verdict.PASS in {lossy for _, lossy, _ in found}
