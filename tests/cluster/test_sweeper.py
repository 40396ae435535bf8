"""The sweeper takes what it may and nothing else, in rounds, and says what is left."""

# ruff: noqa: ARG002 - the double's shapes are the protocol's

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_telescope.cluster import sweeper
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.cluster.sweeper import Choice
from pytest_telescope.errors import CloudError
from pytest_telescope.scenario.model import ClusterSpec

NOW = 1_000_000.0
LEASES = ("0000000a", "0000000b", "0000000c")
RUNS = ("run-1", "run-2")
HERE = Where(account="a", region="r")


def resource(name: str, rank: int, tags: Mapping[str, str]) -> Resource:
    return Resource(kind="thing", id=name, name=name, region="r", tags=tags, rank=rank, command=f"rm {name}")


def of(lease: str, due: float = NOW - 1, run: str = "run-1") -> dict[str, str]:
    return {"telescope_lease": lease, "run_id": run, "deletion_due_time": str(int(due))}


TAGS = st.fixed_dictionaries(
    {},
    optional={
        "telescope_lease": st.sampled_from(LEASES),
        "run_id": st.sampled_from(RUNS),
        "deletion_due_time": st.sampled_from([str(int(NOW + by)) for by in (-100, -1, 0, 1, 100)] + ["soon", ""]),
        "owner": st.just("somebody"),
    },
)
FOUND = st.lists(
    st.builds(lambda tags, rank, n: resource(f"r{n}", rank, tags), TAGS, st.integers(0, 3), st.integers(0, 99)),
    max_size=12,
)
CHOICES = st.builds(
    Choice,
    run=st.none() | st.sampled_from(RUNS),
    lease=st.none() | st.sampled_from(LEASES),
    spared=st.frozensets(st.sampled_from(LEASES)),
)


@given(FOUND, CHOICES)
def test_a_plan_never_holds_what_is_untagged_or_spared(found: list[Resource], choice: Choice) -> None:
    planned = sweeper.plan(found, choice, NOW)

    assert all(one.tags.get("telescope_lease") for one in planned)
    assert not {one.lease for one in planned} & choice.spared
    assert all(one in found for one in planned)


@given(FOUND, CHOICES)
def test_a_plan_of_a_run_or_lease_holds_nothing_of_another(found: list[Resource], choice: Choice) -> None:
    planned = sweeper.plan(found, choice, NOW)

    assert choice.lease is None or {one.lease for one in planned} <= {choice.lease}
    assert choice.run is None or {one.tags.get("run_id") for one in planned} <= {choice.run}


@given(FOUND)
def test_a_plan_by_due_time_takes_no_lease_of_which_anything_is_not_due(found: list[Resource]) -> None:
    planned = sweeper.plan(found, Choice(), NOW)

    alive = {one.lease for one in found if one.due is not None and one.due >= NOW}
    told = {one.lease for one in found if one.due is not None}
    assert not {one.lease for one in planned} & alive
    assert {one.lease for one in planned} <= told


@given(FOUND, CHOICES)
def test_a_plan_begins_with_what_hangs_on_others(found: list[Resource], choice: Choice) -> None:
    ranks = [one.rank for one in sweeper.plan(found, choice, NOW)]

    assert ranks == sorted(ranks)


class Tiny:
    """A cloud in a dictionary: it refuses to delete what others hang on, and what it was told to refuse."""

    name = "tiny"

    def __init__(self, *found: Resource, hangs: Mapping[str, str] | None = None) -> None:
        self.things = {one.id: one for one in found}
        self.hangs = dict(hangs or {})
        self.refusing: dict[str, list[CloudError]] = {}
        self.unlisted: list[CloudError] = []
        self.deletes: list[str] = []

    def resources(self, where: Where, lease: str | None, cluster: str | None) -> list[Resource]:
        if self.unlisted:
            raise self.unlisted.pop(0)
        return [one for one in self.things.values() if lease is None or one.lease == lease]

    def delete(self, resource: Resource, where: Where) -> None:
        self.deletes.append(resource.id)
        if why := self.refusing.get(resource.id):
            raise why[0] if len(why) == 1 else why.pop(0)
        if any(on == resource.id and who in self.things for who, on in self.hangs.items()):
            raise CloudError("DependencyViolation", transient=True)
        self.things.pop(resource.id, None)

    def where(self, spec: ClusterSpec) -> Where:
        return HERE

    def objections(self, spec: ClusterSpec) -> list[str]:
        return []

    def refusals(self, spec: ClusterSpec, where: Where) -> list[str]:
        return []

    def variables(self, spec: ClusterSpec, where: Where) -> dict[str, Any]:
        return {}

    def environment(self, where: Where) -> dict[str, str]:
        return {}

    def renew(self, where: Where, cluster: str, due: int) -> None: ...


