"""One real local cluster of simulated nodes for the tests of this folder that need an API server."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster.model import Cluster
from pytest_telescope.load.api import Api
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Place
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.model import ResourceConsumerSpec
from tests.clusters import local_cluster

SPEC = ClusterSpec(pools={"user": PoolSpec(count=5, cpu=4, memory="8Gi", max_pods=40)})


def cell_of(name: str, load: ResourceConsumerSpec) -> Cell:
    return Cell(
        id=f"local-{name}",
        provider="local",
        scenario=name,
        row=None,
        engine="resource-consumer",
        description="",
        component="kubelet",
        values={},
        cluster=SPEC,
        load=load,
        slos=(),
        budget=Budget(),
        folder=Path(),
        place=Place(Path("scenario.yaml"), 1),
    )


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with local_cluster(tmp_path_factory.mktemp("state"), SPEC, "local-load") as cluster:
        yield cluster


@pytest.fixture
def api(cluster: Cluster) -> Iterator[Api]:
    api = Api.from_kubeconfig(cluster.kubeconfig)
    yield api
    api.close()


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> Callable[..., Cell]:
    """Return a function that makes the test's own cell, with its own namespace."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    return lambda **load: cell_of(name, ResourceConsumerSpec(**load))
