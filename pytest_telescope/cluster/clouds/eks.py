"""Amazon Elastic Kubernetes Service, as the harness asks it, with the login that Terraform's provider takes too."""

from __future__ import annotations

import argparse
import datetime
import os
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.clouds.aws_words import region_of
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.cluster.clouds.settings import unexpanded
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import ClusterSpec

if TYPE_CHECKING:
    from pytest_telescope.cluster.clouds.aws_api import Api
    from pytest_telescope.cluster.clouds.aws_login import TokenFile


class Eks:
    """One login at AWS; nothing is asked before it is needed.

    Args:
        environ: where credentials, account, region and endpoint are taken from.
        sleep: waits between two questions, in the cloud's seconds.
        clock: unix seconds.
    """

    name = "eks"

    def __init__(
        self,
        *,
        environ: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from pytest_telescope.cluster.clouds.aws_api import Api

        self.environ = environ
        self.sleep = sleep
        self.clock = clock
        self.api: Api = Api(environ, sleep)
        self._identity: dict[str, str] | None = None
        self._token_file: TokenFile | None = None

    def where(self, spec: ClusterSpec) -> Where:
        """Return account and region; the account is the one that is named, else the login's.

        Raises:
            PreflightError: neither is there.
        """
        region = spec.region or region_of(self.environ)
        return Where(account=self._account(region), region=region)

    def _account(self, region: str) -> str:
        if named := setting(self.environ, "AWS_ACCOUNT_ID"):
            return named
        role = setting(self.environ, "AWS_ROLE_ARN").split(":")
        if len(role) > 4 and role[4]:
            return role[4]
        try:
            return self._caller(region)["Account"]
        except CloudError as error:
            raise PreflightError(f"no account is named: sign in, or set AWS_ACCOUNT_ID ({error})") from None

    def _caller(self, region: str) -> dict[str, str]:
        if self._identity is None:
            answer = self.api.call("sts", "get_caller_identity", region)
            self._identity = {"Account": answer["Account"], "Arn": answer["Arn"]}
        return self._identity

    def objections(self, spec: ClusterSpec) -> list[str]:
        """Return values that EKS does not know."""
        from pytest_telescope.cluster.clouds.eks_spec import objections

        return objections(spec)

    def refusals(self, spec: ClusterSpec, where: Where) -> list[str]:
        """Ask for login, account, region, version, zones, machine types and quotas."""
        from pytest_telescope.cluster.clouds.aws_preflight import Preflight

        return Preflight(self.api, spec, where).refusals()

    def variables(self, spec: ClusterSpec, where: Where) -> dict[str, Any]:
        """Return who administers the cluster, zones that have all machines, and the command that makes tokens."""
        from pytest_telescope.cluster.clouds.aws_preflight import Preflight
        from pytest_telescope.cluster.clouds.variables import exec_variables

        return {
            "admin_principal_arns": [self._principal(where.region)],
            "zones": Preflight(self.api, spec, where).zones(),
            **exec_variables(self.name, ["--region", where.region]),
        }

    def _principal(self, region: str) -> str:
        """Return the ARN by which EKS knows the caller: of a session, its role's with the role's path."""
        arn = self._caller(region)["Arn"]
        head, _, rest = arn.partition(":assumed-role/")
        if not rest:
            return arn
        role = rest.partition("/")[0]
        try:
            return str(self.api.call("iam", "get_role", region, RoleName=role)["Role"]["Arn"])
        except CloudError:
            return f"{head.replace(':sts:', ':iam:')}:role/{role}"

    def environment(self, where: Where) -> dict[str, str]:
        """Return the region, "" for what a pipeline left unexpanded, and the identity token's file if it is ours."""
        from pytest_telescope.cluster.clouds.aws_login import TokenFile
        from pytest_telescope.cluster.clouds.aws_login import identity_tokens

        mine = {
            name: "" for name, value in self.environ.items() if name.startswith("AWS_") and unexpanded(value.strip())
        }
        mine |= {"AWS_REGION": where.region, "AWS_DEFAULT_REGION": where.region}
        keys = setting(self.environ, "AWS_ACCESS_KEY_ID") and setting(self.environ, "AWS_SECRET_ACCESS_KEY")
        if keys or setting(self.environ, "AWS_WEB_IDENTITY_TOKEN_FILE"):
            return mine
        tokens = identity_tokens(self.environ)
        if tokens is None:
            return mine
        self._token_file = self._token_file or TokenFile(tokens)
        return {**mine, "AWS_WEB_IDENTITY_TOKEN_FILE": str(self._token_file.path)}

    def resources(self, where: Where, lease: str | None, cluster: str | None) -> list[Resource]:
        """List what the region holds of one lease or of all, and its roles."""
        from pytest_telescope.cluster.clouds.aws_listing import Listing

        return Listing(self.api, where.region, lease, cluster).resources()

    def delete(self, resource: Resource, where: Where) -> None:
        """Delete; of node groups and clusters, wait until they are gone."""
        from pytest_telescope.cluster.clouds.aws_deletion import delete

        delete(self.api, resource.region or where.region, resource)

    def renew(self, where: Where, cluster: str, due: int) -> None:
        """Write a later due time on the cluster and its network: the latest of a lease counts for all of it."""
        from pytest_telescope.cluster.clouds.aws_deletion import renew

        renew(self.api, where.region, cluster, due)

    def close(self) -> None:
        """Close connections, and remove the file with the identity token."""
        self.api.close()
        if self._token_file is not None:
            self._token_file.close()
            self._token_file = None


def kube_token(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return an ExecCredential with a fresh token, for `telescope kube-token eks --cluster NAME --region R`.

    Raises:
        UsageError: an argument is missing or unknown.
        CloudError: there is no login.
    """
    from pytest_telescope.cluster.clouds.aws_api import Api
    from pytest_telescope.cluster.clouds.aws_tokens import LASTS
    from pytest_telescope.cluster.clouds.aws_tokens import cluster_token

    asked = _asked(arguments)
    token = cluster_token(Api(environ).frozen(), asked.cluster, asked.region)
    expiry = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=LASTS)
    status = {"token": token, "expirationTimestamp": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "spec": {}, "status": status}


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="telescope kube-token eks", add_help=False, exit_on_error=False)
    parser.add_argument("--cluster", required=True)
    parser.add_argument("--region", required=True)
    try:
        found, more = parser.parse_known_args(list(arguments))
    except (argparse.ArgumentError, SystemExit) as error:
        raise UsageError(f"kube-token eks wants --cluster NAME --region REGION: {error}") from None
    if more:
        raise UsageError(f"kube-token eks does not know {' '.join(more)}")
    return found