class Passing:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> float:
        return self.seconds


def swept(cloud: Tiny, choice: Choice, lines: list[str] | None = None) -> tuple[list[Resource], float]:
    passing = Passing()
    left = sweeper.sweep(
        cloud,
        HERE,
        choice,
        (lines if lines is not None else []).append,
        pace=Pace(),
        sleep=passing.sleep,
        clock=lambda: NOW,
        monotonic=passing.now,
    )
    return left, passing.seconds


def test_a_sweep_deletes_what_hangs_on_others_first_and_leaves_other_leases() -> None:
    mine = [resource("net", 9, of(LEASES[0])), resource("disk", 1, of(LEASES[0]))]
    cloud = Tiny(*mine, resource("other", 1, of(LEASES[1])), resource("foreign", 1, {}), hangs={"disk": "net"})

    left, _ = swept(cloud, Choice(lease=LEASES[0]))

    assert left == []
    assert cloud.deletes == ["disk", "net"]
    assert set(cloud.things) == {"other", "foreign"}


def test_a_refusal_that_passes_is_tried_again() -> None:
    cloud = Tiny(resource("net", 1, of(LEASES[0])))
    cloud.refusing["net"] = [CloudError("busy", transient=True)] * 3 + [CloudError("busy", transient=True)]
    passing = Passing()

    def sleep(seconds: float) -> None:
        passing.sleep(seconds)
        if passing.seconds > 60:
            cloud.refusing.clear()

    left = sweeper.sweep(
        cloud,
        HERE,
        Choice(lease=LEASES[0]),
        lambda _text: None,
        sleep=sleep,
        clock=lambda: NOW,
        monotonic=passing.now,
    )

    assert left == []
    assert 60 < passing.seconds < Pace().gone


def test_a_refusal_that_stays_ends_by_the_deadline_and_is_returned() -> None:
    cloud = Tiny(resource("net", 1, of(LEASES[0])))
    cloud.refusing["net"] = [CloudError("busy", transient=True)]

    left, seconds = swept(cloud, Choice(lease=LEASES[0]))

    assert [one.command for one in left] == ["rm net"]
    assert Pace().gone <= seconds <= Pace().gone + Pace().poll


def test_a_final_refusal_is_told_and_not_waited_for() -> None:
    cloud = Tiny(resource("net", 1, of(LEASES[0])))
    cloud.refusing["net"] = [CloudError("no right to delete")]
    lines: list[str] = []

    left, seconds = swept(cloud, Choice(lease=LEASES[0]), lines)

    assert [one.name for one in left] == ["net"]
    assert seconds == 0
    assert "no right to delete" in "\n".join(lines)


def test_a_listing_that_fails_for_a_moment_is_asked_again() -> None:
    cloud = Tiny(resource("net", 1, of(LEASES[0])))
    cloud.unlisted = [CloudError("throttled", transient=True)] * 2

    left, seconds = swept(cloud, Choice(lease=LEASES[0]))

    assert left == []
    assert cloud.things == {}
    assert seconds > 0


def test_a_cloud_that_cannot_be_asked_is_not_an_empty_one() -> None:
    cloud = Tiny(resource("net", 1, of(LEASES[0])))
    cloud.unlisted = [CloudError("no login")]

    with pytest.raises(CloudError, match="no login"):
        swept(cloud, Choice(lease=LEASES[0]))
