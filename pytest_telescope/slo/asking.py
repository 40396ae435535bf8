"""How a raw query's answer becomes judged elements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.metrics.model import Series
from pytest_telescope.slo import query_guards
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.counting import keyed
from pytest_telescope.slo.counting import refuse_strays
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import judge_value
from pytest_telescope.slo.guards import ENOUGH_SCRAPES
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import guard
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.queries import fill
from pytest_telescope.slo.slice_verdicts import judge_slices
from pytest_telescope.slo.slices import Cut
from pytest_telescope.slo.slices import by_slice
from pytest_telescope.slo.slices import cut


def by_query(slo: Slo, desk: Desk, targets: Mapping[str, int], facts: Mapping[str, object]) -> list[Element]:
    """Judge each element of a raw query's answer."""
    whole = fill(slo.query, desk.span, facts)
    if desk.span.seconds < ENOUGH_SCRAPES * desk.span.interval:
        window = f"the window of {desk.span.seconds:.1f} s is shorter than"
        desk.problem(f"{window} {ENOUGH_SCRAPES} scrapes of {desk.span.interval:g} s")
    shown = query_guards.selected(slo, desk, whole)
    covered = guard(slo, desk, [one for one, _ in shown], targets)
    query_guards.look_at(slo, desk, whole, shown)
    query_guards.look_at_types(slo.query, desk)
    if slo.slices is not None:
        return _by_slice(slo, cut(slo.slices, desk, [covered]), facts)
    answer = _zero_if_declared(slo, desk.ask(whole).series)
    if not answer:
        raise InvalidError("no data: the query's answer is empty")
    refuse_strays(slo, (one.labels for one in answer))
    return [judge_value(slo, key, value) for key, value in keyed(answer, slo).items()]


def _zero_if_declared(slo: Slo, answer: Sequence[Series]) -> Sequence[Series]:
    return answer or ((Series(labels={}, value=0.0),) if slo.absent_zero and not slo.by else ())


def _by_slice(slo: Slo, slices: Cut, facts: Mapping[str, object]) -> list[Element]:
    """Judge a query in slices: `${w}` is a slice's length; a slice without a number (NaN, no answer) is idle."""
    if "${start}" in slo.query or "${end}" in slo.query:
        raise InvalidError("a query in slices cannot use ${start} or ${end}: they stand still while the slices move")
    found: dict[Key, dict[int, Element]] = {}
    promql = fill(slo.query, slices.desk.span.of(slices.slices.length), facts)
    rows = slices.asked(promql)
    if rows:
        refuse_strays(slo, (labels for labels, _ in rows))
    elif slo.absent_zero and not slo.by:
        rows = [({}, [])]
    for key, values in by_slice(rows, slo.by).items():
        live = {end: value for end, value in values.items() if not math.isnan(value)}
        if slo.absent_zero and not slo.by:
            live = {**dict.fromkeys(slices.ends, 0.0), **live}
        if live:
            found[key] = {end: judge_value(slo, key, value) for end, value in live.items()}
    if not found:
        raise InvalidError("no data: the query has no answer that is a number in any slice")
    return judge_slices(slo, slices, found, {})
