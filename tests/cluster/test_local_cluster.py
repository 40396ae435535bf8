"""One small local cluster, made through Terraform, looked at from all sides."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_telescope.cluster import diagnostics
from pytest_telescope.cluster import monitoring_jobs
from pytest_telescope.cluster.local import monitoring
from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.preflight import pinned_version
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.processes import marked
from pytest_telescope.cluster.processes import wait_until

pytestmark = pytest.mark.e2e

BECOME_NOBODY = """
import encodings.idna, os, pwd, socket, ssl, sys
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
"""
ASK = """
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
request = f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n".encode()
try:
    with context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)) as connection:
        connection.sendall(request)
        print(connection.recv(64).decode(errors="replace") or "refused: closed")
except OSError as error:
    print("refused:", error)
"""
READ = "print(open(sys.argv[1]).read())"


@pytest.fixture
def layout(shared_lease: Lease) -> Layout:
    return Layout(shared_lease.folder / "cluster")


@pytest.fixture
def ports(shared_cluster: Cluster, layout: Layout) -> dict[str, int]:
    facts = json.loads(layout.facts.read_text(encoding="utf-8"))
    assert facts["facts"] == shared_cluster.facts
    return dict(facts["ports"])


@pytest.fixture
def api(ports: dict[str, int], layout: Layout) -> Iterator[Api]:
    port = ports["kube-apiserver"]
    with Api(port, layout.certificate("ca"), layout.certificate("admin"), layout.key("admin")) as connection:
        yield connection


def test_facts_tell_versions_and_nodes(shared_cluster: Cluster) -> None:
    facts = shared_cluster.facts

    assert str(facts["kubernetes"]).startswith(f"v{pinned_version()}.")
    assert facts["kwok-nodes"] == 3
    assert facts["real-nodes"] == 0
    assert all(facts[name] for name in ("etcd", "kwok", "prometheus", "kernel", "seconds-to-ready"))


def test_load_goes_to_the_pools_that_are_not_the_system_s(shared_cluster: Cluster) -> None:
    assert shared_cluster.nodes == ("user-0", "user-1")


def test_nodes_have_what_their_pool_asks_for(shared_cluster: Cluster, api: Api) -> None:
    node = api.get(f"/api/v1/nodes/{shared_cluster.nodes[0]}")

    assert node["metadata"]["labels"]["color"] == "blue"
    assert node["metadata"]["labels"]["telescope/pool"] == "user"
    assert node["spec"]["taints"] == [{"key": "dedicated", "value": "load", "effect": "NoSchedule"}]
    assert node["status"]["allocatable"] == {"cpu": "4", "memory": "8Gi", "pods": "7"}


def test_the_kubeconfig_works_alone_and_is_private(shared_cluster: Cluster) -> None:
    from kubernetes import client
    from kubernetes import config

    api_client = config.new_client_from_config(config_file=str(shared_cluster.kubeconfig))  # type: ignore[no-untyped-call] # upstream
    nodes = client.CoreV1Api(api_client).list_node().items
    api_client.rest_client.pool_manager.clear()

    assert len(nodes) == 3
    assert stat.S_IMODE(shared_cluster.kubeconfig.stat().st_mode) == 0o600


def test_every_component_is_scraped_each_five_seconds(shared_cluster: Cluster) -> None:
    expected = shared_cluster.targets

    def scraped() -> bool:
        return monitoring.all_scraped(_prometheus(shared_cluster, "/api/v1/targets"), expected, monitoring.INTERVAL)

    assert wait_until(scraped, 2 * monitoring.INTERVAL, poll=0.2)
    targets = _prometheus(shared_cluster, "/api/v1/targets")["data"]["activeTargets"]
    assert {target["labels"]["job"] for target in targets} == set(expected)
    assert {target["scrapeInterval"] for target in targets} == {"5s"}


def test_bounds_are_spelt_as_the_component_spells_them(shared_cluster: Cluster) -> None:
    answer = _prometheus(shared_cluster, "/api/v1/label/le/values")

    assert {"1", "5", "30", "0.5", "+Inf"} <= set(answer["data"])
    assert not [bound for bound in answer["data"] if bound.endswith(".0")]


def test_recording_rules_are_evaluated(shared_cluster: Cluster) -> None:
    def healths() -> set[tuple[str, str]]:
        groups = _prometheus(shared_cluster, "/api/v1/rules")["data"]["groups"]
        return {(group["name"], rule["health"]) for group in groups for rule in group["rules"]}

    evaluated = {("apiserver.rules", "ok"), ("apiserver.1m.rules", "ok")}
    assert wait_until(lambda: healths() == evaluated, 2 * monitoring_jobs.RULES_INTERVAL, poll=0.5), healths()


def test_prometheus_makes_snapshots_for_who_holds_the_certificate(shared_cluster: Cluster) -> None:
    answer = _prometheus(shared_cluster, "/api/v1/admin/tsdb/snapshot", method="POST")

    assert shared_cluster.prometheus.data is not None
    assert (shared_cluster.prometheus.data / "snapshots" / answer["data"]["name"]).is_dir()


def _prometheus(cluster: Cluster, path: str, method: str = "GET") -> dict[str, Any]:
    endpoint = cluster.prometheus
    assert endpoint.certificate is not None
    context = ssl.create_default_context(cafile=str(endpoint.ca))
    context.load_cert_chain(endpoint.certificate, endpoint.key)
    request = urllib.request.Request(endpoint.url + path, method=method)
    with urllib.request.urlopen(request, timeout=10, context=context) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def test_nothing_listens_beyond_loopback(shared_cluster: Cluster, shared_lease: Lease, ports: dict[str, int]) -> None:
    assert shared_cluster.name.endswith(shared_lease.id)
    pids = {member.identity.pid for member in marked(shared_lease.id)}

    connections = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in pids]
    listening = sorted(tuple(connection.laddr) for connection in connections)

    assert listening == sorted(("127.0.0.1", port) for port in ports.values())


def test_private_folders_and_keys_are_private(layout: Layout, shared_cluster: Cluster) -> None:
    assert shared_cluster.kubeconfig.exists()
    private = [layout.folder, layout.pki, layout.etcd, layout.tsdb, layout.kubeconfigs, layout.logs, layout.config]

    assert {stat.S_IMODE(folder.stat().st_mode) for folder in private} == {0o700}
    assert {stat.S_IMODE(key.stat().st_mode) for key in layout.pki.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("port", "path"),
    [
        ("etcd", "/metrics"),
        ("etcd-peer", "/members"),
        ("kube-apiserver", "/api/v1/nodes"),
        ("kube-apiserver", "/healthz"),
        ("kube-controller-manager", "/metrics"),
        ("kube-scheduler", "/metrics"),
        ("prometheus", "/api/v1/query?query=up"),
        ("prometheus", "/api/v1/status/config"),
    ],
)
def test_another_user_is_refused(ports: dict[str, int], port: str, path: str) -> None:
    answer = _as_nobody(ASK, str(ports[port]), path)

    assert answer.startswith(("refused: ", "HTTP/1.1 401", "HTTP/1.1 403")), answer
    assert "Connection refused" not in answer


def test_another_user_cannot_read_a_key(layout: Layout, shared_cluster: Cluster) -> None:
    assert shared_cluster.kubeconfig.exists()

    answer = _as_nobody(READ, str(layout.key("admin"))) if os.geteuid() == 0 else "PermissionError"

    assert "PermissionError" in answer


def _as_nobody(script: str, *arguments: str) -> str:
    """Run a script as another user where this one may; else as the same user, who shows no certificate either."""
    command = [sys.executable, "-I", "-c", BECOME_NOBODY + script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")
    return done.stdout + done.stderr


def test_diagnostics_write_what_explains_a_red_run(shared_cluster: Cluster, tmp_path: Path) -> None:
    files = diagnostics.collect(shared_cluster, tmp_path)

    names = {file.name for file in files}
    assert {"events.json", "nodes.json", "pods-not-ready.json", "prometheus-targets.json", "etcd.log"} <= names
    assert not [name for name in names if name.endswith(".error")]


def test_leftovers_of_a_living_cluster_are_its_processes_and_files(
    shared_cluster: Cluster, shared_lease: Lease
) -> None:
    left = LocalProvider().leftovers(shared_lease)

    processes = {leftover.detail.split(", ")[1] for leftover in left if leftover.kind == "process"}
    assert len(shared_cluster.targets) == 4
    assert processes == {
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok",
        "prometheus",
        "prometheus-door",
    }
    assert any(leftover.kind == "file" for leftover in left)
