"""What the entries of the node half of the library promise, and golden signals with values known by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo import library
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.resolve import resolve
from tests.slo.library_worlds import CAPABILITIES
from tests.slo.library_worlds import FILES
from tests.slo.library_worlds import MIB
from tests.slo.library_worlds import MINE
from tests.slo.library_worlds import Node
from tests.slo.library_worlds import judged
from tests.slo.library_worlds import ramp
from tests.slo.library_worlds import served_world
from tests.slo.library_worlds import step
from tests.slo.library_worlds import used
from tests.slo.library_worlds import values
from tests.slo.test_resolving import cell
from tests.slo.world import T0
from tests.slo.world import World


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
