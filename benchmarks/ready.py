"""How long a cluster takes until it is ready, against kwokctl and Prometheus by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clusters import harness_cluster
from benchmarks.clusters import kwokctl_cluster
from benchmarks.clusters import own_state
from benchmarks.sidebyside import Pairs


def measure(pairs: int = 3) -> Iterator[Pairs]:
    """Yield the figure; both clusters have 100 kwok nodes, and every target has been scraped."""
    ours, theirs = [], []
    for _ in range(pairs):
        with tempfile.TemporaryDirectory() as name, own_state(Path(name)):
            with harness_cluster() as (_cluster, seconds):
                ours.append(seconds)
            with kwokctl_cluster(Path(name)) as seconds:
                theirs.append(seconds)
    yield Pairs(
        name="cluster ready, 100 kwok nodes and Prometheus, against kwokctl create + scale + Prometheus by hand",
        ours=tuple(ours),
        theirs=tuple(theirs),
        target=1.5,
    )
