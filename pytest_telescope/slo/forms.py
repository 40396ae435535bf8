"""How a histogram becomes judged elements."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from pytest_telescope.slo import histogram_guards
from pytest_telescope.slo import queries
from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import add
from pytest_telescope.slo.buckets import histograms
from pytest_telescope.slo.confidence import quantile_interval
from pytest_telescope.slo.coverage import Coverage
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import judge_histogram
from pytest_telescope.slo.elements import labels_of
from pytest_telescope.slo.elements import pooled
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import grown
from pytest_telescope.slo.guards import guard
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.slice_verdicts import judge_histograms
from pytest_telescope.slo.slices import Cut
from pytest_telescope.slo.slices import cut
from pytest_telescope.slo.slices import histograms_by_slice


def by_histogram(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> tuple[Slo, list[Element]]:
    """Judge each label set of a histogram; returns the SLO with its bound on a live bucket too."""
    found: dict[Key, Buckets] = {}
    seen = [metric for metric in slo.metrics if _is_there(slo, desk, metric)]
    if not seen:
        raise InvalidError(histogram_guards.why_none(slo, desk, targets))
    covered: list[Coverage | None] = []
    for metric in seen:
        bucket = _selected(slo, f"{metric}_bucket")
        covered.append(guard(slo, desk, [bucket], targets))
        slo = replace(slo, bound=histogram_guards.live_bound(slo, desk, bucket))
        add(found, histograms(grown(desk, bucket, _falling(slo, desk, metric), (*slo.by, "le")), slo.by))
        histogram_guards.look_at_sum(desk, _selected(slo, f"{metric}_sum"), metric, found)
    if len(seen) > 1:
        histogram_guards.counted_once(desk, {metric: _selected(slo, f"{metric}_bucket") for metric in seen})
    if slo.sparse == "merge":
        desk.merged = [labels_of(slo, key) for key, one in found.items() if one.total > 0]
    histogram_guards.look_at_population(slo, desk, seen, found)
    if slo.slices is not None and desk.notes["resets"] == "none":
        return slo, _by_slice(slo, cut(slo.slices, desk, covered), seen, found)
    return slo, [_element(slo, key, buckets) for key, buckets in _judged(slo, desk, seen, found).items()]


def _judged(slo: Slo, desk: Desk, seen: Sequence[str], found: Mapping[Key, Buckets]) -> Mapping[Key, Buckets]:
    if judged := pooled(slo, found):
        _tell_sparse(slo, desk, found)
        return judged
    raise InvalidError(f"no observations of {' and '.join(seen)} in the window")


def _tell_sparse(slo: Slo, desk: Desk, found: Mapping[Key, Buckets]) -> None:
    """Tell what became of the label sets that are too thin to be judged alone."""
    thin = [one.total for one in found.values() if not one.broken() and 0 < one.total < slo.min_count]
    if thin and slo.sparse in {"skip", "merge"}:
        what = "left out" if slo.sparse == "skip" else "judged together"
        many = f"{len(thin)} of {len(found)} with {sum(thin):.0f} observations"
        desk.notes["sparse"] = f"{many} {what} (each fewer than {slo.min_count})"


def _element(slo: Slo, key: Key, buckets: Buckets) -> Element:
    element = judge_histogram(slo, key, buckets)
    if element.bucket is None or slo.p is None:
        return element
    return replace(element, interval=quantile_interval(buckets, slo.p))


def _by_slice(slo: Slo, slices: Cut, seen: Sequence[str], found: Mapping[Key, Buckets]) -> list[Element]:
    parts: dict[Key, dict[int, Buckets]] = {}
    for metric in seen:
        rows = slices.counted(_selected(slo, f"{metric}_bucket"), (*slo.by, "le"))
        for key, by_end in histograms_by_slice(rows, slo.by).items():
            add(parts.setdefault(key, {}), by_end)
    return judge_histograms(slo, slices, parts, found)


def _is_there(slo: Slo, desk: Desk, metric: str) -> bool:
    return bool(desk.ask(queries.witnesses(_selected(slo, f"{metric}_bucket"), desk.span)).series)


def _falling(slo: Slo, desk: Desk, metric: str) -> str:
    """Return what shows resets: the count, or all buckets where a target has no count."""
    bucket, count = _selected(slo, f"{metric}_bucket"), _selected(slo, f"{metric}_count")
    shown, counting = (len(desk.ask(queries.witnesses(one, desk.span)).series) for one in (bucket, count))
    return count if counting == shown else bucket


def _selected(slo: Slo, metric: str) -> str:
    return queries.selector(metric, queries.is_job(slo.job), slo.where)
