"""One real node under a real control plane: what it does, what others may do with it, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster import processes
from pytest_telescope.cluster.local import cgroup
from pytest_telescope.cluster.local import host
from pytest_telescope.cluster.local import image
from pytest_telescope.cluster.local import network
from pytest_telescope.cluster.local import node
from pytest_telescope.cluster.local import node_plan
from pytest_telescope.cluster.local import sysctl
from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.teardown import down
from pytest_telescope.cluster.model import Leftover
from tests.cluster.nobody import CONNECT_AS_NOBODY

WHY_NOT = host.why_no_real_node()
pytestmark = [
    pytest.mark.e2e,
    # Not for CI, where a missing node must be seen as a failure.
    pytest.mark.skipif(WHY_NOT is not None and not os.environ.get("CI"), reason=WHY_NOT or "a real node is possible"),
]
PODS = 5
NODE = "user-0"
LAUNCHER = "pytest_telescope.cluster.local"


@dataclass(frozen=True, slots=True)
class World:
    """One cluster of a real node alone, and the host as it was before."""

    lease: str
    folder: Path
    before: dict[str, Any]

    @property
    def home(self) -> Path:
        return Layout(self.folder).node

    def api(self) -> Api:
        layout = Layout(self.folder)
        port = json.loads(layout.facts.read_text(encoding="utf-8"))["ports"]["kube-apiserver"]
        return Api(port, layout.certificate("ca"), layout.certificate("admin"), layout.key("admin"))

    def read(self, path: str) -> str:
        with self.api() as api:
            status, text = api.request("GET", path)
        assert status == 200, text[:300]
        return text

    def process(self, name: str) -> processes.Identity:
        record = json.loads(node_plan.record_file(self.home, name).read_text(encoding="utf-8"))
        return processes.Identity(**record)

    def left(self) -> list[Leftover]:
        return [*node.leftovers(self.lease, self.home), *host.compare(self.before)]


def bring_up(folder: Path) -> World:
    lease = secrets.token_hex(4)
    world = World(lease, folder / "c", host.snapshot())
    pools = {"user": {"count": 1, "node": "containerd", "labels": {"color": "blue"}, "taints": ["a=b:NoSchedule"]}}
    spec = {"lease": lease, "name": lease, "folder": str(world.folder), "pools": pools}
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    command = [sys.executable, "-m", LAUNCHER, "up", "--spec", str(folder / "spec.json")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if ran.returncode != 0:
        down(lease, world.folder)
    assert ran.returncode == 0, ran.stderr
    return world


@pytest.fixture(scope="module")
def world(session_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a cluster whose node is Ready; the tests look at it and leave it as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELESCOPE_STATE_DIR", str(session_state))
        made = bring_up(tmp_path_factory.mktemp("node"))
        yield made
        patch.setenv("TELESCOPE_STATE_DIR", str(session_state))
        down(made.lease, made.folder)
        assert made.left() == []


@pytest.fixture
def passing_world(tmp_path: Path) -> Iterator[World]:
    """Return a cluster of its own, for a test that breaks it."""
    made = bring_up(tmp_path)
    yield made
    down(made.lease, made.folder)


def pod(name: str) -> dict[str, Any]:
    consume = "stress --vm 1 --vm-bytes 16000000 --vm-hang 0 & exec /consume-cpu/consume-cpu"
    container = {
        "name": "consumer",
        "image": image.RESOURCE_CONSUMER,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", f"{consume} -millicores 10 -duration-sec 600"],
        "resources": {"requests": {"cpu": "10m", "memory": "24Mi"}},
    }
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
        },
    }


@pytest.fixture(scope="module")
def loaded(world: World) -> World:
    """Return the cluster with some resource-consumer pods Running on its node."""
    pods = "/api/v1/namespaces/default/pods"
    with world.api() as api:
        assert processes.wait_until(lambda: api.answers("/api/v1/namespaces/default/serviceaccounts/default"), 30)
        for number in range(PODS):
            api.create(pods, pod(f"consumer-{number}"))

        def running() -> bool:
            return [item["status"]["phase"] for item in api.get(pods)["items"]] == ["Running"] * PODS

        assert processes.wait_until(running, 90, poll=0.2), world.read("/api/v1/namespaces/default/events")[-2000:]
    return world


def test_the_node_says_what_was_asked_for(world: World) -> None:
    found = json.loads(world.read(f"/api/v1/nodes/{NODE}"))

    assert found["metadata"]["labels"]["color"] == "blue"
    assert {"key": "a", "value": "b", "effect": "NoSchedule"} in found["spec"]["taints"]
    assert found["status"]["capacity"]["pods"] == "110"
    assert found["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://2.")
    addresses = {item["type"]: item["address"] for item in found["status"]["addresses"]}
    assert addresses["InternalIP"] == network.NODE_ADDRESS


def test_kubelet_counts_the_runtime_operations_of_every_pod(loaded: World) -> None:
    text = loaded.read(f"/api/v1/nodes/{NODE}/proxy/metrics")

    for operation in ("run_podsandbox", "create_container", "start_container"):
        name = f'kubelet_runtime_operations_duration_seconds_count{{operation_type="{operation}"}}'
        assert f"{name} {PODS}" in text


def test_cadvisor_sees_the_containers_of_every_pod(loaded: World) -> None:
    pattern = re.compile(r'container_cpu_usage_seconds_total\{container="consumer",.*pod="(consumer-\d)"')

    def seen() -> bool:
        return len(set(pattern.findall(loaded.read(f"/api/v1/nodes/{NODE}/proxy/metrics/cadvisor")))) == PODS

    assert processes.wait_until(seen, 30, poll=0.5)


def test_containerd_serves_its_metrics_to_the_administrator(loaded: World) -> None:
    text = loaded.read(f"/api/v1/nodes/http:{NODE}:{network.CONTAINERD_METRICS_PORT}/proxy/v1/metrics")

    assert "containerd_build_info_total" in text
    assert "\ncontainer_" not in text


def test_node_exporter_tells_of_the_node_and_of_no_other_network(loaded: World) -> None:
    text = loaded.read(f"/api/v1/nodes/http:{NODE}:{network.NODE_EXPORTER_PORT}/proxy/metrics")

    assert re.search(rf'node_uname_info\{{.*nodename="{NODE}"', text)
    assert set(re.findall(r'node_network_receive_bytes_total\{device="([^"]+)"', text)) == {"lo"}
    assert set(re.findall(r'node_filesystem_size_bytes\{.*mountpoint="([^"]+)"', text)) >= {"/", "/var"}
    assert not re.search(r'mountpoint="/(telescope|proc|sys|run|var/lib/kubelet/pods)/', text)
    for name in ("node_cpu_seconds_total", "node_load1", "node_memory_MemAvailable_bytes", "node_vmstat_oom_kill",
                 "node_disk_io_time_seconds_total", "node_netstat_Tcp_RetransSegs", "node_sockstat_TCP_alloc",
                 "node_softnet_dropped_total", "node_timex_offset_seconds", "node_filefd_allocated"):  # fmt: skip
        assert f"\n{name}" in text


def test_logs_come_through_the_api_server(loaded: World) -> None:
    log = loaded.read("/api/v1/namespaces/default/pods/consumer-0/log")

    assert "dispatching hogs" in log


def test_pods_and_daemons_stay_in_the_limited_subtree(loaded: World) -> None:
    trees = cgroup.hierarchies()

    members = cgroup.processes(loaded.lease, trees)

    names = [Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() for pid in members]
    assert names.count("consume-cpu") == PODS
    assert {"kubelet", "containerd", "node_exporter", "pause"} <= set(names)
    assert {"kubelet", "containerd", "node_exporter"} <= {member.name for member in processes.marked(loaded.lease)}
    limit = next(tree for tree in trees if "memory" in tree.controllers)
    name = "memory.max" if limit.version == 2 else "memory.limit_in_bytes"
    bound = int((limit.mount / "telescope" / loaded.lease / name).read_text(encoding="ascii"))
    assert bound < host.capacity().memory


def test_the_host_sees_no_link_mount_route_rule_or_sysctl_of_a_running_node(loaded: World) -> None:
    now = host.snapshot()

    assert host.compare(loaded.before, now) == []
    assert now["links"] == loaded.before["links"]
    assert host.mounts_below(loaded.folder) == []
    assert sysctl.read() == loaded.before["sysctls"]


def test_kubelet_finds_the_sysctls_it_wants(loaded: World) -> None:
    inside = Path(f"/proc/{loaded.process('init').pid}/root/proc/sys")

    seen = {name: (inside / name).read_text(encoding="ascii").strip() for name in sysctl.WANTED}

    assert seen == sysctl.WANTED


def test_the_node_sees_nothing_of_the_hosts_files(loaded: World) -> None:
    root = Path(f"/proc/{loaded.process('init').pid}/root")

    assert not (root / "home").exists()
    assert not (root / "etc/shadow").exists()
    assert os.statvfs(root / "usr").f_flag & os.ST_RDONLY


def tunnel(world: World) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    connection.connect(str(node.egress_socket(world.lease, world.home)))
    connection.sendall(f"CONNECT {network.NODE_ADDRESS}:{network.KUBELET_PORT} HTTP/1.1\r\n\r\n".encode())
    assert connection.recv(1024).startswith(b"HTTP/1.1 200")
    return connection


@pytest.mark.parametrize("path", ["/pods", "/metrics", "/configz"])
def test_kubelet_refuses_who_has_no_certificate(world: World, path: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    with context.wrap_socket(tunnel(world), server_hostname=NODE) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = connection.recv(64)

    assert answer.startswith(b"HTTP/1.1 401")


def test_another_user_cannot_reach_into_the_node(world: World) -> None:
    path = node.egress_socket(world.lease, world.home)

    ran = subprocess.run(
        [sys.executable, "-c", CONNECT_AS_NOBODY, str(path)], capture_output=True, text=True, timeout=20, check=False
    )

    assert ran.stdout.strip() == "PermissionError", ran.stderr


def test_a_second_node_killed_by_surprise_leaves_nothing_and_the_first_stands(
    world: World, passing_world: World
) -> None:
    for member in processes.marked(passing_world.lease):
        member.identity.signal(signal.SIGKILL)
    node.stop(passing_world.lease, passing_world.home)

    assert passing_world.left() == []
    assert json.loads(world.read(f"/api/v1/nodes/{NODE}"))["metadata"]["name"] == NODE
    assert world.process("init").alive()


def test_a_node_ends_with_its_keeper_and_is_removed_without_its_folder(passing_world: World) -> None:
    trees = cgroup.hierarchies()

    passing_world.process("keeper").signal(signal.SIGKILL)

    assert processes.wait_until(lambda: not cgroup.processes(passing_world.lease, trees), 10)
    node.stop(passing_world.lease, None)
    assert cgroup.roots(passing_world.lease, trees) == []
