"""Logins at Google: every kind that Azure DevOps and people have, and no secret in what goes wrong."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.clouds.gcp_login import clean
from pytest_telescope.cluster.clouds.gke import Gke
from pytest_telescope.cluster.clouds.gke import kube_token
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import UsageError
from tests.clouds.gcp_case import LEASE
from tests.clouds.gcp_case import PLACE
from tests.clouds.gcp_case import SPEC
from tests.clouds.gcp_case import Google
from tests.clouds.gcp_case import add_cluster
from tests.clouds.gcp_case import google
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_tokens import private_pem

SECRET = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzYzovL29yZyJ9.c2lnbmF0dXJl"


@pytest.fixture
def world() -> Iterator[Google]:
    with google() as found:
        yield found


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """A machine without any login, that is not one of Google's either."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    return {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}


def workload_identity(world: Google, folder: Path, program: str) -> Path:
    """Write the file that a pipeline has: a program prints the token of its service connection."""
    script = folder / "subject.py"
    script.write_text(program)
    document = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ado/providers/ado",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{world.served.base}/sts",
        "credential_source": {"executable": {"command": f"{sys.executable} {script}", "timeout_millis": 20000}},
    }
    file = folder / "identity.json"
    file.write_text(json.dumps(document))
    return file


def printing(answer: dict[str, Any]) -> str:
    return f"print({json.dumps(answer)!r})"


def test_a_key_file_logs_in(world: Google) -> None:
    add_cluster(world.cloud)
    assert world.listed()


def test_a_key_in_the_variable_itself_logs_in_as_it_does_for_terraform(world: Google) -> None:
    client = world.other(GOOGLE_CREDENTIALS=world.served.key.read_text(), GOOGLE_APPLICATION_CREDENTIALS="")
    assert client.resources(PLACE, LEASE, None) == []


def test_one_login_is_used_until_its_token_expires(world: Google) -> None:
    world.listed()
    world.listed()
    assert len(world.served.tokens.given) == 1


def test_a_token_that_is_about_to_expire_is_replaced(world: Google) -> None:
    world.served.tokens.life = 100.0  # below the margin that Google's library keeps
    world.listed()
    world.listed()
    assert len(world.served.tokens.given) >= 2


def test_a_workload_identity_with_a_program_logs_in(
    world: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    world.served.tokens.subjects.add(SECRET)
    answer = {
        "version": 1,
        "success": True,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": SECRET,
        "expiration_time": int(time.time()) + 600,
    }
    client = world.other(GOOGLE_APPLICATION_CREDENTIALS=str(workload_identity(world, tmp_path, printing(answer))))
    assert client.resources(PLACE, LEASE, None) == []


def test_a_workload_identity_says_which_variable_lets_its_program_run(
    world: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", raising=False)
    client = world.other(GOOGLE_APPLICATION_CREDENTIALS=str(workload_identity(world, tmp_path, "")))
    with pytest.raises(CloudError, match="set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"):
        client.resources(PLACE, None, None)


def test_what_a_failing_program_printed_is_not_repeated(
    world: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    program = "import sys; print('plain-secret'); sys.exit(3)"
    client = world.other(GOOGLE_APPLICATION_CREDENTIALS=str(workload_identity(world, tmp_path, program)))
    with pytest.raises(CloudError, match="non-zero return code 3") as caught:
        client.resources(PLACE, None, None)
    assert "plain-secret" not in str(caught.value)


def test_a_refused_login_says_so_without_the_key(world: Google, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.served.tokens.refuses = True
    with pytest.raises(CloudError, match=r"Google refuses the login: .*invalid_grant") as caught:
        world.listed()
    told = str(caught.value) + caplog.text + repr(caught.value.__cause__)
    assert "PRIVATE KEY" not in told
    assert private_pem().splitlines()[1] not in told


def test_a_login_that_cannot_be_reached_is_worth_another_try(world: Google, tmp_path: Path) -> None:
    key = json.loads(world.served.key.read_text()) | {"token_uri": "http://127.0.0.1:9/token"}
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key))
    with pytest.raises(CloudError, match="cannot be reached") as caught:
        world.other(GOOGLE_APPLICATION_CREDENTIALS=str(file)).resources(PLACE, None, None)
    assert caught.value.transient


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ("/nonexistent/key.json", "GOOGLE_APPLICATION_CREDENTIALS names cannot be read .No such file"),
        ("super-secret-text", "names cannot be read"),
        ('{"type": "service_account", "private_key": "super-secret-text"}', "not valid: .*missing fields"),
        ('{"type": "service_account", "private_key": "super-secret-text"', "no JSON object"),
        ('{"type": "impersonated_service_account"}', "service_account, external_account, authorized_user"),
    ],
)
def test_credentials_that_cannot_be_used_are_not_repeated(value: str, match: str) -> None:
    client = Gke(environ={"GOOGLE_APPLICATION_CREDENTIALS": value})
    with pytest.raises(CloudError, match=match) as caught:
        client.resources(PLACE, None, None)
    assert "super-secret-text" not in str(caught.value)


