"""The bound of an SLO: chosen for the provider, read in the unit of what is measured, moved to a bucket."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import PROVIDERS
from pytest_telescope.scenario.units import KINDS
from pytest_telescope.slo import library
from pytest_telescope.slo.bounds import OPERATORS
from pytest_telescope.slo.bounds import read_bound
from pytest_telescope.slo.bounds import snap
from pytest_telescope.slo.bounds import unit_of
from pytest_telescope.slo.draft import Draft
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Form
from pytest_telescope.slo.model import Operator


def bound_of(draft: Draft, form: Form, metrics: tuple[str, ...]) -> Bound | None:
    """Return the bound of a draft, None where it is wrong, which is then noted in the draft."""
    used = [key for key in OPERATORS if key in draft.keys]
    if len(used) != 1:
        said = f"exactly one bound of {', '.join(OPERATORS)}; found {' and '.join(used) or 'none'}"
        draft.wrong(used[1] if used else "", said)
        return None
    operator: Operator = used[0]
    try:
        unit, of = _unit(draft, form, metrics)
    except UsageError as error:
        key = "unit" if "unit" in draft.keys else form
        draft.wrong(key, f"{key}: {error}")
        return None
    try:
        bound = read_bound(operator, _for_provider(draft, draft.keys[operator]), unit, of)
        return _snapped(draft, bound, metrics[0]) if form == "histogram" else bound
    except UsageError as error:
        draft.wrong(operator, f"{operator}: {error}")
        return None


def _for_provider(draft: Draft, written: Any) -> Any:
    """Return the bound for this provider where it is written as a mapping."""
    if not isinstance(written, Mapping):
        return written
    known = ("default", *PROVIDERS)
    for name in written:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            raise UsageError(f"unknown provider {name!r}: {f'did you mean {near[0]}?' if near else ', '.join(known)}")
    if draft.provider not in written and "default" not in written:
        raise UsageError(f"no bound for {draft.provider}: add default: or {draft.provider}:")
    return written.get(draft.provider, written.get("default"))


def _unit(draft: Draft, form: Form, metrics: tuple[str, ...]) -> tuple[str, str]:
    """Return the base unit and what it is the unit of."""
    said = draft.keys.get("unit")
    if said is not None and said not in KINDS:
        raise UsageError(f"unknown unit {said!r}: known are {', '.join(KINDS)}")
    if form == "ratio":
        return "ratio", "a ratio of bad to total"
    if form == "query":
        if said is None:
            raise UsageError(f"a query needs unit: one of {', '.join(KINDS)}")
        return said, f"unit {said}"
    return _unit_of_name(metrics[0], said, form)


def _unit_of_name(metric: str, said: str | None, form: Form) -> tuple[str, str]:
    observations = form == "counter" and metric.endswith(("_count", "_bucket"))
    fixed = "count" if observations else unit_of(metric)
    if fixed and said and fixed != said:
        raise UsageError(f"unit {said}, but the name {metric} says {fixed}")
    unit = fixed or said or ("count" if form == "counter" else None)
    if unit is None:
        raise UsageError(f"the name {metric} does not say its unit: add unit: one of {', '.join(KINDS)}")
    return unit, f"{'counter' if form == 'counter' else 'metric'} {metric}"


def _snapped(draft: Draft, bound: Bound, metric: str) -> Bound:
    if bound.operator != "max":
        raise UsageError("a histogram takes max: the share of observations up to it is compared with p")
    known = draft.entry.buckets_of(draft.version) if draft.entry else library.known_buckets(metric, draft.version)
    return snap(bound, known, metric) if known else bound
