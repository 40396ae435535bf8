"""What Prometheus' HTTP API answers, read: vectors, matrices, targets, errors."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.model import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One scrape target as Prometheus sees it; `last_scrape` in unix seconds, 0.0 before the first one."""

    job: str
    instance: str
    up: bool
    last_scrape: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One element of a range vector: raw (unix seconds, value) pairs in order of time."""

    labels: Mapping[str, str]
    values: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeAnswer:
    """Prometheus' whole answer to one range query: values by step, nothing dropped."""

    query: str
    series: tuple[Samples, ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


def body(status: int, content: bytes, where: str, about: str) -> dict[str, Any]:
    """Return the document of a successful answer; `where` and `about` name the question.

    Raises:
        MetricsError: Prometheus says that it failed, or what came is no answer of it.
    """
    from pydantic_core import from_json  # lazy; reads bytes as they are, where json would make a text of them first

    try:
        found: Any = from_json(content)
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("status") == "success":
        return found
    said = found.get("error") if isinstance(found, dict) else None
    text = content[:1200].decode(errors="replace").strip()
    raise MetricsError(f"{where} answered HTTP {status}: {said or text[:300] or 'nothing'}{about}")


def matrix(data: Mapping[str, Any], promql: str) -> tuple[Samples, ...]:
    """Return a range vector's elements.

    Raises:
        MetricsError: it is none, or holds native histograms.
    """
    if data["resultType"] != "matrix":
        raise MetricsError(f"expected a range vector of {promql}, Prometheus answered a {data['resultType']}")
    if any("histograms" in row for row in data["result"]):
        raise MetricsError(f"the answer holds native histograms, which have no single value (query: {promql})")
    return tuple(_samples(row) for row in _each(data["result"]))


def _each(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows and let go of each, so that a large answer is not held twice."""
    for number, row in enumerate(rows):
        rows[number] = {}
        yield row


def _samples(row: Mapping[str, Any]) -> Samples:
    known: dict[str, float] = {}  # equal values are one object: `up` is the same number thousands of times
    values = [(float(when), known.setdefault(value, float(value))) for when, value in row["values"]]
    return Samples(labels=row["metric"], values=tuple(values))


def vector(data: Mapping[str, Any], promql: str) -> tuple[Series, ...]:
    """Return an instant vector's elements; a scalar is one without labels.

    Raises:
        MetricsError: it is neither, or holds native histograms.
    """
    kind = data["resultType"]
    if kind == "scalar":
        return (Series(labels={}, value=float(data["result"][1])),)
    if kind != "vector":
        raise MetricsError(f"expected an instant vector or a scalar, got a {kind} (query: {promql})")
    if any("value" not in row for row in data["result"]):
        raise MetricsError(f"the answer holds native histograms, which have no single value (query: {promql})")
    return tuple([Series(labels=row["metric"], value=float(row["value"][1])) for row in _each(data["result"])])


def target(row: Mapping[str, Any]) -> Target:
    """Read one row of `/api/v1/targets`."""
    labels = row["labels"]
    return Target(
        job=labels.get("job", ""),
        instance=labels.get("instance", ""),
        up=row["health"] == "up",
        last_scrape=unix(row["lastScrape"]),
        error=row.get("lastError", ""),
    )


def unix(stamp: str) -> float:
    """Read RFC 3339 with nanoseconds; Go's zero time (year 1) is 0.0."""
    if stamp.startswith("0001-"):
        return 0.0
    head, _, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] or "Z"
    whole = head if digits else head.rstrip("Z")
    base = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")) if digits else _no_fraction(stamp)
    return base.timestamp() + (float(f"0.{digits}") if digits else 0.0)


def _no_fraction(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))
