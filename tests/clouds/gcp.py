"""Google Cloud as the tests pretend it: computed values, what a cluster brings along, REST and login."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlsplit

from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing
from tests.clouds.front import Front
from tests.clouds.gcp_objects import COLLECTIONS
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import ROOT
from tests.clouds.gcp_objects import compute_id
from tests.clouds.gcp_objects import in_use
from tests.clouds.gcp_objects import put
from tests.clouds.gcp_rest import CLUSTER
from tests.clouds.gcp_rest import VERSIONS
from tests.clouds.gcp_rest import Rest
from tests.clouds.gcp_rest import error_document
from tests.clouds.gcp_tokens import Tokens
from tests.clouds.gcp_tokens import key_document

POOL = "google_container_node_pool"
Values = Mapping[str, Any]


def install(cloud: FakeCloud, kubeconfig: Path | None) -> None:  # noqa: ARG001 - every cloud's shape: `serve` needs it
    """Teach the cloud Google's ids and versions, what a cluster brings along, and what cannot go while it is used."""
    cloud.computed.update(
        {
            "google_compute_network.id": lambda v: compute_id("google_compute_network", v["name"], "", v["project"]),
            "google_compute_subnetwork.id": lambda v: compute_id(
                "google_compute_subnetwork", v["name"], v["region"], v["project"]
            ),
            "google_service_account.email": _email,
            "google_service_account.id": lambda v: f"projects/{v['project']}/serviceAccounts/{_email(v)}",
            "google_project_iam_member.id": lambda v: f"{v['project']}/{v['role']}/{v['member']}",
            f"{CLUSTER}.id": lambda v: f"projects/{v['project']}/locations/{v['location']}/clusters/{v['name']}",
            f"{CLUSTER}.master_version": _version,
            f"{CLUSTER}.endpoint": "192.0.2.1",
            f"{CLUSTER}.master_auth.cluster_ca_certificate": base64.b64encode(b"no certificate").decode(),
            f"{POOL}.id": lambda v: (
                f"projects/{v['project']}/locations/{v['location']}/clusters/{v['cluster']}/nodePools/{v['name']}"
            ),
        }
    )
    cloud.on_created.setdefault(CLUSTER, []).append(_open_firewall)
    cloud.on_created.setdefault(POOL, []).append(_add_machines)
    for kind in COLLECTIONS:
        cloud.on_removing.setdefault(kind, []).append(in_use)


def _email(values: Values) -> str:
    return f"{values['account_id']}@{values['project']}.iam.gserviceaccount.com"


def _version(values: Values) -> str:
    asked = values.get("min_master_version")
    return next((one for one in VERSIONS if asked and one.startswith(f"{asked}.")), VERSIONS[1])


def _open_firewall(cloud: FakeCloud, thing: Thing) -> None:
    """Add the rules that GKE makes, and takes away, with a cluster."""
    network = ROOT + str(thing.values.get("network"))
    for what in ("all", "exkubelet", "inkubelet", "vms"):
        put(cloud, "gcp_firewall", f"gke-{thing.name}-0a1b2c3d-{what}", parent=thing.key, network=network)


def _add_machines(cloud: FakeCloud, thing: Thing) -> None:
    """Add a pool's instance groups, one a zone, each with a machine and its disk; all go with the pool."""
    values, tags = thing.values, dict(thing.tags)
    cluster = f"projects/{values['project']}/locations/{values['location']}/clusters/{values['cluster']}"
    thing.parent = (CLUSTER, cluster)
    labels = {
        **tags,
        **(values["node_config"][0].get("resource_labels") or {}),
        "goog-k8s-cluster-name": values["cluster"],
    }
    for zone in values.get("node_locations") or [values["location"]]:
        name = f"gke-{values['cluster']}-{values['name']}-0a1b2c3d"
        put(cloud, "gcp_instance_group_manager", f"{name}-grp", zone, parent=thing.key)
        machine = put(cloud, "gcp_instance", f"{name}-abcd", zone, tags=labels, parent=thing.key)
        put(cloud, "gcp_disk", f"{name}-abcd", zone, tags=labels, parent=thing.key, users=[machine.id])


@dataclass(frozen=True)
class Served:
    """A pretended Google Cloud that answers.

    Attributes:
        base: URL of the server.
        key: file with the key of a service account that may do everything.
        front: the API server of every cluster; None without a cluster behind.
    """

    base: str
    rest: Rest
    tokens: Tokens
    key: Path
    front: Front | None

    def environment(self) -> dict[str, str]:
        """Return what makes the harness, and Terraform's provider, come here."""
        return {
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.key),
            "GOOGLE_PROJECT": PROJECT,
            "GOOGLE_REGION": "us-central1",
            "GOOGLE_CONTAINER_CUSTOM_ENDPOINT": f"{self.base}/container/v1/",
            "GOOGLE_COMPUTE_CUSTOM_ENDPOINT": f"{self.base}/compute/v1/",
            "GOOGLE_IAM_CUSTOM_ENDPOINT": f"{self.base}/iam/v1/",
            "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT": f"{self.base}/projects/v1/",
        }


@contextlib.contextmanager
def serve(cloud: FakeCloud, kubeconfig: Path | None) -> Iterator[Served]:
    """Answer for `cloud`; the API server of its clusters is the one of `kubeconfig`, behind Google's tokens."""
    rest, tokens = Rest(cloud), Tokens()
    folder = Path(tempfile.mkdtemp(prefix="gcp-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        front = stack.enter_context(Front(kubeconfig, tokens.accepts)) if kubeconfig else None
        if front is not None:
            cloud.computed[f"{CLUSTER}.endpoint"] = front.endpoint.removeprefix("https://")
            ca = base64.b64encode(front.ca.encode()).decode()
            cloud.computed[f"{CLUSTER}.master_auth.cluster_ca_certificate"] = ca
        base = stack.enter_context(_listening(rest, tokens))
        key = folder / "key.json"
        key.write_text(json.dumps(key_document(f"{base}/token", PROJECT)))
        yield Served(base, rest, tokens, key, front)


@contextlib.contextmanager
def _listening(rest: Rest, tokens: Tokens) -> Iterator[str]:
    handler = type("Bound", (Handler,), {"rest": rest, "tokens": tokens})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # joined by server_close
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5.0)
        rest.cloud.close()
        for one in rest.threads:
            one.join(timeout=5.0)


class Handler(BaseHTTPRequestHandler):
    """One request; connections are not kept, so that the server's end waits for none."""

    rest: Rest
    tokens: Tokens

    def do_GET(self) -> None:
        self._answer({})

    def do_DELETE(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length).decode()
        if self.path in {"/token", "/sts"}:
            granted = self.tokens.granted(parse_qs(raw))
            refused = {"error": "invalid_grant", "error_description": "the assertion is not valid"}
            self._send(200 if granted else 400, granted or refused)
        else:
            self._answer(json.loads(raw or "{}"))

    def _answer(self, body: dict[str, Any]) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not self.tokens.accepts(token):
            self._send(401, error_document(FakeError("UNAUTHENTICATED", "the token is not valid", 401)))
            return
        url = urlsplit(self.path)
        service, _, path = url.path.strip("/").partition("/v1/")
        try:
            self._send(200, self.rest.answer(self.command, service, path, parse_qs(url.query), body))
        except FakeError as error:
            self._send(error.status, error_document(error))

    def _send(self, status: int, document: dict[str, Any]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's shape
        """Say nothing."""
