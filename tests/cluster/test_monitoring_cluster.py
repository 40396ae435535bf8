"""Prometheus in a real cluster: put there as for a cloud, asked through the API server, recorded, taken away."""

from __future__ import annotations

import base64
import filecmp
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope.cluster import monitoring
from pytest_telescope.cluster import monitoring_manifests as manifests
from pytest_telescope.cluster import monitoring_more
from pytest_telescope.cluster import monitoring_wait
from pytest_telescope.cluster import processes
from pytest_telescope.cluster.kube import Kube
from pytest_telescope.cluster.kube import access
from pytest_telescope.cluster.kube import path_of
from pytest_telescope.cluster.local import host
from pytest_telescope.cluster.monitoring import Monitoring
from pytest_telescope.errors import ProvisionError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.clock import clock_offset
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import record
from pytest_telescope.metrics.scrapes import wait_for_scrapes
from pytest_telescope.metrics.serving import serve
from tests.clouds.backing import NODE
from tests.clouds.backing import backing_cluster
from tests.clouds.front import Front

WHY_NOT = host.why_no_real_node()
pytestmark = [
    pytest.mark.e2e,
    # Not for CI, where a missing node must be seen as a failure.
    pytest.mark.skipif(WHY_NOT is not None and not os.environ.get("CI"), reason=WHY_NOT or "a real node is possible"),
]
LEASE = "0a0b0c0d"
OTHER = "0e0f0a0b"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with backing_cluster(tmp_path_factory.mktemp("state")) as found:
        yield found


def install(kubeconfig: Path, lease: str, told: list[str] | None = None, within: float = 90.0) -> Monitoring:
    progress = (told if told is not None else []).append
    return monitoring.install(
        kubeconfig, provider="aks", lease=lease, own_pool=True, nodes=15, interval=2.0, within=within, progress=progress
    )


@pytest.fixture(scope="module")
def installed(kubeconfig: Path) -> Iterator[Monitoring]:
    yield install(kubeconfig, LEASE)
    monitoring.remove(kubeconfig, LEASE)
    assert monitoring.left(kubeconfig, LEASE) == []


def component(name: str, listen: str, **labels: str) -> dict[str, Any]:
    """Return a pod of kube-system that serves metrics as a component does; node_exporter plays its part."""
    container = {
        "name": name,
        "image": monitoring.exporter_image(),
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--web.listen-address={listen}", "--collector.disable-defaults", "--collector.uname"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"play-{name}", "namespace": "kube-system", "labels": labels},
        "spec": {
            "containers": [container],
            "nodeName": NODE,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
        },
    }


@pytest.fixture
def components(kubeconfig: Path) -> Iterator[None]:
    """Run a coredns, a karpenter that is another controller, and a kube-proxy that only its own pod reaches."""
    made = [
        component("coredns", ":9153"),
        component("controller", ":8080", **{"app.kubernetes.io/name": "somebody-else"}),
        component("kube-proxy", "127.0.0.1:10249"),
    ]
    with Kube(access(kubeconfig)) as kube:
        paths = [path_of(kube.apply(pod)) for pod in made]
        try:
            assert processes.wait_until(lambda: all(kube.get(one)["status"]["phase"] == "Running" for one in paths), 60)
            yield
        finally:
            for path in paths:
                kube.delete(path)


@pytest.mark.usefixtures("components")
def test_components_are_found_by_their_pods_and_one_that_cannot_be_reached_is_named(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_more, "WITHIN", 6.0)
    told: list[str] = []

    found = install(kubeconfig, OTHER, told)
    with Prometheus(found.endpoint) as prometheus:
        labels = prometheus.query('node_uname_info{job="coredns"}').series[0].labels
    monitoring.remove(kubeconfig, OTHER)

    assert found.targets.keys() >= {"coredns", "node", "containerd"}
    assert labels["node"] == NODE
    assert labels["instance"].endswith(":9153")
    assert found.facts["coredns"] == monitoring.exporter_image().rpartition(":")[2]
    assert not found.targets.keys() & {"kube-proxy", "karpenter"}
    assert "0 of 1 up" in found.hidden["kube-proxy"]
    assert "connection refused" in str(found.facts["not-scraped"])
    assert any(line.startswith("not scraped: kube-proxy") for line in told)


