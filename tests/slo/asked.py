"""SLOs as tests write them, and their judgement over the small world."""

from __future__ import annotations

from typing import Any

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo.judge import judge
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from tests.slo.cases import METRIC
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW


def bound(value: float, operator: Operator = "max", unit: str = "s") -> Bound:
    return Bound(operator=operator, values=(value,), unit=unit, text=f"{value:g}{unit}")


def histogram(job: str, limit: float = 1.0, **keys: Any) -> Slo:
    given = {"p": 99.0, "min_count": 300, "by": ("node",), "metrics": (METRIC,), **keys}
    return Slo(id="work", form="histogram", bound=bound(limit), job=job, **given)


def ratio(job: str, limit: float, **keys: Any) -> Slo:
    given = {"bad": "call_errors_total", "total": "calls_total", **keys}
    return Slo(id="calls", form="ratio", bound=bound(limit, unit="ratio"), job=job, **given)


def counter(name: str, limit: float = 0.0, **keys: Any) -> Slo:
    operator = keys.pop("operator", "max")
    return Slo(id="counted", form="counter", counter=name, bound=bound(limit, operator, "count"), **keys)


def sliding(length: float, step: float, good: float = 0.99) -> Slices:
    return Slices(mode="sliding", length=length, step=step, good=good)


def peak(length: float, step: float) -> Slices:
    return Slices(mode="peak", length=length, step=step)


def query(promql: str, limit: float = 10.0, **keys: Any) -> Slo:
    given = {"job": "gauges", **keys}
    return Slo(id="asked", form="query", query=promql, bound=bound(limit, unit="count"), **given)


def judged(prom: Prometheus, slo: Slo, window: Window = WINDOW, **targets: int) -> Judgement:
    return judge(slo, prom, window, facts={"nodes": ["n1", "n2"]}, scrape_interval=INTERVAL, targets=targets)
