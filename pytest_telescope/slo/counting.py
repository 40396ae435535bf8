"""How plain counters become judged elements: a ratio of two, and how much one counted."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from pytest_telescope.metrics.model import Series
from pytest_telescope.slo import guard_queries
from pytest_telescope.slo import queries
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import key_of
from pytest_telescope.slo.confidence import wilson
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import judge_ratio
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import grown
from pytest_telescope.slo.guards import guard
from pytest_telescope.slo.guards import look_at_targets
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import split
from pytest_telescope.slo.slice_verdicts import judge_slices
from pytest_telescope.slo.slices import Cut
from pytest_telescope.slo.slices import by_slice
from pytest_telescope.slo.slices import cut


def by_ratio(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> list[Element]:
    """Judge bad / total for each label set of the total."""
    bad, total = (_selected(slo, written) for written in (slo.bad, slo.total))
    if not _is_there(desk, total):
        look_at_targets(slo, desk, targets)
        raise InvalidError(desk.no_data(_metric(slo.total), total))
    has_bad = _is_there(desk, bad)
    if not has_bad and not slo.absent_zero:
        raise InvalidError(desk.no_data(_metric(slo.bad), bad))
    covered = guard(slo, desk, [total, bad] if has_bad else [total], targets)
    if not has_bad:
        desk.notes["absent"] = f"{slo.bad} has no series: zero, witnessed by {slo.total}"
    totals = keyed(grown(desk, total, total, slo.by), slo)
    bads = keyed(grown(desk, bad, bad, slo.by), slo) if has_bad else {}
    alive = _alive(slo, bads, totals)
    if slo.slices is not None and desk.notes["resets"] == "none":
        selected = bad if has_bad else "", total
        return _ratio_by_slice(slo, cut(slo.slices, desk, [covered]), selected, bads, alive)
    return [_sure(judge_ratio(slo, key, bads.get(key), value)) for key, value in alive.items()]


def _alive(slo: Slo, bads: Mapping[Key, float], totals: Mapping[Key, float]) -> dict[Key, float]:
    if lost := bads.keys() - totals.keys():
        raise InvalidError(f"{slo.bad} counts {min(lost)}, which {slo.total} does not know")
    alive = {key: value for key, value in totals.items() if value != 0 or bads.get(key)}
    if not alive:
        raise InvalidError(f"{slo.total} did not count anything in the window")
    return alive


def _sure(element: Element) -> Element:
    if element.value is None or not element.count or not 0 <= element.value <= 1:
        return element
    return replace(element, interval=wilson(element.value * element.count, element.count))


def _ratio_by_slice(
    slo: Slo, slices: Cut, selected: tuple[str, str], bads: Mapping[Key, float], alive: Mapping[Key, float]
) -> list[Element]:
    wrong, every = (by_slice(slices.counted(one, slo.by), slo.by) if one else {} for one in selected)
    found: dict[Key, dict[int, Element]] = {}
    for key in alive:
        bad, total, known = wrong.get(key, {}), every.get(key, {}), 0.0 if key in bads else None
        found[key] = {
            end: judge_ratio(slo, key, bad.get(end, known), total.get(end, 0.0))
            for end in slices.ends
            if total.get(end) or bad.get(end)
        }
    return judge_slices(slo, slices, found, alive)


def by_counter(slo: Slo, desk: Desk, targets: Mapping[str, int]) -> list[Element]:
    """Judge how much a counter counted, for each label set; where the SLO says so, absence is a witnessed zero."""
    selected = _selected(slo, slo.counter)
    is_there = _is_there(desk, selected)
    if not is_there and not slo.absent_zero:
        look_at_targets(slo, desk, targets)
        raise InvalidError(desk.no_data(_metric(slo.counter), selected))
    covered = guard(slo, desk, [selected] if is_there else [], targets)
    desk.notes.setdefault("resets", "none")
    counts = keyed(grown(desk, selected, selected, slo.by), slo) if is_there else {}
    counts = {**_zeros(slo, desk, counts), **counts}
    if slo.slices is not None and desk.notes["resets"] == "none":
        return _counter_by_slice(slo, cut(slo.slices, desk, [covered]), selected if is_there else "", counts)
    return [judge_value(slo, key, value) for key, value in counts.items()]


def _counter_by_slice(slo: Slo, slices: Cut, selected: str, counts: Mapping[Key, float]) -> list[Element]:
    parts = by_slice(slices.counted(selected, slo.by), slo.by) if selected else {}
    found = {
        key: {end: judge_value(slo, key, parts.get(key, {}).get(end, 0.0)) for end in slices.ends} for key in counts
    }
    return judge_slices(slo, slices, found, {})


def _zeros(slo: Slo, desk: Desk, counts: Mapping[Key, float]) -> dict[Key, float]:
    """Return the label sets of the witness job that the counter does not show, each with zero; told.

    Labels of `by` that `up` does not have cannot be witnessed: then the counter's own label sets are all there is.
    """
    if not slo.absent_zero:
        return {}
    if slo.job is None:
        raise InvalidError(f"{slo.counter}: absent: zero needs job, whose scraped targets witness the zero")
    ups = desk.ask(guard_queries.scraped(slo.job, slo.by, desk.span)).series
    if not ups:
        raise InvalidError(f"no target of job {slo.job} was scraped: nothing witnesses that {slo.counter} is zero")
    seen = {key_of(one.labels, slo.by) for one in ups}
    zeros = {key: 0.0 for key in seen if all(key) and key not in counts} or (
        {} if counts else {("",) * len(slo.by): 0.0}
    )
    if zeros:
        what = "has no series" if not counts else f"has no series of {len(zeros)} of {len(seen)}"
        hint = "" if counts else desk.nearest(_metric(slo.counter)).replace(";", ",")
        desk.notes["absent"] = f"{slo.counter} {what}: zero, witnessed by job {slo.job}{hint}"
    return zeros


def keyed(series: Sequence[Series], slo: Slo) -> dict[Key, float]:
    """Return values by label set.

    Raises:
        InvalidError: a label set is there twice.
    """
    found: dict[Key, float] = {}
    for one in series:
        key = key_of(one.labels, slo.by)
        if key in found:
            raise InvalidError(f"the query's answer has {key} twice")
        found[key] = one.value
    return found


def refuse_strays(slo: Slo, labels: Iterable[Mapping[str, str]]) -> None:
    """Refuse labels of a query's answer that are not in `by`.

    Raises:
        InvalidError: there is one.
    """
    allowed = {*slo.by, "__name__"}
    for one in labels:
        if extra := one.keys() - allowed:
            raise InvalidError(f"the query's answer has the label {min(extra)}, which is not in by")


def _is_there(desk: Desk, selected: str) -> bool:
    return bool(desk.ask(queries.witnesses(selected, desk.span)).series)


def _selected(slo: Slo, written: str) -> str:
    name, inner = split(written)
    return queries.selector(name, queries.is_job(slo.job), inner, slo.where)


def _metric(written: str) -> str:
    return split(written)[0]
