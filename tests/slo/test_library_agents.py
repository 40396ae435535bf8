"""Odd queries of kubelet, network agents and autoscalers, with values known by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo import library
from pytest_telescope.slo.model import Verdict
from tests.slo.library_worlds import Node
from tests.slo.library_worlds import judged
from tests.slo.library_worlds import ramp
from tests.slo.library_worlds import served_world
from tests.slo.library_worlds import step
from tests.slo.library_worlds import used
from tests.slo.library_worlds import values
from tests.slo.world import INTERVAL
from tests.slo.world import T0
from tests.slo.world import World
from tests.slo.world import observed


def agents() -> World:
    """Return the other jobs, each with what its odd queries need."""
    made = World()
    kubelet = Node(made, "kubelet")
    kubelet.series("kubelet_started_pods_total", step(120, None))
    kubelet.series("kubelet_evictions", step(1, None), eviction_signal="memory.available")
    kubelet.series("kubelet_pleg_last_seen_seconds", lambda now: min(now, T0 + 10))
    for state, count in (("running", 30.0), ("exited", 12.0)):
        kubelet.series("kubelet_running_containers", count, container_state=state)
    cadvisor = Node(made, "cadvisor")
    for pod, container, rate in (("a", "", 0.5), ("a", "app", 0.9), ("", "", 0.95)):
        labels = {"namespace": "x" if pod else "", "pod": pod, "container": container}
        cadvisor.series("container_pressure_cpu_waiting_seconds_total", ramp(rate), **labels)
    _autoscalers(made)
    cns = Node(made, "azure-cns")
    old, labels = observed(400, 0.2), {"previous_state": "PendingProgramming", "next_state": "Available"}
    edges = (*library.entry("azure-cns/state-transitions").buckets_of(None), math.inf)
    for job, name in (
        ("azure-cns", "ipconfigstatus_state_transition"),
        ("cns-new", "ipconfigstatus_state_transition_seconds"),
    ):
        made.histogram(name, {**cns.labels, "job": job, **labels}, old, edges=edges)
    Node(made, "cns-new")
    for subnet, exhausted in (("a", 0.0), ("b", 1.0)):
        cns.series("cx_ipam_subnet_exhaustion_state", exhausted, subnet=subnet, subnet_cidr="", podnet_arm_id="")
        cns.series("cx_ipam_available_ips", 8.0, subnet=subnet, subnet_cidr="", podnet_arm_id="")
    cns.series("http_request_latency_seconds_count", step(96), url="/u", verb="POST", cns_return_code="Success")
    cns.series(
        "http_request_latency_seconds_count", step(4), url="/u", verb="POST", cns_return_code="FailedToAllocateIPConfig"
    )
    return made


def _autoscalers(made: World) -> None:
    autoscaler = Node(made, "cluster-autoscaler", None)
    skipped = "cluster_autoscaler_skipped_scale_events_count"
    autoscaler.series(skipped, step(3, 40.0), direction="up", reason="CpuResourceLimit")
    autoscaler.series(skipped, step(9, 40.0), direction="down", reason="CpuResourceLimit")
    autoscaler.series("cluster_autoscaler_old_unregistered_nodes_removed_count", 5.0)
    autoscaler.series("cluster_autoscaler_last_activity", lambda now: min(now, T0 + 10), activity="main")
    autoscaler.series("cluster_autoscaler_cluster_safe_to_autoscale", lambda now: float(not T0 + 10 < now < T0 + 20))
    karpenter = Node(made, "karpenter", None)
    errors = "karpenter_cloudprovider_errors_total"
    karpenter.series(errors, step(6), error="NodeClaimNotFoundError", method="Get")
    karpenter.series(errors, step(2, None), error="InsufficientCapacityError", method="Create")
    cilium = Node(made, "cilium-agent")
    for reason, count in (
        ("Policy denied", 90.0),
        ("Policy denied by denylist", 90.0),
        ("CT: Map insertion failed", 4.0),
    ):
        cilium.series("cilium_drop_count_total", step(count), reason=reason, direction="INGRESS")
    cilium.series("cilium_forward_count_total", step(4000), direction="INGRESS")
    cilium.series(
        "cilium_bpf_map_pressure", lambda now: 0.97 if T0 + 10 < now < T0 + 20 else 0.2, map_name="ct4_global"
    )


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    yield from served_world(tmp_path_factory.mktemp("others"), agents())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "verdict", "expected"),
    [
        ("kubelet/pod-throughput", Verdict.PASS, {("n1",): 2.0}),
        ("kubelet/evictions", Verdict.FAIL, {(): 1.0}),
        ("kubelet/preemptions", Verdict.PASS, {(): 0.0}),
        ("kubelet/containers", Verdict.PASS, {("n1",): 42.0}),
        ("kubelet/pod-cpu-pressure", Verdict.FAIL, {("n1",): 0.5}),
        ("cluster-autoscaler/skipped-scale-ups", Verdict.FAIL, {("CpuResourceLimit",): 3.0}),
        ("cluster-autoscaler/unregistered-nodes", Verdict.PASS, {(): 0.0}),
        ("cluster-autoscaler/safe", Verdict.FAIL, {(): 0.0}),
        ("karpenter/cloud-errors", Verdict.FAIL, {("InsufficientCapacityError",): 2.0}),
        ("karpenter/oldest-pending", Verdict.PASS, {(): 0.0}),
        ("cilium/drops", Verdict.FAIL, {("CT: Map insertion failed",): 4.0}),
        ("cilium/drop-share", Verdict.PASS, {(): 0.001}),
        ("cilium/map-pressure", Verdict.FAIL, {("ct4_global",): 0.97}),
        ("azure-cns/subnet-exhausted", Verdict.FAIL, {("a",): 0.0, ("b",): 1.0}),
        ("azure-cns/ips-available", Verdict.PASS, {("n1",): 16.0}),
        ("azure-cns/request-errors", Verdict.FAIL, {(): 0.04}),
    ],
)
def test_odd_query_has_the_value_known_by_hand(
    others: Prometheus, name: str, verdict: Verdict, expected: dict[tuple[str, ...], float]
) -> None:
    found = judged(others, used(name, provider="aks"))

    assert found.verdict is verdict, found.message
    assert values(found) == {key: pytest.approx(value) for key, value in expected.items()}


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["kubelet/pleg-last-seen", "cluster-autoscaler/last-look"])
def test_what_stopped_looking_is_as_late_as_it_is(others: Prometheus, name: str) -> None:
    assert judged(others, used(name)).value == pytest.approx(47, abs=INTERVAL)


@pytest.mark.e2e
def test_histogram_that_azure_renamed_gives_the_same_answer(others: Prometheus) -> None:
    old, new = (
        judged(others, used("azure-cns/state-transitions", provider="aks", job=job)) for job in ("azure-cns", "cns-new")
    )

    assert (old.verdict, old.value, old.count) == (new.verdict, new.value, new.count)
    assert (old.verdict, old.count) == (Verdict.PASS, 400)
