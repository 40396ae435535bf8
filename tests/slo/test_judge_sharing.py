"""One question is asked once: SLOs of one window share what is known of their targets."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Answer
from pytest_telescope.slo.desk import KEPT
from pytest_telescope.slo.desk import LARGE
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.queries import span
from tests.slo.asked import histogram
from tests.slo.asked import peak
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW

pytestmark = pytest.mark.e2e


class Counting(Prometheus):
    """A Prometheus that counts what it is asked."""

    def __init__(self, prom: Prometheus) -> None:
        super().__init__(prom.endpoint)
        self.asked: Counter[str] = Counter()

    def query(self, promql: str, time: float | None = None) -> Answer:
        self.asked[promql] += 1
        return super().query(promql, time)

    def samples(self, selector: str, time: float) -> tuple[Samples, ...]:
        self.asked[selector] += 1
        return super().samples(selector, time)


def test_slos_of_one_job_ask_each_question_once(prom: Prometheus) -> None:
    memory: dict[str, Any] = {}
    with Counting(prom) as counting:
        slos = [histogram("clean", p=p, min_count=20) for p in (50.0, 90.0, 99.0)]
        found = [
            judge(slo, counting, WINDOW, facts={}, scrape_interval=INTERVAL, targets={}, memory=memory) for slo in slos
        ]

    assert {one.verdict for one in found} == {Verdict.PASS}
    assert {one: n for one, n in counting.asked.items() if n > 1} == {}
    assert found[0].queries == found[2].queries


def test_shared_answers_give_the_same_judgement_as_fresh_ones(prom: Prometheus) -> None:
    memory: dict[str, Any] = {}
    slos = [histogram("nodes", 5.0), histogram("nodes", 5.0, slices=peak(30, 10)), histogram("reset")]

    shared = [judge(one, prom, WINDOW, facts={}, scrape_interval=5.0, targets={}, memory=memory) for one in slos * 2]
    fresh = [judge(one, prom, WINDOW, facts={}, scrape_interval=5.0, targets={}) for one in slos]

    assert shared == fresh * 2


def test_only_the_last_few_large_answers_are_kept(prom: Prometheus) -> None:
    desk = Desk(prom, span(WINDOW, INTERVAL))

    for number in range(KEPT + 3):
        desk.ask_range(f"up * {number}", WINDOW.start, WINDOW.end, WINDOW.seconds / LARGE)

    assert sum("up * " in key for key in desk.memory) == KEPT
