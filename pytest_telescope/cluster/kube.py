"""Any cluster by its kubeconfig: how it is reached, and a small client for reading, applying and deleting objects."""

from __future__ import annotations

import http
import json
import threading
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.errors import ProvisionError
from pytest_telescope.metrics.client import connect
from pytest_telescope.metrics.model import Endpoint

if TYPE_CHECKING:
    import requests

MANAGER = "telescope"
"""Field manager of what is applied."""
TIMEOUT = (5.0, 30.0)
"""Seconds for the connection, and for each part of an answer."""
_PLURALS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "Pod": "pods",
    "DaemonSet": "daemonsets",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an API server is reached; its files are private and lie in a folder of the lease.

    Attributes:
        server: URL without a slash at its end.
        authorization: the header's value now, or None; runs the kubeconfig's exec plugin again when a token has ended.
    """

    server: str
    ca: Path | None
    certificate: Path | None
    key: Path | None
    authorization: Callable[[], str | None]
    proxy: str | None = None

    def endpoint(self, path: str = "", **more: Any) -> Endpoint:
        """Return what lies at `path` of the API server, with these credentials, as a Prometheus is told."""
        return Endpoint(
            url=self.server + path,
            ca=self.ca,
            certificate=self.certificate,
            key=self.key,
            authorization=self.authorization,
            proxy=self.proxy,
            **more,
        )


def access(kubeconfig: Path, folder: Path | None = None) -> Access:
    """Read the current context of `kubeconfig`; copies of its certificates go to `folder`, default beside it.

    Raises:
        ProvisionError: it cannot be used, or asks for what the harness does not do.
    """
    place = private_folder(folder or kubeconfig.parent / "api-access")
    settings = _settings(kubeconfig, place)
    if not settings.verify_ssl or settings.tls_server_name:
        raise ProvisionError(
            f"{kubeconfig}: insecure-skip-tls-verify and tls-server-name are not supported; "
            "name the server as its certificate does, and give its certificate-authority-data"
        )
    lock = threading.Lock()

    def authorization() -> str | None:
        with lock:
            value: str | None = settings.get_api_key_with_prefix("BearerToken", alias="authorization")
        return value

    files = {"ca.crt": settings.ssl_ca_cert, "client.crt": settings.cert_file, "client.key": settings.key_file}
    kept = {name: _kept(place / name, source) for name, source in files.items()}
    return Access(
        server=settings.host.rstrip("/"),
        ca=kept["ca.crt"],
        certificate=kept["client.crt"],
        key=kept["client.key"],
        authorization=authorization,
        proxy=settings.proxy,
    )


def _settings(kubeconfig: Path, place: Path) -> Any:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config import load_kube_config

    settings = Configuration()
    try:
        load_kube_config(  # type: ignore[no-untyped-call] # the client leaves this function without types
            config_file=str(kubeconfig),
            client_configuration=settings,
            persist_config=False,
            temp_file_path=str(place),
        )
    except (ConfigException, OSError) as error:
        raise ProvisionError(f"{kubeconfig}: not a usable kubeconfig ({error})") from error
    return settings


def _kept(target: Path, source: str | None) -> Path | None:
    return write_private(target, Path(source).read_bytes()) if source else None


class Kube:
    """One API server, by paths; not for use by several threads at once."""

    def __init__(self, how: Access) -> None:
        self._server = how.server
        self._session = connect(how.endpoint())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str) -> Any:
        """Return the object or list at `path`.

        Raises:
            ProvisionError: any answer but 200, or none.
        """
        return self._read("GET", path, self._send("GET", path))

    def find(self, path: str) -> Any | None:
        """Return the object at `path`, or None where there is none (errors as in `get`)."""
        reply = self._send("GET", path)
        return None if reply.status_code == http.HTTPStatus.NOT_FOUND else self._read("GET", path, reply)

    def apply(self, body: Mapping[str, Any]) -> Any:
        """Create or change one object by server-side apply (errors as in `get`)."""
        path = f"{path_of(body)}?fieldManager={MANAGER}&force=true"
        reply = self._send("PATCH", path, json.dumps(body), {"Content-Type": "application/apply-patch+yaml"})
        return self._read("PATCH", path, reply)

    def delete(self, path: str) -> bool:
        """Ask for the end of the object at `path`; return whether there was one (errors as in `get`)."""
        reply = self._send("DELETE", path)
        if reply.status_code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.CONFLICT):  # conflict: it is going already
            return reply.status_code == http.HTTPStatus.CONFLICT
        self._read("DELETE", path, reply)
        return True

    def _send(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        import requests

        try:
            return self._session.request(
                method, self._server + path, data=body, headers=dict(headers or {}), timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise ProvisionError(
                f"the API server at {self._server} cannot be asked: {method} {path}: {error}"
            ) from error

    @staticmethod
    def _read(method: str, path: str, reply: requests.Response) -> Any:
        if not reply.ok:
            raise ProvisionError(f"{method} {path} was answered with {reply.status_code}: {said(reply.text)}")
        return reply.json()


def said(text: str) -> str:
    """Return the message of an API server's Status, or the beginning of whatever else it answered."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500]


def path_of(body: Mapping[str, Any]) -> str:
    """Return the path of an object of one of the kinds that the harness applies."""
    version, meta = body["apiVersion"], body["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
    return f"{root}{space}/{_PLURALS[body['kind']]}/{meta['name']}"
