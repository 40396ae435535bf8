"""A real cluster after loads of ClusterLoader2 that were not cleaned, or of which something does not go."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster import processes
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import Api
from pytest_telescope.load.api import Reply
from pytest_telescope.load.clusterloader2 import leftovers
from pytest_telescope.load.clusterloader2 import stand_in
from pytest_telescope.load.clusterloader2.engine import ClusterLoader2
from pytest_telescope.load.model import LoadResult
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import PoolSpec
from tests.clusters import local_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.long]

DATA = Path(__file__).parent / "data" / "signals"
SPEC = ClusterSpec(pools={"user": PoolSpec(count=3)})
SPACES = "/api/v1/namespaces"
VOLUMES = "/api/v1/persistentvolumes"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KEPT = "tests.telescope/kept"
GONE = 60.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with local_cluster(tmp_path_factory.mktemp("state"), SPEC, "local-left") as cluster:
        yield cluster


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Api]:
    with Api.from_kubeconfig(cluster.kubeconfig) as api:
        yield api


def cell_of(name: str, **overrides: str | int | bool) -> Cell:
    return Cell(
        id=f"local-{name}",
        provider="local",
        scenario=name,
        row=None,
        engine="clusterloader2",
        description="",
        component="api-server",
        values={},
        cluster=SPEC,
        load=ClusterLoader2Spec(config="config.yaml", overrides={"CL2_QPS": 20, **overrides}, timeout=60.0),
        slos=(),
        budget=Budget(),
        folder=DATA,
        place=Place(DATA / "one.yaml", 1),
    )


def load(cluster: Cluster, cell: Cell, folder: Path) -> tuple[ClusterLoader2, LoadResult]:
    engine = ClusterLoader2()
    engine.prepare(cluster, cell, folder)
    return engine, engine.run(cluster, cell, folder, lambda _: None)


def post(api: Api, path: str, name: str, **more: Any) -> None:
    metadata = {"name": name, **more.pop("metadata", {})}
    reply = api.request("POST", path, json.dumps({**more, "metadata": metadata}).encode())
    assert reply.status == http.client.CREATED, reply.body


def let_go(api: Api, path: str) -> None:
    """Take the finalizers away, as whoever set them would."""
    document = api.get(path)
    document["metadata"]["finalizers"] = []
    assert api.request("PUT", path, json.dumps(document).encode()).status == http.client.OK


def gone(api: Api, path: str) -> bool:
    return processes.wait_until(lambda: api.request("GET", path).status == http.client.NOT_FOUND, GONE, poll=0.1)


def names(api: Api) -> set[str]:
    nodes = {f"node {item['metadata']['name']}" for item in api.get("/api/v1/nodes")["items"]}
    return nodes | {one.path for one in leftovers.snapshot(api)}


@pytest.mark.parametrize("kept", ["an object in it", pytest.param("itself", marks=pytest.mark.long)])
def test_a_namespace_that_does_not_go_is_named_with_what_the_server_says(
    api: Api, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setattr(leftovers, "GONE_WITHIN", 8.0)
    before, space = leftovers.snapshot(api), f"{SPACES}/telescope-kept-1"
    finalizers = {"metadata": {"finalizers": [KEPT]}}
    post(api, SPACES, "telescope-kept-1", **(finalizers if kept == "itself" else {}))
    if kept != "itself":
        post(api, f"{space}/configmaps", "kept", **finalizers)

    (left,) = leftovers.remove(api, before, ["telescope-kept"], ())
    let_go(api, space if kept == "itself" else f"{space}/configmaps/kept")

    assert (left.kind, left.name) == ("namespaces", "telescope-kept-1")
    assert left.detail.startswith("does not go within 8 s")
    assert (f"{KEPT} in 1 resource instances" in left.detail) == (kept != "itself")
    assert gone(api, space)


def test_volumes_of_our_claims_are_waited_for_and_those_of_others_are_named(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GONE_WITHIN", 2.0)
    before = leftovers.snapshot(api)
    post(api, SPACES, "telescope-volumes-1", metadata={})
    for name, space in (("ours", "telescope-volumes-1"), ("others", "default")):
        post(api, VOLUMES, name, spec=_volume(space))

    left = {one.name: one.detail for one in leftovers.remove(api, before, ["telescope-volumes"], ())}
    there = {name for name in ("ours", "others") if api.request("GET", f"{VOLUMES}/{name}").status == http.client.OK}

    for name in there:
        api.request("DELETE", f"{VOLUMES}/{name}")
        assert gone(api, f"{VOLUMES}/{name}")
    assert there == {"ours", "others"}
    assert left["ours"].startswith("does not go within 2 s")
    assert left["others"].startswith("appeared during the load")
    assert gone(api, f"{SPACES}/telescope-volumes-1")


def _volume(space: str) -> dict[str, Any]:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": "claim", "namespace": space}
    return {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"},
        "claimRef": claim,
        "persistentVolumeReclaimPolicy": "Retain",
    }


def test_definitions_go_after_their_objects(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    before, asked, request = leftovers.snapshot(api), [], api.request
    post(api, SPACES, "monitoring")
    post(api, DEFINITIONS, "kinds.monitoring.coreos.com", spec=_definition("kinds"))
    document = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Kinds", "metadata": {"name": "one"}}
    made = _until_created(api, "/apis/monitoring.coreos.com/v1/namespaces/monitoring/kinds", document)

    def listening(method: str, path: str, *rest: Any, **more: Any) -> Reply:
        reply = request(method, path, *rest, **more)
        asked.append((method, path, reply.status))
        return reply

    monkeypatch.setattr(api, "request", listening)
    left = leftovers.remove(api, before, ["telescope-none"], ())

    ended = asked.index(("GET", f"{SPACES}/monitoring", http.client.NOT_FOUND))
    assert made
    assert asked.index(("DELETE", f"{DEFINITIONS}/kinds.monitoring.coreos.com", http.client.OK)) > ended
    assert left == []
    assert leftovers.snapshot(api) == before


def _definition(plural: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "group": "monitoring.coreos.com",
        "names": {"kind": plural.capitalize(), "plural": plural},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }


def _until_created(api: Api, path: str, document: dict[str, Any]) -> bool:
    def created() -> bool:
        return api.request("POST", path, json.dumps(document).encode()).status == http.client.CREATED

    return processes.wait_until(created, GONE, poll=0.1)


def test_a_load_that_was_not_cleaned_is_no_obstacle_to_the_next(cluster: Cluster, api: Api, tmp_path: Path) -> None:
    before, cell = names(api), cell_of("again")
    load(cluster, cell, tmp_path / "first")
    left = names(api) - before

    engine, result = load(cluster, cell, tmp_path / "second")

    assert left == {f"{SPACES}/telescope-local-again-{number}" for number in (1, 2)}
    assert (result.outcome, result.pods.created, result.pods.running) == ("complete", 20, 20)
    assert engine.clean(cluster, cell) == []
    assert names(api) == before


def test_a_load_beside_what_does_not_go_is_refused(
    cluster: Cluster, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GONE_WITHIN", 1.0)
    post(api, SPACES, "telescope-local-beside-7", metadata={"finalizers": [KEPT]})

    with pytest.raises(LoadError, match=r"left from an earlier run: namespaces telescope-local-beside-7 .*does not go"):
        load(cluster, cell_of("beside"), tmp_path)

    let_go(api, f"{SPACES}/telescope-local-beside-7")
    assert gone(api, f"{SPACES}/telescope-local-beside-7")


def test_what_a_stand_in_that_does_not_get_ready_left_is_removed(
    cluster: Cluster, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster.prometheus_from_apiserver is not None
    monkeypatch.setattr(stand_in, "READY_WITHIN", 0.5)
    before, cell, engine = names(api), cell_of("unready", CL2_PROMETHEUS=True), ClusterLoader2()
    host, port = cluster.prometheus_from_apiserver

    with pytest.raises(LoadError, match="does not reach a Prometheus"):
        engine.prepare(replace(cluster, prometheus_from_apiserver=(host, port + 1)), cell, tmp_path)
    there = names(api) - before

    assert {"node telescope-monitoring", f"{SPACES}/monitoring"} <= there
    assert engine.clean(cluster, cell) == []
    assert names(api) == before


def test_reports_of_an_earlier_attempt_are_not_taken_for_new_ones(cluster: Cluster, tmp_path: Path) -> None:
    stale = tmp_path / "main" / "reports" / "junit.xml"
    stale.parent.mkdir(parents=True)
    stale.touch()

    ClusterLoader2().prepare(cluster, cell_of("fresh"), tmp_path)

    assert not stale.exists()
    assert len(list(tmp_path.glob("main/dry-run/generatedConfig_*"))) == 1
