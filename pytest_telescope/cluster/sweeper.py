"""Deletes what a cloud still holds, by tag: the last net under Terraform, and the only one without a ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_telescope.cluster.clouds import pace as paces
from pytest_telescope.cluster.clouds.model import TAG_RUN
from pytest_telescope.cluster.clouds.model import Cloud
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.errors import CloudError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a sweep may take; with nothing chosen, only what is past its due time.

    Attributes:
        run: all of this run, due or not.
        lease: all of this lease, due or not.
        spared: leases that are never taken: those of runs that live.
    """

    run: str | None = None
    lease: str | None = None
    spared: frozenset[str] = frozenset()

    def takes(self, resource: Resource, now: float) -> bool:
        """Say whether `resource` may be deleted; never without a lease's tag."""
        if resource.lease is None or resource.lease in self.spared:
            return False
        if self.lease is not None or self.run is not None:
            return self.lease in {None, resource.lease} and self.run in {None, resource.tags.get(TAG_RUN)}
        return resource.due is not None and resource.due < now


def plan(resources: Iterable[Resource], choice: Choice, now: float) -> list[Resource]:
    """Return what a sweep deletes, in the order in which it does.

    A lease is taken by the latest due time of its resources: what could not be renewed must not fall first.
    """
    found = list(resources)
    latest: dict[str, float] = {}
    for one in found:
        if one.lease is not None and one.due is not None:
            latest[one.lease] = max(latest.get(one.lease, one.due), one.due)
    by_due = choice.run is None and choice.lease is None
    doomed = [
        one for one in found if choice.takes(one, now) and not (by_due and latest.get(one.lease or "", now) >= now)
    ]
    return sorted(doomed, key=lambda one: (one.rank, one.kind, one.name))


def sweep_lease(
    cloud: Cloud,
    where: Where,
    lease: str,
    cluster: str,
    *,
    say: Say,
    pace: Pace | None = None,
    sleep: paces.Sleep = paces.sleep,
) -> list[Resource]:
    """Delete all that the cloud lists of one lease; return what is still there when the patience ends.

    Raises:
        CloudError: the cloud could not be asked.
    """
    return sweep(cloud, where, Choice(lease=lease), say, cluster=cluster, pace=pace, sleep=sleep)


def sweep(
    cloud: Cloud,
    where: Where,
    choice: Choice,
    say: Say,
    *,
    cluster: str | None = None,
    pace: Pace | None = None,
    sleep: paces.Sleep = paces.sleep,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[Resource]:
    """Delete what is chosen, in rounds: what hangs on others goes first, and a refusal may end with the next round.

    Returns:
        What is still listed after `pace.gone` seconds, or after a round in which nothing more can be done.

    Raises:
        CloudError: the cloud could not be asked.
    """
    times = pace or Pace()
    end = monotonic() + times.gone / paces.speed()
    told: set[str] = set()
    while True:
        try:
            left = plan(cloud.resources(where, choice.lease, cluster), choice, clock())
        except CloudError as error:
            if not error.transient or monotonic() >= end:
                raise
            say(f"{cloud.name} cannot be asked yet, again in {times.poll:g} s: {error}")
            sleep(times.poll)
            continue
        if not left:
            return []
        refused = [name for one in left if (name := _delete(cloud, one, where, say, told)) is not None]
        if monotonic() >= end or len(refused) == len(left):
            return plan(cloud.resources(where, choice.lease, cluster), choice, clock())
        sleep(times.poll)


def _delete(cloud: Cloud, resource: Resource, where: Where, say: Say, told: set[str]) -> str | None:
    """Delete one resource; return its name where the cloud refuses for good."""
    title = f"{resource.kind} {resource.name}"
    if title not in told and not resource.deleting:
        told.add(title)
        say(f"deleting {title}")
    try:
        cloud.delete(resource, where)
    except CloudError as error:
        if error.transient:
            return None
        say(f"{title} cannot be deleted: {error}")
        return title
    return None


def unblock(cloud: Cloud, where: Where, lease: str, cluster: str, *, say: Say) -> None:
    """Delete once what hangs on others and what Terraform never knew, so that its next destroy can go on."""
    try:
        doomed = plan(cloud.resources(where, lease, cluster), Choice(lease=lease), time.time())
        for resource in doomed:
            if resource.rank < max(one.rank for one in doomed):
                _delete(cloud, resource, where, say, set())
    except CloudError as error:
        say(f"what hangs on the cluster could not be looked for: {error}")
