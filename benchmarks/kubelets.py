"""An hour of 200 kubelets, made once into the cache folder.

Families, label sets and buckets are those of a real kubelet (kubelet_series.yaml); the values are made up: every
histogram sees one observation a scrape, log-normal around a bucket in its lower third. The samples go by remote write
through the pinned Prometheus, so the blocks are as those of a cluster.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.metrics import metadata
from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.recording import load
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.writing import Writer
from pytest_telescope.metrics.writing import writing

SERIES = Path(__file__).parent / "kubelet_series.yaml"
NODES = 200
PODS = 10
INTERVAL = 5
START = 1_699_999_200 + 1200
"""Unix seconds; with what comes before it, the window lies between two multiples of two hours: one block."""
SECONDS = 3600
BEFORE = 20
STEPS = 4
VARIANTS = 8
"""Nodes differ in the offset of their scrapes and in their speed, in as many ways."""
SIGMA = 0.6
EARLIER = 1000
"""Observations of each histogram before the first scrape."""
GOLDEN = (5**0.5 - 1) / 2
HALF = 366
"""Scrapes written before the next node's turn: Prometheus takes nothing that is an hour older than the newest."""


def recording() -> Recording:
    """Return the recording, made in some minutes where the cache does not hold it."""
    source = SERIES.read_bytes() + Path(__file__).read_bytes()
    folder = paths.cache() / "benchmarks" / f"kubelets-{hashlib.sha256(source).hexdigest()[:12]}"
    if not (folder / "recording.json").exists():
        _make(folder)
    return load(folder)


def document() -> dict[str, Any]:
    """Return the layouts and families of `SERIES`."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(SERIES.read_text(encoding="utf-8"))
    return found


def node(number: int) -> str:
    """Return a node's name."""
    return f"node-{number:03}"


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        (scratch / "recording").mkdir()
        with writing(scratch / "recording") as writer:
            _write(writer)
        _save(scratch / "recording")
        (scratch / "recording").rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(writer: Writer) -> None:
    families = list(_families(document()))
    scrapes = range(-BEFORE // INTERVAL, SECONDS // INTERVAL)
    for first in range(0, len(scrapes), HALF):
        bodies = Bodies(scrapes[first : first + HALF])
        for number in range(NODES):
            common = {"job": "kubelet", "instance": f"10.0.{number // 250}.{number % 250}:10250", "node": node(number)}
            writer.write(
                (remote_write.labels({**common, **labels}), bodies.of(number % VARIANTS, kind, share))
                for labels, kind, share in families
            )
        writer.write((_of_load(state), bodies.of(0, "level", float(PODS))) for state in ("created", "running"))


def _of_load(state: str) -> bytes:
    return remote_write.labels(
        {"__name__": "telescope_load_pods", "job": "telescope", "instance": "telescope", "state": state}
    )


def _save(folder: Path) -> None:
    length = SECONDS / STEPS
    steps = {f"wave-{k + 1}": (START + k * length, START + (k + 1) * length - 2 * INTERVAL) for k in range(STEPS)}
    found = document()
    metadata.save(folder, dict.fromkeys(found["histograms"], "histogram"))
    save(
        Recording(
            path=folder,
            window=Window(start=float(START), end=float(START + SECONDS), steps=steps),
            scrape_interval=float(INTERVAL),
            clock_offset=0.0,
            prometheus_version="3",
        )
    )


Family = tuple[Mapping[str, str], str, float]
"""Labels of one series of a node, and its value: the `count` of a share of the observations, their `sum`, a `level`."""


def _families(found: Mapping[str, Any]) -> Iterator[Family]:
    yield {"__name__": "up"}, "level", 1.0
    yield {"__name__": "process_start_time_seconds"}, "level", float(START - 86_400)
    for name, family in found["histograms"].items():
        edges = found["layouts"][family["layout"]]
        for labels in family["labels"]:
            yield from _histogram(name, labels, edges)
    for name, sets in found["others"].items():
        kind = "count" if name.endswith(("_total", "_count", "_errors")) else "level"
        yield from (({"__name__": name, **labels}, kind, 1.0 if "errors" not in name else 0.0) for labels in sets)


def _histogram(name: str, labels: Mapping[str, str], edges: Sequence[float]) -> Iterator[Family]:
    for edge in edges:
        yield {"__name__": f"{name}_bucket", **labels, "le": repr(edge)}, "count", share(edge, edges)
    yield {"__name__": f"{name}_bucket", **labels, "le": "+Inf"}, "count", 1.0
    yield {"__name__": f"{name}_count", **labels}, "count", 1.0
    yield {"__name__": f"{name}_sum", **labels}, "sum", edges[len(edges) // 3]


def share(edge: float, edges: Sequence[float]) -> float:
    """Return the share of observations up to `edge`: log-normal around a bucket in the lower third."""
    return round(0.5 * math.erfc(-math.log(edge / edges[len(edges) // 3]) / SIGMA / math.sqrt(2)), 6)


def bound(edges: Sequence[float]) -> float:
    """Return the smallest bucket that holds practically everything."""
    return next(edge for edge in edges if share(edge, edges) >= 0.999)


class Bodies:
    """Encoded samples of some scrapes, shared by all series that go alike."""

    def __init__(self, scrapes: range) -> None:
        self._scrapes = scrapes
        self.of = cache(self._of)

    def _of(self, variant: int, kind: str, share: float) -> bytes:
        offset = 1000 * START + variant * 600 + 3
        counts = [EARLIER + int((1 + variant / VARIANTS) * (k + BEFORE)) for k in self._scrapes]
        values = _VALUES[kind](counts, share)
        stamps = (offset + 1000 * INTERVAL * k for k in self._scrapes)
        return remote_write.samples((when, float(value)) for when, value in zip(stamps, values, strict=True))


def _observed(counts: Sequence[int], share: float) -> Iterator[int]:
    """Yield how many of the first n observations lie below `share`; they fill 0 to 1 evenly (golden ratio).

    So a wider bucket never counts less, over any window.
    """
    below = list(accumulate((number * GOLDEN % 1.0 < share for number in range(counts[-1])), initial=0))
    return (below[count] for count in counts)


_VALUES: Mapping[str, Callable[[Sequence[int], float], Iterator[float]]] = {
    "count": _observed,
    "sum": lambda counts, mean: (count * mean for count in counts),
    "level": lambda counts, level: (level for _ in counts),
}
