"""What the ledger and its locks cost: reaping a hundred leases against the provider's own calls, as many at a time."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.sidebyside import Pairs
from benchmarks.sidebyside import side_by_side
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec

ENTRIES = 100
DESTROY = 0.10
"""Seconds: a cluster's 30 s on a clock 300 times as fast. A slower clock would hide what the harness adds."""
LIST = 0.01
TARGET = 1.2


class Waiting:
    """A provider whose calls take their time and nothing else."""

    name = "waiting"

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda _text: None
        self.approve: Callable[[Mapping[str, Any]], None] = lambda _document: None

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:  # noqa: ARG002 - the protocol's shape
        return None

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:  # noqa: ARG002 - the protocol's shape
        return frozenset()

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:  # noqa: ARG002 - likewise
        return ()

    def preflight(self, spec: ClusterSpec) -> None:
        raise NotImplementedError

    def unavailable(self, spec: ClusterSpec) -> str | None:  # noqa: ARG002 - likewise
        return None

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        raise NotImplementedError

    def destroy(self, lease: Lease) -> None:  # noqa: ARG002 - likewise
        time.sleep(DESTROY)

    def leftovers(self, lease: Lease) -> list[Leftover]:  # noqa: ARG002 - likewise
        time.sleep(LIST)
        return []

    def renew(self, lease: Lease) -> None:
        raise NotImplementedError


def measure(pairs: int = 5) -> Iterator[Pairs]:
    """Yield the figure."""
    state = os.environ.get("TELESCOPE_STATE_DIR")
    with tempfile.TemporaryDirectory() as name:
        os.environ["TELESCOPE_STATE_DIR"] = str(Path(name) / "state")
        try:
            yield _figure(pairs)
        finally:
            os.environ.pop("TELESCOPE_STATE_DIR")
            if state is not None:
                os.environ["TELESCOPE_STATE_DIR"] = state


def _figure(pairs: int) -> Pairs:
    """Time pair by pair: the entries are written between two pairs, outside both times."""
    name = f"reap {ENTRIES} leases against the provider's own calls, {reaper.AT_ONCE} at a time"
    found = []
    for _ in range(pairs):
        _write()
        found.append(side_by_side(name, _reap, _by_hand, pairs=1, target=TARGET))
    return Pairs(
        name=name,
        ours=tuple(one.ours[0] for one in found),
        theirs=tuple(one.theirs[0] for one in found),
        target=TARGET,
    )


def _write() -> None:
    for number in range(ENTRIES):
        ledger.open_lease("waiting", f"waiting-{number}", "run", ClusterSpec(), lasting=3600.0)


def _reap() -> None:
    assert reaper.reap(all=True, report=lambda _text: None, source=lambda _name: Waiting()) == 0
    assert ledger.entries() == []


def _by_hand() -> None:
    """Make the same calls without a ledger."""
    source = Waiting()

    def finish(lease: Lease) -> None:
        source.destroy(lease)
        assert source.leftovers(lease) == []

    lease = Lease(id="00000000", provider="waiting", cell="waiting", run="run", folder=Path("/nowhere"), created=0.0)
    with ThreadPoolExecutor(reaper.AT_ONCE) as pool:
        list(pool.map(finish, [lease] * ENTRIES))
