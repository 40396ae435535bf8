"""Counter or gauge: what a metric's name tells, with a list (metric_types.yaml) of the names that mislead."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pytest_telescope.slo.promql import Selector
from pytest_telescope.slo.promql import selectors

FILE = Path(__file__).resolve().parent / "metric_types.yaml"
Kind = Literal["cumulative", "gauge"]
RATES = frozenset({"rate", "irate", "increase"})
"""Functions that turn a counter into how fast or how much it counted."""
_OF_COUNTERS = RATES | {"resets"}
_OF_BOTH = frozenset(
    {"changes", "count", "group", "count_over_time", "present_over_time", "absent", "absent_over_time", "timestamp"}
)
"""What does not depend on the value of a series: that it is there, or that it moved."""


@dataclass(frozen=True, slots=True)
class Types:
    """Compiled metric_types.yaml: patterns of whole names, then suffixes."""

    cumulative: re.Pattern[str]
    gauge: re.Pattern[str]
    cumulative_suffixes: tuple[str, ...]
    gauge_suffixes: tuple[str, ...]


@cache
def types() -> Types:
    """Read metric_types.yaml once."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(FILE.read_text(encoding="utf-8"), Loader=loader)
    return Types(
        cumulative=_any(document["cumulative"]),
        gauge=_any(document["gauge"]),
        cumulative_suffixes=tuple(document["suffixes"]["cumulative"]),
        gauge_suffixes=tuple(document["suffixes"]["gauge"]),
    )


def kind_of(metric: str) -> Kind | None:
    """Return what a metric is, None where its name does not tell, as that of a recording rule (`a:b:sum`)."""
    known = types()
    if ":" in metric:
        return None
    if known.gauge.fullmatch(metric):
        return "gauge"
    if known.cumulative.fullmatch(metric) or metric.endswith(known.cumulative_suffixes):
        return "cumulative"
    return "gauge" if metric.endswith(known.gauge_suffixes) else None


def listed(metric: str) -> Kind | None:
    """Return what metric_types.yaml says of this very metric, None where it says nothing."""
    if types().gauge.fullmatch(metric):
        return "gauge"
    return "cumulative" if types().cumulative.fullmatch(metric) else None


def misuse(query: str, kind_of: Callable[[str], Kind | None] = kind_of) -> Iterator[str]:
    """Yield what a query does to a metric of the other kind: a rate of a gauge, a counter's value as it stands."""
    found = selectors(query)
    for one in found:
        kind, inside = kind_of(one.name), set(one.inside)
        if kind == "gauge" and (wrong := _OF_COUNTERS & inside) and not histogram(inside):
            yield f"{min(wrong)} of {one.name}, a gauge: each fall looks like a restart; write delta or max_over_time"
        if kind == "cumulative" and not inside & (_OF_COUNTERS | _OF_BOTH) and not _difference(one, found):
            yield _raw(one.name)


def _raw(name: str) -> str:
    instead = "the histogram form" if name.endswith("_bucket") else f"the form counter: {name}"
    return (
        f"{name} without rate or increase: it counts since its process started, not in the window; "
        f"write rate({name}[${{w}}]), or {instead}"
    )


def _difference(one: Selector, found: tuple[Selector, ...]) -> bool:
    """Return whether a counter is read at two times inside the same aggregations, end minus start series by series.

    Of sums a restart of one counter would hide in the difference.
    """
    same = [other for other in found if other.name == one.name]
    return any(other.pinned for other in same) and len({other.aggregated for other in same}) == 1


def histogram(inside: Iterable[str]) -> bool:
    """Return whether functions read a histogram; the name of a native one has no suffix of its own."""
    return any(name.startswith("histogram_") for name in inside)


def _any(patterns: list[dict[str, str]]) -> re.Pattern[str]:
    return re.compile("|".join(one["name"] for one in patterns))
