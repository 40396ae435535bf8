"""What CL2 leaves behind is removed, and nothing else."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import JSON
from pytest_telescope.load.api import Api
from pytest_telescope.load.api import Reply
from pytest_telescope.load.clusterloader2 import leftovers
from pytest_telescope.load.clusterloader2.leftovers import Thing
from pytest_telescope.load.clusterloader2.leftovers import is_ours
from pytest_telescope.load.clusterloader2.leftovers import remove
from pytest_telescope.load.clusterloader2.leftovers import snapshot

ALL = ["create", "delete", "get", "list"]
GROUPS = {
    "/api/v1": {"namespaces": False, "nodes": False, "persistentvolumes": False, "pods": True},
    "/apis/rbac.authorization.k8s.io/v1": {"clusterroles": False, "clusterrolebindings": False, "roles": True},
    "/apis/storage.k8s.io/v1": {"storageclasses": False},
    "/apis/apiextensions.k8s.io/v1": {"customresourcedefinitions": False},
}
PREFIXES = ("telescope-x", "telescope-x-e2")
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
SPACES = "/api/v1/namespaces"


class Cluster(Api):
    """An API server's cluster-scoped objects, as a script has them."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.answers: dict[tuple[str, str], Reply | OSError] = {}
        """(method, path) -> what is answered, whatever there is."""
        self.stuck: set[str] = set()
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._made = 0

    def make(self, path: str, *names: str, **more: Any) -> None:
        for name in names:
            self._made += 1
            self.objects[f"{path}/{name}"] = {"metadata": {"name": name, "uid": f"u{self._made}"}, **more}

    @property
    def names(self) -> set[str]:
        return {path.rpartition("/")[2] for path in self.objects}

    def request(self, method: str, path: str, body: bytes | None = None, *, accept: str = JSON) -> Reply:
        assert accept == JSON
        plain = path.partition("?")[0]
        self.asked.append((method, plain, json.loads(body or b"{}")))
        if (answer := self.answers.get((method, plain))) is not None:
            if isinstance(answer, OSError):
                raise answer
            return answer
        return self._delete(plain) if method == "DELETE" else self._get(plain)

    def _delete(self, path: str) -> Reply:
        if path not in self.stuck and self.objects.pop(path, None) is None and not path.endswith("/pods"):
            return _reply({"message": "not found"}, 404)
        return _reply({})

    def _get(self, path: str) -> Reply:
        if path == "/apis":
            versions = [each.removeprefix("/apis/") for each in GROUPS if each != "/api/v1"]
            groups = [{"name": one.partition("/")[0], "preferredVersion": {"groupVersion": one}} for one in versions]
            return _reply({"groups": groups})
        if path in GROUPS:
            kinds = [{"name": name, "namespaced": inside, "verbs": ALL} for name, inside in GROUPS[path].items()]
            return _reply({"resources": [*kinds, {"name": "namespaces/status", "namespaced": False, "verbs": ["get"]}]})
        if path in self.objects:
            return _reply(self.objects[path])
        folder, _, name = path.rpartition("/")
        if folder in GROUPS and name in GROUPS[folder]:
            items = [item for each, item in self.objects.items() if each.rpartition("/")[0] == path]
            return _reply({"metadata": {}, "items": items})
        return _reply({"message": "not found"}, 404)


def _reply(document: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(document).encode())


