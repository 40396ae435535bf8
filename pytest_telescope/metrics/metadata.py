"""What kind each metric says it is: Prometheus' metadata, kept beside a recording.

A suffix does not tell a gauge from a counter; the exposition does. Prometheus answers only for targets that it scrapes
at the moment, so it is asked while the cluster is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import answers
from pytest_telescope.metrics.client import connect
from pytest_telescope.metrics.model import Endpoint

FILE = "metadata.json"
SCHEMA = 1
TIMEOUT = (5.0, 60.0)
_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_PARTS = ("_bucket", "_count", "_sum", "_total", "_created")


def types(path: Path) -> Mapping[str, str]:
    """Return metric -> `counter`, `gauge`, `histogram`, `summary` ... of a recording.

    Metrics of unknown type, and those of which targets disagree, are not in it; nor is anything in a recording that
    was made before this was kept. Names are as exposed: a histogram's own, without `_bucket`; see `type_of`.

    Raises:
        MetricsError: the file is there and cannot be read.
    """
    file = path / FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): str(kind) for name, kind in document["types"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MetricsError(f"{file} cannot be read as metadata of schema {SCHEMA}: {error!r}") from error


def type_of(series: str, known: Mapping[str, str]) -> str | None:
    """Return the type of a series' name; the parts of a histogram or summary are `counter`, unknown is None.

    OpenMetrics calls a counter without its `_total`, the text format with it.
    """
    if series in known:
        return known[series]
    for part in _PARTS:
        kind = known.get(series.removesuffix(part)) if series.endswith(part) else None
        if kind is not None:
            return "gauge" if kind == "gaugehistogram" or part == "_created" else "counter"
    return None


def fetch(endpoint: Endpoint) -> dict[str, str]:
    """Ask Prometheus for the types of all metrics that it scrapes now.

    Raises:
        MetricsError: it did not answer.
    """
    import requests

    url = f"{endpoint.url.rstrip('/')}/api/v1/metadata"
    try:
        with connect(endpoint) as session:
            reply = session.get(url, timeout=TIMEOUT)
            status, content = reply.status_code, reply.content
    except requests.RequestException as error:
        raise MetricsError(f"{url} cannot be read: {error}") from error
    data: Mapping[str, list[dict[str, Any]]] = answers.body(status, content, url, "")["data"]
    return agreed((name, str(row.get("type", ""))) for name, rows in data.items() for row in rows)


def agreed(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the types that are known and the same wherever the metric is."""
    kinds: dict[str, set[str]] = {}
    for name, kind in found:
        kinds.setdefault(name, set()).add(kind)
    known = {name: kind - {"", "unknown", "untyped"} for name, kind in kinds.items()}
    return {name: next(iter(kind)) for name, kind in sorted(known.items()) if len(kind) == 1}


def of_text(openmetrics: str) -> dict[str, str]:
    """Return the types that a text declares."""
    return agreed(_TYPE.findall(openmetrics))


def save(path: Path, found: Mapping[str, str]) -> None:
    """Write `metadata.json` into a recording's folder."""
    text = json.dumps({"schema": SCHEMA, "types": dict(sorted(found.items()))}, indent=1) + "\n"
    (path / FILE).write_text(text, encoding="utf-8")
