"""Counters and gauges are told apart by name, also where the name misleads."""

from __future__ import annotations

import pytest

from pytest_telescope.slo.kinds import kind_of
from pytest_telescope.slo.kinds import misuse


@pytest.mark.parametrize(
    "metric",
    [
        "cluster_autoscaler_unschedulable_pods_count",
        "containerd_cri_in_progress_image_pulls_total",
        "containerd_cri_sandboxed_in_progress_image_pulls_total",
        "apiserver_longrunning_requests",
        "node_nf_conntrack_entries",
        "node_netstat_Tcp_CurrEstab",
        "node_memory_MemAvailable_bytes",
        "process_start_time_seconds",
        "up",
    ],
)
def test_gauges_are_known(metric: str) -> None:
    assert kind_of(metric) == "gauge"


@pytest.mark.parametrize(
    "metric",
    [
        "kubelet_evictions",
        "node_vmstat_pgmajfault",
        "node_netstat_Tcp_RetransSegs",
        "node_nf_conntrack_stat_drop",
        "cluster_autoscaler_function_duration_seconds_count",
        "apiserver_request_total",
        "a_bucket",
        "a_sum",
    ],
)
def test_cumulative_metrics_are_known(metric: str) -> None:
    assert kind_of(metric) == "cumulative"


@pytest.mark.parametrize("metric", ["queue_length", "cilium_unreachable_nodes", "cilium_policy_implementation_delay"])
def test_nothing_is_said_of_a_name_that_does_not_tell(metric: str) -> None:
    assert kind_of(metric) is None


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("increase(apiserver_longrunning_requests[${w}])", "increase of apiserver_longrunning_requests, a gauge"),
        ("rate(cluster_autoscaler_unschedulable_pods_count[${w}])", "a gauge"),
        ("max(resets(node_memory_MemFree_bytes[${w}]))", "resets of node_memory_MemFree_bytes, a gauge"),
        ("max(max_over_time(node_vmstat_oom_kill[${w}]))", "the form counter: node_vmstat_oom_kill"),
        ("sum(apiserver_request_total)", "apiserver_request_total without rate or increase"),
        ("avg_over_time(a_seconds_sum[${w}])", "a_seconds_sum without rate or increase"),
        ("delta(a_total[${w}])", "a_total without rate or increase"),
        ("sum by (le) (a_bucket)", "or the histogram form"),
        ("sum(a_total - (a_total @ ${start})) - sum(a_total)", "a_total without rate or increase"),
    ],
)
def test_use_as_the_other_kind_is_a_mistake(query: str, text: str) -> None:
    assert any(text in one for one in misuse(query))


@pytest.mark.parametrize(
    "query",
    [
        "sum(rate(a_total[${w}]))",
        "max(changes(a_total[${w}]))",
        "count(a_total)",
        "sum(a_total - (a_total @ ${start} or a_total * 0))",
        "max(max_over_time(cluster_autoscaler_unschedulable_pods_count[${w}]))",
        "max(delta(node_memory_MemFree_bytes[${w}]))",
        "histogram_quantile(0.9, sum(rate(coredns_dns_response_size_bytes[${w}])))",
    ],
)
def test_use_as_what_it_is_is_sound(query: str) -> None:
    assert list(misuse(query)) == []
