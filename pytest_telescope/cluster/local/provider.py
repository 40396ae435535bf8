"""The embedded cluster as a provider: through Terraform like all others, and gone for certain."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local import preflight
from pytest_telescope.cluster.local import traces
from pytest_telescope.cluster.local.egress import PROMETHEUS
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.teardown import down
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.processes import marked
from pytest_telescope.errors import DestroyError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec
from pytest_telescope.scenario.model import PoolSpec

if TYPE_CHECKING:
    from pytest_telescope.cluster.terraform import LeaseTerraform

READY_WITHIN = 180.0
"""Seconds that the cluster has to become ready; a slow machine needs a tenth of it."""
APPLY_WITHIN = READY_WITHIN + 60.0
DESTROY_WITHIN = 120.0
_INTERRUPT_GRACE = 20.0
_SYSTEM_POOL = "system"

CONTROL_PLANE_TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "prometheus")
BASIC = frozenset({"etcd-metrics", "controlplane-metrics", "scheduler-metrics", "controller-manager-metrics"})
REAL = frozenset({"real-nodes", "kubelet-metrics", "cadvisor-metrics", "containerd-metrics", "node-metrics"})

log = logging.getLogger(__name__)


def capabilities_of(spec: ClusterSpec) -> frozenset[str]:
    """Return what a cluster of this spec can show: a kubelet's metrics need a real one."""
    return BASIC | REAL if preflight.has_real_node(spec) else BASIC


class LocalProvider:
    """Clusters on this machine."""

    name = "local"
    capabilities = BASIC | REAL

    def __init__(self) -> None:
        self.say: Callable[[str], None] = lambda _text: None
        self.approve: Callable[[Mapping[str, Any]], None] = lambda _document: None

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:  # noqa: ARG002 - the protocol's shape
        """Return None: no sweeper comes to a person's own machine."""
        return None

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        """Return what a cluster of this spec can show."""
        return capabilities_of(spec)

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the names of the pinned tools that a cluster of this spec is made with."""
        return ("terraform", *tools_for(spec))

    def preflight(self, spec: ClusterSpec) -> None:
        """Check the spec against what one machine can do.

        Raises:
            PreflightError: it cannot; every objection is named.
        """
        objections = preflight.objections(spec)
        if reason := self.unavailable(spec):
            objections.append(reason)
        if objections:
            where = f"{spec.place}: " if spec.place else ""
            raise PreflightError(f"{where}the local provider cannot serve this: {'; '.join(objections)}")

    def unavailable(self, spec: ClusterSpec) -> str | None:
        """Return why this machine can never serve `spec`, or None; only a real node is more than any machine can."""
        if os.name != "posix":
            return "the local provider needs Linux or macOS"
        return traces.why_no_real_node() if preflight.has_real_node(spec) else None

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        """Return a ready cluster (see the protocol)."""
        from pytest_telescope.cluster.terraform import TerraformError

        if preflight.has_real_node(spec):
            traces.remember(lease.folder)
        terraform = _terraform(lease, tools_for(spec), self.say)
        try:
            terraform.init_module(deadline=60.0)
            terraform.apply_module(variables(spec, lease), deadline=APPLY_WITHIN)
            outputs = terraform.outputs()
        except TerraformError as error:
            raise ProvisionError(_why(lease, error, terraform.log)) from error
        if not outputs.get("kubeconfig") or not outputs.get("facts"):
            raise ProvisionError(f"the module told neither kubeconfig nor facts; log: {terraform.log}")
        return _cluster(spec, lease, outputs)

    def destroy(self, lease: Lease) -> None:
        """Destroy by Terraform, then by looking, whatever Terraform said (see the protocol)."""
        failure = _terraform_destroy(lease, self.say)
        down(lease.id, lease.folder / "cluster")
        if failure is None:
            return
        left = self.leftovers(lease)
        if left:
            raise DestroyError(f"{failure}\nstill there: {', '.join(map(str, left))}") from failure
        log.warning("lease %s: nothing is left, though Terraform failed: %s", lease.id, failure)

    def leftovers(self, lease: Lease) -> list[Leftover]:
        """List processes, files and traces on the host that still belong to `lease`."""
        return [*_processes(lease), *traces.leftovers(lease), *_files(lease)]

    def renew(self, lease: Lease) -> None:
        """Do nothing: no sweeper comes to a person's own machine."""


def tools_for(spec: ClusterSpec) -> tuple[str, ...]:
    """Return the names of the tools that a cluster of this spec is made from."""
    return (*CONTROL_PLANE_TOOLS, *(traces.node_tools() if preflight.has_real_node(spec) else ()))


