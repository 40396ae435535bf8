"""What every cell goes through. Never move or rename this file or its tests: their names are the key of every trend."""

from __future__ import annotations

import pytest

from pytest_telescope.fixtures import CellHandle
from pytest_telescope.fixtures import assert_passed


def test_provision(cell: CellHandle) -> None:
    """The cluster comes up, with every target of its monitoring."""
    cell.provision()


def test_load(cell: CellHandle) -> None:
    """The load does what the scenario asks, and its window is recorded."""
    cell.load()


def test_slo(cell: CellHandle, slo: str) -> None:
    """The recorded window meets the SLO."""
    assert_passed(cell.judge(slo))


def test_destroy(cell: CellHandle) -> None:
    """Nothing of the load or the cluster is left."""
    cell.destroy()


pytestmark = pytest.mark.filterwarnings("default")
