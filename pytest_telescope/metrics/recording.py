"""Recording a window: the cluster's blocks and what the load said, in one folder that can be moved and judged."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window

FACTS = "recording.json"
SCHEMA = 1
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
) -> Recording:
    """Bring a snapshot of everything that Prometheus holds to `destination` and add `extra_openmetrics` to it.

    Args:
        endpoint: a Prometheus with its admin API on, and either a data folder that this machine can read or `assets`,
            from which the blocks are fetched.
        window: in Prometheus' time.
        clock_offset: Prometheus' clock minus the controller's, seconds.
        extra_openmetrics: OpenMetrics text with timestamps, ending in `# EOF`; empty for none.
        destination: a folder that does not exist yet or is empty.
        clock_drift: how much the offset changed while the load ran, seconds.

    Raises:
        MetricsError: no snapshot, it is too large or does not come over whole, the folder is taken, or the text is no
            OpenMetrics.
    """
    _check_free(destination)
    _check_way(endpoint)
    with Prometheus(endpoint, timeout=SNAPSHOT_TIMEOUT) as prom:
        version = prom.version()
        snapshot = prom.snapshot()
    destination.mkdir(parents=True, exist_ok=True)
    _bring(endpoint, snapshot, destination)
    if extra_openmetrics.strip():
        backfill(extra_openmetrics, destination)
    recording = Recording(
        path=destination,
        window=window,
        scrape_interval=endpoint.scrape_interval,
        clock_offset=clock_offset,
        clock_drift=clock_drift,
        prometheus_version=version,
    )
    save(recording)
    return recording


def save(recording: Recording) -> None:
    """Write `recording.json` beside the blocks; the folder's own path is not part of it."""
    facts = {"schema": SCHEMA, **asdict(recording)}
    del facts["path"]
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
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema is {facts['schema']}")
    window = facts["window"]
    steps = {name: (float(start), float(end)) for name, (start, end) in window["steps"].items()}
    return Recording(
        path=path,
        window=Window(start=float(window["start"]), end=float(window["end"]), steps=steps),
        scrape_interval=float(facts["scrape_interval"]),
        clock_offset=float(facts["clock_offset"]),
        clock_drift=float(facts["clock_drift"]),
        prometheus_version=str(facts["prometheus_version"]),
    )


def _check_free(destination: Path) -> None:
    if destination.exists() and any(destination.iterdir()):
        raise MetricsError(f"{destination} is not empty: a recording needs a folder of its own")


def _check_way(endpoint: Endpoint) -> None:
    if endpoint.data is None and endpoint.assets is None:
        raise MetricsError(
            f"the data of Prometheus at {endpoint.url} can neither be read from here nor fetched: no recording"
        )


def _bring(endpoint: Endpoint, snapshot: str, destination: Path) -> None:
    """Move the snapshot's blocks where this machine has them, else fetch copies."""
    if endpoint.data is not None:
        _move_blocks(endpoint.data / "snapshots" / snapshot, destination)
        return
    from pytest_telescope.metrics.fetching import fetch

    fetch(endpoint, snapshot, destination)
    _check_blocks(destination, snapshot)


def _check_blocks(folder: Path, snapshot: Path | str) -> list[Path]:
    found = blocks(folder)
    if not found:
        raise MetricsError(f"the snapshot {snapshot} holds no block: Prometheus has scraped nothing yet")
    return found


def _move_blocks(snapshot: Path, destination: Path) -> None:
    for block in _check_blocks(snapshot, snapshot):
        shutil.move(str(block), str(destination / block.name))
    shutil.rmtree(snapshot, ignore_errors=True)
