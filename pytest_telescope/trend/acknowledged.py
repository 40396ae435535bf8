"""trend.acks.yaml: changes that are known, so that they are not red for ever."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_telescope.errors import UsageError
from pytest_telescope.trend.model import Change
from pytest_telescope.trend.model import Series
from pytest_telescope.trend.model import Trend

KEYS = ("cell", "metric", "run", "reason")
NEAR = 3
"""Runs by which a change may be off the run that is named: more runs place it better."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A change of some cells' metrics (patterns) at a run, and why it is fine."""

    cell: str
    metric: str
    run: str
    reason: str


def read(file: Path) -> list[Acknowledgement]:
    """Return the acknowledgements of a file.

    Raises:
        UsageError: it cannot be read, or an entry is not `cell`, `metric`, `run` and `reason`, each a text.
    """
    import yaml

    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{file}: cannot be read: {error}") from error
    if document is None:
        return []
    if not isinstance(document, list):
        raise UsageError(f"{file}: a list is expected, each entry with {', '.join(KEYS)}")
    return [_entry(file, number, entry) for number, entry in enumerate(document, start=1)]


def _entry(file: Path, number: int, entry: object) -> Acknowledgement:
    wrong = list(_mistakes(entry))
    if wrong or not isinstance(entry, dict):
        raise UsageError(f"{file}: entry {number}: {', '.join(wrong)}; expected {', '.join(KEYS)}, each a text")
    return Acknowledgement(*(entry[key] for key in KEYS))


def _mistakes(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"found {entry!r}"
        return
    yield from (f"unknown key {key!r}" for key in entry if key not in KEYS)
    yield from (f"{key!r} is missing" for key in KEYS if key not in entry)
    yield from (f"{key!r} is {entry[key]!r}" for key in KEYS if key in entry and not isinstance(entry[key], str))


def reason(known: Sequence[Acknowledgement], series: Series, change: Change) -> str | None:
    """Return why a change is fine, None if nobody said so."""
    return next((one.reason for one in known if _fits(one, series) and _is_near(one.run, series, change)), None)


def unused(known: Sequence[Acknowledgement], trends: Sequence[Trend]) -> list[Acknowledgement]:
    """Return the acknowledgements that meet no change: it is not there any more, or never was."""
    return [one for one in known if not any(_meets(one, trend) for trend in trends)]


def _meets(known: Acknowledgement, trend: Trend) -> bool:
    return _fits(known, trend.series) and any(_is_near(known.run, trend.series, one) for one in trend.changes)


def _fits(known: Acknowledgement, series: Series) -> bool:
    return fnmatchcase(series.cell, known.cell) and fnmatchcase(series.metric, known.metric)


def _is_near(run: str, series: Series, change: Change) -> bool:
    start, end = max(0, change.index - NEAR), change.index + NEAR + 1
    return any(point.run == run for point in series.points[start:end])
