"""`telescope sweep`: what a cloud holds of the harness by its tags, and its deletion on request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TextIO

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import sweeper
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.provider import described
from pytest_telescope.cluster.providers import cloud
from pytest_telescope.cluster.sweeper import Choice
from pytest_telescope.scenario.model import ClusterSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What was asked for: one run, one lease, or (neither) what is past its due time; `delete` is off for a dry run."""

    provider: str
    region: str | None = None
    run: str | None = None
    lease: str | None = None
    delete: bool = False

    def choice(self) -> Choice:
        """Return it as a choice that spares the leases of living runs, unless one is named."""
        named = self.run is not None or self.lease is not None
        alive = frozenset(one.lease.id for one in ledger.entries() if one.problem is None and not one.orphaned)
        return Choice(run=self.run, lease=self.lease, spared=frozenset() if named else alive)


def run(asked: Sweep, out: TextIO) -> int:
    """List, delete where asked, and return 1 if something chosen is left, else 0.

    Raises:
        CloudError, PreflightError: the cloud cannot be asked.
    """
    source, choice = cloud(asked.provider), asked.choice()
    where = source.where(ClusterSpec(region=asked.region))

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    say(f"{asked.provider}: looking in {where.account}, region {where.region}")
    found = source.resources(where, asked.lease, f"telescope-{asked.lease}" if asked.lease else None)
    chosen = sweeper.plan(found, choice, time.time())
    for one in chosen:
        say(f"{'deleting' if asked.delete else 'would delete'}: {described(one)}; {_age(one)}")
    say(
        f"{len(chosen)} of {len(found)} resources of the harness are to go"
        + ("" if asked.delete else "; --delete does it")
    )
    if not chosen or not asked.delete:
        return 0 if not chosen else 1
    left = sweeper.sweep(source, where, choice, say)
    for one in left:
        say(f"still there: {described(one)}")
    return 1 if left else 0


def _age(resource: Resource) -> str:
    """Return run, lease and how long it is past its due time."""
    due = "no due time" if resource.due is None else f"due {(time.time() - resource.due) / 3600:+.1f} h ago"
    return f"run {resource.tags.get('run_id', 'unknown')}, lease {resource.lease}, {due}"
