"""A local cluster for as long as a test, or a module of them, needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.scenario.model import ClusterSpec


@contextmanager
def local_cluster(state: Path, spec: ClusterSpec, cell: str) -> Iterator[Cluster]:
    """Yield a ready cluster whose ledger is in `state`; nothing of it is left at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELESCOPE_STATE_DIR", str(state))
        lease = ledger.open_lease("local", cell, "test-run", spec)
        try:
            yield LocalProvider().provision(spec, lease)
        finally:
            assert reaper.finish(lease) == []
