"""The pure parts of the embedded cluster: what is asked, refused, written and computed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from pytest_telescope.cluster import monitoring_jobs
from pytest_telescope.cluster import processes
from pytest_telescope.cluster.local import components
from pytest_telescope.cluster.local import monitoring
from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local import pools
from pytest_telescope.cluster.local import ports
from pytest_telescope.cluster.local import preflight
from pytest_telescope.cluster.local import provider as local
from pytest_telescope.cluster.local import spec as local_spec
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.providers import provider
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

PORTS = {name: 20001 + index for index, name in enumerate(components.PORTS)}
LEASE = Lease(id="0123abcd", provider="local", cell="local-x", run="r", folder=Path("/nonexistent"), created=0.0)


def refusal(spec: ClusterSpec) -> str:
    return "; ".join(preflight.objections(spec))


def pool_refusal(**pool: object) -> str:
    return refusal(ClusterSpec(pools={"user": PoolSpec.model_validate({"count": 1, **pool})}))


def test_a_plain_spec_is_served() -> None:
    assert refusal(ClusterSpec(kubernetes_version="1.36", pools={"user": PoolSpec(count=2)})) == ""


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ClusterSpec(kubernetes_version="1.35", pools={"a": PoolSpec()}), "only 1.36 is on offer"),
        (ClusterSpec(region="westeurope", pools={"a": PoolSpec()}), "region is westeurope"),
        (ClusterSpec(network="cilium", pools={"a": PoolSpec()}), "network is cilium"),
        (ClusterSpec(tier="premium", pools={"a": PoolSpec()}), "tier is premium"),
        (ClusterSpec(pools={}), "there is no node"),
        (ClusterSpec(stages="gone.yaml", pools={"a": PoolSpec()}), "gone.yaml does not exist"),
        (ClusterSpec(pools={"a": PoolSpec(count=2, node="containerd")}), "one machine can be one real node"),
        (ClusterSpec(pools={"a": PoolSpec(count=10_000_000)}), "MiB of memory are needed"),
        (ClusterSpec(pools={"Upper-case": PoolSpec()}), "1 to 12 lower-case letters"),
    ],
)
def test_what_one_machine_cannot_do_is_refused(spec: ClusterSpec, words: str) -> None:
    assert words in refusal(spec)


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        ({"machine": "Standard_D16_v3"}, "machine Standard_D16_v3 is not on offer"),
        ({"min": 1, "max": 2}, "autoscaling"),
        ({"taints": ["a=b:Never"]}, "taint 'a=b:Never'"),
        ({"node": "containerd", "cpu": 2}, "cpu of a real node"),
    ],
)
def test_what_a_pool_cannot_be_is_refused(pool: dict[str, object], words: str) -> None:
    assert words in pool_refusal(**pool)


def test_preflight_raises_every_objection_at_once() -> None:
    spec = ClusterSpec(region="x", tier="y", pools={"a": PoolSpec()})

    with pytest.raises(PreflightError, match=r"region is x.*tier is y"):
        provider("local").preflight(spec)


@pytest.mark.parametrize("name", ["aks", "eks", "gke"])
def test_managed_providers_say_what_they_show_without_being_asked(name: str) -> None:
    source = provider(name)

    assert "etcd-metrics" not in source.capabilities_of(ClusterSpec())
    assert "kubelet-metrics" in source.capabilities_of(ClusterSpec())


def test_an_unknown_provider_names_what_there_is() -> None:
    with pytest.raises(UsageError, match="aks, eks, gke, local"):
        provider("azure")


def test_only_a_real_node_shows_a_kubelet() -> None:
    simulated = local.capabilities_of(ClusterSpec(pools={"a": PoolSpec(count=1)}))
    real = local.capabilities_of(ClusterSpec(pools={"a": PoolSpec(count=1, node="containerd")}))

    assert "etcd-metrics" in simulated
    assert real - simulated == local.REAL
    assert local.LocalProvider.capabilities == real


def test_variables_hold_all_of_the_spec_and_survive_json() -> None:
    pool = PoolSpec(count=3, labels={"a": "b"}, taints=("k=v:NoSchedule", "only:NoExecute"), cpu=2, memory="4Gi")

    variables = json.loads(json.dumps(local.variables(ClusterSpec(pools={"user": pool}), LEASE)))

    assert variables["name"] == "telescope-0123abcd"
    assert variables["pools"]["user"]["taints"] == [
        {"key": "k", "value": "v", "effect": "NoSchedule"},
        {"key": "only", "value": "", "effect": "NoExecute"},
    ]
    assert local_spec.parse(json.dumps({**variables, "lease": "0123abcd", "folder": "/x"})).pools == (
        local_spec.Pool(
            name="user",
            count=3,
            cpu=2,
            memory="4Gi",
            labels={"a": "b"},
            taints=("k=v:NoSchedule", "only=:NoExecute"),
        ),
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lease": "x"}'])
def test_an_unreadable_spec_is_an_error(text: str) -> None:
    with pytest.raises(ProvisionError, match="not readable"):
        local_spec.parse(text)


def test_node_names_sort_as_they_count() -> None:
    names = local_spec.Pool(name="user", count=11).node_names()

    assert names == sorted(names)
    assert names[0] == "user-00"


@pytest.mark.parametrize(
    ("text", "taint"),
    [
        ("k=v:NoSchedule", {"key": "k", "value": "v", "effect": "NoSchedule"}),
        ("k:NoExecute", {"key": "k", "value": "", "effect": "NoExecute"}),
    ],
)
def test_a_taint_is_read(text: str, taint: dict[str, str]) -> None:
    assert pools.taint_object(text) == taint


def node(ready: str, *taints: str) -> dict[str, object]:
    return {
        "metadata": {"name": "n"},
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_a_node_is_ready_when_pods_may_land_on_it() -> None:
    assert pools.ready_nodes([node("True", "dedicated")]) == {"n"}
    assert pools.ready_nodes([node("True", "node.kubernetes.io/not-ready")]) == set()
    assert pools.ready_nodes([node("False")]) == set()
    assert pools.ready_nodes([{"metadata": {"name": "n"}}]) == set()


def test_every_component_listens_on_loopback_alone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    parts = (
        components.etcd(layout, PORTS),
        components.apiserver(layout, PORTS, tmp_path / "egress.yaml"),
        components.controller_manager(layout, PORTS),
        components.scheduler(layout, PORTS),
        components.kwok(layout, [tmp_path / "kwok.yaml"]),
        components.prometheus(layout, PORTS, tmp_path / "p.yml", tmp_path / "w.yml"),
    )

    arguments = [argument for part in parts for argument in part.arguments]

    assert not [argument for argument in arguments if "=0.0.0.0" in argument or "[::]" in argument]
    assert "--anonymous-auth=false" in arguments
    assert not [argument for argument in arguments if argument.startswith(("--server-address", "--insecure"))]


def test_prometheus_reaches_a_real_node_through_the_api_server(tmp_path: Path) -> None:
    file = monitoring.write_config(Layout(tmp_path), PORTS, "user-0", 5)

    jobs = {job["job_name"]: job for job in json.loads(file.read_text(encoding="utf-8"))["scrape_configs"]}

    assert set(jobs) == set(monitoring.targets("user-0"))
    assert jobs["cadvisor"]["metrics_path"] == "/api/v1/nodes/user-0/proxy/metrics/cadvisor"
    assert jobs["kubelet"]["static_configs"][0]["labels"] == {"node": "user-0"}
    assert jobs["containerd"]["metrics_path"] == "/api/v1/nodes/http:user-0:10257/proxy/v1/metrics"
    assert jobs["node"]["metrics_path"] == "/api/v1/nodes/http:user-0:9100/proxy/metrics"
    assert all(jobs[job]["static_configs"][0]["labels"] == {"node": "user-0"} for job in monitoring.NODE_PATHS)
    assert not {*monitoring.NODE_PATHS} & {*monitoring.targets(None)}


def test_a_real_node_promises_the_jobs_that_are_scraped_of_it() -> None:
    assert {f"{job}-metrics" for job in monitoring.NODE_PATHS} == local.REAL - {"real-nodes"}


def test_a_new_scrape_interval_leaves_the_rules_alone(tmp_path: Path) -> None:
    written = [monitoring.write_config(Layout(tmp_path), PORTS, None, seconds).read_text() for seconds in (1, 5)]

    quick, slow = (json.loads(text) for text in written)

    assert quick["global"]["scrape_interval"] != slow["global"]["scrape_interval"]
    assert quick["global"]["evaluation_interval"] == slow["global"]["evaluation_interval"] == "30s"
    assert [Path(file).is_file() for file in slow["rule_files"]] == [True]
    assert all(job["metric_relabel_configs"] == [monitoring_jobs.WHOLE_BOUNDS] for job in slow["scrape_configs"])


def targets(health: str, interval: str) -> dict[str, object]:
    target = {"health": health, "scrapeInterval": interval, "labels": {"job": "etcd"}}
    return {"data": {"activeTargets": [target]}}


def test_scraped_means_every_job_up_at_the_asked_pace() -> None:
    assert monitoring.all_scraped(targets("up", "5s"), {"etcd": 1}, 5)
    assert not monitoring.all_scraped(targets("down", "5s"), {"etcd": 1}, 5)
    assert not monitoring.all_scraped(targets("up", "1s"), {"etcd": 1}, 5)
    assert not monitoring.all_scraped(targets("up", "5s"), {"etcd": 1, "kubelet": 1}, 5)
    assert monitoring.all_scraped(targets("unknown", "5s"), {"etcd": 1}, 5, health=False)


def test_no_authority_trusts_the_clients_of_another(tmp_path: Path) -> None:
    from cryptography import x509

    layout = Layout(tmp_path)
    pki.write_pki(layout, [pki.kubelet_subject("user-0")])

    issued = {file: x509.load_pem_x509_certificate(layout.certificate(file).read_bytes()) for file in _certificates()}
    issuers = {file: certificate.issuer.rfc4514_string() for file, certificate in issued.items()}

    assert issuers["etcd-client"] != issuers["admin"] != issuers["prometheus-client"] != issuers["etcd-client"]
    assert issuers["kubelet"] == issuers["admin"]
    assert issued["kubelet"].subject.rfc4514_string() == "CN=system:node:user-0,O=system:nodes"


def _certificates() -> list[str]:
    return [*(subject.file for subject in pki.SUBJECTS), "kubelet"]


def test_ports_promised_to_one_cluster_are_not_given_to_the_next() -> None:
    first, second = ports.reserve(components.PORTS), ports.reserve(components.PORTS)

    assert not set(first.values()) & set(second.values())
    assert set(first) == set(components.PORTS)


def test_a_bound_port_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        free.bind(("127.0.0.1", 0))
        numbers = [taken.getsockname()[1], free.getsockname()[1]]
        free.close()
        monkeypatch.setattr(ports, "RANGE", numbers)

        assert ports.reserve(("one",)) == {"one": numbers[1]}


def test_an_identity_is_more_than_a_pid() -> None:
    own = processes.own_identity()

    assert own.alive()
    assert not processes.Identity(own.pid, "another time").alive()


def test_a_zombie_counts_as_gone() -> None:
    child = subprocess.Popen(["true"])
    identity = processes.Identity(child.pid, processes.start_of(child.pid) or "")

    assert processes.wait_gone([identity], 10) == []
    child.wait()


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    child = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    with child.stdout as told:
        told.readline()
    identity = processes.identity_of(child.pid)
    assert identity is not None

    left = processes.stop([identity], grace=0.2)

    assert left == []
    assert child.wait() == -9


def test_marked_processes_are_found_without_oneself() -> None:
    lease = "feedc0de"
    environment = {**os.environ, processes.LEASE: lease, processes.ROLE: "etcd"}
    child = subprocess.Popen(["sleep", "30"], env=environment)
    try:
        (found,) = processes.marked(lease)
    finally:
        child.kill()
        child.wait()

    assert (found.identity.pid, found.name, found.role) == (child.pid, "sleep", "etcd")
    assert processes.marked(lease) == []
