"""Wait for a node to register and become Ready, asked with the node's own certificate."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_telescope.errors import ProvisionError


def fetch(*, server: str, name: str, ca: Path, certificate: Path, key: Path) -> dict[str, Any] | None:
    """Return the Node object, or None while there is none or the API server does not answer."""
    url = urlsplit(server)
    context = ssl.create_default_context(cafile=str(ca))
    context.load_cert_chain(certificate, key)
    connection = http.client.HTTPSConnection(url.hostname or "127.0.0.1", url.port, timeout=5, context=context)
    try:
        connection.request("GET", f"/api/v1/nodes/{name}")
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return json.loads(body) if response.status == http.client.OK else None


def is_ready(node: Mapping[str, Any]) -> bool:
    """Tell whether the node's condition Ready is True."""
    conditions = node.get("status", {}).get("conditions", ())
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def why_not(node: Mapping[str, Any] | None) -> str:
    """Say in a few words what the API server knows of a node that is not Ready."""
    if node is None:
        return "it has not registered"
    conditions = node.get("status", {}).get("conditions", ())
    said = [item.get("message", "") for item in conditions if item["type"] == "Ready"]
    return said[0] if said else "it has no Ready condition"


def wait(
    look: Callable[[], dict[str, Any] | None],
    failed: Callable[[], str | None],
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Return the Node object once it is Ready.

    Raises:
        ProvisionError: `failed` gave a reason, or `timeout` seconds passed.
    """
    deadline = clock() + timeout
    while True:
        if reason := failed():
            raise ProvisionError(reason)
        node = look()
        if node is not None and is_ready(node):
            return node
        if clock() >= deadline:
            raise ProvisionError(f"the node is not Ready after {timeout:g} s: {why_not(node)}")
        sleep(0.1)
