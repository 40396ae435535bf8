"""What a cloud must be able to do for the harness, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Protocol

from pytest_telescope.scenario.model import ClusterSpec

TAG_LEASE = "telescope_lease"
"""Tag (on GCP: label) that every resource of a lease carries, with the lease's id."""
TAG_RUN = "run_id"
TAG_DUE = "deletion_due_time"
"""Tag with the unix seconds after which a sweeper may delete the resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where a lease's cluster stands; written into the lease's folder before Terraform is called.

    Attributes:
        account: subscription (AKS), account id (EKS), project (GKE).
        region: in the cloud's own words.
        zone: of a zonal GKE cluster, else "".
    """

    account: str
    region: str
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing that a cloud holds.

    Attributes:
        kind: e.g. `resource-group`, `network-interface`, `forwarding-rule`.
        id: what the cloud's own API calls it: an ARM id, an ARN or plain id, a self link's path.
        rank: resources are deleted from the lowest rank to the highest: what hangs on others first.
        command: what a person types to delete it.
        usd_per_hour: list price where the kind alone tells it; None is unknown.
        deleting: the cloud is already deleting it.
    """

    kind: str
    id: str
    name: str
    region: str
    tags: Mapping[str, str]
    rank: int
    command: str
    usd_per_hour: float | None = None
    deleting: bool = False

    @property
    def lease(self) -> str | None:
        """Id of the lease that its tag names."""
        return self.tags.get(TAG_LEASE)

    @property
    def due(self) -> float | None:
        """Unix seconds after which it may be deleted; None where its tags do not say, or not in numbers."""
        text = self.tags.get(TAG_DUE, "")
        return float(text) if text.isdigit() else None


class Cloud(Protocol):
    """One cloud; every call is bounded in time, and credentials come from the environment as `docs/clouds.md` says.

    All methods that talk to the cloud raise `CloudError` when it cannot be asked (no login, no answer, no right):
    not having looked is never having found nothing.
    """

    name: str
    """`aks`, `eks` or `gke`."""

    def where(self, spec: ClusterSpec) -> Where:
        """Return account and region for `spec`; from the spec, then the environment, then the provider's default.

        Raises:
            PreflightError: the account is named nowhere; says which variable to set.
        """

    def objections(self, spec: ClusterSpec) -> list[str]:
        """Return what speaks against `spec` without asking anybody: values that this cloud does not know."""

    def refusals(self, spec: ClusterSpec, where: Where) -> list[str]:
        """Ask the cloud, in seconds: login, account, region, version still offered, machine types, quota.

        Every refusal names what is on offer; one about quota or capacity begins with `capacity: `.
        """

    def variables(self, spec: ClusterSpec, where: Where) -> dict[str, Any]:
        """Return the Terraform variables that only this cloud's module has."""

    def environment(self, where: Where) -> dict[str, str]:
        """Return the variables that Terraform's provider reads, beyond those already set."""

    def resources(self, where: Where, lease: str | None, cluster: str | None) -> list[Resource]:
        """List everything of one lease, or (None) of every lease in `where`.

        By tag, and by what names of `cluster` tell. What Terraform made and what it left (disks, load balancers,
        security groups, firewall rules, log groups) alike.
        """

    def delete(self, resource: Resource, where: Where) -> None:
        """Begin or finish deleting; nothing to do where it is gone. Waits at most some minutes.

        Raises:
            CloudError: the cloud refused; `transient` tells whether another try may help (something still hangs on it).
        """

    def renew(self, where: Where, cluster: str, due: int) -> None:
        """Write a later `deletion_due_time` on what carries the lease in this cloud."""


Resources = Iterable[Resource]
