"""PerfData, the shape of most of CL2's summary files, to samples; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.load.clusterloader2.model import Sample
from pytest_telescope.load.clusterloader2.summary_kinds import Base
from pytest_telescope.load.clusterloader2.summary_kinds import Kind
from pytest_telescope.load.clusterloader2.summary_kinds import kinds
from pytest_telescope.load.clusterloader2.summary_numbers import checked
from pytest_telescope.load.clusterloader2.summary_numbers import converted
from pytest_telescope.load.clusterloader2.summary_numbers import number_text

METRIC = "Metric"
"""The label that names the metric of an item."""

_STAT = re.compile(r"Perc\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of `dataItems`.

    Attributes:
        metric: what the keys of `data` are stats of; empty where they are metrics themselves.
        data: numbers that are not checked yet.
        labels: all of them.
        kept: labels of the samples.
    """

    summary: str
    kind: Kind
    metric: str
    data: Mapping[str, Any]
    base: Base
    labels: Mapping[str, str]
    kept: Mapping[str, str]


def perf_data(summary: str, kind: Kind, content: Any) -> Iterator[Sample | str]:
    """Yield a sample for each number, and a line for each thing that is wrong."""
    items = content.get("dataItems") if isinstance(content, dict) else None
    if not isinstance(content, dict) or "dataItems" not in content:
        yield "dataItems is missing"
    elif not isinstance(items, list):
        yield f"dataItems is {'null' if items is None else 'not a list'}"
    elif not items:
        yield "dataItems is empty"
    else:
        for index, item in enumerate(items):
            yield from data_item(summary, kind, item, f"dataItems[{index}]")


def data_item(summary: str, kind: Kind, content: Any, where: str = "the file") -> Iterator[Sample | str]:
    """Yield the samples of one item, and a line for each thing that is wrong with it."""
    problem = _problem(content)
    if problem:
        yield f"{where}{problem}"
        return
    item = _item(summary, kind, content)
    yield from _samples(item)
    yield from _counts(item)


def _item(summary: str, kind: Kind, content: Mapping[str, Any]) -> Item:
    labels: Mapping[str, str] = content.get("labels") or {}
    stats = kind.keys == "stats" or (kind.keys == "" and _has_stats(content["data"], labels))
    dropped = {*kind.counts, METRIC} if stats else kind.counts
    return Item(
        summary=summary,
        kind=kind,
        metric=(labels.get(METRIC) or kind.metric or summary) if stats else "",
        data=content["data"],
        base=kinds().base(kind, content["unit"]),
        labels=labels,
        kept={name: text for name, text in labels.items() if name not in dropped},
    )


def _has_stats(data: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return METRIC in labels or all(_STAT.fullmatch(key) for key in data)


def _problem(content: Any) -> str:
    if not isinstance(content, dict):
        return " is not an object"
    if not isinstance(content.get("data"), dict):
        return f".data is {'no object' if content.get('data') is not None else 'missing or null'}"
    if not content["data"]:
        return ".data is empty"
    if not isinstance(content.get("unit"), str):
        return ".unit is not text"
    labels = content.get("labels")
    if labels is None or (isinstance(labels, dict) and all(isinstance(text, str) for text in labels.values())):
        return ""
    return ".labels is not an object of texts"


def _samples(item: Item) -> Iterator[Sample | str]:
    for key, value in item.data.items():
        metric, stat = (item.metric, key) if item.metric else (key, "value")
        try:
            number = converted(checked(value), item.base, negative=item.kind.signed)
        except ValueError as error:
            yield f"{stat} of {metric} {error}"
        else:
            yield _sample(item, metric, stat, number, item.base.unit)


def _counts(item: Item) -> Iterator[Sample | str]:
    for label in sorted(item.kind.counts & item.labels.keys()):
        try:
            number = converted(number_text(item.labels[label]), Base("count"))
        except ValueError as error:
            yield f"label {label} {error}"
        else:
            yield _sample(item, label, "value", number, "count")


def _sample(item: Item, metric: str, stat: str, value: float, unit: str) -> Sample:
    return Sample(summary=item.summary, metric=metric, stat=stat, value=value, unit=unit, labels=item.kept)
