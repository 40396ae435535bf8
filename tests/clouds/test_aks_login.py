"""Logins at Azure: the real azure-identity against a pretended Entra, as pipelines and pods have them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from pytest_telescope.cluster.clouds.aks import Aks
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import PreflightError
from tests.clouds.azure_case import PLACE
from tests.clouds.azure_case import SPEC
from tests.clouds.azure_case import Azure
from tests.clouds.azure_case import pretended
from tests.clouds.azure_cloud import CLIENT
from tests.clouds.azure_cloud import CONNECTION
from tests.clouds.azure_cloud import TENANT
from tests.clouds.azure_objects import SUBSCRIPTION


@pytest.fixture
def azure() -> Iterator[Azure]:
    with pretended() as found:
        yield found


def test_a_pod_logs_in_with_its_federated_token(azure: Azure) -> None:
    assert azure.listed() == []
    assert azure.served.logins.kinds == ["assertion"]


def test_a_pipeline_logs_in_through_its_service_connection(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = azure.served.pipelines()
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", environ["SYSTEM_OIDCREQUESTURI"])

    assert azure.other(environ).resources(PLACE, None, None) == []
    assert azure.served.logins.kinds == ["assertion"]


def test_a_client_secret_logs_in(azure: Azure) -> None:
    client = azure.other({**azure.served.place(), "ARM_CLIENT_SECRET": azure.served.logins.secret})

    assert client.resources(PLACE, None, None) == []
    assert azure.served.logins.kinds == ["secret"]


def test_one_token_serves_many_questions(azure: Azure) -> None:
    azure.listed()
    azure.listed()

    assert len(azure.served.logins.tokens) == 1


def test_what_a_pipeline_left_unexpanded_is_not_set(azure: Azure) -> None:
    environ = {**azure.served.environment(), "SYSTEM_OIDCREQUESTURI": "$(System.OidcRequestUri)"}
    environ |= {"ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": "$(CONNECTION)", "ARM_CLIENT_SECRET": "$(SECRET)"}
    client = azure.other(environ)

    assert client.resources(PLACE, None, None) == []
    told = client.environment(PLACE)
    assert (
        told["ARM_CLIENT_SECRET"]
        == told["SYSTEM_OIDCREQUESTURI"]
        == told["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"]
        == ""
    )


def test_a_pipeline_without_its_token_is_told_how_a_step_gets_it(azure: Azure) -> None:
    environ = azure.served.pipelines()
    del environ["SYSTEM_ACCESSTOKEN"]

    with pytest.raises(CloudError, match=r"pipelines lacks SYSTEM_ACCESSTOKEN .*System\.AccessToken"):
        azure.other(environ).resources(PLACE, None, None)


def test_a_login_without_its_client_is_told_what_to_set(azure: Azure) -> None:
    environ = azure.served.environment()
    del environ["ARM_CLIENT_ID"]

    with pytest.raises(CloudError, match="workload lacks ARM_CLIENT_ID"):
        azure.other(environ).resources(PLACE, None, None)


def test_no_secret_is_in_what_is_told_or_logged(azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "not-the-right-one-0123456789"
    client = azure.other({**azure.served.place(), "ARM_CLIENT_SECRET": secret})

    with pytest.raises(CloudError, match=r"no login at Azure.*AADSTS7000215") as failed:
        client.resources(PLACE, None, None)

    assert failed.value.__cause__ is None
    assert secret not in str(failed.value)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("pytest_telescope")]
    assert secret not in "\n".join(ours)


def test_no_token_is_logged(azure: Azure, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    azure.listed()

    given = [*azure.served.logins.tokens, azure.served.logins.assertion]
    assert not [one for one in given if one in caplog.text]


def test_no_subscription_is_told_with_the_variable() -> None:
    with pytest.raises(PreflightError, match="set ARM_SUBSCRIPTION_ID"):
        Aks(environ={}).where(SPEC)


def test_the_region_is_the_specs_or_the_default(azure: Azure) -> None:
    assert azure.aks.where(SPEC) == PLACE
    assert azure.aks.where(SPEC.model_copy(update={"region": "westeurope"})).region == "westeurope"


def test_terraform_takes_the_same_login(azure: Azure) -> None:
    who = {"ARM_SUBSCRIPTION_ID": SUBSCRIPTION, "ARM_TENANT_ID": TENANT, "ARM_CLIENT_ID": CLIENT}
    oidc = {**who, "ARM_USE_OIDC": "true", "ARM_USE_CLI": "false"}

    token = azure.served.environment()["AZURE_FEDERATED_TOKEN_FILE"]
    assert azure.aks.environment(PLACE) == {**oidc, "ARM_OIDC_TOKEN_FILE_PATH": token}
    pipeline = azure.other(azure.served.pipelines()).environment(PLACE)
    assert pipeline == {**oidc, "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": CONNECTION}
    secret = azure.other({**azure.served.place(), "AZURE_CLIENT_SECRET": "s"}).environment(PLACE)
    assert secret == {**who, "ARM_USE_OIDC": "false", "ARM_CLIENT_SECRET": "s"}


def test_without_anything_the_azure_cli_is_asked() -> None:
    told = Aks(environ={}).environment(PLACE)

    assert told == {"ARM_SUBSCRIPTION_ID": SUBSCRIPTION, "ARM_USE_OIDC": "false", "ARM_USE_CLI": "true"}
