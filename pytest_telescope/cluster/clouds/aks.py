"""Azure Kubernetes Service, as the harness asks it: Azure Resource Manager, with the login that Terraform takes too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.clouds.azure_words import first_setting
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import PreflightError
from pytest_telescope.scenario.model import ClusterSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from azure.core.credentials import TokenCredential

    from pytest_telescope.cluster.clouds.azure_api import Api


class Aks:
    """One login at Azure; nothing is asked before it is needed.

    Args:
        environ: where credentials, subscription and endpoints are taken from.
        sleep: waits between two questions, in the cloud's seconds.
        clock: unix seconds.
    """

    name = "aks"

    def __init__(
        self,
        *,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.environ = environ
        self.sleep = sleep
        self.clock = clock
        self._login: TokenCredential | None = None

    def where(self, spec: ClusterSpec) -> Where:
        """Return subscription and region.

        Raises:
            PreflightError: no subscription is named.
        """
        account = first_setting(self.environ, "subscription")
        if not account:
            raise PreflightError(f"no subscription is named: set {words()['variables']['subscription'][0]}")
        return Where(account=account, region=spec.region or str(words()["defaults"]["region"]))

    def objections(self, spec: ClusterSpec) -> list[str]:
        """Return values that AKS does not know."""
        from pytest_telescope.cluster.clouds.aks_pools import objections

        return objections(spec)

    def refusals(self, spec: ClusterSpec, where: Where) -> list[str]:
        """Ask for login, subscription, region, registration, version, machine types and quota."""
        from pytest_telescope.cluster.clouds.azure_preflight import Preflight

        with self._api() as api:
            return Preflight(api, spec, where).refusals()

    def variables(self, spec: ClusterSpec, where: Where) -> dict[str, Any]:  # noqa: ARG002 - the protocol's shape
        """Return the subscription, and the machine of a system pool that nobody asked for."""
        return {"subscription": where.account, "system_machine": words()["defaults"]["system_machine"]}

    def environment(self, where: Where) -> dict[str, str]:
        """Return the login in the words of azurerm."""
        from pytest_telescope.cluster.clouds.azure_login import terraform_environment

        return terraform_environment(self.environ, where.account)

    def resources(self, where: Where, lease: str | None, cluster: str | None) -> list[Resource]:
        """List what the subscription holds of one lease or of all, whatever the region."""
        from pytest_telescope.cluster.clouds.azure_listing import resources

        with self._api() as api:
            return resources(api, where.account, lease, cluster)

    def delete(self, resource: Resource, where: Where) -> None:  # noqa: ARG002 - an ARM id says where it is
        """Delete and wait until it is gone."""
        from pytest_telescope.cluster.clouds.azure_deletion import delete

        with self._api() as api:
            delete(api, resource)

    def renew(self, where: Where, cluster: str, due: int) -> None:
        """Write a later due time on the resource groups and the cluster."""
        from pytest_telescope.cluster.clouds.azure_deletion import renew

        with self._api() as api:
            renew(api, where.account, cluster, due)

    def _api(self) -> AbstractContextManager[Api]:
        from pytest_telescope.cluster.clouds.azure_api import opened
        from pytest_telescope.cluster.clouds.azure_login import credential

        if self._login is None:
            self._login = credential(self.environ)
        return opened(self._login, self.environ, self.sleep)
