"""Where clusters come from: the words and the protocol every provider keeps."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Protocol

from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to one cluster, written to the ledger before Terraform is called.

    Attributes:
        id: 8 hex digits; marks every process (`TELESCOPE_LEASE`), folder, cgroup and tag of the cluster.
        folder: private (0700) folder of Terraform state, tfvars, logs and, for `local`, the cluster's own data.
        created: unix seconds.
        due: unix seconds after which a sweeper may delete what a cloud holds of it; None where no sweeper comes.
    """

    id: str
    provider: str
    cell: str
    run: str
    folder: Path
    created: float
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A ready cluster.

    Attributes:
        kubeconfig: file with admin credentials, 0600.
        nodes: names of the nodes that take load, sorted.
        capabilities: what its monitoring can see or do, e.g. `etcd-metrics`, `controlplane-metrics`, `real-nodes`.
        facts: flat, JSON-able facts for fingerprint and report (versions, kernel, machine types).
        targets: job name -> number of Prometheus targets expected up.
        logs: files worth keeping when a run is red.
        prometheus_from_apiserver: host and port at which the API server reaches a Prometheus in plain HTTP; None means
            that ClusterLoader2's own Prometheus measurements are not possible.
    """

    name: str
    provider: str
    kubeconfig: Path
    prometheus: Endpoint
    nodes: tuple[str, ...]
    capabilities: frozenset[str]
    facts: Mapping[str, str | int | float | bool | None]
    targets: Mapping[str, int]
    logs: tuple[Path, ...] = ()
    prometheus_from_apiserver: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One thing of a lease that is still there: `kind` e.g. process, mount, link, cgroup, sysctl, resource."""

    kind: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" ({self.detail})" if self.detail else "")


class Provider(Protocol):
    """Where a cluster comes from.

    Attributes:
        say: told what is going on while a cluster is made or destroyed, a line a step.
        approve: told Terraform's plan (`terraform show -json`) before it is applied; raises what forbids it.
    """

    say: Callable[[str], None]
    approve: Callable[[Mapping[str, Any]], None]

    @property
    def name(self) -> str:
        """`aks`, `eks`, `gke` or `local`."""

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:
        """Return for how many seconds a lease may last whose cells put `loads` on one cluster; None: for ever."""

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        """Return what a cluster of `spec` can show or do; known before it is built."""

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the names of the pinned tools that a cluster of `spec` is made with."""

    def preflight(self, spec: ClusterSpec) -> None:
        """Check that `spec` can be served here, in seconds and without building anything.

        Raises:
            PreflightError: it cannot; the message names what is on offer.
        """

    def unavailable(self, spec: ClusterSpec) -> str | None:
        """Return why `spec` cannot be had on this machine at all (SKIP at collection), or None."""

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        """Return a ready cluster for `spec`.

        Raises:
            ProvisionError: Terraform failed or the cluster never became ready; what may exist stays in the ledger.
        """

    def destroy(self, lease: Lease) -> None:
        """Destroy what Terraform made for `lease`; idempotent; works from the ledger alone.

        Raises:
            DestroyError: it failed or timed out; the lease stays open.
        """

    def leftovers(self, lease: Lease) -> list[Leftover]:
        """List what still exists of `lease`, asked from the provider itself, never from the state."""

    def renew(self, lease: Lease) -> None:
        """Push the time at which a sweeper may delete the cluster; nothing to do where there is none."""
