"""One real Prometheus over the world of a busy node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.recording import save
from pytest_telescope.metrics.serving import serve
from tests.report import busy_node
from tests.report.stub_session import Run
from tests.report.stub_session import session
from tests.slo.conftest import record_world


@pytest.fixture(scope="session")
def busy_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    made = record_world(tmp_path_factory.mktemp("busy"), busy_node.world().openmetrics())
    made = replace(made, window=busy_node.WINDOW)
    save(made)
    return made


@pytest.fixture(scope="session")
def busy(busy_recording: Recording) -> Iterator[Prometheus]:
    with serve(busy_recording) as prometheus:
        yield prometheus


@pytest.fixture
def run(tmp_path: Path, busy_recording: Recording) -> Run:
    call: Run = partial(session, tmp_path, busy_recording.path)
    return call
