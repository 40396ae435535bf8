"""Google Kubernetes Engine, as the harness asks it: over REST, with the login that Terraform's provider takes too."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.clouds.gcp_words import first_setting
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.cluster.clouds.settings import unexpanded
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import ClusterSpec

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from google.auth.credentials import Credentials

    from pytest_telescope.cluster.clouds.gcp_api import Api


class Gke:
    """One login at Google; nothing is asked before it is needed.

    Args:
        environ: where credentials, project, region and endpoints are taken from.
        sleep: waits between two questions, in the cloud's seconds.
        clock: unix seconds.
    """

    name = "gke"

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
        self._login: Credentials | None = None

    def where(self, spec: ClusterSpec) -> Where:
        """Return project, region and, of a zonal cluster, the zone.

        Raises:
            PreflightError: no project is named.
        """
        from pytest_telescope.cluster.clouds.gke_pools import letters

        region = self._region(spec)
        zones = letters(spec, region)
        zone = f"{region}-{zones[0]}" if len(zones) == 1 else ""
        return Where(account=self._project(), region=region, zone=zone)

    def _region(self, spec: ClusterSpec) -> str:
        return spec.region or first_setting(self.environ, "region") or str(words()["defaults"]["region"])

    def _project(self) -> str:
        from pytest_telescope.cluster.clouds.gcp_login import credentials

        if found := first_setting(self.environ, "project"):
            return found
        try:
            found = credentials(self.environ)[1]
        except CloudError as error:
            raise PreflightError(f"no project is named: set {words()['variables']['project'][0]} ({error})") from None
        if not found:
            raise PreflightError(f"no project is named: set {words()['variables']['project'][0]}")
        return found

    def objections(self, spec: ClusterSpec) -> list[str]:
        """Return values that GKE does not know."""
        from pytest_telescope.cluster.clouds.gke_pools import objections

        return objections(spec, self._region(spec))

    def refusals(self, spec: ClusterSpec, where: Where) -> list[str]:
        """Ask for login, project, region, zones, version, images, machine types and quota."""
        from pytest_telescope.cluster.clouds.gcp_preflight import Preflight

        with self._api() as api:
            return Preflight(api, spec, where).refusals()

    def variables(self, spec: ClusterSpec, where: Where) -> dict[str, Any]:
        """Return project, zones, the nodes' identity and the command that makes tokens."""
        from pytest_telescope.cluster.clouds.gcp_listing import NODE_ACCOUNT
        from pytest_telescope.cluster.clouds.gke_pools import letters
        from pytest_telescope.cluster.clouds.variables import exec_variables

        return {
            "project": where.account,
            "zones": list(letters(spec, where.region)),
            "node_service_account": setting(self.environ, NODE_ACCOUNT) or None,
            **exec_variables(self.name, []),
        }

    def environment(self, where: Where) -> dict[str, str]:
        """Return the project, and "" for every variable of Google's that a pipeline left unexpanded."""
        mine = {name: "" for name, value in self.environ.items() if _google(name) and unexpanded(value.strip())}
        return {**mine, "GOOGLE_PROJECT": where.account}

    def resources(self, where: Where, lease: str | None, cluster: str | None) -> list[Resource]:
        """List what the project holds of one lease or of all, whatever the region."""
        from pytest_telescope.cluster.clouds.gcp_listing import Listing

        with self._api() as api:
            return Listing(api, where.account, lease, cluster).resources()

    def delete(self, resource: Resource, where: Where) -> None:
        """Delete and wait until it is gone."""
        from pytest_telescope.cluster.clouds.gcp_deletion import delete

        with self._api() as api:
            delete(api, where.account, resource)

    def renew(self, where: Where, cluster: str, due: int) -> None:
        """Write a later due time on the cluster: what has labels of its own counts by the latest of its lease."""
        from pytest_telescope.cluster.clouds.gcp_deletion import renew

        with self._api() as api:
            renew(api, where.account, cluster, due)

    def _api(self) -> AbstractContextManager[Api]:
        from pytest_telescope.cluster.clouds.gcp_api import opened
        from pytest_telescope.cluster.clouds.gcp_login import credentials

        if self._login is None:
            self._login = credentials(self.environ)[0]
        return opened(self._login, self.environ, self.sleep)


def _google(name: str) -> bool:
    return name.startswith(("GOOGLE_", "GCLOUD_", "CLOUDSDK_"))


def kube_token(arguments: Sequence[str]) -> dict[str, Any]:
    """Return an ExecCredential with a fresh access token, for `telescope kube-token gke`.

    Raises:
        UsageError: there are arguments: a token of Google's is good for every cluster of the project.
        CloudError: there is no login.
    """
    from pytest_telescope.cluster.clouds.gcp_login import credentials
    from pytest_telescope.cluster.clouds.gcp_login import refreshed

    if arguments:
        raise UsageError(f"kube-token gke takes no arguments, but there are {' '.join(arguments)}")
    found = refreshed(credentials(os.environ)[0])
    status = {"token": str(found.token)}
    if found.expiry is not None:
        expiry = found.expiry.replace(tzinfo=datetime.UTC)
        status["expirationTimestamp"] = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": {}, "status": status}
