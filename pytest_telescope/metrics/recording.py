"""Recording a window: the cluster's blocks and what the load said, in one folder that can be moved and judged."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import metadata
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.size import NoWayError
from pytest_telescope.metrics.size import TooLargeError
from pytest_telescope.metrics.size import size_limit

FACTS = "recording.json"
SCHEMA = 2
READABLE = (1, 2)
"""Schema 1 knew only whole recordings."""
WHOLE = "whole"
BACKFILL_TIMEOUT = 120.0
SNAPSHOT_TIMEOUT = 120.0
"""Seconds in which Prometheus writes its head as a block."""


def record(
    endpoint: Endpoint,
    window: Window,
    clock_offset: float,
    extra_openmetrics: str,
    destination: Path,
    *,
    clock_drift: float = 0.0,
    wanted: Iterable[str] | None = None,
    limit: int | None = None,
) -> Recording:
    """Bring everything that Prometheus holds, or only what is `wanted`, to `destination`; add `extra_openmetrics`.

    Everything is brought where a snapshot has at most `limit` bytes; the recording says which it is, and why.

    Args:
        endpoint: a Prometheus. For a snapshot its admin API is on, and it has either a data folder that this machine
            can read or `assets`, from which the blocks are fetched.
        window: in Prometheus' time.
        clock_offset: Prometheus' clock minus the controller's, seconds.
        extra_openmetrics: OpenMetrics text with timestamps, ending in `# EOF`; empty for none.
        destination: a folder that does not exist yet or is empty.
        clock_drift: how much the offset changed while the load ran, seconds.
        wanted: PromQL selectors, `metric{matchers}`, of what must be there where a snapshot is too large or cannot be
            fetched; None: then it is an error.
        limit: bytes, by default those of `size.size_limit`.

    Raises:
        MetricsError: no snapshot, it is too large or does not come over whole, the folder is taken, or the text is no
            OpenMetrics.
    """
    _check_free(destination)
    destination.mkdir(parents=True, exist_ok=True)
    with Prometheus(endpoint, timeout=SNAPSHOT_TIMEOUT) as prom:
        version = prom.version()
        selectors, why = _bring(prom, window, destination, wanted, size_limit() if limit is None else limit)
    kinds = _kinds(endpoint)
    if extra_openmetrics.strip():
        backfill(extra_openmetrics, destination)
        kinds = kinds and {**kinds, **metadata.of_text(extra_openmetrics)}
    if kinds:
        metadata.save(destination, kinds)
    recording = Recording(
        path=destination,
        window=window,
        scrape_interval=endpoint.scrape_interval,
        clock_offset=clock_offset,
        clock_drift=clock_drift,
        prometheus_version=version,
        selectors=selectors,
        why=why,
    )
    save(recording)
    return recording


def save(recording: Recording) -> None:
    """Write `recording.json` beside the blocks; the folder's own path is not part of it."""
    facts = {"schema": SCHEMA, **asdict(recording)}
    del facts["path"]
    facts["selectors"] = WHOLE if recording.selectors is None else list(recording.selectors)
    (recording.path / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> Recording:
    """Read a recording back from its folder, wherever that was moved to.

    Raises:
        MetricsError: there is no readable `recording.json`, or it is of another schema.
    """
    file = path / FACTS
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        return _from_facts(path, facts)
    except FileNotFoundError as error:
        raise MetricsError(f"{path} is no recording: {FACTS} is not there") from error
    except (ValueError, KeyError, TypeError) as error:
        raise MetricsError(f"{file} cannot be read as a recording of schema {SCHEMA}: {error!r}") from error


def backfill(openmetrics: str, destination: Path) -> None:
    """Write OpenMetrics text with timestamps as Prometheus blocks into `destination`.

    Raises:
        MetricsError: the text is no OpenMetrics; promtool's own words are in the message.
        ToolError: promtool cannot be had.
    """
    from pytest_telescope.toolchain import tool

    with tempfile.TemporaryDirectory(prefix="telescope-backfill-") as scratch:
        source = Path(scratch, "extra.om")
        source.write_text(openmetrics, encoding="utf-8")
        command = [str(tool("promtool")), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        done = subprocess.run(
            [*command, str(source), str(destination)],
            capture_output=True,
            text=True,
            timeout=BACKFILL_TIMEOUT,
            check=False,
        )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise MetricsError(f"promtool refused the load's own series (exit {done.returncode}): {said}")


def blocks(path: Path) -> list[Path]:
    """Return the block folders of `path`, sorted by name (which is by time of creation)."""
    return sorted(found.parent for found in path.glob("*/meta.json"))


def _from_facts(path: Path, facts: Mapping[str, Any]) -> Recording:
    if facts["schema"] not in READABLE:
        raise ValueError(f"schema is {facts['schema']}")
    window = facts["window"]
    steps = {name: (float(start), float(end)) for name, (start, end) in window["steps"].items()}
    selectors = facts["selectors"] if facts["schema"] > 1 else WHOLE
    return Recording(
        path=path,
        window=Window(start=float(window["start"]), end=float(window["end"]), steps=steps),
        scrape_interval=float(facts["scrape_interval"]),
        clock_offset=float(facts["clock_offset"]),
        clock_drift=float(facts["clock_drift"]),
        prometheus_version=str(facts["prometheus_version"]),
        selectors=None if selectors == WHOLE else tuple(str(one) for one in selectors),
        why=str(facts.get("why", "")),
    )


def _check_free(destination: Path) -> None:
    if destination.exists() and any(destination.iterdir()):
        raise MetricsError(f"{destination} is not empty: a recording needs a folder of its own")


def _bring(
    prom: Prometheus, window: Window, destination: Path, wanted: Iterable[str] | None, limit: int
) -> tuple[tuple[str, ...] | None, str]:
    """Bring a snapshot, else what is wanted; returns the selectors (None: everything) and why it is not everything."""
    try:
        _bring_all(prom, destination, limit)
    except (TooLargeError, NoWayError) as error:
        if wanted is None:
            raise
        from pytest_telescope.metrics.selected import record_selected

        return record_selected(prom, window, wanted, destination), error.brief
    return None, ""


def _bring_all(prom: Prometheus, destination: Path, limit: int) -> None:
    """Move the snapshot's blocks where this machine has them, else fetch copies."""
    endpoint = prom.endpoint
    if endpoint.data is None and endpoint.assets is None:
        raise NoWayError(endpoint.url)
    snapshot = prom.snapshot()
    if endpoint.data is not None:
        _move_blocks(endpoint.data / "snapshots" / snapshot, destination, limit)
        return
    from pytest_telescope.metrics.fetching import fetch

    fetch(endpoint, snapshot, destination, limit=limit)
    _check_blocks(destination, snapshot)


def _check_blocks(folder: Path, snapshot: Path | str) -> list[Path]:
    found = blocks(folder)
    if not found:
        raise MetricsError(f"the snapshot {snapshot} holds no block: Prometheus has scraped nothing yet")
    return found


def _move_blocks(snapshot: Path, destination: Path, limit: int) -> None:
    """Move a snapshot, which is made of hard links: it is away afterwards, also where it is too large."""
    try:
        found = _check_blocks(snapshot, snapshot)
        sizes = [file.stat().st_size for file in snapshot.rglob("*") if file.is_file()]
        if sum(sizes) > limit:
            raise TooLargeError(snapshot.name, sum(sizes), len(sizes), limit)
        for block in found:
            shutil.move(str(block), str(destination / block.name))
    finally:
        shutil.rmtree(snapshot, ignore_errors=True)


def _kinds(endpoint: Endpoint) -> dict[str, str]:
    """Return the types of metrics; a Prometheus that does not tell them costs a guard, not the recording."""
    try:
        return metadata.fetch(endpoint)
    except MetricsError:
        return {}