def variables(spec: ClusterSpec, lease: Lease) -> dict[str, Any]:
    """Return the Terraform variables of a cluster."""
    stages = preflight.stages_file(spec)
    return {
        "name": cluster_name(lease),
        "region": spec.region,
        "kubernetes_version": spec.kubernetes_version,
        "network": spec.network,
        "tier": spec.tier,
        "zones": list(spec.zones),
        "prometheus_pool": spec.prometheus_pool,
        "pools": {name: _pool_variables(pool) for name, pool in spec.pools.items()},
        "tags": {"run_id": lease.run, "scenario": lease.cell[:63], "telescope_lease": lease.id},
        "lease": {"id": lease.id, "folder": str(lease.folder)},
        "python": sys.executable,
        "stages": str(stages) if stages else None,
        "ready_within": READY_WITHIN,
    }


def cluster_name(lease: Lease) -> str:
    """Return the name of a lease's cluster."""
    return f"telescope-{lease.id}"


def _pool_variables(pool: PoolSpec) -> dict[str, Any]:
    real = pool.node == "containerd"
    return {
        "count": preflight.node_count(pool),
        "min": pool.min,
        "max": pool.max,
        "machine": pool.machine,
        "max_pods": pool.max_pods,
        "labels": dict(pool.labels),
        "taints": [_taint(taint) for taint in pool.taints],
        **{key: getattr(pool, key) for key in preflight.CLOUD_ONLY},
        "node": pool.node,
        "cpu": None if real else pool.cpu,
        "memory": None if real else pool.memory,
    }


def _taint(text: str) -> dict[str, str]:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect}


def _terraform(lease: Lease, names: tuple[str, ...], say: Callable[[str], None]) -> LeaseTerraform:
    from pytest_telescope.cluster.terraform import LeaseTerraform
    from pytest_telescope.toolchain import ensure
    from pytest_telescope.toolchain.overrides import variable

    found = ensure(["terraform", *names])
    environment = {variable(name): str(found[name]) for name in names}
    module = paths.modules() / "terraform" / "local"
    terraform = LeaseTerraform(
        found["terraform"], module, lease.folder, lease.id, environment=environment, grace=_INTERRUPT_GRACE
    )
    terraform.say = say
    return terraform


def _terraform_destroy(lease: Lease, say: Callable[[str], None]) -> Exception | None:
    """Run `terraform destroy` where there is a state; return why it failed, or None."""
    from pytest_telescope.cluster.terraform import TerraformError
    from pytest_telescope.cluster.terraform import end_left_behind
    from pytest_telescope.errors import ToolError

    end_left_behind(lease.id, _INTERRUPT_GRACE)
    if not (lease.folder / "terraform.tfstate").exists():
        return None
    try:
        terraform = _terraform(lease, (), say)
        terraform.init_module(deadline=60.0)
        terraform.destroy_module(deadline=DESTROY_WITHIN)
    except (TerraformError, ToolError, OSError) as error:
        return error
    return None


def _why(lease: Lease, error: Exception, log: Path) -> str:
    """Return the cluster's own words where it had any, else Terraform's."""
    own = Layout(lease.folder / "cluster").error
    told = own.read_text(encoding="utf-8").strip() + f"\nlog: {log}" if own.exists() else str(error)
    return f"the cluster of {lease.cell} (lease {lease.id}) did not come up: {told}"


def _cluster(spec: ClusterSpec, lease: Lease, outputs: Mapping[str, Any]) -> Cluster:
    layout = Layout(lease.folder / "cluster")
    told = outputs["facts"]
    node_logs = tuple(Path(path) for path in told["logs"])
    return Cluster(
        name=cluster_name(lease),
        provider="local",
        kubeconfig=write_private(lease.folder / "kubeconfig", outputs["kubeconfig"]),
        prometheus=Endpoint(
            url=f"https://127.0.0.1:{told['ports']['prometheus']:.0f}",
            ca=layout.certificate("prometheus-ca"),
            certificate=layout.certificate("prometheus-client"),
            key=layout.key("prometheus-client"),
            scrape_interval=5.0,
            data=layout.tsdb,
        ),
        nodes=_load_nodes(spec, told["nodes"]),
        capabilities=capabilities_of(spec),
        facts=told["facts"],
        targets={job: int(count) for job, count in told["targets"].items()},
        prometheus_from_apiserver=PROMETHEUS,
        logs=(*sorted(layout.logs.glob("*.log")), *node_logs, lease.folder / "terraform.log"),
    )


def _load_nodes(spec: ClusterSpec, nodes: list[str]) -> tuple[str, ...]:
    """Leave the pool `system` out where there is another one: it is there for what clouds run themselves."""
    pools = {name for name, pool in spec.pools.items() if preflight.node_count(pool)}
    kept = pools - {_SYSTEM_POOL} or pools
    return tuple(sorted(node for node in nodes if node.rpartition("-")[0] in kept))


def _processes(lease: Lease) -> list[Leftover]:
    return [
        Leftover(kind="process", name=str(member.identity.pid), detail=f"{member.name}, {member.role or 'no role'}")
        for member in marked(lease.id)
    ]


def _files(lease: Lease) -> list[Leftover]:
    layout = Layout(lease.folder / "cluster")
    left = [path for path in layout.folder.iterdir() if path != layout.logs] if layout.folder.exists() else []
    return [Leftover(kind="file", name=str(path)) for path in sorted(left)]
