"""What is judged over chosen series is judged as over everything, message by message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.selected import record_selected
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.needed import needed
from pytest_telescope.slo.needed import not_recorded
from tests.slo.asked import histogram
from tests.slo.asked import judged
from tests.slo.asked import query
from tests.slo.asked import ratio
from tests.slo.cases import METRIC
from tests.slo.cases import world
from tests.slo.conftest import record_world
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW

pytestmark = pytest.mark.e2e

JOBS = (
    "clean slow overflow few idle born gone spelt layouts stopped undiscovered down started reset balanced".split()  # noqa: SIM905 - a list of words
)
SLOS: dict[str, Slo] = {
    **{job: histogram(job) for job in JOBS},
    "calm": ratio("calm", 0.01, absent_zero=True),
    "failing": ratio("failing", 0.01),
    "depth": query("max(max_over_time(depth[${w}]))"),
    "not a number": query("max by (queue) (not_a_number)", by=("queue",)),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with serve(record_world(tmp_path_factory.mktemp("whole"), world().openmetrics())) as prom:
        yield prom


@pytest.fixture(scope="module")
def chosen(whole: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder: Path = tmp_path_factory.mktemp("chosen")
    record_selected(whole, WINDOW, [one for slo in SLOS.values() for one in needed(slo)], folder)
    recording = Recording(
        path=folder, window=WINDOW, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="unknown"
    )
    with serve(recording) as prom:
        yield prom


@pytest.mark.parametrize("name", SLOS)
def test_the_judgement_is_the_same(whole: Prometheus, chosen: Prometheus, name: str) -> None:
    theirs, ours = judged(whole, SLOS[name]), judged(chosen, SLOS[name])

    assert repr(ours) == repr(theirs)  # by text, since NaN is not NaN


def test_what_was_chosen_is_less_than_everything(whole: Prometheus, chosen: Prometheus) -> None:
    assert set(chosen.metric_names()) < set(whole.metric_names())
    assert f"{METRIC}_bucket" in chosen.metric_names()


def test_an_slo_on_something_else_is_told_apart() -> None:
    recorded = [one for slo in SLOS.values() for one in needed(slo)]

    assert not_recorded(query("max(cpu_seconds_total)"), recorded).startswith("not recorded: cpu_seconds_total; ")
