"""Looking at an existing cluster: a kubeconfig of one context, and what the API server says of itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.errors import ProvisionError

FILES = ("certificate-authority", "client-certificate", "client-key")
"""Keys of a kubeconfig that name a file; each has a sibling `-data` with its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found at the other end of a kubeconfig.

    Attributes:
        version: of the API server, e.g. `v1.34.2`.
        nodes: as the API server lists them.
        namespaces: name -> labels.
    """

    context: str
    server: str
    version: str
    nodes: tuple[Mapping[str, Any], ...]
    namespaces: Mapping[str, Mapping[str, str]]

    def lines(self) -> list[str]:
        """Return what a person must see before a load is put on it."""
        machines = sorted({_label(node, "node.kubernetes.io/instance-type") or "unknown" for node in self.nodes})
        return [
            f"context {self.context}",
            f"server  {self.server}",
            f"version {self.version}",
            f"nodes   {len(self.nodes)} ({', '.join(machines)})",
        ]


def _label(node: Mapping[str, Any], name: str) -> str | None:
    return (node["metadata"].get("labels") or {}).get(name)


def copy(kubeconfig: Path, target: Path) -> Path:
    """Write the current context of `kubeconfig` alone, with all its files put in, as the private file `target`.

    What is used later is this copy: another `kubectl config use-context` must not turn a clean-up to another cluster.

    Raises:
        ProvisionError: it is not there, is no kubeconfig, or names a context, cluster or user that is not in it.
    """
    import yaml

    try:
        told = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        document = one_context(told, kubeconfig.resolve().parent)
    except FileNotFoundError as error:
        raise ProvisionError(f"{error.filename} is not there") from error
    except (OSError, yaml.YAMLError, KeyError, TypeError, StopIteration) as error:
        raise ProvisionError(f"{kubeconfig} is not a usable kubeconfig: {error!r}") from error
    private_folder(target.parent)
    return write_private(target, yaml.safe_dump(document))


def one_context(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a kubeconfig with nothing but the current context; `folder`: where relative paths begin.

    Raises:
        KeyError, TypeError, StopIteration: something that it names is not in it.
        OSError: a file that it names cannot be read.
    """
    name = told["current-context"]
    context = _named(told["contexts"], name)
    cluster = _named(told["clusters"], context["context"]["cluster"])
    user = _named(told["users"], context["context"]["user"])
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [context],
        "clusters": [{**cluster, "cluster": _inlined(cluster["cluster"], folder)}],
        "users": [{**user, "user": _user(user["user"], folder)}],
    }


def _named(entries: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in entries if one["name"] == name)
    return deepcopy(found)


def _user(user: dict[str, Any], folder: Path) -> dict[str, Any]:
    found = _inlined(user, folder)
    if "tokenFile" in found:
        found["tokenFile"] = str(folder / found["tokenFile"])
    command = (found.get("exec") or {}).get("command", "")
    if "/" in command:
        found["exec"]["command"] = str(folder / command)
    return found


def _inlined(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Put the content of each file in place of its name; one that has both keeps what is in it already."""
    found = dict(section)
    for key in FILES:
        path = found.pop(key, None)
        if path and f"{key}-data" not in found:
            found[f"{key}-data"] = base64.b64encode((folder / path).read_bytes()).decode()
    return found


def look(kubeconfig: Path) -> Seen:
    """Ask the cluster what it is.

    Args:
        kubeconfig: as `copy` writes it; copies of its certificates go beside it.

    Raises:
        ProvisionError: the API server cannot be asked, or refuses.
    """
    import yaml

    from pytest_telescope.cluster.kube import Kube
    from pytest_telescope.cluster.kube import access

    context = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"]
    how = access(kubeconfig)
    with Kube(how) as kube:
        return Seen(
            context=str(context),
            server=how.server,
            version=kube.get("/version")["gitVersion"],
            nodes=tuple(kube.get("/api/v1/nodes")["items"]),
            namespaces={
                one["metadata"]["name"]: one["metadata"].get("labels") or {}
                for one in kube.get("/api/v1/namespaces")["items"]
            },
        )
