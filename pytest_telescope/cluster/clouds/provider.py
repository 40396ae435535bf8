"""AKS, EKS and GKE as providers: through Terraform like all others, with the cloud itself asked what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds import due
from pytest_telescope.cluster.clouds import pace as paces
from pytest_telescope.cluster.clouds import variables as names
from pytest_telescope.cluster.clouds.model import Cloud
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.clouds.pace import Pace
from pytest_telescope.cluster.clouds.run import Approve
from pytest_telescope.cluster.clouds.run import Run
from pytest_telescope.cluster.clouds.workspace import Workspace
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.managed import declared
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import CloudError
from pytest_telescope.errors import DestroyError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec

Say = Callable[[str], None]
PREFLIGHT_LASTS = 300.0
"""Seconds for which the answer about a spec is taken again, so that a session asks once for equal cells."""


class ManagedProvider:
    """Clusters of one cloud (see `cluster.model.Provider`).

    Args:
        cloud: what is asked.
        pace: how long things may take, in the cloud's seconds.
        sleep: waits between two looks.
    """

    def __init__(self, cloud: Cloud, *, pace: Pace | None = None, sleep: paces.Sleep = paces.sleep) -> None:
        self.cloud = cloud
        self.pace = pace or Pace()
        self.sleep = sleep
        self.say: Say = lambda _text: None
        self.approve: Approve = lambda _document: None

    @property
    def name(self) -> str:
        """`aks`, `eks` or `gke`."""
        return self.cloud.name

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:
        """Return for how many seconds a lease may last: longer than all time-outs together."""
        return due.lasting(loads, self.pace)

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        """Return what its clusters can show."""
        return declared(self.name, spec.network)

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's shape
        """Return the names of the pinned tools that a cluster is made with."""
        return ("terraform",)

    def unavailable(self, spec: ClusterSpec) -> str | None:  # noqa: ARG002 - the protocol's shape
        """Return None: a cloud can be asked from anywhere."""
        return None

    def preflight(self, spec: ClusterSpec) -> None:
        """Ask the cloud whether it can serve `spec`, in seconds (see the protocol).

        Raises:
            PreflightError: it cannot; `cause` is `capacity` where nothing but quota or capacity is missing.
        """
        place = f"{spec.place}: " if spec.place else ""
        found = self.cloud.objections(spec)
        if not found:
            found = _asked(self.cloud, spec)
        if found:
            short = all(one.startswith("capacity: ") for one in found)
            lead = "capacity: " if short else ""
            told = "; ".join(one.removeprefix("capacity: ") for one in found)
            raise PreflightError(
                f"{lead}{place}{self.name} cannot serve this: {told}", cause="capacity" if short else None
            )

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        """Return a ready cluster with its Prometheus (see the protocol)."""
        where = self.cloud.where(spec)
        workspace = Workspace(lease.folder, self.name)
        workspace.begin(where)
        run = self._run(lease, workspace, where)
        outputs = run.apply(self._variables(spec, lease, where), self.approve)
        if not outputs.get("kubeconfig") or not outputs.get("facts"):
            raise ProvisionError(f"the module told neither kubeconfig nor facts; log: {lease.folder / 'terraform.log'}")
        kubeconfig = write_private(workspace.kubeconfig, outputs["kubeconfig"])
        return self._ready(spec, lease, kubeconfig, outputs["facts"], run.retries)

    def _ready(
        self, spec: ClusterSpec, lease: Lease, kubeconfig: Path, told: Mapping[str, Any], retries: list[str]
    ) -> Cluster:
        from pytest_telescope.cluster import monitoring
        from pytest_telescope.cluster.clouds import nodes

        found = nodes.wait_ready(kubeconfig, spec, self.pace.nodes, self.say, self.sleep)
        self.say("installing Prometheus")
        seen = monitoring.install(
            kubeconfig,
            provider=self.name,
            lease=lease.id,
            own_pool=spec.prometheus_pool is not None,
            nodes=sum(map(len, found.values())),
            progress=self.say,
        )
        facts = {**told["facts"], **nodes.facts(found), **seen.facts, "terraform_retries": len(retries)}
        return Cluster(
            name=names.cluster_name(lease),
            provider=self.name,
            kubeconfig=kubeconfig,
            prometheus=seen.endpoint,
            nodes=nodes.load_nodes(spec, found),
            capabilities=self.capabilities_of(spec),
            facts=facts,
            targets=seen.targets,
            logs=(lease.folder / "terraform.log",),
        )

    def destroy(self, lease: Lease) -> None:
        """Delete what Kubernetes made, then by Terraform, then what is still listed (see the protocol)."""
        from pytest_telescope.cluster.clouds import cleanup
        from pytest_telescope.cluster.terraform import end_left_behind

        end_left_behind(lease.id)
        workspace = Workspace(lease.folder, self.name)
        where = workspace.where()
        if where is None:
            return
        cleanup.clean(workspace.kubeconfig, self.pace.cleanup, self.say, self.sleep)
        failure = self._terraform_destroy(lease, workspace, where)
        left = self._sweep(lease, workspace, where)
        if left:
            told = "; ".join(map(described, left))
            raise DestroyError(
                f"leak: still there of lease {lease.id}: {told}" + (f"\n{failure}" if failure else "")
            ) from failure

    def _terraform_destroy(self, lease: Lease, workspace: Workspace, where: Where) -> Exception | None:
        """Destroy by the state, again where the cloud may agree later; return why it failed, or None."""
        from pytest_telescope.cluster.clouds.failures import meaning
        from pytest_telescope.cluster.terraform import TerraformError
        from pytest_telescope.errors import ToolError

        state = lease.folder / "terraform.tfstate"
        if not state.exists() or not state.stat().st_size:
            return None
        run, failure = self._run(lease, workspace, where), None
        for wait in (*self.pace.backoff[:2], None):
            try:
                run.destroy()
            except (TerraformError, ToolError, OSError) as error:
                failure = error
            else:
                return None
            why = meaning(str(failure))
            if wait is None or why.kind != "transient":
                break
            self.say(f"terraform destroy is tried again in {wait:g} s: {why}")
            self._unblock(lease, where)
            self.sleep(wait)
        return failure

    def _unblock(self, lease: Lease, where: Where) -> None:
        """Delete what Terraform does not know and what hangs on what it does: the lowest ranks of the listing."""
        from pytest_telescope.cluster import sweeper

        sweeper.unblock(self.cloud, where, lease.id, names.cluster_name(lease), say=self.say)

    def _sweep(self, lease: Lease, workspace: Workspace, where: Where) -> list[Resource]:
        """Delete whatever the cloud still lists; after an apply that was cut short, look again when it has settled."""
        self.say("looking for what is left")
        left = self._sweep_once(lease, where)
        if workspace.cut_short and not left:
            self.say(f"an apply was cut short: looking again in {self.pace.settle:g} s for what it had begun")
            self.sleep(self.pace.settle)
            left = self._sweep_once(lease, where)
        return left

    def _sweep_once(self, lease: Lease, where: Where) -> list[Resource]:
        from pytest_telescope.cluster import sweeper

        name = names.cluster_name(lease)
        return sweeper.sweep_lease(self.cloud, where, lease.id, name, say=self.say, pace=self.pace, sleep=self.sleep)

    def leftovers(self, lease: Lease) -> list[Leftover]:
        """List what the cloud still holds of `lease`, and Terraform processes of it on this machine."""
        from pytest_telescope.cluster.processes import marked

        where = Workspace(lease.folder, self.name).where()
        found = self.cloud.resources(where, lease.id, names.cluster_name(lease)) if where else []
        running = [Leftover(kind="process", name=str(one.identity.pid), detail=one.name) for one in marked(lease.id)]
        return [*(Leftover(kind=one.kind, name=one.name, detail=price_and_command(one)) for one in found), *running]

    def renew(self, lease: Lease) -> None:
        """Write the lease's due time, as the ledger has it, on what the cloud holds."""
        where = Workspace(lease.folder, self.name).where()
        if where is not None and lease.due is not None:
            self.cloud.renew(where, names.cluster_name(lease), int(lease.due))

    def _run(self, lease: Lease, workspace: Workspace, where: Where) -> Run:
        environment = self.cloud.environment(where)
        return Run(
            lease=lease, workspace=workspace, environment=environment, say=self.say, pace=self.pace, sleep=self.sleep
        )

    def _variables(self, spec: ClusterSpec, lease: Lease, where: Where) -> dict[str, Any]:
        common = names.common(spec, lease, where)
        return {**common, **self.cloud.variables(spec, where)}


def described(resource: Resource) -> str:
    """Return a resource with what a person needs: what it costs and how it is deleted."""
    return f"{resource.kind} {resource.name} ({price_and_command(resource)})"


def price_and_command(resource: Resource) -> str:
    """Return `0.10 USD/h; az group delete …`."""
    price = f"{resource.usd_per_hour:.3g} USD/h" if resource.usd_per_hour is not None else "price unknown"
    return f"{price}; delete it by `{resource.command}`"


_ANSWERS: dict[tuple[str, str], tuple[float, list[str]]] = {}


def _asked(cloud: Cloud, spec: ClusterSpec) -> list[str]:
    """Ask the cloud about `spec`, unless it was asked a short while ago.

    Raises:
        PreflightError: it could not be asked.
    """
    key = (cloud.name, spec.model_dump_json(exclude={"share"}))
    at, answer = _ANSWERS.get(key, (float("-inf"), []))
    if time.monotonic() - at > PREFLIGHT_LASTS:
        try:
            answer = cloud.refusals(spec, cloud.where(spec))
        except CloudError as error:
            raise PreflightError(f"{cloud.name} cannot be asked: {error}") from error
        _ANSWERS[key] = (time.monotonic(), answer)
    return answer
