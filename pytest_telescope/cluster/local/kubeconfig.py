"""Kubeconfig files with everything inside them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.layout import Layout


def write_kubeconfigs(layout: Layout, name: str, server: str) -> None:
    """Write one kubeconfig for each component that talks to the API server, and the admin's."""
    private_folder(layout.kubeconfigs)
    for user in ("admin", "kube-controller-manager", "kube-scheduler", "kwok"):
        write_private(layout.kubeconfigs / user, kubeconfig(layout, name, server, user))


def kubeconfig(layout: Layout, name: str, server: str, user: str) -> str:
    """Return the kubeconfig of `user`; JSON, which is YAML."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": _data(layout.certificate("ca"))},
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _data(layout.certificate(user)),
                    "client-key-data": _data(layout.key(user)),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
