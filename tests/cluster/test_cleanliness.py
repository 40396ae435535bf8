"""What counts as a difference between a shared cluster before its first row and after one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster import cleanliness
from pytest_telescope.cluster.cleanliness import Snapshot
from pytest_telescope.cluster.cleanliness import compare
from pytest_telescope.cluster.cleanliness import of_lists
from pytest_telescope.cluster.model import Cluster

WEBHOOKS = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
ROLES = "clusterroles.rbac.authorization.k8s.io"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
Lists = dict[str, list[dict[str, Any]]]


def thing(name: str, namespace: str = "", uid: str = "1", **more: Any) -> dict[str, Any]:
    space = {"namespace": namespace} if namespace else {}
    return {"metadata": {"name": name, "uid": uid, **space}, **more}


def node(name: str = "user-0", **labels: str) -> dict[str, Any]:
    taints = [{"key": "dedicated", "value": "load", "effect": "NoSchedule"}]
    return {"metadata": {"name": name, "uid": "n", "labels": labels}, "spec": {"taints": taints}}


def pod(name: str, namespace: str = "kube-system", owner: str | None = None) -> dict[str, Any]:
    found = thing(name, namespace, uid=name)
    if owner is not None:
        found["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "controller": True}]
    return found


def usual() -> Lists:
    return {
        "namespaces": [thing("default"), thing("kube-system")],
        "nodes": [node(pool="user")],
        "pods": [pod("dns-a", owner="dns"), pod("dns-b", owner="dns")],
        "configmaps": [thing("settings", "default")],
        CRDS: [thing("old.example.com")],
        ROLES: [thing("viewer", rules=[{"verbs": ["get"]}])],
        WEBHOOKS: [thing("guard", webhooks=[{"name": "a", "clientConfig": {"caBundle": "x", "url": "y"}}])],
        "persistentvolumes": [],
    }


def seen(lists: Lists) -> Snapshot:
    return of_lists(lists.items())


def told(after: Lists) -> list[str]:
    return [str(one) for one in compare(seen(usual()), seen(after))]


def test_nothing_differs_where_nothing_changed() -> None:
    assert told(usual()) == []


@pytest.mark.parametrize(
    ("resource", "left", "named"),
    [
        ("namespaces", thing("forgotten"), "namespaces forgotten"),
        (CRDS, thing("things.example.com"), f"{CRDS} things.example.com"),
        (WEBHOOKS, thing("spy", webhooks=[]), f"{WEBHOOKS} spy"),
        (ROLES, thing("admin", rules=[]), f"{ROLES} admin"),
        ("persistentvolumes", thing("pv-1"), "persistentvolumes pv-1"),
        ("configmaps", thing("left", "default"), "configmaps default/left"),
        ("nodes", node("user-1"), "nodes user-1"),
    ],
)
def test_a_new_object_is_named(resource: str, left: dict[str, Any], named: str) -> None:
    after = usual()
    after[resource].append(left)

    assert told(after) == [f"{named} (was not there before the first row)"]


@pytest.mark.parametrize("resource", ["namespaces", "nodes", "configmaps", CRDS, ROLES, WEBHOOKS])
def test_a_missing_object_is_named(resource: str) -> None:
    after = usual()
    gone = after[resource].pop()

    (line,) = [one for one in told(after) if one.startswith(resource)]
    assert gone["metadata"]["name"] in line
    assert "is gone" in line


def test_another_object_of_the_same_name_is_a_difference() -> None:
    after = usual()
    after["namespaces"][0] = thing("default", uid="2")

    assert told(after) == ["namespaces default (is another object of the same name than before the first row)"]


def test_labels_taints_and_cordon_of_a_node_are_told_one_by_one() -> None:
    after = usual()
    after["nodes"] = [{"metadata": {"name": "user-0", "uid": "n", "labels": {"pool": "other"}}}]
    after["nodes"][0]["spec"] = {"unschedulable": True}

    assert told(after) == [
        "nodes user-0 (lost label pool=user, lost taint dedicated=load:NoSchedule, got cordoned, got label pool=other)"
    ]


def test_a_pod_that_its_controller_made_anew_is_no_difference_but_their_number_is() -> None:
    renewed, fewer = usual(), usual()
    renewed["pods"] = [pod("dns-c", owner="dns"), pod("dns-d", owner="dns")]
    fewer["pods"] = [pod("dns-a", owner="dns"), pod("stray", "default")]

    assert told(renewed) == []
    assert told(fewer) == [
        "pods default/stray (0 before, 1 now)",
        "pods kube-system/of ReplicaSet dns (2 before, 1 now)",
    ]


def test_what_lies_in_a_new_namespace_is_told_by_the_namespace_alone() -> None:
    after = usual()
    after["namespaces"].append(thing("forgotten"))
    after["configmaps"].append(thing("kube-root-ca.crt", "forgotten"))
    after["pods"].append(pod("a", "forgotten"))

    assert told(after) == ["namespaces forgotten (was not there before the first row)"]


def test_other_content_of_roles_and_webhooks_is_a_difference_a_rotated_certificate_is_not() -> None:
    after, rotated = usual(), usual()
    after[ROLES][0]["rules"] = [{"verbs": ["*"]}]
    after[WEBHOOKS][0]["webhooks"][0]["clientConfig"]["url"] = "z"
    rotated[WEBHOOKS][0]["webhooks"][0]["clientConfig"]["caBundle"] = "new"

    assert [one.partition(" (")[0] for one in told(after)] == [f"{ROLES} viewer", f"{WEBHOOKS} guard"]
    assert told(rotated) == []


class Looks:
    """Gives one snapshot after the other, the last one again and again, on a clock that only sleeping moves."""

    def __init__(self, *snapshots: Snapshot) -> None:
        self.snapshots = list(snapshots)
        self.now = 0.0

    def __call__(self) -> Snapshot:
        return self.snapshots.pop(0) if len(self.snapshots) > 1 else self.snapshots[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


def dirty() -> Snapshot:
    after = usual()
    after["persistentvolumes"].append(thing("pv-1"))
    return seen(after)


def test_what_still_goes_is_waited_for() -> None:
    looks = Looks(dirty(), dirty(), seen(usual()))

    assert cleanliness.differences(seen(usual()), looks, sleep=looks.sleep, clock=looks.clock) == []
    assert looks.now == 2 * cleanliness.POLL


def test_what_stays_is_told_when_the_time_is_up() -> None:
    looks = Looks(dirty())

    left = cleanliness.differences(seen(usual()), looks, within=5.0, sleep=looks.sleep, clock=looks.clock)

    assert [one.name for one in left] == ["pv-1"]
    assert looks.now == 5.0


def test_the_first_look_is_confirmed_by_a_second_one() -> None:
    early = usual()
    early["configmaps"].clear()
    looks = Looks(seen(early), seen(usual()), seen(usual()))

    assert cleanliness.settled(looks, sleep=looks.sleep, clock=looks.clock) == seen(usual())


def test_a_cluster_that_nobody_touches_stays_as_it_is(shared_cluster: Cluster, tmp_path: Path) -> None:
    def look() -> Snapshot:
        return cleanliness.snapshot(shared_cluster.kubeconfig, tmp_path)

    before = cleanliness.settled(look)

    kinds = {key.resource for key in before.objects}
    assert cleanliness.differences(before, look) == []
    assert {"nodes", "namespaces", ROLES, "priorityclasses.scheduling.k8s.io", "configmaps"} <= kinds
    assert "flowschemas.flowcontrol.apiserver.k8s.io" not in kinds
