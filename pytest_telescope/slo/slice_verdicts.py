"""From judged slices to one element: how many of them keep the bound; pure but for what is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace

from pytest_telescope.slo.buckets import Buckets
from pytest_telescope.slo.buckets import Key
from pytest_telescope.slo.buckets import total_of
from pytest_telescope.slo.elements import POOLED
from pytest_telescope.slo.elements import badness
from pytest_telescope.slo.elements import judge_histogram
from pytest_telescope.slo.elements import labels_of
from pytest_telescope.slo.elements import worst_first
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.slices import Cut
from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import lasting

FEWEST = 3
"""Judged slices of which a share says something; of a peak one is enough: the worst of one is the worst."""
LEAST_SEEN = 0.5
"""Share of the observations that must lie in judged slices: what idle ones hold is not judged."""

Parts = Mapping[Key, Mapping[int, Buckets]]
"""Histograms of each label set by the end of their slice in unix milliseconds."""
Judged = Mapping[int, Element]
"""Slices of one label set, each judged as a window of its own, by their end in unix milliseconds."""


def judge_histograms(slo: Slo, cut: Cut, parts: Parts, whole: Mapping[Key, Buckets]) -> list[Element]:
    """Judge each label set's slices; `whole` holds what the whole window counted."""
    alive = [key for key, one in whole.items() if one.broken() or one.total > 0]
    if not alive:
        raise InvalidError(f"no observations of {' and '.join(slo.metrics)} in the window")
    by_key = {key: parts.get(key, {}) for key in alive}
    members = _sparse(slo, cut.slices, by_key)
    merged = {
        key: by_key[some[0]] if len(some) == 1 else _merged([by_key[one] for one in some])
        for key, some in members.items()
    }
    judged = {
        key: {end: judge_histogram(slo, key, one) for end, one in found.items() if one.broken() or one.total > 0}
        for key, found in merged.items()
    }
    counts = {key: sum(whole[one].total for one in some) for key, some in members.items()}
    return judge_slices(slo, cut, judged, counts)


def judge_slices(slo: Slo, cut: Cut, judged: Mapping[Key, Judged], counts: Mapping[Key, float]) -> list[Element]:
    """Make one element of each label set's slices; tells where the worst slice of the worst one is.

    Args:
        slo: what is judged.
        cut: the window's slices; those that `judged` does not hold were idle.
        judged: slices that hold anything.
        counts: observations of the whole window.
    """
    elements = {key: _element(slo, cut, key, found, counts.get(key)) for key, found in judged.items()}
    worst = worst_first(elements.values(), slo)[0]
    _tell(slo, cut, _live(slo, next(judged[key] for key, element in elements.items() if element is worst)))
    return list(elements.values())


def _tell(slo: Slo, cut: Cut, live: Judged) -> None:
    told = [f"{len(cut.ends)} of {cut.length} every {lasting(cut.slices.step)}"]
    if idle := len(cut.ends) - len(live):
        told.append(f"{idle} idle ({_lacking(slo)})")
    if live:
        cut.desk.worst_slice = max(live, key=lambda end: _order(slo, live[end])) / 1000
        told.append(f"the worst ends at {clock(cut.desk.worst_slice)}")
    cut.desk.notes["slices"] = ", ".join(told)


def _lacking(slo: Slo) -> str:
    return f"fewer than {slo.min_count} observations" if slo.form in {"histogram", "ratio"} else "no number"


def _element(slo: Slo, cut: Cut, key: Key, judged: Judged, count: float | None) -> Element:
    live = _live(slo, judged)
    base = Element(labels=labels_of(slo, key), verdict=Verdict.INVALID, value=None, count=count, slices=len(live))
    for end, one in live.items():
        if one.verdict is Verdict.INVALID:
            return replace(base, message=f"the slice that ends at {clock(end / 1000)}: {one.message}")
    if few := _too_few(slo, cut, judged, live):
        return replace(base, message=few)
    ordered = sorted(live.values(), key=lambda one: _order(slo, one))
    kept = ordered[max(0, math.ceil(cut.slices.good * len(ordered) - 1e-9) - 1)]
    good = sum(one.verdict is Verdict.PASS for one in ordered) / len(ordered)
    return replace(base, verdict=kept.verdict, value=kept.value, bucket=kept.bucket, good=good)


def _too_few(slo: Slo, cut: Cut, judged: Judged, live: Judged) -> str:
    """Say why too little was judged, nothing where it was enough."""
    if len(live) < (least := _least(cut.slices)):
        many = f"{len(live)} of {len(cut.ends)} slices of {cut.length}"
        return f"too few samples: {many} can be judged, at least {least} must (the others: {_lacking(slo)})"
    every, seen = (sum(one.count or 0.0 for one in some.values()) for some in (judged, live))
    if every and seen < LEAST_SEEN * every:
        share = humanly(seen / every, "ratio")
        return f"only {share} of the observations lie in slices of at least {slo.min_count}: take longer slices"
    return ""


def _least(slices: Slices) -> int:
    return 1 if slices.mode == "peak" else FEWEST


def _order(slo: Slo, element: Element) -> tuple[bool, float]:
    """Sort from best to worst."""
    bad = math.inf if element.value is None else badness(slo, element.value)
    return element.verdict is not Verdict.PASS, bad


def _live(slo: Slo, judged: Judged) -> Judged:
    """Return the slices that hold enough to be judged; one whose counts make no sense is not idle."""
    return {end: one for end, one in judged.items() if one.count is None or one.count >= slo.min_count}


def _sparse(slo: Slo, slices: Slices, by_key: Mapping[Key, Mapping[int, Buckets]]) -> dict[Key, tuple[Key, ...]]:
    """Apply `sparse` to label sets without enough slices to judge; returns of what each element is made."""
    alone: dict[Key, tuple[Key, ...]] = {key: (key,) for key in by_key}
    thin = tuple(key for key, found in by_key.items() if _full(slo, found) < _least(slices))
    thick: dict[Key, tuple[Key, ...]] = {key: (key,) for key in by_key if key not in thin}
    if not thin or slo.sparse in {None, "fail"}:
        return alone
    if slo.sparse == "skip":
        return thick or alone
    enough = _full(slo, _merged([by_key[key] for key in thin])) >= _least(slices)
    return {**thick, (POOLED,) * max(1, len(slo.by)): thin if enough else tuple(by_key)}


def _full(slo: Slo, found: Mapping[int, Buckets]) -> int:
    return sum(1 for one in found.values() if one.broken() or one.total >= slo.min_count)


def _merged(parts: Iterable[Mapping[int, Buckets]]) -> dict[int, Buckets]:
    found: dict[int, list[Buckets]] = {}
    for part in parts:
        for end, one in part.items():
            found.setdefault(end, []).append(one)
    return {end: total_of(some) for end, some in found.items()}
