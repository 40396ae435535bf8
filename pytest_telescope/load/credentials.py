"""What a kubeconfig says about reaching one API server."""

from __future__ import annotations

import base64
import ssl
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_telescope.errors import LoadError

PLAIN_USER = {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to reach one API server.

    Attributes:
        host, port: of the server; `prefix` is the path before `/api`, mostly empty.
        tls: None for plain http.
        authorization: returns the header's value now (tokens of exec plugins end), or None.
        proxy: (host, port) of an HTTP proxy to tunnel through.
    """

    host: str
    port: int
    prefix: str
    tls: ssl.SSLContext | None
    authorization: Callable[[], str | None]
    proxy: tuple[str, int] | None = None
    server_name: str | None = None


def read_kubeconfig(path: Path) -> Credentials:
    """Read the current context of `path`; exec plugins and auth providers are left to the kubernetes client.

    Raises:
        LoadError: the file is missing or names no cluster.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document.get("users") or [], context.get("user"))["user"] or {}
    except (OSError, KeyError, TypeError, StopIteration, yaml.YAMLError) as error:
        raise LoadError(f"{path}: not a usable kubeconfig ({type(error).__name__}: {error})") from error
    if set(user) <= PLAIN_USER and not {"proxy-url", "tls-server-name"} & set(cluster):
        return _plain(path.parent, cluster, user)
    return _by_client(path)


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _plain(folder: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Credentials:
    tls = None
    if cluster["server"].startswith("https"):
        tls = _context(folder, cluster)
        certificate = _bytes(folder, user, "client-certificate")
        key = _bytes(folder, user, "client-key")
        if certificate and key:
            _load_chain(tls, certificate, key)
    token = user.get("token")
    return _credentials(cluster["server"], tls, lambda: f"Bearer {token}" if token else None)


def _context(folder: Path, cluster: Mapping[str, Any]) -> ssl.SSLContext:
    authority = _bytes(folder, cluster, "certificate-authority")
    tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    return tls


def _bytes(folder: Path, entry: Mapping[str, str], key: str) -> bytes | None:
    if data := entry.get(f"{key}-data"):
        return base64.b64decode(data)
    if file := entry.get(key):
        return (folder / file).read_bytes()
    return None


def _load_chain(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a key that OpenSSL only takes from a file; the file (0600) is gone before this returns."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(certificate + b"\n" + key)
    try:
        tls.load_cert_chain(file.name)
    finally:
        with suppress(FileNotFoundError):
            Path(file.name).unlink()


def _by_client(path: Path) -> Credentials:
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config

    settings = Configuration()
    load_kube_config(  # type: ignore[no-untyped-call] # the client leaves this function without types
        config_file=str(path), client_configuration=settings, persist_config=False, temp_file_path=str(path.parent)
    )
    tls = None
    if settings.host.startswith("https"):
        tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
        if not settings.verify_ssl:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        if settings.cert_file:
            tls.load_cert_chain(settings.cert_file, settings.key_file)
    proxy = urlsplit(settings.proxy) if settings.proxy else None
    return _credentials(
        settings.host,
        tls,
        lambda: settings.get_api_key_with_prefix("BearerToken", alias="authorization"),
        proxy=(proxy.hostname or "", proxy.port or 80) if proxy else None,
        server_name=settings.tls_server_name,
    )


def _credentials(
    server: str,
    tls: ssl.SSLContext | None,
    authorization: Callable[[], str | None],
    *,
    proxy: tuple[str, int] | None = None,
    server_name: str | None = None,
) -> Credentials:
    url = urlsplit(server)
    return Credentials(
        host=url.hostname or "",
        port=url.port or (443 if tls else 80),
        prefix=url.path.rstrip("/"),
        tls=tls,
        authorization=authorization,
        proxy=proxy,
        server_name=server_name,
    )
