"""Real local clusters for the tests of this folder, one for all that only look at it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster import reaper
from pytest_telescope.cluster.local.provider import LocalProvider
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec


@pytest.fixture(scope="session")
def session_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(autouse=True)
def own_state(session_state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test of this folder touches the user's ledger."""
    monkeypatch.setenv("TELESCOPE_STATE_DIR", str(session_state))
    return session_state


@pytest.fixture
def open_lease() -> Iterator[Callable[[ClusterSpec], Lease]]:
    """Return a function that opens leases; what a test leaves open is finished after it."""
    opened: list[Lease] = []

    def opener(spec: ClusterSpec) -> Lease:
        opened.append(ledger.open_lease("local", "local-test", "test-run", spec))
        return opened[-1]

    yield opener
    for lease in opened:
        if ledger.file_of(lease).exists():
            assert reaper.finish(lease) == []


@pytest.fixture(scope="session")
def small_spec() -> ClusterSpec:
    taint = "dedicated=load:NoSchedule"
    return ClusterSpec(
        pools={
            "system": PoolSpec(count=1),
            "user": PoolSpec(count=2, cpu=4, memory="8Gi", max_pods=7, labels={"color": "blue"}, taints=(taint,)),
        }
    )


@pytest.fixture(scope="session")
def shared_lease(session_state: Path, small_spec: ClusterSpec) -> Iterator[Lease]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELESCOPE_STATE_DIR", str(session_state))
        lease = ledger.open_lease("local", "local-shared", "test-run", small_spec)
        yield lease
        patch.setenv("TELESCOPE_STATE_DIR", str(session_state))
        assert reaper.finish(lease) == []


@pytest.fixture(scope="session")
def shared_cluster(shared_lease: Lease, small_spec: ClusterSpec) -> Cluster:
    """Return one small cluster of simulated nodes; look at it, do not change it."""
    return LocalProvider().provision(small_spec, shared_lease)
