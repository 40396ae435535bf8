"""Built-in SLOs and start-up times over the telemetry that the load room really writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo import library
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.special import steady_rate
from tests.slo.cases import consuming
from tests.slo.cases import load_series
from tests.slo.conftest import record_world
from tests.slo.world import INTERVAL
from tests.slo.world import T0

WINDOW = Window(start=T0, end=T0 + 60, steps={"hold-1": (T0 + 15, T0 + 45)})


@contextmanager
def world_of(folder: Path, telemetry: str, cores: float = 4.0, pods: int = 120) -> Iterator[Prometheus]:
    made = record_world(folder, consuming(cores, pods).openmetrics())
    backfill(telemetry, folder)
    with serve(made) as prom:
        yield prom


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with world_of(tmp_path_factory.mktemp("incomplete"), load_series(), cores=3.0) as prom:
        yield prom


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with world_of(tmp_path_factory.mktemp("complete"), load_series(running=120, failed=0, never=0)) as prom:
        yield prom


def built_in(name: str) -> Slo:
    keys = library.entry(f"builtin/{name}").keys
    limit = Bound(operator="max", values=(0.1 if name == "consumed-as-asked" else 0.0,), unit=keys["unit"], text="")
    return Slo(id=name, form="query", bound=limit, query=keys["query"], job=keys["job"])


def running(p: float, limit: float) -> Slo:
    return Slo(
        id="running",
        form="histogram",
        metrics=("telescope_pod_start_seconds",),
        where='phase="running"',
        job="telescope",
        p=p,
        min_count=100,
        bound=Bound(operator="max", values=(limit,), unit="s", text=f"{limit:g}s"),
    )


def judged(prom: Prometheus, slo: Slo) -> Judgement:
    return judge(slo, prom, WINDOW, facts={}, scrape_interval=INTERVAL, targets={"cadvisor": 1})


@pytest.mark.e2e
def test_pods_that_did_not_run_fail_with_their_reasons(incomplete: Prometheus) -> None:
    found = judged(incomplete, built_in("pods-complete"))

    assert (found.verdict, found.value, found.count) == (Verdict.FAIL, 2.0, 120.0)
    assert found.message == ("pods-complete: 2 of 120 pods did not run: failed OOMKilled 1, never ran Unschedulable 1")


@pytest.mark.e2e
def test_all_pods_running_pass(complete: Prometheus) -> None:
    found = judged(complete, built_in("pods-complete"))

    assert (found.verdict, found.message) == (Verdict.PASS, "pods-complete: all 120 pods ran")


@pytest.mark.e2e
def test_reported_quantiles_are_those_injected(complete: Prometheus) -> None:
    values = {p: judged(complete, running(p, 5.0)).value for p in (50.0, 90.0)}

    assert values == {50.0: pytest.approx(2.0, rel=0.05), 90.0: pytest.approx(2.8, rel=0.05)}


@pytest.mark.e2e
def test_pod_that_never_ran_counts_as_slower_than_every_bound(incomplete: Prometheus) -> None:
    tolerated, asked_of_all = judged(incomplete, running(99.0, 1000.0)), judged(incomplete, running(99.9, 1000.0))

    assert (tolerated.verdict, asked_of_all.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "at least" in asked_of_all.message


@pytest.mark.e2e
def test_cpu_used_as_asked_passes_though_cadvisor_stamps_every_eleven_seconds(complete: Prometheus) -> None:
    found = judged(complete, built_in("consumed-as-asked"))

    assert found.verdict is Verdict.PASS, found.message
    assert found.value == pytest.approx(0.0, abs=0.02)
    assert found.guards["memory"] == "1 GiB working set of 1 GiB asked"


@pytest.mark.e2e
def test_cpu_short_of_what_was_asked_fails_with_both_numbers(incomplete: Prometheus) -> None:
    found = judged(incomplete, built_in("consumed-as-asked"))

    assert found.verdict is Verdict.FAIL
    assert "3 cores used of 4 asked in hold-1 (25 % off, bound 10 %)" in found.message


@pytest.mark.e2e
def test_pods_that_cadvisor_did_not_see_twice_are_invalid(tmp_path: Path) -> None:
    with world_of(tmp_path, load_series(running=12, failed=0, never=0), pods=10) as prom:
        found = judged(prom, built_in("consumed-as-asked"))

    assert found.verdict is Verdict.INVALID
    assert "cAdvisor covers 10 of 12 pods in hold-1" in found.message


@pytest.mark.e2e
def test_telemetry_that_covers_fewer_pods_than_ran_is_invalid(tmp_path: Path) -> None:
    text = load_series(running=120, failed=0, never=0).replace('state="created"', 'state="made"')
    with world_of(tmp_path, text) as prom:
        found = judged(prom, running(90.0, 5.0))

    assert found.verdict is Verdict.INVALID
    assert "telemetry covers 120 of 240 pods" in found.message


@pytest.mark.e2e
def test_without_telemetry_nothing_is_green(tmp_path: Path) -> None:
    made = record_world(tmp_path / "recording", consuming(4.0).openmetrics())
    with serve(made) as prom:
        found = [
            judged(prom, slo) for slo in (built_in("pods-complete"), built_in("consumed-as-asked"), running(90, 5.0))
        ]

    assert {one.verdict for one in found} == {Verdict.INVALID}


def test_steady_rate_weighs_slopes_by_their_overlap() -> None:
    samples = [(0.0, 0.0), (10.0, 10.0), (20.0, 40.0)]

    assert steady_rate(samples, 5.0, 19.0) == pytest.approx((1.0 * 5 + 3.0 * 9) / 14)


def test_steady_rate_prefers_samples_inside_the_interval() -> None:
    samples = [(0.0, 0.0), (10.0, 10.0), (20.0, 40.0), (30.0, 40.0)]

    assert steady_rate(samples, 8.0, 22.0) == pytest.approx(3.0)


def test_steady_rate_of_samples_beside_the_interval_is_unknown() -> None:
    assert steady_rate([(0.0, 0.0), (10.0, 10.0)], 20.0, 30.0) is None
