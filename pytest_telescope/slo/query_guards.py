"""What must be true of the series behind a raw query, which the query itself cannot say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence

from pytest_telescope.metrics.metadata import type_of
from pytest_telescope.slo import guard_queries
from pytest_telescope.slo import kinds
from pytest_telescope.slo import queries
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.guards import reset_targets
from pytest_telescope.slo.histogram_guards import PODS
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import Selector
from pytest_telescope.slo.promql import selectors
from pytest_telescope.slo.text import short

HEALING = frozenset({"rate", "irate", "increase"})
"""Functions that heal counter resets: what was counted between the last scrape and a crash is lost even so."""
_QUANTILE = re.compile(r"\bquantile\s*(?:=~|!~|!=|=)")
_MOVED = re.compile(r"\boffset\b")
OURS = 'namespace=~"telescope-.*"'

Shown = Sequence[tuple[str, Selector]]
"""Selectors with series in the window, as text and parsed."""


def selected(slo: Slo, desk: Desk, promql: str) -> Shown:
    """Return the query's selectors that show series in the window.

    Raises:
        InvalidError: one shows none, or a summary's quantiles.
    """
    shown = []
    for one in dict.fromkeys(selectors(promql)):
        chosen = queries.selector(one.name, one.matchers)
        found = desk.ask(queries.witnesses(chosen, desk.span)).series
        if found:
            _no_summary(one, any("quantile" in series.labels for series in found))
            shown.append((chosen, one))
        elif not slo.absent_zero:
            raise InvalidError(desk.no_data(one.name, chosen))
        else:
            desk.notes["absent"] = f"{one.name} has no series: zero, witnessed by job {slo.job}"
    return shown


def look_at(slo: Slo, desk: Desk, promql: str, shown: Shown) -> None:
    """Tell of resets that `rate` healed and of pods that were never sampled; gauges that ended unseen are a problem."""
    for chosen, one in shown:
        if HEALING & set(one.inside):
            _tell_resets(desk, chosen)
        elif slo.slices is None and one.read == "instant" and not (one.pinned or _MOVED.search(promql)):
            _none_vanished(desk, one, chosen)
        if one.name.startswith("container_") and "pods sampled" not in desk.notes:
            _tell_pods(desk, chosen)


def _no_summary(one: Selector, has_quantiles: bool) -> None:
    if has_quantiles or _QUANTILE.search(one.matchers):
        raise InvalidError(
            f"{one.name} is a summary: its quantiles are over the process' own time and cannot be added up; "
            "take a histogram, or its _sum by its _count"
        )


def _tell_resets(desk: Desk, chosen: str) -> None:
    found = desk.ask(queries.resets(chosen, desk.span)).series
    if found:
        where, when = reset_targets(desk, chosen, found)
        desk.notes["resets"] = f"{chosen} of {where}{when}: healed, but what was counted last before is lost"
    else:
        desk.notes.setdefault("resets", "none")


def _none_vanished(desk: Desk, one: Selector, chosen: str) -> None:
    gone = desk.ask(guard_queries.vanished(chosen, desk.span)).series
    if gone and gone[0].value:
        desk.problem(
            f"{short(gone[0].value)} series of {one.name} ended before the window did, unseen by a bare gauge: "
            f"write last_over_time or max_over_time({one.name}[${{w}}])"
        )


def _tell_pods(desk: Desk, chosen: str) -> None:
    """Pods that live shorter than a scrape are never sampled: tell how many of the load's were."""
    made = desk.ask(f'sum(last_over_time({PODS}{{state!="created"}}[{desk.span.range}]))').series
    if not made:
        return
    ours = queries.with_matcher(chosen, OURS)
    seen = desk.ask(f"count(group by (namespace, pod) (last_over_time({ours}[{desk.span.range}])))").series
    desk.notes["pods sampled"] = f"{short(seen[0].value if seen else 0.0)} of {short(made[0].value)}"


def look_at_types(query: str, desk: Desk) -> None:
    """Note a rate of what the targets call a gauge, and a raw value of what they call a counter."""

    def kind(metric: str) -> kinds.Kind | None:
        told = _KINDS.get(type_of(metric, desk.types) or "")
        return kinds.listed(metric) or told or kinds.kind_of(metric)

    for mistake in kinds.misuse(query, kind) if desk.types else ():
        desk.problem(mistake)


_KINDS: Mapping[str, kinds.Kind] = {"counter": "cumulative", "gauge": "gauge"}
"""Type as a target tells it -> what it is; others are neither."""
