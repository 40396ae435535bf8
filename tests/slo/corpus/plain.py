"""What a tool answers that asks PromQL plainly and lets everything pass that does not break the bound.

So do ClusterLoader2's generic query (`requireSamples: false`), kube-burner's alerts and k6's thresholds: no data, and
NaN, pass. The queries are those of dashboards: `histogram_quantile` over `rate`, `increase`, a bare gauge. Where it
could go both ways it is taken kindly: the window is known to the millisecond, a refused query is red.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pytest_telescope.errors import MetricsError
from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.slo.bounds import OPERATORS
from pytest_telescope.slo.bounds import holds
from pytest_telescope.slo.bounds import read_bound
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.promql import split
from pytest_telescope.slo.queries import is_job
from pytest_telescope.slo.queries import selector
from tests.slo.corpus.judging import resolved
from tests.slo.corpus.model import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A plain answer: PASS, FAIL, or ERROR where Prometheus refused; the worst number, None where there was none."""

    verdict: Verdict
    value: float | None
    query: str


def answered(case: Case, prom: Prometheus) -> Plain:
    """Ask a case's plain query and hold every number of the answer against the bound."""
    bound, query, end = _question(case)
    try:
        series = prom.query(query, end).series
    except MetricsError:
        return Plain(verdict=Verdict.ERROR, value=None, query=query)
    values = [one.value for one in series if not math.isnan(one.value)]
    missed = [value for value in values if not holds(bound, value)]
    return Plain(verdict=Verdict.FAIL if missed else Verdict.PASS, value=_worst(bound, missed or values), query=query)


def form(case: Case) -> str:
    """Return the case's form: histogram, ratio, counter or query."""
    keys = yaml.safe_load(case.slo)
    if "use" in keys:
        return resolved(case).form
    return next((name for name in ("histogram", "counter", "query") if name in keys), "ratio")


def _question(case: Case) -> tuple[Bound, str, float]:
    """Return bound, query and the time at which it is asked, unix seconds."""
    try:
        slo = resolved(case)
    except UsageError:
        return _written_bound(yaml.safe_load(case.slo)), _filled(case, case.window.seconds), case.window.end
    start, end = case.window.steps.get(slo.during, (case.window.start, case.window.end))
    return slo.bound, _filled(case, end - start) if slo.form == "query" else _common(slo, end - start), end


def _filled(case: Case, seconds: float) -> str:
    return case.here(case.plain).replace("${w}", _range(seconds))


def _written_bound(keys: Mapping[str, Any]) -> Bound:
    operator = next(name for name in OPERATORS if name in keys)
    return read_bound(operator, keys[operator], keys["unit"], "the query")


def _common(slo: Slo, seconds: float) -> str:
    if slo.slices is None:
        return _over(slo, _range(seconds))
    return _in_slices(slo.slices, _over(slo, _range(slo.slices.length)), seconds)


def _in_slices(slices: Slices, inner: str, seconds: float) -> str:
    """As ClusterLoader2 does: the quantile over time of what was found each step; for `peak` the most."""
    points = f"({inner})[{_range(seconds - slices.length)}:{_range(slices.step)}]"
    if seconds <= slices.length:
        return inner
    return f"max_over_time({points})" if slices.mode == "peak" else f"quantile_over_time({slices.good:g}, {points})"


def _over(slo: Slo, window: str) -> str:
    by = ", ".join(slo.by)
    if slo.form == "histogram":
        buckets = f"rate({_selected(slo, f'{slo.metrics[0]}_bucket')}[{window}])"
        return f"histogram_quantile({(slo.p or 0) / 100:g}, sum by ({', '.join((*slo.by, 'le'))}) ({buckets}))"
    if slo.form == "counter":
        return f"sum by ({by}) (increase({_selected(slo, slo.counter)}[{window}]))"
    bad, total = (f"sum by ({by}) (increase({_selected(slo, one)}[{window}]))" for one in (slo.bad, slo.total))
    return f"{bad} / {total}"


def _selected(slo: Slo, written: str) -> str:
    name, inner = split(written)
    return selector(name, is_job(slo.job), inner, slo.where)


def _range(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"


def _worst(bound: Bound, values: list[float]) -> float | None:
    if not values:
        return None
    return min(values) if bound.operator in {"min", "above"} else max(values)
