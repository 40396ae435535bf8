"""One real Prometheus over one small world, shared by all cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.recording import backfill
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.serving import serve
from tests.slo.cases import world
from tests.slo.world import INTERVAL
from tests.slo.world import WINDOW


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record_world(tmp_path_factory.mktemp("recording"), world().openmetrics())


@pytest.fixture(scope="session")
def prom(recording: Recording) -> Iterator[Prometheus]:
    with serve(recording) as prometheus:
        yield prometheus


def record_world(folder: Path, openmetrics: str) -> Recording:
    """Write a world as a recording."""
    folder.mkdir(parents=True, exist_ok=True)
    backfill(openmetrics, folder)
    made = Recording(
        path=folder, window=WINDOW, scrape_interval=INTERVAL, clock_offset=0.0, prometheus_version="unknown"
    )
    save(made)
    return made
