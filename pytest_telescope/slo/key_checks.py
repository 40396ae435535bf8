"""What is wrong with the keys of an SLO beside each other, and with the PromQL in them."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from pytest_telescope.slo import kinds
from pytest_telescope.slo import lint_labels
from pytest_telescope.slo import linting
from pytest_telescope.slo import versions
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Form
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.promql import is_selector
from pytest_telescope.slo.promql import parse
from pytest_telescope.slo.promql import split
from pytest_telescope.slo.windows import slice_mistakes

MIN_COUNTS = ((50.0, 20), (90.0, 100), (99.0, 300), (100.0, 3000))
"""Up to percentile -> fewest observations. With n of them the chance that none is above the true p99 is 0.99^n."""
FORMS: Mapping[Form, tuple[str, ...]] = {
    "histogram": ("histogram",),
    "ratio": ("bad", "total"),
    "counter": ("counter",),
    "query": ("query",),
}
_ONLY: Mapping[str, tuple[Form, ...]] = {
    "p": ("histogram",),
    "sparse": ("histogram",),
    "where": ("histogram", "ratio", "counter"),
    "min_count": ("histogram", "ratio"),
    "absent": ("ratio", "counter", "query"),
}
_MAY_BE_ABSENT: Mapping[Form, str] = {"ratio": "bad", "counter": "counter", "query": "query"}

Wrong = Iterator[tuple[str, str]]
"""Keys with what is wrong with them."""


def mistakes_of(keys: Mapping[str, Any], form: Form, bound: Bound | None, slices: Slices | None) -> Wrong:
    """Yield (key, what is wrong with it); `bound` and `slices` are None where they could not be read."""
    yield from _keys(keys, form)
    yield from _texts(keys, form)
    yield from _query(keys, bound, slices)


def metrics_of(keys: Mapping[str, Any], form: Form) -> tuple[str, ...]:
    """Return the names of the metrics, without matchers; none for a query."""
    if form == "histogram":
        name = keys["histogram"]
        return (name,) if isinstance(name, str) else tuple(name)
    return () if form == "query" else tuple(split(keys[key])[0] for key in FORMS[form])


def least(p: float) -> int:
    """Return the fewest observations that say anything about a percentile."""
    return next(count for upto, count in MIN_COUNTS if p <= upto)


def _keys(keys: Mapping[str, Any], form: Form) -> Wrong:
    """Check what the keys say of each other."""
    for key, forms in _ONLY.items():
        if key in keys and form not in forms:
            yield key, f"{key} means nothing beside {form}"
    if form == "histogram":
        yield from _percentile(keys)
    by = tuple(keys.get("by", ()))
    if len(set(by)) < len(by) or "le" in by:
        yield "by", f"by: [{', '.join(by)}] has a label twice, or le"
    if stray := [label for label in keys.get("expect", {}) if label not in by]:
        yield "expect", f"expect: {', '.join(stray)} is not in by"
    if "quorum" in keys and not by:
        yield "quorum", "quorum means nothing without by: there is one element, and it keeps the bound or not"
    yield from (("trust", f"trust: {text}") for text in versions.mistakes(keys.get("trust", {})))
    yield from _absent(keys, form)


def _percentile(keys: Mapping[str, Any]) -> Wrong:
    if "p" not in keys:
        yield "p", "a histogram needs p, e.g. p: 99"
        return
    fewest = least(keys["p"])
    if keys["p"] >= 99 and keys.get("min_count", fewest) < fewest:
        yield "min_count", f"min_count: {keys['min_count']} is too few for p{keys['p']:g}: it needs {fewest}"


def _absent(keys: Mapping[str, Any], form: Form) -> Wrong:
    allowed = _MAY_BE_ABSENT.get(form)
    if any(allowed and key != allowed for key in keys.get("absent", {})):
        yield "absent", f"absent: only {allowed} can be absent"
    if form in {"query", "counter"} and keys.get("absent") and not keys.get("job"):
        yield "absent", "absent: needs job, whose scraped targets witness the zero"


def _texts(keys: Mapping[str, Any], form: Form) -> Wrong:
    """Check the names and label matchers of all forms but query."""
    if form != "query":
        yield from _selectors(keys, form)
        yield from _names(form, metrics_of(keys, form))
    if "quantile" in keys.get("by", ()):
        yield "by", f"by: {next(lint_labels.summaries())}"


def _selectors(keys: Mapping[str, Any], form: Form) -> Wrong:
    texts = {"where": f"x{{{keys['where']}}}"} if keys.get("where") else {}
    texts.update({} if form == "histogram" else {key: keys[key] for key in FORMS[form]})
    for key, text in texts.items():
        found = linting.matcher_mistakes(text)
        yield from ((key, f"{key}: {wrong}") for wrong in found)
        if not found and not is_selector(text):
            yield key, f"{key}: {text} is not one metric: write its name and label matchers, or the form query"


def _names(form: Form, metrics: tuple[str, ...]) -> Wrong:
    keys = FORMS[form] if form != "histogram" else FORMS[form] * len(metrics)
    for key, metric in zip(keys, metrics, strict=True):
        kind = kinds.kind_of(metric)
        if form == "histogram" and kind == "cumulative":
            yield key, f"{key}: {metric} is one series of a histogram: write its name without _bucket, _count or _sum"
        if form != "histogram" and kind == "gauge":
            yield key, f"{key}: {metric} is a gauge, which does not count: write the form query, e.g. max_over_time"


def _query(keys: Mapping[str, Any], bound: Bound | None, slices: Slices | None) -> Wrong:
    """Check a raw query; it needs to be one."""
    if "query" not in keys:
        return
    query: str = keys["query"]
    yield from (("query", f"query: {text}") for text in linting.mistakes(query))
    if isinstance(parse(query), str):
        return
    yield from (("query", f"query: {text}") for text in (slice_mistakes(query, slices) if slices else ()))
    yield from _labels(query, tuple(keys.get("by", ())))
    if bound is not None:
        yield from _whole_numbers(query, bound)


def _labels(query: str, by: tuple[str, ...]) -> Wrong:
    labels = linting.labels_of(query)
    if labels is not None and set(labels) != set(by):
        has = f"by ({', '.join(labels)})" if labels else "no labels"
        yield "by" if by else "query", f"by: [{', '.join(by)}], but the query answers with {has}: write one in both"


def _whole_numbers(query: str, bound: Bound) -> Wrong:
    """Check that no rate is asked for what only a count can tell."""
    nothing = bound.operator in {"max", "equals"} and bound.values[0] == 0
    if (nothing or bound.operator == "equals") and (names := linting.rates(query)):
        yield (
            bound.operator,
            f"{bound.operator}: {bound.text} of a rate or increase: it is extrapolated, and misses what a series "
            f"counted before its first scrape; write the form counter: {names[0]}",
        )
