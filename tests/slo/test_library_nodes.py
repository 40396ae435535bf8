"""What the node half of the library alone promises: two generations of containerd, golden signals, odd queries."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import serve
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

FILES = ("azure-cns", "cilium", "cluster-autoscaler", "cni", "containerd", "karpenter", "kubelet", "node")
MINE = tuple(one for one in library.entries().values() if one.name.partition("/")[0] in FILES)
CAPABILITIES = frozenset(name for entry in MINE for name in (*entry.keys.get("requires", ()), *entry.available_on))
DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
GENERATIONS = ("1.7", "1.7 with CRI sandboxes", "2.0", "2.4")
MIB = 1024.0**2

Value = Callable[[float], float | None]


def used(name: str, provider: str = "local", **keys: Any) -> Slo:
    return resolve(cell({"use": name, **keys}, provider=provider), CAPABILITIES)[-1]


def judged(prom: Prometheus, slo: Slo, **facts: str) -> Judgement:
    return judge(slo, prom, WINDOW, facts={"nodes": ["n1"], **facts}, scrape_interval=INTERVAL, targets={})


def values(found: Judgement) -> dict[tuple[str, ...], float | None]:
    return {tuple(element.labels.values()): element.value for element in found.elements}


def served_world(folder: Path, made: World) -> Iterator[Prometheus]:
    with serve(record_world(folder, made.openmetrics())) as prometheus:
        yield prometheus


def ramp(rate: float, base: float = 1000.0) -> Value:
    """Return a counter that counts `rate` a second, whatever its value before."""
    return lambda now: base + rate * (now - T0 + 20)


def step(count: float, before: float | None = 0.0) -> Value:
    """Return a counter that counts `count` 20 s into the window; without `before` it is born then."""
    return lambda now: before if now < T0 + 20 else (before or 0.0) + count


class Node:
    """Adds series of one target with a node."""

    def __init__(self, made: World, job: str, node: str | None = "n1") -> None:
        self.made, self.labels = made, {"job": job, "instance": "i1", **({"node": node} if node else {})}
        self.series("up", lambda _: 1.0)
        self.series("process_start_time_seconds", lambda _: T0 - 3600)

    def series(self, name: str, value: Value | float, **labels: str) -> None:
        self.made.counter(name, {**self.labels, **labels}, value if callable(value) else lambda _: value)

    def histogram(self, name: str, seen: list[tuple[float, float]], **labels: str) -> None:
        self.made.histogram(name, {**self.labels, **labels}, seen, edges=DEFAULT)


def test_every_file_says_what_was_read() -> None:
    for stem in FILES:
        head = (library.FOLDER / f"{stem}.yaml").read_text(encoding="utf-8").partition("\n\n")[0]
        comment = "\n".join(line for line in head.splitlines() if line.startswith("#"))

        assert re.search(r"v\d+\.\d+\.\d+|[0-9a-f]{12}", comment), stem


def test_every_ref_is_pinned() -> None:
    loose = [entry.name for entry in MINE if re.search(r"/blob/(master|main|HEAD)/", entry.keys["ref"])]

    assert loose == []


def test_golden_signals_explain_and_never_gate() -> None:
    assert {entry.keys["level"] for entry in MINE if entry.keys["job"] == "node"} == {"warn", "info"}


def test_grace_periods_are_in_no_latency() -> None:
    kinds = [entry for entry in MINE if "runtime_operations_duration" in str(entry.keys.get("histogram"))]

    assert len(kinds) > 8
    assert [entry.name for entry in kinds if re.search(entry.keys["where"].split('"')[1], "stop_container")] == []
    assert [entry.name for entry in MINE if "container_stop" in str(entry.keys.get("histogram"))] == []


def test_no_bound_lies_beyond_what_its_buckets_can_tell() -> None:
    told = [(used(entry.name), entry.buckets_of("1.36")) for entry in MINE if "histogram" in entry.keys]

    assert [slo.id for slo, edges in told if not slo.bound.values[0] <= edges[-1]] == []


def test_zero_is_claimed_only_of_counters_that_every_trusted_version_has() -> None:
    young = {"kubelet/oom-killed": ">=1.36", "kubelet/admission-rejections": ">=1.32"}

    assert {name: library.entry(name).keys["trust"]["kubernetes"] for name in young} == young


def test_azure_cns_is_asked_for_on_aks_alone() -> None:
    skipped = [entry.name for entry in MINE if entry.keys["job"] == "azure-cns"]
    without = CAPABILITIES - {"aks"}

    assert all(
        "not on eks" in (resolve(cell({"use": name}, provider="eks"), without)[-1].skip or "") for name in skipped
    )
    assert all(resolve(cell({"use": name}, provider="aks"), without)[-1].skip is None for name in skipped)


def runtimes() -> World:
    """Return a containerd of each generation that all did the same."""
    made = World()
    for generation in GENERATIONS:
        target = Node(made, f"containerd {generation}")
        moves = "containerd_cri_sandboxed" if generation in GENERATIONS[1:3] else "containerd_cri"
        shown = ("containerd_cri", "containerd_cri_sandboxed") if generation.startswith("1.7") else (moves,)
        for prefix in shown:
            _runtime(target, prefix, prefix == moves)
    return made


def _runtime(target: Node, prefix: str, moves: bool) -> None:
    took = observed(396, 0.2) + observed(4, 3.0) if moves else []
    for name in ("sandbox_create_network", "sandbox_delete_network"):
        target.histogram(f"{prefix}_{name}_seconds", took)
    if not moves:
        return  # labelled ones are there from their first observation on
    for name in ("sandbox_runtime_create", "container_create", "container_start", "container_remove"):
        target.histogram(f"{prefix}_{name}_seconds", took, runtime="io.containerd.runc.v2")
    target.histogram(f"{prefix}_network_plugin_operations_duration_seconds_seconds", took, operation_type="set_up_pod")
    operations = f"{prefix}_network_plugin_operations"
    target.series(f"{operations}_total_total", step(400), operation_type="set_up_pod")
    target.series(f"{operations}_errors_total_total", step(2, None), operation_type="set_up_pod")


@pytest.fixture(scope="module")
def containerds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    yield from served_world(tmp_path_factory.mktemp("containerds"), runtimes())


@pytest.mark.e2e
@pytest.mark.parametrize(
    "name",
    [
        "cni/add",
        "cni/delete",
        "cni/set-up",
        "containerd/sandbox-runtime-create",
        "containerd/container-create",
        "containerd/container-start",
        "containerd/container-remove",
    ],
)
def test_every_generation_of_containerd_gives_the_same_answer(containerds: Prometheus, name: str) -> None:
    found = [judged(containerds, used(name, job=f"containerd {generation}")) for generation in GENERATIONS]

    assert {one.verdict for one in found} == {Verdict.PASS}, [one.message for one in found]
    assert len({(one.value, one.count, one.bucket) for one in found}) == 1
    assert found[0].count == 400


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["cni/add", "containerd/container-create"])
def test_slow_containerd_fails_by_either_generation(containerds: Prometheus, name: str) -> None:
    slow = [
        judged(containerds, used(name, job=f"containerd {generation}", max="100ms")).verdict
        for generation in GENERATIONS
    ]

    assert slow == [Verdict.FAIL] * 4


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "generation", "version"),
    [
        ("cni/errors", "1.7", "1.7.32"),
        ("cni/errors", "2.4", "2.4.2"),
        ("cni/errors-sandboxed", "1.7 with CRI sandboxes", "1.7.32"),
        ("cni/errors-sandboxed", "2.0", "2.0.0"),
    ],
)
def test_failures_of_the_network_plugin_are_seen_by_the_name_of_their_generation(
    containerds: Prometheus, name: str, generation: str, version: str
) -> None:
    found = judged(containerds, used(name, job=f"containerd {generation}"), containerd=version)

    assert (found.verdict, found.value, found.count) == (Verdict.FAIL, 2 / 400, 400)


@pytest.mark.e2e
def test_name_of_the_other_generation_is_never_green(containerds: Prometheus) -> None:
    missing = judged(containerds, used("cni/errors", job="containerd 2.0"), containerd="2.0.0")
    untrusted = judged(containerds, used("cni/errors-sandboxed", job="containerd 2.4"), containerd="2.4.2")

    assert (missing.verdict, untrusted.verdict) == (Verdict.INVALID, Verdict.INVALID)
    assert "containerd 2.4.2 is outside <2.1" in untrusted.message


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("shown", "pulled"),
    [
        (("containerd_cri", "containerd_cri_sandboxed"), "containerd_cri"),
        (("containerd_cri", "containerd_cri_sandboxed"), "containerd_cri_sandboxed"),
        (("containerd_cri_sandboxed",), "containerd_cri_sandboxed"),
    ],
)
def test_mean_throughput_of_pulls_is_that_of_the_name_that_moved(
    tmp_path: Path, shown: tuple[str, ...], pulled: str
) -> None:
    made = World()
    target = Node(made, "containerd")
    for prefix in shown:
        moved = float(prefix == pulled)
        target.series(f"{prefix}_image_pulling_throughput_sum", ramp(20 * moved))
        target.series(f"{prefix}_image_pulling_throughput_count", ramp(moved))
    for prom in served_world(tmp_path / "pulls", made):
        found = judged(prom, used("containerd/image-throughput"))

    assert found.verdict is Verdict.PASS
    assert found.value == pytest.approx(20 * 8 * MIB)


@pytest.mark.e2e
def test_throughput_without_a_pull_is_invalid_and_not_zero(tmp_path: Path) -> None:
    made = World()
    target = Node(made, "containerd")
    target.series("containerd_cri_sandboxed_image_pulling_throughput_sum", 0.0)
    target.series("containerd_cri_sandboxed_image_pulling_throughput_count", 0.0)
    for prom in served_world(tmp_path / "none", made):
        found = judged(prom, used("containerd/image-throughput"))

    assert found.verdict is Verdict.INVALID
    assert "NaN" in found.message


def node() -> World:
    """Return one node, two CPUs that are busy for half of the time, whose signals are known by hand."""
    made = World()
    own = Node(made, "node")
    for cpu, busy in (("0", 0.75), ("1", 0.25)):
        for mode, rate in (("idle", 0.9 - busy), ("iowait", 0.1), ("user", busy - 0.05), ("steal", 0.05)):
            own.series("node_cpu_seconds_total", ramp(rate), cpu=cpu, mode=mode)
    own.series("node_pressure_cpu_waiting_seconds_total", ramp(0.3))
    own.series("node_load1", lambda now: 6.0 if T0 + 10 < now < T0 + 20 else 1.0)
    own.series("node_memory_MemTotal_bytes", 1000 * MIB)
    own.series("node_memory_MemAvailable_bytes", lambda now: (50 if T0 + 10 < now < T0 + 20 else 900) * MIB)
    own.series("node_vmstat_pgmajfault", ramp(7))
    own.series("node_vmstat_oom_kill", step(1))
    own.series("node_vmstat_pswpout", 12.0)
    _storage(own)
    _network(own)
    own.series("node_timex_offset_seconds", lambda now: -0.3 if T0 + 10 < now < T0 + 20 else 0.001)
    own.series("node_timex_sync_status", lambda now: 0.0 if T0 + 10 < now < T0 + 20 else 1.0)
    own.series("node_filefd_allocated", 100.0)
    own.series("node_filefd_maximum", 1000.0)
    return made


def _storage(own: Node) -> None:
    for device, rate in (("sda", 50.0), ("idle", 0.0)):
        own.series("node_disk_writes_completed_total", ramp(rate), device=device)
        own.series("node_disk_write_time_seconds_total", ramp(rate * 0.08), device=device)
        own.series("node_disk_reads_completed_total", ramp(rate), device=device)
        own.series("node_disk_read_time_seconds_total", ramp(rate * 0.002), device=device)
        own.series("node_disk_read_bytes_total", ramp(rate * 4096), device=device)
        own.series("node_disk_written_bytes_total", ramp(rate * 4096), device=device)
    for mount, kind, free, files in (("/", "ext4", 0.5, 100), ("/run", "tmpfs", 0.0, 100), ("/data", "btrfs", 0.12, 0)):
        labels = {"device": mount, "fstype": kind, "mountpoint": mount}
        own.series("node_filesystem_size_bytes", 1000 * MIB, **labels)
        own.series("node_filesystem_avail_bytes", free * 1000 * MIB, **labels)
        own.series("node_filesystem_files", float(files), **labels)
        own.series("node_filesystem_files_free", files * 0.4, **labels)


def _network(own: Node) -> None:
    for device, rate in (("eth0", 1000.0), ("lo", 9e6), ("veth12", 1000.0), ("eni0123", 1000.0), ("enP1s1", 1000.0)):
        own.series("node_network_receive_bytes_total", ramp(rate), device=device)
        own.series("node_network_transmit_bytes_total", ramp(rate * 2), device=device)
        own.series("node_network_receive_packets_total", step(5000), device=device)
        own.series("node_network_receive_errs_total", 0.0, device=device)
        own.series("node_network_receive_drop_total", step(0 if device == "eth0" else 4000), device=device)
    for cpu in ("0", "1"):
        own.series("node_softnet_dropped_total", step(3) if cpu == "1" else 0.0, cpu=cpu)
    own.series("node_netstat_Tcp_OutSegs", step(10_000))
    own.series("node_netstat_Tcp_RetransSegs", step(300))
    own.series("node_netstat_TcpExt_ListenDrops", step(2))
    own.series("node_netstat_TcpExt_ListenOverflows", step(2))
    own.series("node_nf_conntrack_entries", lambda now: 950.0 if T0 + 10 < now < T0 + 20 else 10.0)
    own.series("node_nf_conntrack_entries_limit", 1000.0)
    own.series("node_nf_conntrack_stat_insert_failed", step(5))
    own.series("node_nf_conntrack_stat_drop", 77.0)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    yield from served_world(tmp_path_factory.mktemp("nodes"), node())


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "verdict", "expected"),
    [
        ("cpu", Verdict.PASS, 0.5),
        ("cpu-peak", Verdict.PASS, 0.5),
        ("steal", Verdict.PASS, 0.05),
        ("cpu-pressure", Verdict.FAIL, 0.3),
        ("load", Verdict.PASS, 3.0),
        ("memory", Verdict.FAIL, 0.95),
        ("major-faults", Verdict.PASS, 7.0),
        ("oom-kills", Verdict.FAIL, 1.0),
        ("swap-out", Verdict.PASS, 0.0),
        ("softnet-dropped", Verdict.FAIL, 3.0),
        ("tcp-retransmits", Verdict.FAIL, 0.03),
        ("tcp-listen-drops", Verdict.FAIL, 2.0),
        ("network-receive", Verdict.PASS, 8000.0),
        ("network-transmit", Verdict.PASS, 16_000.0),
        ("network-errors", Verdict.PASS, 0.0),
        ("network-drops", Verdict.PASS, 0.0),
        ("conntrack", Verdict.FAIL, 0.95),
        ("conntrack-insert-failed", Verdict.FAIL, 5.0),
        ("conntrack-drops", Verdict.PASS, 0.0),
        ("clock-offset", Verdict.FAIL, 0.3),
        ("clock-synchronised", Verdict.FAIL, 0.0),
        ("file-descriptors", Verdict.PASS, 0.1),
    ],
)
def test_golden_signal_has_the_value_known_by_hand(
    nodes: Prometheus, name: str, verdict: Verdict, expected: float
) -> None:
    found = judged(nodes, used(f"node/{name}"))

    assert found.verdict is verdict, found.message
    assert values(found) == {("n1",): pytest.approx(expected, abs=1e-9)}


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("name", "busy"),
    [
        ("disk-write-latency", 0.08),
        ("disk-read-latency", 0.002),
        ("disk-iops", 100.0),
        ("disk-throughput", 100 * 4096 * 8.0),
    ],
)
def test_idle_disk_is_zero_and_no_hole(nodes: Prometheus, name: str, busy: float) -> None:
    assert values(judged(nodes, used(f"node/{name}"))) == {("n1", "sda"): pytest.approx(busy), ("n1", "idle"): 0.0}


@pytest.mark.e2e
def test_file_systems_in_memory_and_without_inodes_are_left_out(nodes: Prometheus) -> None:
    room, inodes = (judged(nodes, used(f"node/{name}")) for name in ("filesystem", "inodes"))

    assert values(room) == {("n1", "/"): 0.5, ("n1", "/data"): pytest.approx(0.12)}
    assert room.verdict is Verdict.FAIL
    assert values(inodes) == {("n1", "/"): 0.4}


@pytest.mark.e2e
@pytest.mark.parametrize("name", ["memory-pressure", "memory-stalled", "io-pressure", "io-stalled", "cpu-wait"])
def test_kernel_without_pressure_figures_is_invalid_and_not_at_ease(nodes: Prometheus, name: str) -> None:
    found = judged(nodes, used(f"node/{name}"))

    assert found.verdict is Verdict.INVALID
    assert "was not recorded" in found.message


def test_every_signal_rests_on_a_collector_that_the_harness_runs() -> None:
    import yaml

    manifest = Path(__file__).resolve().parents[2] / "modules" / "manifests" / "prometheus" / "node_exporter.yaml"
    running = set(yaml.safe_load(manifest.read_text(encoding="utf-8"))["collectors"])
    refs = [re.search(r"/collector/([a-z]+)", entry.keys["ref"]) for entry in MINE if entry.keys["job"] == "node"]
    files = {found[1] for found in refs if found}

    assert {"pressure", "netstat", "timex"} < files
    assert files - running == set()


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
