"""The pod object that stands for Prometheus: made, reached as CL2 reaches it, and gone without a trace."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.processes import wait_until
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2 import stand_in
from pytest_telescope.load.nodes import read_rooms

ADDRESS = ("198.18.0.9", 1234)
NAMESPACE = f"/api/v1/namespaces/{stand_in.NAMESPACE}"


def targets(*healths: str) -> dict[str, Any]:
    return {"data": {"activeTargets": [{"health": health} for health in healths]}}


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (targets("up", "up", "up", "up"), True),
        (targets("up", "up", "up", "up", "unknown"), False),
        (targets("up", "up", "up"), False),
        ({}, False),
    ],
)
def test_healthy_is_what_cl2_takes_for_healthy(answer: dict[str, Any], good: bool) -> None:
    assert stand_in.healthy(answer) is good


def test_node_and_pod_have_the_address_that_leads_to_prometheus() -> None:
    made = {entry["object"]["kind"]: entry["object"] for entry in stand_in.objects(ADDRESS)}

    assert made["Node"]["status"]["addresses"] == [{"type": "InternalIP", "address": "198.18.0.9"}]
    assert made["Pod"]["spec"]["nodeName"] == made["Node"]["metadata"]["name"]
    (container,) = made["Pod"]["spec"]["containers"]
    assert container["ports"] == [{"name": "web", "containerPort": 1234, "hostPort": 1234}]
    assert stand_in.pod_status("198.18.0.9")["podIPs"] == [{"ip": "198.18.0.9"}]


def test_an_address_does_not_stay_for_the_next_cluster() -> None:
    stand_in.objects(ADDRESS)

    assert "1234" not in json.dumps(stand_in.objects(("198.18.0.8", 9090)))


def test_the_node_takes_no_load_and_counts_for_nothing() -> None:
    (node,) = [entry["object"] for entry in stand_in.objects(ADDRESS) if entry["object"]["kind"] == "Node"]

    assert node["spec"]["unschedulable"]
    assert [taint["effect"] for taint in node["spec"]["taints"]] == ["NoExecute"]
    assert not [label for label in node["metadata"]["labels"] if label.startswith("node-role.kubernetes.io")]


def test_cl2_is_told_to_keep_its_hands_off() -> None:
    assert "--tear-down-prometheus-server=false" in stand_in.flags()
    assert all("=" in flag for flag in stand_in.flags())
    assert stand_in.overrides() == {"PROMETHEUS_SCRAPE_KUBE_PROXY": False, "CL2_PROMETHEUS_PVC_ENABLED": False}


@pytest.mark.e2e
def test_queries_arrive_and_nothing_is_left(cluster: Cluster, api: Api) -> None:
    assert cluster.prometheus_from_apiserver is not None
    before = names(api)

    stand_in.make(api, cluster.prometheus_from_apiserver, lease="0123abcd", cell="local-x")
    try:
        answer = api.get(f"{stand_in.SERVICE}/api/v1/query?query=count(up)")
        refused = api.request("POST", f"{stand_in.SERVICE}/api/v1/admin/tsdb/snapshot")
        rooms = {room.name: room for room in read_rooms(api, (), {}, ())}
        plant_what_cl2_makes(api)
    finally:
        left = stand_in.remove(api)

    assert answer["data"]["result"][0]["value"][1] == "4"
    assert refused.status == http.client.FORBIDDEN
    assert rooms["telescope-monitoring"].closed == "is cordoned"
    assert left == []
    assert names(api) == before


def names(api: Api) -> set[str]:
    paths = ("/api/v1/nodes", "/api/v1/namespaces", "/api/v1/services", "/api/v1/serviceaccounts")
    roles = [f"/apis/rbac.authorization.k8s.io/v1/{kind}" for kind in ("clusterroles", "clusterrolebindings")]
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    return {f"{path}/{item['metadata']['name']}" for path in (*paths, *roles, crds) for item in api.get(path)["items"]}


def plant_what_cl2_makes(api: Api) -> None:
    group = "monitoring.coreos.com"
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "prometheus-k8s"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"probes.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": "Probe", "plural": "probes"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "monitoringserviceaccount"}}
    planted: dict[str, dict[str, Any]] = {
        "/apis/rbac.authorization.k8s.io/v1/clusterroles": rbac,
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": crd,
        "/api/v1/namespaces/default/serviceaccounts": account,
    }
    for path, document in planted.items():
        assert api.request("POST", path, json.dumps(document).encode()).status == http.client.CREATED


@pytest.mark.e2e
def test_a_prometheus_that_is_not_there_is_an_error_with_the_last_answer(
    cluster: Cluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster.prometheus_from_apiserver is not None
    monkeypatch.setattr(stand_in, "READY_WITHIN", 1.0)
    host, port = cluster.prometheus_from_apiserver

    try:
        with pytest.raises(LoadError, match=rf"does not reach a Prometheus .* {host}:{port + 1} .* HTTP 503"):
            stand_in.make(api, (host, port + 1))
    finally:
        left = stand_in.remove(api)

    assert left == []


@pytest.mark.e2e
def test_a_namespace_of_somebody_else_is_respected(cluster: Cluster, api: Api) -> None:
    assert cluster.prometheus_from_apiserver is not None
    foreign = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stand_in.NAMESPACE}}
    api.request("POST", "/api/v1/namespaces", json.dumps(foreign).encode())

    try:
        with pytest.raises(LoadError, match="not ours to delete"):
            stand_in.make(api, cluster.prometheus_from_apiserver)
        there = api.request("GET", NAMESPACE).status
    finally:
        api.request("DELETE", NAMESPACE)
        gone = wait_until(lambda: api.request("GET", NAMESPACE).status == http.client.NOT_FOUND, 60, poll=0.2)

    assert there == http.client.OK
    assert gone
