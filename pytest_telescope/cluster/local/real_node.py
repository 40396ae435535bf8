"""The joint between the control plane and the real node: what each must know of the other."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.local import egress
from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.pools import KUBERNETES_NODES
from pytest_telescope.cluster.local.pools import node_labels
from pytest_telescope.cluster.local.spec import LocalSpec
from pytest_telescope.cluster.local.spec import Pool
from pytest_telescope.errors import ProvisionError

if TYPE_CHECKING:
    from pytest_telescope.cluster.local.node import NodeSpec

_SET_BY_KUBELET = ("kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os")


@dataclass(frozen=True, slots=True)
class Joined:
    """What the real node told about itself."""

    name: str
    facts: Mapping[str, str | int | float | bool | None]
    logs: tuple[Path, ...]


def write_egress(spec: LocalSpec, layout: Layout) -> Path:
    """Write how the API server reaches the node's kubelet: through a socket into its network namespace."""
    from pytest_telescope.cluster.local import node

    return egress.write_config(layout, node.egress_socket(spec.lease, layout.node))


def join(
    spec: LocalSpec, layout: Layout, server: str, prometheus: egress.Upstream, connect: Callable[[], Api]
) -> Joined:
    """Start the node of the containerd pool and give it the labels that it may not give itself.

    Raises:
        ProvisionError, PreflightError: it did not become Ready.
    """
    from pytest_telescope.cluster.local import node

    pool = spec.real_pool
    if pool is None:
        raise ProvisionError("there is no containerd pool to make a real node from")
    facts = node.start(_node_spec(spec, layout, pool, server, prometheus))
    if facts.labels_to_set:
        connect().patch(f"{KUBERNETES_NODES}/{facts.name}", {"metadata": {"labels": dict(facts.labels_to_set)}})
    return Joined(facts.name, dict(facts.facts), tuple(facts.logs))


def _node_spec(spec: LocalSpec, layout: Layout, pool: Pool, server: str, prometheus: egress.Upstream) -> NodeSpec:
    from pytest_telescope.cluster.local.node import NodeSpec

    name = pool.node_names()[0]
    labels = node_labels(pool, name, kind="containerd")
    return NodeSpec(
        lease_id=spec.lease,
        folder=private_folder(layout.node),
        name=name,
        labels={key: value for key, value in labels.items() if key not in _SET_BY_KUBELET},
        taints=pool.taints,
        max_pods=pool.max_pods,
        api_server=server,
        ca=layout.certificate("ca"),
        kubelet_certificate=layout.certificate("kubelet"),
        kubelet_key=layout.key("kubelet"),
        prometheus=prometheus,
        cpu_limit=None,
        memory_limit=None,
    )


def leave(spec: LocalSpec, layout: Layout) -> None:
    """Take the real node away again; nothing to do if there is none."""
    from pytest_telescope.cluster.local import node

    node.stop(spec.lease, layout.node)
