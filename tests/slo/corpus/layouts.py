"""Buckets: how they are spelt, which there are, and which of them are lost."""

from __future__ import annotations

import math

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow
from tests.slo.corpus.writing import spelt
from tests.slo.corpus.writing import spelt_short
from tests.slo.world import EDGES

_P90 = "{histogram: work_duration_seconds, p: 90, max: 1s}"
_OTHER = (0.25, 1.0, 4.0, math.inf)


def _spelt_both(job: Job, good: int, bad: int) -> None:
    """Two targets behind different Prometheus versions, each with half of it."""
    for instance, spell in (("i1", spelt), ("i2", spelt_short)):
        job.target(instance)
        job.histogram([fast(good // 2), slow(bad // 2)], spell=spell, instance=instance)


def _spelt_short(job: Job) -> None:
    job.target()
    job.histogram([fast(89), slow(11)], spell=spelt_short)


def _mixed(job: Job, *bursts: tuple[float, float, int]) -> None:
    for instance, edges in (("i1", EDGES), ("i2", _OTHER)):
        job.target(instance)
        job.histogram(bursts, edges=edges, instance=instance)


def _strangers(job: Job) -> None:
    """The reference's case: all observations are 3 s, layouts 1-5-10 and 2-4-8."""
    for instance, edges in (("i1", (1.0, 5.0, 10.0, math.inf)), ("i2", (2.0, 4.0, 8.0, math.inf))):
        job.target(instance)
        job.histogram([(20, 3.0, 300)], edges=edges, before=0, instance=instance)


def _without(job: Job, lost: float) -> None:
    job.target()
    job.histogram([fast(280), slow(20)], edges=[edge for edge in EDGES if edge != lost])


def _without_on_one(job: Job) -> None:
    """Of the second target, which is as fast as the first, the bound's bucket is lost."""
    job.target("i1")
    job.target("i2")
    job.histogram([fast(300)], instance="i1")
    job.histogram([fast(300)], edges=[edge for edge in EDGES if edge != 1.0], instance="i2")


def _without_last(job: Job) -> None:
    """Neither `+Inf` nor `_count` is kept."""
    job.target()
    for edge in EDGES[:-1]:
        job.counter("work_duration_seconds_bucket", [(20, 280 * (edge >= 1) + 20 * (edge >= 5))], le=spelt(edge))


def _shuffled(job: Job) -> None:
    """Counts that no histogram has: a wider bucket holds less."""
    job.target()
    for edge, grown in ((0.5, 0), (1.0, 300), (2.0, 290), (5.0, 300), (10.0, 300), (math.inf, 300)):
        job.counter("work_duration_seconds_bucket", [(20, grown)], le=spelt(edge))
    job.counter("work_duration_seconds_count", [(20, 300)])


def _summary(job: Job) -> None:
    job.target()
    for quantile, value in (("0.5", 0.2), ("0.99", 0.4)):
        job.series("work_duration_seconds", lambda _, value=value: value, quantile=quantile)  # type: ignore[misc] # bound early
    job.counter("work_duration_seconds_count", [(20, 300)])


def _case(name: str, truth: Truth, write: object, *, slo: str = _P90, targets: int = 1, row: str = "18") -> Case:
    return Case(name=name, pitfalls=(row,), slo=slo, write=write, truth=truth, targets=targets)  # type: ignore[arg-type] # a case's shorthand


_MENDED = "histogram_quantile(0.9, sum by (le) (rate(work_duration_seconds_bucket{JOB}[${w}])))"

CASES = (
    _case("le-spelt-short", fails(SLOW, "11 of 100 are 4 s", count=100), _spelt_short, row="17"),
    _case(
        "le-spelt-both-ways",
        passes(GOOD, "90 of 100 are 0.6 s; 1 and 1.0 are one number", count=100),
        lambda job: _spelt_both(job, 90, 10),
        targets=2,
        row="17",
    ),
    _case(
        "le-spelt-both-ways-slow",
        fails(SLOW, "12 of 100 are 4 s; 1 and 1.0 are one number", count=100),
        lambda job: _spelt_both(job, 88, 12),
        targets=2,
        row="17",
    ),
    _case(
        "layouts-differ-pooled",
        invalid("all are 1.5 s; one target says up to 2 s, the other 1 to 4 s"),
        lambda job: _mixed(job, (20, 1.5, 300)),
        slo="{histogram: work_duration_seconds, p: 90, max: 2s}",
        targets=2,
    ),
    _case(
        "layouts-differ-each-judged",
        passes(GOOD, "all are 0.6 s, each target is judged alone, and 1 s is a bucket of both", count=600),
        lambda job: _mixed(job, fast(300)),
        slo="{histogram: work_duration_seconds, by: [instance], p: 90, max: 1s}",
        targets=2,
    ),
    _case(
        "layouts-share-no-bucket",
        invalid("no bucket of one target is a bucket of the other"),
        _strangers,
        slo="{histogram: work_duration_seconds, p: 99, max: 5s}",
        targets=2,
    ),
    _case("bound-bucket-lost", invalid("the bucket 1 s is gone: 0.5 to 2 s do not decide"), lambda j: _without(j, 1.0)),
    _case("inf-bucket-lost", invalid("without +Inf and _count nobody knows how many there were"), _without_last),
    _case(
        "bucket-lost-on-one-target",
        invalid("of the second target's 300 only 0.5 to 2 s is known: half do not decide 90 %"),
        _without_on_one,
        targets=2,
    ),
    _case(
        "wider-bucket-holds-less",
        invalid("a histogram cannot count 300 up to 1 s and 290 up to 2 s"),
        _shuffled,
        row="29",
    ),
    Case(
        name="quantile-over-wider-bucket-holds-less",
        pitfalls=("29",),
        slo=f'{{query: "{_MENDED}", unit: s, max: 1s}}',
        plain=_MENDED,
        write=_shuffled,
        truth=invalid("a histogram cannot count 300 up to 1 s and 290 up to 2 s, whoever mends it"),
    ),
    _case(
        "summary", invalid("a summary's quantile is over its own five hours, not over the window"), _summary, row="20"
    ),
)
