"""One cluster for several cells: who used it, as what number, and whether it is as it was before the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from pytest_telescope.errors import TelescopeError

if TYPE_CHECKING:
    from pytest_telescope.cluster.cleanliness import Snapshot
    from pytest_telescope.cluster.model import Cluster
    from pytest_telescope.cluster.model import Lease

SCRATCH = "proof-access"
"""Folder of a lease for the certificates with which the proof asks."""


@dataclass(slots=True, kw_only=True)
class Sharing:
    """The use of the cluster at hand; a fresh cluster begins with a fresh one of these.

    Attributes:
        existed: the cluster was there before the run (`--attach`), so that even its first cell does not have it fresh.
        served: ids of the cells that used it, in their order.
        busy: the cell that is between its provision and its destroy.
        before: what was in it before the first of several cells; None where there is nothing to compare.
    """

    existed: bool = False
    served: list[str] = field(default_factory=list)
    busy: str | None = None
    before: Snapshot | None = None

    def begin(self, cluster: Cluster, lease: Lease, say: Callable[[str], None]) -> None:
        """Note what is in a cluster that several cells will use.

        Raises:
            ProvisionError: the API server does not tell.
        """
        from pytest_telescope.cluster import cleanliness

        say("noting what is in the cluster before its first row")
        self.before = cleanliness.settled(lambda: cleanliness.snapshot(cluster.kubeconfig, lease.folder / SCRATCH))

    def use(self, cell: str) -> None:
        """Note that `cell` has the cluster now."""
        self.busy = cell
        if cell not in self.served:
            self.served.append(cell)

    def record(self, cell: str) -> dict[str, object]:
        """Return what the records keep: was the cluster used before, and as what number did this cell have it."""
        number = self.served.index(cell) + 1
        return {"reused": self.existed or number > 1, "position": number}

    def dirt(self, cluster: Cluster, lease: Lease) -> list[str]:
        """Return how the cluster differs from before its first row; not being able to tell is a difference too."""
        if self.before is None:
            return []
        from pytest_telescope.cluster import cleanliness

        look = lambda: cleanliness.snapshot(cluster.kubeconfig, lease.folder / SCRATCH)  # noqa: E731 - one short use
        try:
            return [str(one) for one in cleanliness.differences(self.before, look)]
        except (TelescopeError, OSError) as error:
            return [f"it cannot be told whether the cluster is clean: {error}"]
