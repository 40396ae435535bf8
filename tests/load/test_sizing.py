from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies

from pytest_telescope.errors import LoadError
from pytest_telescope.errors import UsageError
from pytest_telescope.load.nodes import Room
from pytest_telescope.load.nodes import parse_toleration
from pytest_telescope.load.nodes import pod_requests
from pytest_telescope.load.nodes import rooms
from pytest_telescope.load.sizing import HEADROOM
from pytest_telescope.load.sizing import size
from pytest_telescope.load.sizing import spread
from pytest_telescope.scenario.model import Consume
from tests.load.objects import node
from tests.load.objects import pod

GIB = 1024**3


def room(name: str = "a", *, cpu: float = 4, memory: float = 8 * GIB, slots: int = 110, **more: Any) -> Room:
    return Room(name=name, cpu=Decimal(str(cpu)), memory=Decimal(memory), slots=slots, **more)


def test_what_is_left_counts_pods_of_all_namespaces_with_every_suffix() -> None:
    there = [
        pod(node_name="a", requests={"cpu": "1", "memory": "1Gi"}),
        pod(node_name="a", requests={"cpu": "250m", "memory": "512Ki"}),
        pod(node_name="a", requests={"memory": "1M"}),
        pod(node_name="b", requests={"cpu": "3"}),
        pod(node_name="a", requests={"cpu": "2"}, status={"phase": "Succeeded"}),
    ]

    left = rooms([node("a", cpu="4000m", memory="8388608Ki", pods="20")], there, selector={}, tolerations=())

    assert left == (room(cpu=2.75, memory=8 * GIB - GIB - 512 * 1024 - 10**6, slots=17),)


def test_init_containers_sidecars_overhead_and_pod_level_requests_count_as_the_scheduler_counts_them() -> None:
    def container(cpu: str, **more: Any) -> dict[str, Any]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    sidecar = container("200m", restartPolicy="Always")

    assert pod_requests({"containers": [container("1"), container("1")]})[0] == 2
    assert pod_requests({"containers": [container("1")], "initContainers": [container("3")]})[0] == 3
    assert pod_requests({"containers": [container("1")], "initContainers": [sidecar]})[0] == Decimal("1.2")
    assert pod_requests({"containers": [container("1")], "initContainers": [sidecar, container("3")]})[0] == Decimal(
        "3.2"
    )
    assert pod_requests({"containers": [container("1")], "overhead": {"cpu": "100m"}})[0] == Decimal("1.1")
    assert pod_requests({"containers": [container("1")], **container("5")})[0] == 5


def test_nodes_that_the_pods_cannot_go_to_say_why() -> None:
    taint = {"key": "role", "value": "x", "effect": "NoSchedule"}
    nodes = [
        node("cordoned", labels={"pool": "user"}, unschedulable=True),
        node("down", labels={"pool": "user"}, ready="Unknown"),
        node("free", labels={"pool": "user"}),
        node("other", labels={"pool": "system"}),
        node("tainted", labels={"pool": "user"}, taints=[taint]),
    ]

    found = rooms(nodes, [], selector={"pool": "user"}, tolerations=())

    assert [each.closed for each in found] == [
        "is cordoned",
        "is not Ready",
        None,
        "lacks label pool=user",
        "has taint role=x:NoSchedule",
    ]


@pytest.mark.parametrize(
    ("text", "fits"), [("role=x:NoSchedule", True), ("role:NoSchedule", True), ("role=y:NoSchedule", False)]
)
def test_a_toleration_opens_a_tainted_node(text: str, fits: bool) -> None:
    tainted = node("a", taints=[{"key": "role", "value": "x", "effect": "NoSchedule"}])

    found = rooms([tainted], [], selector={}, tolerations=(parse_toleration(text),))

    assert (found[0].closed is None) == fits


def test_a_toleration_without_a_known_effect_is_refused() -> None:
    with pytest.raises(UsageError, match="expected key=value:Effect"):
        parse_toleration("role=x:Sometimes")


def test_fit_gives_each_pod_its_share_of_the_tightest_node() -> None:
    nodes = [room("a", cpu=4), room("b", cpu=2, memory=4 * GIB)]

    sizing = size(nodes, 10, Consume(share=0.5))

    assert sizing.landing == {"a": 5, "b": 5}
    assert sizing.millicores == 200
    assert sizing.memory_request == 4 * GIB * 0.5 // 5 // 1024 * 1024
    assert sizing.memory == sizing.memory_request - HEADROOM
    assert sizing.even


def test_what_is_asked_in_numbers_is_consumed_and_head_room_is_asked_on_top() -> None:
    sizing = size([room()], 10, Consume(cpu=0.05, memory="64Mi"))

    assert (sizing.millicores, sizing.memory) == (50, 64 * 1024**2)
    assert sizing.memory_request == 64 * 1024**2 + HEADROOM
    assert sizing.asked_cpu == pytest.approx(0.5)
    assert sizing.asked_memory == 640 * 1024**2


def test_simulated_nodes_are_asked_nothing() -> None:
    nodes = rooms([node("a", annotations={"kwok.x-k8s.io/node": "fake"})], [], selector={}, tolerations=())

    sizing = size(nodes, 10, Consume())

    assert (sizing.asked_cpu, sizing.asked_memory) == (0, 0)
    assert sizing.millicores > 0


def test_a_node_with_few_slots_takes_few_pods_and_the_spread_is_only_wished_for() -> None:
    sizing = size([room("a", slots=2), room("b"), room("c")], 20, Consume())

    assert sizing.landing == {"a": 2, "b": 9, "c": 9}
    assert not sizing.even


@pytest.mark.parametrize(
    ("pods", "consume", "nodes", "lack"),
    [
        (111, Consume(), [room()], "lack pod slots"),
        (10, Consume(), [room(cpu=0.005)], "lack CPU for a millicore each"),
        (10, Consume(), [room(cpu=-1)], "lack CPU for a millicore each"),
        (100, Consume(), [room(memory=GIB)], "lack memory for the 16 MiB"),
        (10, Consume(cpu=1, memory="1Mi"), [room()], "room: 4 of them have a place"),
        (5, Consume(), [room(closed="is cordoned")], "lack pod slots"),
    ],
)
def test_what_cannot_fit_is_refused_with_what_each_node_has_left(
    pods: int, consume: Consume, nodes: list[Room], lack: str
) -> None:
    with pytest.raises(LoadError) as refusal:
        size(nodes, pods, consume)

    assert lack in str(refusal.value)
    assert f"asked for {pods} pods" in str(refusal.value)
    assert "a: " in str(refusal.value)


@given(strategies.lists(strategies.integers(0, 50), max_size=20), strategies.integers(1, 400))
def test_a_spread_is_whole_and_as_even_as_slots_allow(slots: list[int], pods: int) -> None:
    landing = spread(slots, pods)

    if landing is None:
        assert sum(slots) < pods
        return
    assert sum(landing) == pods
    open_counts = [count for count, most in zip(landing, slots, strict=True) if count < most]
    assert all(count <= most for count, most in zip(landing, slots, strict=True))
    assert not open_counts or max(landing) - min(open_counts) <= 1
