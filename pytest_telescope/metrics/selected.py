"""Recording chosen series through Prometheus' query API, where a whole snapshot is too large or cannot be had.

Time stamps (ms) and values are Prometheus' own, bit by bit. The mark that a series ended is found again, see
`staleness`; where it cannot be set to the target's scrape, it is at most one scrape interval late.

Memory is bounded by one answer (`MOST_SAMPLES`), however long the window and however many the series.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from itertools import groupby
from pathlib import Path

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import remote_write
from pytest_telescope.metrics import staleness
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.staleness import Piece
from pytest_telescope.metrics.writing import Writer
from pytest_telescope.metrics.writing import writing

UP = "up"
ALWAYS = (UP, "process_start_time_seconds")
"""What every judgement looks at: whether targets were scraped, and whether they restarted."""
OWN = "telescope_"
"""Metrics of the harness itself, recorded whole."""
BEFORE = 600.0
"""Seconds before the window: Prometheus looks back 5 minutes from its start, and a rate over 5 minutes 5 more."""
MOST_SAMPLES = 100_000
"""Samples of one answer, some 3 MB; more only where one target has more series than that."""
MOST_SERIES = 5_000
"""Series of one answer."""
LONGEST_MS = 1_200_000
"""Longest piece: the writing Prometheus takes nothing that is an hour older than its newest sample."""
WITHIN = 1800.0
"""Seconds for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One selector to be read, over at most `MOST_SERIES` series where targets can be told apart."""

    name: str
    selector: str
    series: int


def record_selected(
    prom: Prometheus,
    window: Window,
    wanted: Iterable[str],
    destination: Path,
    *,
    before: float = BEFORE,
    within: float = WITHIN,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[str, ...]:
    """Write the raw samples of `wanted`, `ALWAYS` and all that is `OWN` as blocks; returns the selectors.

    Args:
        prom: what is asked, also through the API server of a cluster.
        window: in Prometheus' time; nothing after its end is read.
        wanted: selectors, `metric` or `metric{matchers}`.
        destination: an existing folder.
        before: seconds before the window from which on samples are read, for baselines.
        within: seconds for all of it.
        clock: monotonic seconds.

    Raises:
        MetricsError: Prometheus did not answer, time was up, or nothing at all was found.
    """
    deadline = clock() + within
    own = sorted(name for name in prom.metric_names() if name.startswith(OWN))
    selectors = merged([*ALWAYS, *own, *wanted])
    begin, end = round((window.start - before) * 1000), round(window.end * 1000)
    asks = [ask for selector in selectors for ask in plan(prom, selector, begin, end)]
    if not asks:
        raise MetricsError(f"Prometheus at {prom.endpoint.url} has no sample of {', '.join(selectors)} in the window")
    with writing(destination) as writer:
        for piece in pieces(asks, begin, end, round(prom.endpoint.scrape_interval * 1000)):
            _copy(prom, writer, asks, piece, lambda: _check(clock() < deadline, within))
    return selectors


def merged(selectors: Iterable[str]) -> tuple[str, ...]:
    """Return each selector once, those of one metric together, and a metric that is there whole only so."""
    found = dict.fromkeys(one.removesuffix("{}") for one in selectors)
    whole = {one for one in found if "{" not in one}
    kept = [one for one in found if one in whole or _name(one) not in whole]
    order = {name: number for number, name in enumerate(dict.fromkeys(map(_name, kept)))}
    return tuple(sorted(kept, key=lambda one: order[_name(one)]))


def plan(prom: Prometheus, selector: str, begin: int, end: int) -> list[Ask]:
    """Split a selector by targets, so that no answer is too large; [] where it has no sample in the interval (ms)."""
    counted = f"count by (job, instance) (last_over_time({selector}[{end - begin}ms]))"
    targets = [(one.labels, round(one.value)) for one in prom.query(counted, end / 1000).series]
    total = sum(count for _, count in targets)
    if total <= MOST_SERIES:
        return [Ask(name=_name(selector), selector=selector, series=total)] if total else []
    return [
        Ask(name=_name(selector), selector=_narrowed(selector, job, instances), series=count)
        for job, of_job in groupby(sorted(targets, key=_job), key=_job)
        for instances, count in _batches(list(of_job))
    ]


def pieces(asks: Sequence[Ask], begin: int, end: int, interval: int) -> Iterator[Piece]:
    """Yield parts of equal length, cut back from `end`, the earliest first."""
    most = max(ask.series for ask in asks)
    length = interval * max(1, min(LONGEST_MS // interval, MOST_SAMPLES // most - 2))
    for number in range(-(-(end - begin) // length), 0, -1):
        start = end - number * length
        yield Piece(start=start, end=start + length, last=end, interval=interval)


@dataclass(slots=True)
class _Seen:
    """What a piece showed so far: the series of the metric at hand, and when targets were scraped (ms)."""

    name: str = ""
    series: set[staleness.Key] = field(default_factory=set)
    scrapes: dict[staleness.Target, list[int]] = field(default_factory=dict)

    def new(self, name: str, found: Sequence[Samples]) -> list[Samples]:
        """Return the series that no selector of the same metric found before."""
        if name != self.name:
            self.name, self.series = name, set()
        fresh = [one for one in found if staleness.key(one.labels) not in self.series]
        self.series.update(staleness.key(one.labels) for one in fresh)
        return fresh


def _copy(prom: Prometheus, writer: Writer, asks: Sequence[Ask], piece: Piece, check: Callable[[], None]) -> None:
    seen = _Seen()
    for ask in asks:
        check()
        found = seen.new(ask.name, prom.samples(f"{ask.selector}[{piece.ahead - piece.start}ms]", piece.ahead / 1000))
        if ask.name == UP:
            seen.scrapes.update({staleness.target(one.labels): staleness.stamps(one) for one in found})
        ended = staleness.marks(prom, ask.selector, found, piece, scrapes=seen.scrapes, most=MOST_SAMPLES)
        if encoded := list(_encoded(found, piece, ended)):
            writer.write(encoded)


def _encoded(
    found: Iterable[Samples], piece: Piece, ended: Mapping[staleness.Key, Sequence[int]]
) -> Iterator[tuple[bytes, bytes]]:
    for one in found:
        values = zip(staleness.stamps(one), (value for _, value in one.values), strict=True)
        inside: list[remote_write.Sample] = [sample for sample in values if piece.start < sample[0] <= piece.end]
        if inside:  # a mark has its last sample in the same piece
            inside.extend((when, None) for when in ended.get(staleness.key(one.labels), ()))
            inside.sort(key=lambda sample: sample[0])
            yield remote_write.labels(one.labels), remote_write.samples(inside)


def _batches(targets: Sequence[tuple[Mapping[str, str], int]]) -> Iterator[tuple[list[str], int]]:
    """Yield instances that have at most `MOST_SERIES` series together, a larger one alone."""
    instances: list[str] = []
    total = 0
    for labels, count in targets:
        if instances and total + count > MOST_SERIES:
            yield instances, total
            instances, total = [], 0
        instances.append(labels.get("instance", ""))
        total += count
    if instances:
        yield instances, total


def _narrowed(selector: str, job: str, instances: Sequence[str]) -> str:
    """Add a job and its instances to a selector."""
    name, _, inner = selector.partition("{")
    pattern = "|".join(re.escape(one) for one in instances)
    matchers = [inner.rpartition("}")[0], f"job={_quoted(job)}", f"instance=~{_quoted(pattern)}"]
    return f"{name}{{{', '.join(one for one in matchers if one)}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(selector: str) -> str:
    return selector.partition("{")[0]


def _job(counted: tuple[Mapping[str, str], int]) -> str:
    return counted[0].get("job", "")


def _check(in_time: bool, within: float) -> None:
    if not in_time:
        raise MetricsError(f"the series asked for could not be read within {within:g} s: ask for fewer")