def test_no_login_at_all_says_how_to_get_one(nobody: dict[str, str]) -> None:
    with pytest.raises(CloudError, match=r"no login at Google; set GOOGLE_APPLICATION_CREDENTIALS .* `gcloud auth"):
        Gke(environ=nobody).resources(PLACE, None, None)


def test_what_a_pipeline_did_not_expand_counts_as_empty(nobody: dict[str, str]) -> None:
    environ = {**nobody, "GOOGLE_APPLICATION_CREDENTIALS": "$(GOOGLE_KEY)", "GOOGLE_PROJECT": "$(GOOGLE_PROJECT)"}
    with pytest.raises(PreflightError, match=r"no project is named: set GOOGLE_PROJECT .there is no login"):
        Gke(environ=environ).where(SPEC)


def test_terraform_sees_no_variable_that_a_pipeline_did_not_expand(world: Google) -> None:
    client = world.other(GOOGLE_CREDENTIALS="$(GOOGLE_CREDENTIALS)", ARM_CLIENT_ID="$(ARM_CLIENT_ID)")
    assert client.environment(PLACE) == {"GOOGLE_CREDENTIALS": "", "GOOGLE_PROJECT": PROJECT}


def test_the_project_is_the_keys_where_no_variable_names_one(world: Google) -> None:
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(world.served.key)}
    assert Gke(environ=environ).where(SPEC) == Where(account=PROJECT, region="us-central1", zone="us-central1-a")


def test_the_applications_default_login_is_found(world: Google, nobody: dict[str, str]) -> None:
    folder = Path(nobody["CLOUDSDK_CONFIG"])
    folder.mkdir()
    (folder / "application_default_credentials.json").write_text(world.served.key.read_text())
    environ = {**world.served.environment(), **nobody, "GOOGLE_APPLICATION_CREDENTIALS": ""}
    assert Gke(environ=environ).resources(PLACE, None, None) == []


def test_a_token_for_kubectl_is_one_that_google_gave_with_its_expiry(
    world: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.served.environment().items():
        monkeypatch.setenv(name, value)
    found = kube_token([])
    assert (found["apiVersion"], found["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    assert world.served.tokens.accepts(found["status"]["token"])
    assert not world.served.tokens.accepts(found["status"]["token"] + "x")
    left = time.mktime(time.strptime(found["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(
        time.gmtime()
    )
    assert 3500 < left <= 3600


def test_a_token_for_kubectl_takes_no_arguments() -> None:
    with pytest.raises(UsageError, match="kube-token gke takes no arguments, but there are --cluster x"):
        kube_token(["--cluster", "x"])


@pytest.mark.parametrize(
    "text",
    [
        f"bad token {SECRET} here",
        "answer {'access_token': 'ya29.c.b0Aaek-very_secret', 'x': 1}",
        'answer {"subject_token": "very_secret"}',
        "-----BEGIN PRIVATE KEY-----\nvery_secret\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nvery_secret",
    ],
)
def test_nothing_that_looks_like_a_secret_is_told(text: str) -> None:
    told = clean(text)
    assert "very_secret" not in told
    assert SECRET not in told
    assert "[hidden]" in told
