"""Logins at Microsoft Entra: which one the environment asks for, the same for us and for Terraform's provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

from pytest_telescope.cluster.clouds.azure_words import first_setting
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.cluster.clouds.settings import unexpanded
from pytest_telescope.errors import CloudError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

Kind = Literal["pipelines", "workload", "secret", "cli"]
OIDC_URI = "SYSTEM_OIDCREQUESTURI"
OIDC_TOKEN = "SYSTEM_ACCESSTOKEN"
_JWT = re.compile(r"eyJ[-\w]+\.[-\w]+(\.[-\w]*)?")
_OURS = ("ARM_", "AZURE_", "AZURESUBSCRIPTION_", "SYSTEM_")


@dataclass(frozen=True, slots=True)
class Login:
    """Which login the environment asks for."""

    kind: Kind
    tenant: str
    client: str


def login(environ: Mapping[str, str]) -> Login:
    """Return the login that the environment asks for: the first that is set up whole.

    Raises:
        CloudError: one is begun, but lacks something; says what.
    """
    kind = _kind(environ)
    found = Login(kind, first_setting(environ, "tenant"), first_setting(environ, "client"))
    lacks = [
        words()["variables"][what][0]
        for what, value in (("tenant", found.tenant), ("client", found.client))
        if kind != "cli" and not value
    ]
    if kind == "pipelines" and not setting(environ, OIDC_TOKEN):
        lacks.append(f"{OIDC_TOKEN} (a step gets it by `env: {{{OIDC_TOKEN}: $(System.AccessToken)}}`)")
    if lacks:
        raise CloudError(f"the login by {kind} lacks {', '.join(lacks)}")
    return found


def _kind(environ: Mapping[str, str]) -> Kind:
    if setting(environ, OIDC_URI) and first_setting(environ, "connection"):
        return "pipelines"
    if first_setting(environ, "token_file"):
        return "workload"
    return "secret" if first_setting(environ, "secret") else "cli"


def credential(environ: Mapping[str, str]) -> TokenCredential:
    """Return what makes tokens; nothing is asked yet.

    Raises:
        CloudError: the login lacks something.
    """
    from azure import identity

    found = login(environ)
    common: dict[str, Any] = {**transport(environ), **_authority(environ)}
    who = {"tenant_id": found.tenant, "client_id": found.client}
    if found.kind == "pipelines":
        connection = first_setting(environ, "connection")
        token = setting(environ, OIDC_TOKEN)
        return identity.AzurePipelinesCredential(
            service_connection_id=connection, system_access_token=token, **who, **common
        )
    if found.kind == "workload":
        path = first_setting(environ, "token_file")
        return identity.WorkloadIdentityCredential(token_file_path=path, **who, **common)
    if found.kind == "secret":
        return identity.ClientSecretCredential(client_secret=first_setting(environ, "secret"), **who, **common)
    return identity.AzureCliCredential(tenant_id=found.tenant, process_timeout=30)


def transport(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return how connections are made: by whose certificates, with how much patience."""
    bundle = setting(environ, "REQUESTS_CA_BUNDLE")
    return {
        "connection_verify": bundle or True,
        "connection_timeout": 10,
        "read_timeout": 60,
        "retry_total": 2,
        "retry_backoff_factor": 0.2,
    }


def _authority(environ: Mapping[str, str]) -> dict[str, Any]:
    host = setting(environ, "AZURE_AUTHORITY_HOST")
    return {"authority": host, "disable_instance_discovery": True} if host else {}


def terraform_environment(environ: Mapping[str, str], subscription: str) -> dict[str, str]:
    """Return what azurerm reads, so that it takes the same login; "" for what a pipeline left unexpanded.

    Raises:
        CloudError: the login lacks something.
    """
    found = login(environ)
    mine = {name: "" for name, value in environ.items() if name.startswith(_OURS) and unexpanded(value)}
    mine |= {"ARM_SUBSCRIPTION_ID": subscription}
    mine |= {"ARM_TENANT_ID": found.tenant} if found.tenant else {}
    mine |= {"ARM_CLIENT_ID": found.client} if found.kind != "cli" else {}
    if found.kind == "secret":
        return {**mine, "ARM_USE_OIDC": "false", "ARM_CLIENT_SECRET": first_setting(environ, "secret")}
    if found.kind == "cli":
        return {**mine, "ARM_USE_OIDC": "false", "ARM_USE_CLI": "true"}
    mine |= {"ARM_USE_OIDC": "true", "ARM_USE_CLI": "false"}
    if found.kind == "workload":
        return {**mine, "ARM_OIDC_TOKEN_FILE_PATH": first_setting(environ, "token_file")}
    return {**mine, "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": first_setting(environ, "connection")}


def clean(environ: Mapping[str, str], text: str) -> str:
    """Return a message on one line, with neither secrets nor tokens, at most 400 characters."""
    for name in (*words()["variables"]["secret"], OIDC_TOKEN):
        if secret := setting(environ, name):
            text = text.replace(secret, "***")
    return " ".join(_JWT.sub("***", text).split())[:400]
