"""What is wrong with the keys of one SLO, all of it, each with the place of its key."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import TypeVar

from pytest_telescope.errors import UsageError
from pytest_telescope.slo.draft import Draft
from pytest_telescope.slo.key_checks import FORMS
from pytest_telescope.slo.key_checks import least
from pytest_telescope.slo.key_checks import metrics_of
from pytest_telescope.slo.key_checks import mistakes_of
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Form
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.thresholds import bound_of
from pytest_telescope.slo.windows import read_quorum
from pytest_telescope.slo.windows import read_window

MIN_TOTAL = 20
"""Fewest events that a ratio is made of, unless it says otherwise."""
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the keys of a sound draft say."""

    form: Form
    bound: Bound
    metrics: tuple[str, ...]
    slices: Slices | None
    quorum: float


def checked(draft: Draft) -> Checked | None:
    """Read a draft; None where it is wrong, which is then noted in it."""
    if not draft.id:
        draft.wrong("", "has no id: write id:, or use: an entry of the library")
    form = _form(draft)
    if form is None:
        return None
    metrics = metrics_of(draft.keys, form)
    bound = bound_of(draft, form, metrics)
    slices = _read(draft, "window", read_window, None)
    quorum = _read(draft, "quorum", read_quorum, 1.0)
    for key, text in mistakes_of(draft.keys, form, bound, slices):
        draft.wrong(key, text)
    if bound is None:
        return None
    return Checked(form=form, bound=bound, metrics=metrics, slices=slices, quorum=quorum)


def min_count(keys: Mapping[str, Any], form: Form) -> int:
    """Return the fewest observations that an element is judged by."""
    if "min_count" in keys:
        return int(keys["min_count"])
    return {"histogram": least(keys.get("p", 0)), "ratio": MIN_TOTAL}.get(form, 1)


def _form(draft: Draft) -> Form | None:
    used = [form for form, keys in FORMS.items() if any(key in draft.keys for key in keys)]
    if len(used) != 1:
        what = " and ".join(used) if used else "none"
        draft.wrong(
            next((key for key in FORMS[used[1]] if key in draft.keys), "") if used else "",
            f"one of histogram, bad + total, counter, query says what is measured; found {what}",
        )
        return None
    form = used[0]
    if lacking := [key for key in FORMS[form] if key not in draft.keys]:
        written = next(key for key in FORMS[form] if key in draft.keys)
        draft.wrong(written, f"{', '.join(lacking)} is missing beside {written}")
        return None
    return form


def _read(draft: Draft, key: str, read: Callable[[Any], Value], otherwise: Value) -> Value:
    if key not in draft.keys:
        return otherwise
    try:
        return read(draft.keys[key])
    except UsageError as error:
        draft.wrong(key, f"{key}: {error}")
        return otherwise
