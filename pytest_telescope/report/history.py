"""The history that reports carry from run to run: one JSON line a run, as Allure writes it, with what tells runs apart.

A point is Allure's own (statuses, durations, metrics) plus `telescope`: the runs it is of, their cells, and the
fingerprint behind each metric. The same run made into a report again replaces its point.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError

LIMIT = 30
"""Points that are kept of every cell; Allure embeds them all in the report."""
LOCK_SECONDS = 60.0
_MEND = "delete the line, or name another file by --history"

Point = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a report is of."""

    runs: tuple[str, ...]
    cells: tuple[str, ...]
    started: float
    """Unix seconds."""
    fingerprints: Mapping[str, str | None] = field(default_factory=dict)
    """Metric key -> fingerprint of its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """The points that may stand beside a report, oldest first."""

    points: tuple[Point, ...]
    broken: int
    """Values left out of them because they were measured under another fingerprint, or nobody knows under which."""

    def baseline(self) -> dict[str, float]:
        """Return the newest value of every metric."""
        return {key: value for point in self.points for key, value in point.get("metrics", {}).items()}


def read(file: Path) -> list[Point]:
    """Return the points of `file`, oldest first; a file that is not there has none.

    Raises:
        UsageError: A line is no point of a history.
    """
    if not file.exists():
        return []
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not text ({error.reason}): name another file by --history") from error
    return [_point(line, f"{file}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def comparable(points: Iterable[Point], identity: Identity) -> Comparable:
    """Return what of `points` may stand beside a report of `identity`: earlier runs that share a cell with it.

    A number that was measured under another fingerprint, or under one that nobody knows, is taken out of its point: the
    status of an item may be compared over such a break, its numbers may not.
    """
    kept: list[Point] = []
    broken = 0
    for point in points:
        if _is_earlier(point, identity) and _shares(point, identity.cells):
            metrics = {key: value for key, value in point["metrics"].items() if _is_same(point, key, identity)}
            broken += sum(key in identity.fingerprints and key not in metrics for key in point["metrics"])
            kept.append({**point, "metrics": metrics})
    return Comparable(points=tuple(kept), broken=broken)


def write(file: Path, points: Iterable[Point]) -> None:
    """Make `file` hold `points`, at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    partial.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    partial.replace(file)


def remember(file: Path, made: Point, identity: Identity, limit: int = LIMIT) -> int:
    """Put the point of a report into `file` and return how many are there now.

    It replaces points of the same runs, and goes where its run began; beyond `limit` points of a cell the oldest go.

    Raises:
        UsageError: `file` is no history, or another process holds it for `LOCK_SECONDS`.
    """
    mine = {**made, "timestamp": round(identity.started * 1000), "telescope": asdict(identity)}
    with _locked(file):
        others = [point for point in read(file) if not set(_about(point, "runs")) & set(identity.runs)]
        points = pruned(sorted([*others, mine], key=lambda point: float(point["timestamp"])), limit)
        write(file, points)
    return len(points)


def pruned(points: Sequence[Point], limit: int) -> list[Point]:
    """Return the points without those of which every cell has `limit` newer ones."""
    seen: Counter[str] = Counter()
    kept: list[Point] = []
    for point in reversed(points):
        cells = _about(point, "cells") or [""]
        if any(seen[cell] < limit for cell in cells):
            kept.append(point)
        seen.update(cells)
    return kept[::-1]


def _point(line: str, where: str) -> Point:
    try:
        point = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON ({error}): {_MEND}") from error
    if not _is_point(point):
        raise UsageError(
            f"{where}: no point of a report's history (expected an object with timestamp and testResults): {_MEND}"
        )
    return {**point, "metrics": point.get("metrics") or {}}


def _is_point(point: Any) -> bool:
    """Return whether all that is read of a point is what it should be."""
    if not isinstance(point, dict) or not isinstance(point.get("testResults"), dict):
        return False
    metrics, about = point.get("metrics") or {}, point.get("telescope") or {}
    if not isinstance(metrics, dict) or not isinstance(about, dict):
        return False
    numbers = [point.get("timestamp"), *metrics.values()]
    lists = [about.get("runs") or [], about.get("cells") or []]
    return (
        all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in numbers)
        and all(isinstance(one, list) for one in lists)
        and isinstance(about.get("fingerprints") or {}, dict)
    )


def _about(point: Point, name: str) -> Any:
    """Return what the point says of itself; nothing where Allure alone wrote it."""
    return (point.get("telescope") or {}).get(name) or []


def _is_earlier(point: Point, identity: Identity) -> bool:
    return point["timestamp"] < identity.started * 1000 and not set(_about(point, "runs")) & set(identity.runs)


def _shares(point: Point, cells: Collection[str]) -> bool:
    own = _about(point, "cells")
    return not own or bool(set(own) & set(cells))


def _is_same(point: Point, key: str, identity: Identity) -> bool:
    then: Mapping[str, str | None] = _about(point, "fingerprints") or {}
    now = identity.fingerprints.get(key)
    return now is not None and then.get(key) == now


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    from filelock import FileLock
    from filelock import Timeout

    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(file.with_name(f".{file.name}.lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise UsageError(
            f"{file}: another process has held it for {LOCK_SECONDS:.0f} s: end it and try again"
        ) from error
