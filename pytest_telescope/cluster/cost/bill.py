"""Parts of an estimate as they are found; spec and Terraform plan are summed up by the same rules."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from pytest_telescope.cluster.cost.model import Estimate
from pytest_telescope.cluster.cost.model import Part
from pytest_telescope.cluster.cost.prices import Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Equal nodes, from `least` to `most` of them.

    Attributes:
        machine: None where it is not known before the cluster is there.
        disk_gb, disk_type: None is what the provider takes where nothing is said.
        public_ip: every node has an address of its own.
    """

    name: str
    machine: str | None
    least: int
    most: int
    disk_gb: float | None = None
    disk_type: str | None = None
    public_ip: bool = False


@dataclass(slots=True)
class Bill:
    """What has been found so far."""

    prices: Prices
    region: str
    parts: list[Part] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def fixed(self, kind: str, *, name: str | None = None, count: int = 1) -> None:
        """Add things of one kind with one price: `load_balancer`, `public_ip`, `nat_gateway`."""
        if not count:
            return
        self._add(name or kind.replace("_", " "), self.prices.fixed(kind), count, count, sure=False)

    def control_plane(self, tier: str | None) -> None:
        """Add the control plane; a tier without a price is unknown."""
        tier = (tier or self.prices.default("tier")).lower()
        self._add(f"control plane {tier}", self.prices.control_plane(tier), 1, 1, sure=self.prices.provider != "aks")

    def nodes(self, nodes: Nodes) -> None:
        """Add nodes with their OS disks and addresses; spot nodes count as on demand, which is the most they cost."""
        counted = str(nodes.most) if nodes.least == nodes.most else f"{nodes.least}..{nodes.most}"
        if not nodes.most:
            return
        price = self.prices.machine(nodes.machine, self.region) if nodes.machine else None
        title = f"{nodes.name}: {counted} x {nodes.machine or 'machines not known yet'}"
        self._add(title, price, nodes.least, nodes.most, sure=self.prices.listed(self.region))
        disk = self.prices.disk(nodes.disk_type, nodes.disk_gb, nodes.machine)
        if disk or disk is None:
            kind = self.prices.disk_kind(nodes.disk_type, nodes.machine)
            name = f"{nodes.name}: {counted} OS disks {kind}"
            self._add(name, disk, nodes.least, nodes.most, sure=self.prices.disk_listed(kind))
        if nodes.public_ip:
            name = f"{nodes.name}: {counted} public addresses"
            self._add(name, self.prices.fixed("public_ip"), nodes.least, nodes.most, sure=False)

    def disk(self, name: str, kind: str | None, gb: float | None) -> None:
        """Add a disk that is no OS disk."""
        self._add(name, None if gb is None else self.prices.disk(kind, gb, None), 1, 1, sure=False)

    def without_price(self, name: str) -> None:
        """Add what has no price."""
        self.unknown.append(name)

    def _add(self, name: str, price: float | None, least: int, most: int, *, sure: bool) -> None:
        if price is None:
            self.unknown.append(f"{name} in {self.region}" if self.region not in name else name)
        else:
            sure = sure or not self.prices.table["remembered"]
            self.parts.append(Part(name=name, low=price * least, high=price * most, sure=sure))

    def estimate(self) -> Estimate:
        """Return the sum."""
        table = self.prices.table
        return Estimate(
            provider=self.prices.provider,
            region=self.region,
            parts=tuple(self.parts),
            unknown=tuple(self.unknown),
            as_of=str(table["as_of"]),
            sources=tuple(table["sources"]),
        )