class Clock:
    """Time passes only where it is waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(leftovers, "time", clock)
    yield clock
    assert clock.now < leftovers.GONE_WITHIN * 2 + 5


@pytest.fixture
def server(clock: Clock) -> Cluster:  # noqa: ARG001 - its time is the clock's
    server = Cluster()
    server.make(SPACES, "default", "kube-system", "own-1")
    server.make(ROLES, "cluster-admin", "prometheus-own")
    server.make("/api/v1/nodes", "node-1")
    return server


def left(cluster: Cluster, before: frozenset[Thing] | None, *basenames: str) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in remove(cluster, before, PREFIXES, basenames)]


def test_a_snapshot_has_what_a_load_can_make(server: Cluster) -> None:
    assert {(one.resource, one.name) for one in snapshot(server)} == {
        ("namespaces", "default"),
        ("namespaces", "kube-system"),
        ("namespaces", "own-1"),
        ("clusterroles.rbac.authorization.k8s.io", "cluster-admin"),
        ("clusterroles.rbac.authorization.k8s.io", "prometheus-own"),
    }


def test_what_was_there_before_stays_and_what_is_ours_goes(server: Cluster) -> None:
    before = snapshot(server)
    there = server.names
    server.make(SPACES, "telescope-x-1", "telescope-x-e2-12", "monitoring")
    server.make(ROLES, "prometheus-k8s", "mine-0", "mine-11")
    server.make("/api/v1/nodes", "node-2")

    assert left(server, before, "mine") == []
    assert server.names == {*there, "node-2"}


def test_what_is_new_and_not_surely_ours_is_told_and_stays(server: Cluster) -> None:
    before = snapshot(server)
    server.make(SPACES, "somebody-1", "telescope-x", "telescope-x-a", "telescope-y-1")
    server.make(ROLES, "mine", "other-1", "mine-x")

    told = left(server, before, "mine")

    assert {name for _, name in told} == {
        *("somebody-1", "telescope-x", "telescope-x-a", "telescope-y-1", "mine", "other-1", "mine-x")
    }
    assert not [path for method, path, _ in server.asked if method == "DELETE"]


def test_what_was_made_anew_under_an_old_name_is_new(server: Cluster) -> None:
    before = snapshot(server)
    server.make(ROLES, "prometheus-own")

    assert left(server, before) == []
    assert "prometheus-own" not in server.names


def test_without_a_before_only_our_namespaces_go(server: Cluster) -> None:
    server.make(SPACES, "telescope-x-1", "monitoring")
    server.make(ROLES, "mine-0", "telescope-x-2")

    assert left(server, None, "mine") == []
    assert {"monitoring", "mine-0", "telescope-x-2", "own-1"} <= server.names
    assert "telescope-x-1" not in server.names


def test_an_empty_before_is_a_before(server: Cluster) -> None:
    server.objects.clear()
    server.make(ROLES, "prometheus-k8s", "other")

    assert left(server, frozenset()) == [("clusterroles.rbac.authorization.k8s.io", "other")]
    assert server.names == {"other"}


def test_pods_go_first_and_by_force_only_after_a_while(server: Cluster, clock: Clock) -> None:
    server.make(SPACES, "telescope-x-1")
    server.stuck.add(f"{SPACES}/telescope-x-1")

    told = remove(server, None, PREFIXES, ())

    options = [
        body for method, path, body in server.asked if (method, path) == ("DELETE", f"{SPACES}/telescope-x-1/pods")
    ]
    assert [one.get("gracePeriodSeconds") for one in options] == [None, 0]
    assert [(one.name, "does not go" in one.detail) for one in told] == [("telescope-x-1", True)]
    assert clock.now >= leftovers.GONE_WITHIN


def test_it_waits_no_longer_than_needed(server: Cluster, clock: Clock) -> None:
    server.make(SPACES, "telescope-x-1")

    assert left(server, None) == []
    assert clock.now == 0


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_a_server_that_does_not_say_is_not_believed_to_have_lost_it(server: Cluster, status: int) -> None:
    server.make(SPACES, "telescope-x-1")
    server.answers["GET", f"{SPACES}/telescope-x-1"] = _reply({"kind": "Status", "metadata": {}}, status)

    assert left(server, None) == [("namespaces", "telescope-x-1")]


def test_one_that_another_made_meanwhile_is_not_waited_for(server: Cluster, clock: Clock) -> None:
    server.make(SPACES, "telescope-x-1")
    server.answers["GET", f"{SPACES}/telescope-x-1"] = _reply({"metadata": {"name": "telescope-x-1", "uid": "other"}})

    assert left(server, None) == []
    assert clock.now == 0


def test_one_that_may_not_be_deleted_keeps_no_other(server: Cluster) -> None:
    before = snapshot(server)
    server.make(SPACES, "telescope-x-1", "telescope-x-2")
    server.make(ROLES, "prometheus-k8s")
    server.answers["DELETE", f"{ROLES}/prometheus-k8s"] = _reply({"message": "forbidden by a webhook"}, 403)

    (told,) = remove(server, before, PREFIXES, ())

    assert told.name == "prometheus-k8s"
    assert told.detail == "cannot be deleted: HTTP 403 forbidden by a webhook"
    assert not server.names & {"telescope-x-1", "telescope-x-2"}


def test_one_that_is_gone_already_is_gone(server: Cluster) -> None:
    server.make(SPACES, "telescope-x-1")
    server.answers["DELETE", f"{SPACES}/telescope-x-1"] = _reply({}, http.client.NOT_FOUND)
    server.answers["GET", f"{SPACES}/telescope-x-1"] = _reply({}, http.client.NOT_FOUND)

    assert left(server, None) == []


@pytest.mark.parametrize("answer", [ConnectionRefusedError("refused"), _reply({"message": "oops"}, 500)])
def test_a_server_that_is_not_there_is_told_and_never_raised(server: Cluster, answer: Reply | OSError) -> None:
    server.answers["GET", "/apis"] = answer

    (told,) = remove(server, None, PREFIXES, ())

    assert (told.kind, told.name) == ("load", "telescope-x")
    assert "cannot ask the API server" in told.detail
    with pytest.raises(LoadError):
        snapshot(server)


def test_an_aggregated_api_whose_server_is_not_there_has_nothing(server: Cluster) -> None:
    server.make("/apis/storage.k8s.io/v1/storageclasses", "fast")
    whole = snapshot(server)
    server.answers["GET", "/apis/storage.k8s.io/v1"] = _reply({"message": "unavailable"}, 503)

    assert {one.name for one in whole - snapshot(server)} == {"fast"}


@pytest.mark.parametrize("answer", [_reply({}, 500), _reply({}, 403), ConnectionResetError("reset")])
def test_a_group_that_cannot_be_asked_for_is_told(server: Cluster, answer: Reply | OSError) -> None:
    server.answers["GET", "/apis/storage.k8s.io/v1"] = answer

    with pytest.raises(LoadError, match=r"/apis/storage.k8s.io/v1"):
        snapshot(server)


@pytest.mark.parametrize(
    ("resource", "name", "ours"),
    [
        ("namespaces", "telescope-x-1", True),
        ("namespaces", "telescope-x-e2-3", True),
        ("namespaces", "telescope-x-", False),
        ("namespaces", "telescope-x-1a", False),
        ("namespaces", "telescope-xy-1", False),
        ("namespaces", "monitoring", True),
        ("namespaces", "monitoring-2", False),
        ("namespaces", "kube-system", False),
        ("clusterroles.rbac.authorization.k8s.io", "prometheus-k8s", True),
        ("clusterroles.rbac.authorization.k8s.io", "my-prometheus-k8s", False),
        ("clusterroles.rbac.authorization.k8s.io", "base-7", True),
        ("clusterroles.rbac.authorization.k8s.io", "base", False),
        ("customresourcedefinitions.apiextensions.k8s.io", "podmonitors.monitoring.coreos.com", True),
        ("customresourcedefinitions.apiextensions.k8s.io", "podmonitors.monitoring.coreos.com.org", False),
        ("storageclasses.storage.k8s.io", "ssd", True),
        ("storageclasses.storage.k8s.io", "ssd2", False),
    ],
)
def test_only_what_is_surely_of_cl2_is_ours(resource: str, name: str, ours: bool) -> None:
    thing = Thing(resource=resource, name=name, uid="u", path=f"/x/{name}")

    assert is_ours(thing, PREFIXES, ["base"]) == ours


def test_a_real_cluster_is_as_it_was_before(api: Api) -> None:
    before = snapshot(api)
    _make(api, "/api/v1/namespaces", "telescope-x-1")
    _make(api, ROLES, "prometheus-k8s", rules=[])
    _make(api, ROLES, "somebodys", rules=[])

    told = remove(api, before, PREFIXES, ())

    try:
        assert [one.name for one in told] == ["somebodys"]
        assert {one.name for one in snapshot(api) - before} == {"somebodys"}
    finally:
        api.request("DELETE", f"{ROLES}/somebodys")


def _make(api: Api, path: str, name: str, **more: Any) -> None:
    reply = api.request("POST", path, json.dumps({"metadata": {"name": name}, **more}).encode())
    assert reply.status == http.client.CREATED, reply.body
