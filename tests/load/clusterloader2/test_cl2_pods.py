"""Pods are seen alike by the few bytes that matter and by all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from pytest_telescope.load.accounting import account
from pytest_telescope.load.clusterloader2.pods import GONE
from pytest_telescope.load.clusterloader2.pods import Pods
from pytest_telescope.load.clusterloader2.pods import unix
from pytest_telescope.load.model import PodStart

settings.register_profile("ci", deadline=None)
settings.load_profile("ci")  # no time limit an example: these machines are busy

REAL = (Path(__file__).parent / "data" / "watch" / "pods.jsonl").read_bytes().splitlines()
"""Of a real watch: pods of a Deployment, pods with traps in labels, annotations and selectors, and others' pods."""
PREFIXES = ("telescope-watch", "telescope-cl2")
BOOKMARK = (
    b'{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"9",'
    b'"creationTimestamp":null},"spec":{"containers":null},"status":{}}}'
)
TRAP = '{"type":"DELETED","spec":{"nodeName":"evil"},"status":{"phase":"Running"},"nodeName":"evil"}'
STAMP = "2026-11-25T18:30:09Z"
Event = Mapping[str, Any]


def marshalled(event: Event) -> bytes:
    """An event as the API server writes it: Go's field order is that of `event_of`, keys of maps are sorted."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def event_of(kind: str = "ADDED", uid: str = "u1", **more: Any) -> dict[str, Any]:
    """A watch event of a pod; a field that is None is left out, as by the API server."""
    metadata = {
        "name": more.get("name", f"pod-{uid}"),
        "generateName": more.get("generate"),
        "namespace": more.get("namespace", "telescope-cl2-1"),
        "uid": uid,
        "resourceVersion": more.get("version", "7"),
        "generation": more.get("generation", 1),
        "creationTimestamp": STAMP,
        "deletionTimestamp": more.get("deleted"),
        "labels": _sorted(more.get("labels")),
        "annotations": _sorted(more.get("annotations")),
    }
    spec = {
        "volumes": more.get("volumes"),
        "containers": [{"name": "main", "env": [{"name": "status", "value": TRAP}]}],
        "nodeSelector": _sorted(more.get("selector")),
        "serviceAccountName": more.get("account"),
        "serviceAccount": more.get("account"),
        "automountServiceAccountToken": more.get("automount"),
        "nodeName": more.get("node"),
        "hostNetwork": more.get("host"),
        "shareProcessNamespace": more.get("shared"),
        "securityContext": {},
        "affinity": more.get("affinity"),
        "tolerations": [{"key": "nodeName", "value": "evil"}],
    }
    status = {
        "observedGeneration": more.get("observed"),
        "phase": more.get("phase", "Pending"),
        "conditions": more.get("conditions"),
        "message": more.get("message"),
        "reason": more.get("reason"),
    }
    item = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": _some(metadata),
        "spec": _some(spec),
        "status": _some(status),
    }
    return {"type": kind, "object": item}


def _sorted(values: Mapping[str, str] | None) -> dict[str, str] | None:
    return dict(sorted(values.items())) if values else None


def _some(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def told_raw(lines: Iterable[bytes], late: bool = False, prefixes: tuple[str, ...] = PREFIXES) -> Pods:
    """As the watcher tells them: at a glance, and parsed where that does not do."""
    pods = Pods(prefixes)
    for when, line in enumerate(lines, start=1):
        if pods.glance(line, float(when), late=late) is None and (event := json.loads(line))["type"] != "BOOKMARK":
            pods.observe(event["type"], event["object"], float(when), late=late)
    return pods


def told_parsed(lines: Iterable[bytes], late: bool = False, prefixes: tuple[str, ...] = PREFIXES) -> Pods:
    pods = Pods(prefixes)
    for when, line in enumerate(lines, start=1):
        if (event := json.loads(line))["type"] != "BOOKMARK":
            pods.observe(event["type"], event["object"], float(when), late=late)
    return pods


def facts(pods: Pods) -> tuple[object, ...]:
    return pods.starts(), len(pods), pods.running, pods.awaiting(), pods.namespaces()


def only(pods: Pods) -> PodStart:
    (start,) = pods.starts()
    return start


def glanced(line: bytes) -> str | None:
    return Pods(PREFIXES).glance(line, 1.0, late=False)


@pytest.mark.parametrize("late", [False, True])
def test_a_real_watch_is_seen_alike_both_ways(late: bool) -> None:
    assert facts(told_raw(REAL, late)) == facts(told_parsed(REAL, late))


def test_a_real_watch_tells_what_became_of_every_pod() -> None:
    starts = {start.name.partition("/")[2].split("-")[0]: start for start in told_raw(REAL).starts()}

    assert {name: start.node for name, start in starts.items()} == {
        "quiet": "user-0",
        "evil": "user-0",
        "huge": None,
        "made": "user-0",
        "pinned": "nowhere",
        "selected": None,
        "init": "user-0",
        "web": starts["web"].node,
    }
    assert {name for name, start in starts.items() if start.running is None} == {"huge", "pinned", "selected"}
    assert {name: start.reason for name, start in starts.items() if start.reason} == {
        "quiet": "Evicted",
        "huge": GONE[0],
        "pinned": "Evicted",
        "selected": GONE[0],
    }
    assert all(start.created <= (start.scheduled or start.created) for start in starts.values())


def test_nearly_all_of_a_real_watch_is_seen_at_a_glance() -> None:
    left = [json.loads(line)["object"] for line in REAL if glanced(line) is None]

    assert {(item["metadata"]["name"], item["status"]["phase"]) for item in left} == {
        ("quiet", "Failed"),  # why it failed is only known from all of it
        ("pinned", "Failed"),
    }


@pytest.mark.parametrize("node", [None, "n"])
def test_what_may_follow_the_node_is_known_or_left_to_be_parsed(node: str | None) -> None:
    host = [marshalled(event_of(account="a", node=node, host=True))]
    shared = [marshalled(event_of(account="a", node=node, shared=True))]

    assert (glanced(host[0]), glanced(shared[0])) == ("7", None)
    assert only(told_raw(host)).node == only(told_raw(shared)).node == node


def test_once_it_runs_only_its_end_is_looked_at() -> None:
    first = marshalled(event_of(account="a", node="n", phase="Running"))
    later = [
        marshalled(event_of("MODIFIED", node="other", phase="Running")),
        marshalled(event_of("DELETED", phase="Running")),
    ]
    pods = Pods(PREFIXES)

    assert [pods.glance(line, 1.0, late=False) for line in (first, *later)] == ["7"] * 3
    assert (only(pods).node, pods.awaiting()) == ("n", False)
    assert facts(told_raw([first, *later])) == facts(told_parsed([first, *later]))


def test_a_glance_tells_the_version_to_go_on_from() -> None:
    for line in REAL:
        assert glanced(line) in {None, json.loads(line)["object"]["metadata"]["resourceVersion"]}


def test_a_pod_that_waits_is_told_in_the_schedulers_words() -> None:
    lines = [line for line in REAL if json.loads(line)["object"]["metadata"]["name"] == "huge"][:2]

    start = only(told_raw(lines))

    assert start.reason == "Unschedulable"
    assert "Insufficient cpu" in start.detail
    assert start == only(told_parsed(lines))


@pytest.mark.parametrize(
    "line",
    [
        BOOKMARK,
        b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"code":410}}',
        b"",
        b"{}",
        b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}}',
        marshalled(event_of(phase="Failed")),
        marshalled(event_of(phase="Unknown")),
        marshalled(event_of(node="a")),  # no service account before it
        marshalled(event_of(name='a"b')),
        json.dumps(event_of(account="default")).encode(),  # blanks after colons: no API server writes that
    ],
)
def test_what_does_not_look_as_expected_is_left_to_be_parsed(line: bytes) -> None:
    pods = Pods(PREFIXES)

    assert pods.glance(line, 1.0, late=False) is None
    assert (len(pods), pods.last_event) == (0, 0.0)


@pytest.mark.parametrize(
    "trap",
    [
        {"labels": {"phase": "Running", "nodeName": "evil", "status": "x", "spec": "y"}},
        {
            "annotations": {
                "phase": "Running",
                "nodeName": "evil",
                "status": TRAP,
                "spec": TRAP,
                "json": json.dumps(TRAP),
            }
        },
        {"selector": {"nodeName": "evil", "status": "b", "spec": "c"}},
        {
            "automount": True,
            "selector": dict.fromkeys(("hostPID", "nodeName", "securityContext", "serviceAccount"), "x"),
        },
        {"generation": 2, "affinity": {"matchLabels": {"serviceAccount": "x", "shareProcessNamespace": "x"}}},
        {"affinity": {"podAffinity": {"matchLabels": {"nodeName": "evil", "phase": "Running", "serviceAccount": "a"}}}},
        {
            "volumes": [
                {"ephemeral": {"spec": {"nodeName": "evil"}}},
                {"csi": {"volumeAttributes": {"nodeName": "evil"}}},
            ]
        },
        {"message": TRAP, "reason": '"phase":"Running"'},
        {"conditions": [{"type": "PodScheduled", "status": "False", "message": TRAP}]},
        {"account": "nodeName"},
    ],
    ids=lambda trap: next(iter(trap)),
)
def test_traps_fool_nobody(trap: dict[str, Any]) -> None:
    pending = [marshalled(event_of(**({"account": "default"} | trap)))]
    running = [*pending, marshalled(event_of("MODIFIED", **({"account": "a"} | trap), node="good", phase="Running"))]

    for lines, node, ran in ((pending, None, None), (running, "good", 2.0)):
        start = only(told_raw(lines))

        assert (start.node, start.running) == (node, ran)
        assert start == only(told_parsed(lines))


def test_the_life_of_a_pod_has_its_times() -> None:
    lines = [
        marshalled(event_of(account="a")),
        marshalled(event_of("MODIFIED", account="a", node="n")),
        marshalled(event_of("MODIFIED", account="a", node="n", phase="Running")),
        marshalled(event_of("MODIFIED", account="a", node="n", phase="Succeeded")),
        marshalled(event_of("DELETED", account="a", node="n", phase="Succeeded")),
    ]

    assert only(told_raw(lines)) == PodStart(
        name="telescope-cl2-1/pod-u1",
        node="n",
        created=1.0,
        scheduled=2.0,
        running=3.0,
        stamped=unix(STAMP),
    )


def test_a_pod_that_ended_before_anyone_looked_ran() -> None:
    start = only(told_raw([marshalled(event_of(account="a", node="n", phase="Succeeded"))]))

    assert (start.running, start.reason) == (1.0, None)


def test_a_pod_that_ran_and_failed_has_its_reason() -> None:
    lines = [
        marshalled(event_of(account="a", node="n", phase="Running")),
        marshalled(event_of("MODIFIED", account="a", node="n", phase="Failed", reason="OOMKilled", message="so sorry")),
        marshalled(event_of("DELETED", account="a", node="n", phase="Failed", reason="Other")),
    ]

    pods = told_raw(lines)

    assert (only(pods).running, only(pods).reason, only(pods).detail) == (1.0, "OOMKilled", "so sorry")
    assert account(pods.starts()).failed == 1


def test_a_pod_that_is_deleted_before_it_runs_says_so() -> None:
    lines = [marshalled(event_of(account="a")), marshalled(event_of("DELETED", account="a"))]

    pods = told_raw(lines)

    assert (only(pods).reason, only(pods).detail) == GONE
    assert not pods.awaiting()


def test_only_numbered_namespaces_of_the_prefixes_are_ours() -> None:
    names = (
        "telescope-cl2-1",
        "telescope-cl2-12",
        "telescope-cl2",
        "telescope-cl2-x",
        "telescope-cl2-e2-1",
        "xtelescope-cl2-1",
    )
    lines = [marshalled(event_of(uid=name, namespace=name, account="a")) for name in names]

    for pods in (told_raw(lines), told_parsed(lines)):
        assert pods.namespaces() == ("telescope-cl2-1", "telescope-cl2-12")


def test_a_pod_of_a_list_or_after_a_gap_is_an_upper_bound() -> None:
    listed, late = Pods(PREFIXES), Pods(PREFIXES)
    listed.observe("LIST", event_of(account="a", node="n", phase="Running")["object"], 99.0)
    late.glance(marshalled(event_of(account="a", node="n", phase="Running")), 99.0, late=True)

    for pods in (listed, late):
        assert (only(pods).created, only(pods).running, only(pods).upper_bound) == (unix(STAMP), 99.0, True)


def test_a_list_after_a_gap_takes_over() -> None:
    pods = told_raw([marshalled(event_of(uid=uid, account="a")) for uid in ("stays", "runs", "goes")])
    items = [
        event_of(uid="stays", account="a")["object"],
        event_of(uid="runs", account="a", node="n", phase="Running")["object"],
    ]
    items += [event_of(uid="new", account="a", node="n", phase="Running")["object"]]

    behind = pods.behind(items)
    pods.relist(items, 50.0, late=True)

    starts = {start.name.partition("-u")[0].rpartition("pod-")[2]: start for start in pods.starts()}
    assert behind == 3
    assert pods.behind(items) == 0
    assert starts["goes"].reason == GONE[0]
    assert (starts["runs"].running, starts["runs"].upper_bound) == (50.0, True)
    assert (starts["new"].created, starts["new"].running) == (unix(STAMP), 50.0)
    assert (starts["stays"].running, starts["stays"].upper_bound, starts["stays"].created) == (None, False, 1.0)


def test_a_watch_that_lacks_pods_or_starts_is_found_out() -> None:
    pods = told_raw(
        [
            marshalled(event_of(uid="a", account="a", node="n", phase="Running")),
            marshalled(event_of(uid="b", account="a")),
            marshalled(event_of(uid="c", account="a", node="n", phase="Running")),
            marshalled(event_of("DELETED", uid="c", account="a", node="n", phase="Running")),
        ]
    )
    there = {"telescope-cl2-1/pod-a": "Running", "telescope-cl2-1/pod-b": "Pending"}

    assert not pods.lacks(there)
    assert not pods.lacks(there | {"telescope-cl2-1/pod-b": "CrashLoopBackOff"})
    assert pods.lacks(there | {"telescope-cl2-1/pod-b": "Running"})
    assert pods.lacks(there | {"telescope-cl2-1/pod-b": "Completed"})
    assert pods.lacks(there | {"telescope-cl2-1/pod-d": "Pending"})
    assert pods.lacks({"telescope-cl2-1/pod-a": "Running"})


TEXTS = st.sampled_from(["x", TRAP, json.dumps(TRAP), '"nodeName":"evil"', '"status":{"phase":"Running"', "{", "größe"])
KEYS = st.sampled_from(["nodeName", "status", "spec", "phase", "name", "serviceAccount", "uid", "zone"])
MAPS = st.none() | st.dictionaries(KEYS, TEXTS, max_size=3)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """One event of one of a few pods, at any point of its life, in any order."""
    more = {
        "generate": draw(st.none() | st.just("pod-")),
        "namespace": draw(st.sampled_from(["telescope-cl2-1", "telescope-watch-2", "telescope-cl2-e2-1", "default"])),
        "generation": draw(st.none() | st.integers(1, 3)),
        "deleted": draw(st.none() | st.just(STAMP)),
        "labels": draw(MAPS),
        "annotations": draw(MAPS),
        "selector": draw(MAPS),
        "affinity": draw(MAPS),
        "account": draw(st.none() | st.sampled_from(["default", "nodeName", "a"])),
        "automount": draw(st.none() | st.booleans()),
        "node": draw(st.none() | st.sampled_from(["n1", "n2"])),
        "observed": draw(st.none() | st.integers(1, 3)),
        "phase": draw(st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"])),
        "conditions": draw(st.none() | st.just([{"type": "PodScheduled", "status": "False", "message": TRAP}])),
        "message": draw(st.none() | TEXTS),
        "reason": draw(st.none() | TEXTS),
    }
    uid = draw(st.sampled_from("abcd"))
    kind = draw(st.sampled_from(["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]))
    return marshalled(event_of(kind, f"{uid}{more['namespace']}", **more))


@given(st.lists(st.one_of(events(), st.sampled_from(REAL), st.just(BOOKMARK)), max_size=25), st.booleans())
def test_any_events_are_seen_alike_both_ways(lines: list[bytes], late: bool) -> None:
    assert facts(told_raw(lines, late)) == facts(told_parsed(lines, late))


@given(st.lists(events(), max_size=25))
def test_every_pod_is_accounted_for_once_and_those_that_never_ran_say_why(lines: list[bytes]) -> None:
    pods = told_raw(lines)
    starts = pods.starts()
    counted = account(starts)

    assert counted.created == len(starts) == len({start.name for start in starts})
    assert pods.running == sum(start.running is not None for start in starts)
    assert all(start.reason for start in starts if start.running is None)
    assert all(start.scheduled is not None for start in starts if start.node is not None)


@given(
    st.binary(max_size=300)
    | st.tuples(st.sampled_from(REAL), st.integers(0, 4000), st.binary(max_size=4)).map(
        lambda drawn: drawn[0][: drawn[1]] + drawn[2]
    )
)
def test_no_bytes_raise(line: bytes) -> None:
    assert glanced(line) is None or b'"status":{' in line
