"""The same library SLO says the same of a kubelet 1.34 and a 1.36, scraped by a Prometheus 2.x or a 3.x."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.slo import library
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.resolve import resolve
from tests.slo.conftest import record_world
from tests.slo.test_resolving import cell
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import WINDOW
from tests.slo.world import World
from tests.slo.world import observed

KUBELETS = ("1.34", "1.36")
SCRAPERS = (2, 3)
SHAPES = tuple(f"kubelet-{version}-prometheus-{scraper}" for version in KUBELETS for scraper in SCRAPERS)
CAPABILITIES = frozenset({"real-nodes", "kubelet-metrics"})

# pkg/kubelet/metrics/metrics.go of v1.34.4 and v1.36.3, typed from there: the library is held against them
OPERATIONS = (
    0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125,
    47.6837158203125, 119.20928955078125, 298.0232238769531, 745.0580596923828,
)  # fmt: skip # ExponentialBuckets(.005, 2.5, 14)
STARTUP = (
    0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
)  # fmt: skip # podStartupDurationBuckets
DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # DefBuckets
STATUS = (0.010, 0.050, 0.100, 0.500, 1, 5, 10, 20, 30, 45, 60)  # PodStatusSyncDuration
SOURCE = {
    "sandbox-create": OPERATIONS,
    "runtime-reads": OPERATIONS,
    "pod-start-sli": STARTUP,
    "pod-start-total": STARTUP,
    "sandbox-create-by-handler": DEFAULT,
    "pod-worker": DEFAULT,
    "pleg-relist": DEFAULT,
    "cgroup-manager": DEFAULT,
    "pod-status-sync": STATUS,
}
"""Entry -> bounds of its histogram in both versions."""
SLOW = 6.0
"""Seconds that a sandbox takes in this world."""


def spelt(edge: float, scraper: int) -> str:
    """Return a bound as Prometheus 2 keeps it from a text scrape, and as Prometheus 3 normalises it."""
    if math.isinf(edge):
        return "+Inf"
    text = repr(float(edge))
    return text.removesuffix(".0") if scraper == 2 else text


def kubelets() -> World:
    """Return one kubelet of each version under each scraper, all of which did the same."""
    made = World()
    for version in KUBELETS:
        for scraper in SCRAPERS:
            _kubelet(made, version, scraper)
    return made


def _kubelet(made: World, version: str, scraper: int) -> None:
    job = f"kubelet-{version}-prometheus-{scraper}"
    target = {"job": job, "instance": "i1"}
    node = {**target, "node": "n1"}
    made.target(job)

    def histogram(name: str, edges: tuple[float, ...], seen: list[tuple[float, float]], **labels: str) -> None:
        spell = partial(spelt, scraper=scraper)
        made.histogram(name, {**node, **labels}, seen, edges=(*edges, math.inf), spell=spell)

    operations, took = "kubelet_runtime_operations_duration_seconds", observed(396, 0.9) + observed(4, SLOW)
    histogram(operations, OPERATIONS, took, operation_type="run_podsandbox")
    histogram(operations, OPERATIONS, observed(400, 0.4), operation_type="create_container")
    histogram(operations, OPERATIONS, observed(400, 800.0), operation_type="start_container")
    histogram("kubelet_pod_start_total_duration_seconds", STARTUP, observed(400, 12.0))
    histogram("kubelet_pod_start_sli_duration_seconds", STARTUP, observed(390, 2.5) + observed(10, 7.0))
    histogram("kubelet_pod_worker_duration_seconds", DEFAULT, observed(400, 30.0), operation_type="create")
    histogram("kubelet_pod_status_sync_duration_seconds", STATUS, observed(400, 0.3))
    histogram("kubelet_pleg_relist_duration_seconds", DEFAULT, observed(60, 0.7))
    histogram("kubelet_cgroup_manager_duration_seconds", DEFAULT, observed(400, 0.02), operation_type="create")
    # 1.34 takes the time when the call begins
    sandbox = observed(400, 0.000002 if version == "1.34" else SLOW)
    histogram("kubelet_run_podsandbox_duration_seconds", DEFAULT, sandbox, runtime_handler="runc")
    for kind in ("run_podsandbox", "create_container", "start_container"):
        called = {**node, "operation_type": kind}
        made.counter("kubelet_runtime_operations_total", called, lambda now: 900.0 if now < T0 + 20 else 1300.0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with serve(record_world(tmp_path_factory.mktemp("kubelets"), kubelets().openmetrics())) as prometheus:
        yield prometheus


def used(name: str, shape: str, version: str | None = None, **keys: Any) -> Slo:
    """Return a library SLO on one shape, for a cluster whose version is known before a run or not."""
    made = cell({"use": f"kubelet/{name}", "job": shape, **keys})
    return resolve(replace(made, cluster=ClusterSpec(kubernetes_version=version)), CAPABILITIES)[-1]


def judged(prom: Prometheus, slo: Slo, version: str) -> Judgement:
    facts = {"nodes": ["n1"], "kubernetes_version": version}
    return judge(slo, prom, WINDOW, facts=facts, scrape_interval=INTERVAL, targets={})


@pytest.mark.parametrize("name", SOURCE)
@pytest.mark.parametrize("version", KUBELETS)
def test_library_knows_the_buckets_of_the_source(name: str, version: str) -> None:
    assert library.entry(f"kubelet/{name}").buckets_of(version) == SOURCE[name]


@pytest.mark.e2e
def test_bounds_are_recorded_as_each_prometheus_spells_them(served: Prometheus) -> None:
    name = "kubelet_pod_start_total_duration_seconds_bucket"
    found = {
        shape: {one.labels["le"] for one in served.query(f'{name}{{job="{shape}"}}', WINDOW.end).series}
        for shape in SHAPES
    }

    assert {"5", "10", "0.5", "+Inf"} < found["kubelet-1.34-prometheus-2"] == found["kubelet-1.36-prometheus-2"]
    assert {"5.0", "10.0", "0.5", "+Inf"} < found["kubelet-1.34-prometheus-3"] == found["kubelet-1.36-prometheus-3"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "verdict", "value"),
    [
        ("sandbox-create", Verdict.PASS, 1.220703125),
        ("container-create", Verdict.PASS, 0.48535),
        ("container-start", Verdict.FAIL, 745.0580596923828),
        ("pod-start-total", Verdict.PASS, 19.9),
        ("pod-worker", Verdict.FAIL, 10.0),
        ("pod-status-sync", Verdict.PASS, 0.496),
        ("pleg-relist", Verdict.PASS, 0.95),
        ("cgroup-manager", Verdict.PASS, 0.02485),
    ],
)
def test_every_shape_gets_the_same_verdict_and_value(
    served: Prometheus, name: str, verdict: Verdict, value: float
) -> None:
    found = [judged(served, used(name, shape), shape.split("-")[1]) for shape in SHAPES]

    assert {one.verdict for one in found} == {verdict}, [one.message for one in found]
    assert len({(one.value, one.count, one.bucket, one.interval) for one in found}) == 1
    assert found[0].value == pytest.approx(value, rel=1e-4)


@pytest.mark.e2e
@pytest.mark.parametrize("scraper", SCRAPERS)
@pytest.mark.parametrize("name", ["sandbox-create-by-handler", "pod-start-sli"])
def test_metric_that_meant_something_else_is_skipped_or_invalid_below_1_36(
    served: Prometheus, name: str, scraper: int
) -> None:
    old, new = (f"kubelet-{version}-prometheus-{scraper}" for version in KUBELETS)

    before = judged(served, used(name, old, version="1.34"), "v1.34.4")
    after = judged(served, used(name, old), "v1.34.4")
    trusted = judged(served, used(name, new), "v1.36.3")

    assert (before.verdict, after.verdict) == (Verdict.SKIP, Verdict.INVALID)
    assert "1.34" in before.message
    assert "kubernetes v1.34.4 is outside >=1.36" in after.message
    assert trusted.verdict is Verdict.FAIL


@pytest.mark.e2e
def test_without_trust_the_old_run_podsandbox_would_be_green_however_slow(served: Prometheus) -> None:
    found = judged(served, used("sandbox-create-by-handler", SHAPES[0], trust={}), "v1.34.4")

    assert found.verdict is Verdict.PASS
    assert judged(served, used("sandbox-create", SHAPES[0], max="p90 <= 488.3ms"), "v1.34.4").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("version", "trusted"), [("1.33", False), ("1.34", False), ("1.35", False), ("1.36", True), ("1.37", True)]
)
def test_versions_below_1_36_are_known_to_be_untrusted_before_a_run(version: str, trusted: bool) -> None:
    for name in ("sandbox-create-by-handler", "sandbox-errors-by-handler", "pod-start-sli"):
        assert (used(name, "kubelet", version).skip is None) is trusted


@pytest.mark.e2e
def test_release_candidate_of_1_36_is_not_yet_1_36(served: Prometheus) -> None:
    slo = used("sandbox-create-by-handler", SHAPES[2])

    assert judged(served, slo, "v1.36.0-rc.1").verdict is Verdict.INVALID
    assert judged(served, slo, "v1.36.0").verdict is Verdict.FAIL


@pytest.mark.e2e
def test_errors_that_never_were_are_none_in_every_shape(served: Prometheus) -> None:
    found = [judged(served, used("cri-errors", shape), shape.split("-")[1]) for shape in SHAPES]

    assert {(one.verdict, one.value, one.count) for one in found} == {(Verdict.PASS, 0.0, 1200.0)}