def test_a_cluster_is_ready_without_node_exporter_and_says_why(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELESCOPE_NODE_EXPORTER_IMAGE", "registry.example/absent:1")
    monkeypatch.setattr(monitoring_more, "WITHIN", 4.0)

    found = install(kubeconfig, OTHER)
    monitoring.remove(kubeconfig, OTHER)

    assert "node" not in found.targets
    assert "registry.example/absent:1" in found.hidden["node"]


def test_the_exporter_of_a_lease_listens_on_the_internal_address_alone_and_runs_as_nobody(
    installed: Monitoring, kubeconfig: Path
) -> None:
    init = json.loads((kubeconfig.parent / "cluster/node/processes/init.json").read_text(encoding="utf-8"))["pid"]
    port = f"{manifests.exporter_port(LEASE):04X}"

    lines = Path(f"/proc/{init}/net/tcp").read_text(encoding="ascii").splitlines()
    listening = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    open6 = Path(f"/proc/{init}/net/tcp6").read_text(encoding="ascii")

    assert [one for one in listening if one.endswith(f":{port}")] == [f"010012C6:{port}"]  # 198.18.0.1
    assert f":{port} 0000" not in open6
    assert installed.targets["node"] == 1


def window(found: Monitoring) -> Window:
    with Prometheus(found.endpoint) as prometheus:
        start = wait_for_scrapes(prometheus, found.targets, after=prometheus.now(), count=1, timeout=20)
        end = wait_for_scrapes(prometheus, found.targets, after=start, count=2, timeout=20)
    return Window(start=start, end=end, steps={})


@pytest.fixture(scope="module")
def recorded(installed: Monitoring, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(installed.endpoint, window(installed), 0.0, "", tmp_path_factory.mktemp("run") / "recording")


def test_every_target_is_up_and_only_real_nodes_are_scraped(installed: Monitoring) -> None:
    with Prometheus(installed.endpoint) as prometheus:
        seen = {(target.job, target.up) for target in prometheus.targets()}

    assert installed.nodes == (NODE,)
    assert installed.targets == {"kube-apiserver": 1, "kubelet": 1, "cadvisor": 1, "containerd": 1, "node": 1}
    assert installed.facts["not-scraped"] is None
    assert seen == {(job, True) for job in installed.targets}
    assert installed.facts["prometheus-node"] == NODE


def test_its_clock_is_told_through_the_api_server(installed: Monitoring) -> None:
    with Prometheus(installed.endpoint) as prometheus:
        found = clock_offset(prometheus)

    assert abs(found.seconds) <= found.uncertainty + 0.05


def test_the_recording_has_the_very_bytes_of_the_snapshot(recorded: Recording, kubeconfig: Path) -> None:
    pods = kubeconfig.parent / "cluster/node/var/lib/kubelet/pods"
    snapshots = pods.glob("*/volumes/kubernetes.io~empty-dir/data/snapshots/*")
    snapshot = max(snapshots, key=lambda folder: folder.stat().st_mtime)

    files = [file for file in snapshot.rglob("*") if file.is_file()]

    assert len(files) >= 4
    assert all(filecmp.cmp(file, recorded.path / file.relative_to(snapshot), shallow=False) for file in files)


def test_the_recording_is_judged_with_the_labels_of_a_local_cluster(recorded: Recording) -> None:
    asked = {
        "kubelet": f'count(kubelet_node_name{{job="kubelet", node="{NODE}"}})',
        "node": f'count(node_memory_MemTotal_bytes{{job="node", node="{NODE}"}})',
        "containerd": f'count(containerd_build_info_total{{job="containerd", node="{NODE}"}}) > bool 0',
        "cadvisor": f'count(container_cpu_usage_seconds_total{{job="cadvisor", node="{NODE}"}}) > bool 0',
        "kube-apiserver": 'sum(increase(apiserver_request_total{job="kube-apiserver"}[20s])) > bool 0',
        "bounds": 'count(apiserver_request_duration_seconds_bucket{le="1"}) > bool 0',
    }

    with serve(recorded) as prometheus:
        found = {name: prometheus.query(query, recorded.window.end).series for name, query in asked.items()}

    assert {name: [one.value for one in series] for name, series in found.items()} == {name: [1.0] for name in asked}


def by_exec_plugin(front: Front, folder: Path) -> Path:
    """Write a kubeconfig as a cloud gives one: its own authority, and a token from a program that notes its calls."""
    script = folder / "token.py"
    script.write_text(
        "import json, pathlib\n"
        f"calls = pathlib.Path({str(folder / 'calls')!r})\n"
        "calls.write_text((calls.read_text() if calls.exists() else '') + 'x')\n"
        "status = {'token': 'good', 'expirationTimestamp': '2020-01-01T00:00:00Z'}\n"
        "kind = {'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential'}\n"
        "print(json.dumps({**kind, 'status': status}))\n"
    )
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
        "interactiveMode": "Never",
    }
    authority = base64.b64encode(front.ca.encode()).decode()
    cluster = {"server": front.endpoint, "certificate-authority-data": authority}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    file.chmod(0o600)
    return file


def test_tokens_of_a_plugin_that_end_at_once_are_asked_for_again_up_to_the_recording(
    kubeconfig: Path, tmp_path: Path
) -> None:
    with Front(kubeconfig, lambda token: token == "good") as front:
        own = by_exec_plugin(front, tmp_path)

        found = install(own, OTHER)
        before = len((tmp_path / "calls").read_text())
        made = record(found.endpoint, window(found), 0.0, "", tmp_path / "recording")
        asked = len((tmp_path / "calls").read_text()) - before
        monitoring.remove(own, OTHER)

        assert monitoring.left(own, OTHER) == []
    assert asked > 5
    assert (made.path / "recording.json").exists()
    assert "good" not in json.dumps([str(found.endpoint), (made.path / "recording.json").read_text()])


def test_an_image_that_cannot_be_had_is_named_and_nothing_is_left_after_removal(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELESCOPE_PROMETHEUS_IMAGE", "registry.example/absent:1")
    monkeypatch.setattr(monitoring_wait, "IMAGE_PATIENCE", 2.0)
    told: list[str] = []

    with pytest.raises(ProvisionError, match=r"of registry\.example/absent:1: .*no such host"):
        install(kubeconfig, OTHER, told)
    before = monitoring.left(kubeconfig, OTHER)
    monitoring.remove(kubeconfig, OTHER)

    assert any("pod is Pending" in line for line in told)
    assert len(before) == 3
    assert monitoring.left(kubeconfig, OTHER) == []
