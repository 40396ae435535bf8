"""One real cluster that stands behind every pretended cloud of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def backing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the kubeconfig of an administrator."""
    from tests.clouds.backing import backing_cluster

    with backing_cluster(tmp_path_factory.mktemp("backing")) as kubeconfig:
        yield kubeconfig
