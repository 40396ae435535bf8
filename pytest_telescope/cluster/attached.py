"""A cluster that is already there (`--attach`): its cells run in namespaces of their own, and it is never destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pytest_telescope.cluster import attached_fit as fit
from pytest_telescope.cluster import attached_look as looking
from pytest_telescope.cluster import attached_spaces as spaces
from pytest_telescope.cluster import kept
from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.attached_look import Seen
from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.cluster.model import Cluster
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Leftover
from pytest_telescope.cluster.providers import ATTACHED
from pytest_telescope.cluster.providers import provider
from pytest_telescope.errors import ClusterError
from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import ProvisionError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import LoadSpec

NOTES = "attached.json"
KUBECONFIG = "kubeconfig"
Say = Callable[[str], None]


class AttachedProvider:
    """The cluster of one kubeconfig, as a provider; see `cluster.model.Provider`.

    Without `kubeconfig` it can only finish leases, from what lies in their folders.

    Args:
        of: the provider that `-m` names: what such a cluster can show.
        kubeconfig: its current context is the cluster; a copy in the lease's folder is what is used.
    """

    name = ATTACHED

    def __init__(self, of: str = "", kubeconfig: Path | None = None) -> None:
        self.of = of
        self.kubeconfig = kubeconfig
        self.say: Say = lambda _text: None
        self.approve: Callable[[Mapping[str, Any]], None] = lambda _document: None
        self._seen: Seen | None = None

    def lasting(self, loads: Iterable[LoadSpec]) -> float | None:  # noqa: ARG002 - the protocol's shape
        """Return None: nothing of it has a due time."""
        return None

    def capabilities_of(self, spec: ClusterSpec) -> frozenset[str]:
        """Return what the cluster can show: a kept one what it showed before, any other what its service shows."""
        found = kept.remembered(self.kubeconfig) if self.kubeconfig is not None else None
        return found.capabilities if found is not None else provider(self.of).capabilities_of(spec)

    def tools_of(self, spec: ClusterSpec) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's shape
        """Return no tools: nothing is built."""
        return ()

    def unavailable(self, spec: ClusterSpec) -> str | None:  # noqa: ARG002 - the protocol's shape
        """Return None: the cluster is there."""
        return None

    def look(self) -> Seen:
        """Return what the cluster is; asked once.

        Raises:
            PreflightError: the kubeconfig cannot be used, or the API server not be asked.
        """
        if self._seen is None:
            assert self.kubeconfig is not None, "a provider that only finishes leases has no cluster to look at"
            try:
                with TemporaryDirectory(prefix="telescope-") as scratch:
                    self._seen = looking.look(looking.copy(self.kubeconfig, Path(scratch) / KUBECONFIG))
            except (ProvisionError, OSError) as error:
                raise PreflightError(f"--attach {self.kubeconfig}: {error}") from error
        return self._seen

    def preflight(self, spec: ClusterSpec) -> None:
        """Check that the load of `spec` could run there, and that nobody else's is running.

        Raises:
            PreflightError: it could not; what is only different is said in `provision`.
        """
        refusals = [*self._unusable(), *fit.refusals(spec, self.look().nodes), *spaces.in_use(self.look().namespaces)]
        if refusals:
            place = f"{spec.place}: " if spec.place else ""
            raise PreflightError(f"{place}--attach {self.kubeconfig} cannot serve this: {'; '.join(refusals)}")

    def _unusable(self) -> list[str]:
        found = kept.remembered(self.kubeconfig) if self.kubeconfig is not None else None
        if found is not None:
            return _in_use(found)
        if self.of != "local":
            return []
        return [
            "-m local attaches to a cluster that `-m local --keep` left on this machine, by the kubeconfig in its "
            "lease's folder; for any other cluster name its service: -m aks, eks or gke"
        ]

    def provision(self, spec: ClusterSpec, lease: Lease) -> Cluster:
        """Return the cluster as it is, with a Prometheus that sees it (see the protocol)."""
        assert self.kubeconfig is not None, "a provider that only finishes leases cannot attach"
        self._seen = None  # what was there when the session began may be long ago
        seen, own = self.look(), kept.remembered(self.kubeconfig)
        copied = looking.copy(self.kubeconfig, lease.folder / KUBECONFIG)
        self._note(lease, monitored=own is None, before=sorted(seen.namespaces))
        for line in fit.differences(spec, seen.version, seen.nodes):
            self.say(line)
        found = fit.load_nodes(spec, seen.nodes)
        if own is not None:
            return replace(own, kubeconfig=copied, nodes=found, facts=_facts(own.facts, seen, lease))
        return self._monitored(spec, lease, copied, found)

    def _monitored(self, spec: ClusterSpec, lease: Lease, kubeconfig: Path, nodes: tuple[str, ...]) -> Cluster:
        from pytest_telescope.cluster import monitoring

        seen = self.look()
        self.say("installing a Prometheus of this lease's own")
        watching = monitoring.install(
            kubeconfig, provider=self.of, lease=lease.id, own_pool=False, nodes=len(seen.nodes), progress=self.say
        )
        return Cluster(
            name=f"telescope-{lease.id}",
            provider=self.of,
            kubeconfig=kubeconfig,
            prometheus=watching.endpoint,
            nodes=nodes,
            capabilities=self.capabilities_of(spec),
            facts=_facts(watching.facts, seen, lease),
            targets=watching.targets,
        )

    @staticmethod
    def _note(lease: Lease, *, monitored: bool, before: list[str]) -> None:
        """Write down, before anything is made, what a reaper must know."""
        write_durably(lease.folder / NOTES, {"monitored": monitored, "namespaces": before})

    def destroy(self, lease: Lease) -> None:
        """Take away what is ours; the cluster stays (see the protocol)."""
        from pytest_telescope.cluster import monitoring

        notes = _notes(lease)
        if notes is None:
            return
        kubeconfig = lease.folder / KUBECONFIG
        spaces.remove(kubeconfig, lease, notes["namespaces"], say=self.say)
        if notes["monitored"]:
            monitoring.remove(kubeconfig, lease.id)

    def leftovers(self, lease: Lease) -> list[Leftover]:
        """List what is still there of ours (see the protocol)."""
        from pytest_telescope.cluster import monitoring

        notes = _notes(lease)
        if notes is None:
            return []
        kubeconfig = lease.folder / KUBECONFIG
        found = [Leftover(kind="namespace", name=one) for one in spaces.ours(kubeconfig, lease, notes["namespaces"])]
        told = monitoring.left(kubeconfig, lease.id) if notes["monitored"] else []
        return [*found, *(Leftover(kind="monitoring", name=one) for one in told)]

    def renew(self, lease: Lease) -> None:
        """Do nothing: nothing has a due time."""


def _in_use(cluster: Cluster) -> list[str]:
    """Say which run has a kept cluster, as long as that run lives."""
    owners = [one for one in ledger.entries() if one.lease.folder == cluster.kubeconfig.parent and not one.orphaned]
    return [f"run {one.lease.run}, which made the cluster, still runs: wait for its end" for one in owners]


def _facts(own: Mapping[str, Any], seen: Seen, lease: Lease) -> dict[str, Any]:
    """Return the facts of the nodes and of the Prometheus; of a kept cluster also what it said when it was made."""
    return {**own, **fit.facts(seen.version, seen.nodes), "attached": True, "lease": lease.id}


def _notes(lease: Lease) -> dict[str, Any] | None:
    """Return what was noted before anything was made; None means that nothing was.

    Raises:
        ClusterError: the notes cannot be read, so that nobody knows what was there before.
    """
    file = lease.folder / NOTES
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ClusterError(f"{file} cannot be read: {error}; look for namespaces telescope-* by hand") from error
    return found
