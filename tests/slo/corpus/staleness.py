"""A running Prometheus that is given worlds by remote write, with the staleness markers that a scraper would add.

Backfill cannot: a marker is one particular NaN, which text does not carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.serving import running
from pytest_telescope.metrics.writing import Writer
from tests.slo.world import World

_LABEL = re.compile(r'(\w+)="([^"]*)"')


def marked(samples: list[tuple[float, float]], interval: float, end: float) -> list[remote_write.Sample]:
    """Return the samples with a marker one interval after each that none follows; times in unix seconds."""
    found: list[remote_write.Sample] = []
    following = [when for when, _ in samples[1:]] + [end]
    for (when, value), after in zip(samples, following, strict=True):
        found.append((round(when * 1000), value))
        if after - when > 1.5 * interval:
            found.append((round((when + interval) * 1000), None))
    return found


def series(world: World, interval: float, end: float) -> list[tuple[bytes, bytes]]:
    """Return the series of a whole world, encoded."""
    return [(_labels(name), remote_write.samples(marked(raw, interval, end))) for name, raw in world.series.items()]


@contextmanager
def receiving(folder: Path) -> Iterator[tuple[Prometheus, Writer]]:
    """Run a Prometheus that takes remote writes while the context lasts, and what writes to it."""
    with running(folder, "--web.enable-remote-write-receiver", scrape_interval=1.0) as prom:
        writer = Writer(prom)
        try:
            yield prom, writer
        finally:
            writer.close()


def _labels(name: str) -> bytes:
    metric, _, inner = name.partition("{")
    return remote_write.labels({"__name__": metric, **dict(_LABEL.findall(inner))})
