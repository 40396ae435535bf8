"""The form `counter`: whole numbers, nothing extrapolated, and a zero only where something witnesses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo.model import Verdict
from tests.slo.asked import counter
from tests.slo.asked import judged
from tests.slo.asked import peak
from tests.slo.conftest import record_world
from tests.slo.world import T0
from tests.slo.world import World

pytestmark = pytest.mark.e2e


def counted() -> World:
    made = World()
    for job in ("some", "calm", "crashed"):
        made.target(job)
    for node in ("n1", "n2"):
        labels = {"job": "kubelet", "instance": f"{node}:1", "node": node}
        made.counter("up", labels, lambda _: 1.0)
    made.counter("evictions", {"job": "kubelet", "instance": "n2:1", "node": "n2"}, lambda n: 5 + 2 * (n > T0 + 30))
    made.counter("restarts_total", {"job": "some", "instance": "i1"}, lambda now: 3.0 if now > T0 + 20 else None)
    made.counter("bytes_total", {"job": "some", "instance": "i1"}, lambda now: 1e6 + 100 * (now - T0))
    made.counter("restarts_total", {"job": "calm", "instance": "i1"}, lambda _: 41.0)
    made.counter("restarts_total", {"job": "crashed", "instance": "i1"}, lambda now: 9.0 if now < T0 + 30 else 1.0)
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with serve(record_world(tmp_path_factory.mktemp("counted"), counted().openmetrics())) as prometheus:
        yield prometheus


def test_counter_born_in_the_window_counts_in_full(served: Prometheus) -> None:
    found = judged(served, counter("restarts_total", 2.0, job="some"))

    assert (found.verdict, found.value) == (Verdict.FAIL, 3.0)
    assert found.message == "counted 3 > 2 (+50 %)"


def test_what_was_counted_before_the_window_does_not_count(served: Prometheus) -> None:
    found = judged(served, counter("restarts_total", job="calm"))

    assert (found.verdict, found.value) == (Verdict.PASS, 0.0)


@pytest.mark.parametrize(("operator", "verdict"), [("min", Verdict.PASS), ("below", Verdict.FAIL)])
def test_counter_takes_every_bound(served: Prometheus, operator: str, verdict: Verdict) -> None:
    found = judged(served, counter("bytes_total", 6000.0, job="some", operator=operator))

    assert (found.verdict, found.value) == (verdict, 6000.0)


def test_counter_that_was_not_recorded_is_invalid(served: Prometheus) -> None:
    found = judged(served, counter("restart_total", job="some"))

    assert found.verdict is Verdict.INVALID
    assert "the nearest name that was is restarts_total" in found.message


def test_declared_zero_is_witnessed_by_the_jobs_targets(served: Prometheus) -> None:
    found = judged(served, counter("oom_total", job="some", absent_zero=True))
    sliced = judged(served, counter("oom_total", job="some", absent_zero=True, slices=peak(30, 10)))

    assert (found.verdict, found.value, sliced.verdict) == (Verdict.PASS, 0.0, Verdict.PASS)
    assert found.guards["absent"] == "oom_total has no series: zero, witnessed by job some"


def test_declared_zero_of_a_name_that_is_nearly_there_tells_the_near_one(served: Prometheus) -> None:
    found = judged(served, counter("restart_total", job="some", absent_zero=True))

    assert "the nearest name that was is restarts_total" in found.guards["absent"]


@pytest.mark.parametrize("job", ["nobody", None])
def test_declared_zero_without_a_witness_is_invalid(served: Prometheus, job: str | None) -> None:
    found = judged(served, counter("oom_total", job=job, absent_zero=True))

    assert found.verdict is Verdict.INVALID


def test_targets_that_do_not_show_the_counter_have_a_zero_of_their_own(served: Prometheus) -> None:
    slo = counter("evictions", job="kubelet", by=("node",), absent_zero=True, expect={"node": "${nodes}"})

    found = judged(served, slo)

    assert {one.labels["node"]: one.value for one in found.elements} == {"n1": 0.0, "n2": 2.0}
    assert found.verdict is Verdict.FAIL
    assert "has no series of 1 of 2" in found.guards["absent"]


def test_counter_that_was_reset_is_invalid(served: Prometheus) -> None:
    found = judged(served, counter("restarts_total", job="crashed"))

    assert found.verdict is Verdict.INVALID
    assert "counters of crashed i1 were reset in the window (about 22:13:5" in found.message
