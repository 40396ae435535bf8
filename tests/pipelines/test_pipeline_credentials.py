"""What the credentials step leaves is what the harness logs in with; no secret is written, and each login asks anew."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_telescope.cluster.clouds.aws_login import identity_tokens
from pytest_telescope.cluster.clouds.azure_login import login
from pytest_telescope.cluster.clouds.gcp_login import credentials
from tests.pipelines.runner import ROOT
from tests.pipelines.runner import TOKEN

CONNECTION = "11111111-1111-1111-1111-111111111111"
IDENTITY = {
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": CONNECTION,
    "servicePrincipalId": "22222222-2222-2222-2222-222222222222",
    "tenantId": "33333333-3333-3333-3333-333333333333",
    "idToken": "a-token-of-ten-minutes",
}
"""What AzureCLI@2 gives a script with addSpnToEnvironment, for a connection with workload identity federation."""
SETTINGS = {
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/telescope",
    "GOOGLE_PROJECT": "pretended",
    "GOOGLE_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/pool/providers/ado",
    "GOOGLE_SERVICE_ACCOUNT": "telescope@pretended.iam.gserviceaccount.com",
}


class Tokens(ThreadingHTTPServer):
    """Gives identity tokens as Azure Pipelines does, each another one."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str]] = []

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/oidctoken"


class _Handler(BaseHTTPRequestHandler):
    server: Tokens

    def do_POST(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        body = json.dumps({"oidcToken": f"token-{len(self.server.asked)}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class'
        """Say nothing."""


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    with Tokens() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def step(folder: Path, provider: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script of the credentials step with an `az` that knows one subscription."""
    az = folder / "bin" / "az"
    az.parent.mkdir(exist_ok=True)
    az.write_text("#!/bin/sh\necho 44444444-4444-4444-4444-444444444444\n")
    az.chmod(0o755)
    return subprocess.run(
        ["bash", str(ROOT / "steps" / "infrastructure" / "credentials.sh"), provider],
        env={"PATH": f"{az.parent}:{os.environ['PATH']}", **agent(folder), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def agent(folder: Path) -> dict[str, str]:
    """Return the agent's variables, with a checkout whose framework is that of these tests."""
    sources = folder / "sources"
    if not sources.exists():
        sources.mkdir()
        (sources / ".venv").symlink_to(sys.prefix)
        (sources / "steps").symlink_to(ROOT / "steps")
    return {"AGENT_TEMPDIRECTORY": str(folder), "BUILD_SOURCESDIRECTORY": str(sources)}


def kept(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(re.findall(r"^##vso\[task\.setvariable variable=(\w+)\](.*)$", done.stdout, re.MULTILINE))


def later(tokens: Tokens) -> dict[str, str]:
    """Return what a later step has beside the kept variables."""
    return {"SYSTEM_OIDCREQUESTURI": tokens.uri, "SYSTEM_ACCESSTOKEN": TOKEN}


def test_aks_is_logged_in_to_as_the_service_connection(tmp_path: Path, tokens: Tokens) -> None:
    found = kept(step(tmp_path, "aks", IDENTITY))

    who = login({**found, **later(tokens)})

    assert who.kind == "pipelines"
    assert (who.tenant, who.client) == (IDENTITY["tenantId"], IDENTITY["servicePrincipalId"])
    assert found["ARM_SUBSCRIPTION_ID"] == "44444444-4444-4444-4444-444444444444"


def test_eks_asks_for_a_token_of_the_service_connection_each_time(tmp_path: Path, tokens: Tokens) -> None:
    found = kept(step(tmp_path, "eks", {**IDENTITY, **SETTINGS}))

    ask = identity_tokens({**found, **SETTINGS, **later(tokens)})

    assert ask is not None
    assert [ask(), ask()] == ["token-1", "token-2"]
    assert tokens.asked[0] == (f"/oidctoken?api-version=7.1&serviceConnectionId={CONNECTION}", f"Bearer {TOKEN}")


def test_gke_gets_its_token_from_a_program_that_asks_for_one(
    tmp_path: Path, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = kept(step(tmp_path, "gke", {**IDENTITY, **SETTINGS}))
    for name, value in {**found, **later(tokens)}.items():
        monkeypatch.setenv(name, value)

    login_: Any = credentials({**os.environ})[0]

    assert login_.retrieve_subject_token(None) == "token-1"
    assert tokens.asked[0][0].endswith(CONNECTION)


def test_gke_says_why_there_is_no_token() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "steps" / "infrastructure" / "federated_token.py")],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SYSTEM_OIDCREQUESTURI": "ftp://somewhere", "SYSTEM_ACCESSTOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    answer = json.loads(done.stdout)
    assert (answer["success"], answer["code"]) == (False, "NO_TOKEN")
    assert "https" in answer["message"]
    assert TOKEN not in done.stdout


@pytest.mark.parametrize("provider", ["aks", "eks", "gke"])
def test_no_token_is_kept_or_written(tmp_path: Path, provider: str) -> None:
    done = step(tmp_path, provider, {**IDENTITY, **SETTINGS, "SYSTEM_ACCESSTOKEN": TOKEN})

    files = "".join(path.read_text() for path in tmp_path.glob("*.json"))
    for secret in (IDENTITY["idToken"], TOKEN):
        assert secret not in done.stdout + done.stderr + files


@pytest.mark.parametrize(
    ("provider", "environment", "said"),
    [
        ("aks", {**IDENTITY, "servicePrincipalKey": "s3cret"}, "has a secret"),
        ("aks", {**IDENTITY, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": ""}, "workload identity federation"),
        ("eks", IDENTITY, "AWS_ROLE_ARN"),
        ("gke", {**IDENTITY, "GOOGLE_PROJECT": "p"}, "GOOGLE_IDENTITY_PROVIDER"),
        ("oke", IDENTITY, "known are aks, eks, gke"),
    ],
)
def test_what_is_missing_is_an_error_that_names_it(
    tmp_path: Path, provider: str, environment: dict[str, str], said: str
) -> None:
    done = step(tmp_path, provider, environment)

    assert done.returncode == 1
    assert said in done.stdout
    assert done.stdout.startswith("##vso[task.logissue type=error]")
    assert "s3cret" not in done.stdout + done.stderr
