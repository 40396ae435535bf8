"""Azure as the tests pretend it: what a cluster brings along, Azure Resource Manager and logins, over HTTPS."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import ssl
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import parse_qsl
from urllib.parse import unquote
from urllib.parse import urlencode
from urllib.parse import urlsplit

from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local.layout import Layout
from tests.clouds.azure_objects import SUBSCRIPTION
from tests.clouds.azure_objects import teach
from tests.clouds.azure_rest import Rest
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError

TENANT = "00000000-0000-0000-0000-00000000aaaa"
CLIENT = "00000000-0000-0000-0000-00000000cccc"
CONNECTION = "00000000-0000-0000-0000-0000000000ee"
OIDC = "/oidc"


def install(cloud: FakeCloud, kubeconfig: Path | None) -> None:
    """Teach the cloud what Azure does; every cluster's kubeconfig is `kubeconfig`."""
    teach(cloud, kubeconfig)


@dataclass
class Logins:
    """Who may log in, and the tokens that were given.

    Attributes:
        refusing: the reason why nobody may, or "".
        kinds: how each token was got: assertion, secret.
    """

    secret: str = field(default_factory=lambda: f"secret-{secrets.token_hex(12)}")
    access_token: str = field(default_factory=lambda: f"pipeline-{secrets.token_hex(12)}")
    assertion: str = field(
        default_factory=lambda: f"eyJ{secrets.token_hex(8)}.{secrets.token_hex(8)}.{secrets.token_hex(8)}"
    )
    tokens: set[str] = field(default_factory=set)
    kinds: list[str] = field(default_factory=list)
    refusing: str = ""

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        """Answer a request for a token."""
        proven = (form.get("client_assertion") == self.assertion, form.get("client_secret") == self.secret)
        if self.refusing or form.get("client_id") != CLIENT or not any(proven):
            text = self.refusing or f"AADSTS7000215: what was given is no good: {form.get('client_secret', '')}"
            return 401, {"error": "invalid_client", "error_description": text}
        made = f"eyJtoken.{secrets.token_hex(12)}.x"
        self.tokens.add(made)
        self.kinds.append("assertion" if proven[0] else "secret")
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": made}

    def oidc(self, header: str, connection: str) -> tuple[int, Any]:
        """Answer Azure Pipelines' request for an assertion."""
        if header != f"Bearer {self.access_token}" or connection != CONNECTION:
            return 401, {"message": "no service connection for this token"}
        return 200, {"oidcToken": self.assertion}


@dataclass(frozen=True)
class Served:
    """A pretended Azure that answers.

    Attributes:
        base: URL of all of its services.
        folder: private files: certificate authority, federated token.
    """

    base: str
    folder: Path
    rest: Rest
    logins: Logins

    def place(self) -> dict[str, str]:
        """Return what makes a client come here, without a login."""
        return {
            "TELESCOPE_ARM_ENDPOINT": self.base,
            "AZURE_AUTHORITY_HOST": self.base,
            "REQUESTS_CA_BUNDLE": str(self.folder / "ca.pem"),
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_TENANT_ID": TENANT,
            "ARM_CLIENT_ID": CLIENT,
        }

    def environment(self) -> dict[str, str]:
        """Return what makes the harness come here, by workload identity."""
        return {**self.place(), "AZURE_FEDERATED_TOKEN_FILE": str(self.folder / "token")}

    def pipelines(self) -> dict[str, str]:
        """Return the same, as Azure Pipelines has it."""
        oidc = {"SYSTEM_OIDCREQUESTURI": self.base + OIDC, "SYSTEM_ACCESSTOKEN": self.logins.access_token}
        return {**self.place(), **oidc, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": CONNECTION}


@contextlib.contextmanager
def serve(cloud: FakeCloud, kubeconfig: Path | None) -> Iterator[Served]:  # noqa: ARG001 - every cloud's shape
    """Answer for `cloud` until the end of the context."""
    folder = Path(tempfile.mkdtemp(prefix="azure-"))
    rest, logins = Rest(cloud), Logins()
    context, authority = serving(folder)
    (folder / "ca.pem").write_text(authority)
    (folder / "token").write_text(logins.assertion)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(rest, logins))
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Served(f"https://127.0.0.1:{server.server_address[1]}", folder, rest, logins)
    finally:
        server.shutdown()
        server.server_close()
        cloud.close()
        for worker in [thread, *rest.deleting]:
            worker.join(timeout=10.0)
        shutil.rmtree(folder)


def serving(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return what a server on loopback needs, and the PEM of its authority; the keys lie in `folder`."""
    layout = Layout(folder)
    pki.write_pki(layout)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(layout.certificate("apiserver"), layout.key("apiserver"))
    return context, layout.certificate("ca").read_text()


def _handler(rest: Rest, logins: Logins) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
            """Say nothing."""

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PATCH(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            try:
                status, document = self._routed(raw)
            except FakeError as error:
                status, document = error.status, {"error": {"code": error.code, "message": error.message}}
            if isinstance(document, dict) and "next" in document:
                path, query = document.pop("next")
                document["nextLink"] = f"https://{self.headers['Host']}{path}?{urlencode(query)}"
            self._send(status, json.dumps(document).encode())

        def _routed(self, raw: str) -> tuple[int, Any]:
            url = urlsplit(self.path)
            query = dict(parse_qsl(url.query))
            authorization = self.headers.get("Authorization", "")
            if url.path == OIDC:
                return logins.oidc(authorization, query.get("serviceConnectionId", ""))
            if url.path.endswith("/oauth2/v2.0/token"):
                return logins.token({name: values[0] for name, values in parse_qs(raw).items()})
            if url.path.endswith("/.well-known/openid-configuration"):
                return 200, self._discovered()
            if authorization.removeprefix("Bearer ") not in logins.tokens:
                raise FakeError("InvalidAuthenticationToken", "the token is not known", status=401)
            return rest.answer(self.command, unquote(url.path), query, json.loads(raw) if raw else None)

        def _discovered(self) -> dict[str, str]:
            tenant = f"https://{self.headers['Host']}/{TENANT}"
            return {
                "issuer": f"{tenant}/v2.0",
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{tenant}/oauth2/v2.0/devicecode",
            }

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 429:
                self.send_header("Retry-After", rest.retry_after)
            self.end_headers()
            self.wfile.write(body)

    return Handler
