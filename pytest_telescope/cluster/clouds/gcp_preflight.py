"""Questions to Google before anything is built: project, region, zones, version, machine types, quota."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.clouds.gcp_api import Api
from pytest_telescope.cluster.clouds.gcp_api import ApiError
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.gke_pools import GkePool
from pytest_telescope.cluster.clouds.gke_pools import letters
from pytest_telescope.cluster.clouds.gke_pools import pools
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.scenario.model import ClusterSpec

_OFFERED = 12
"""Machine types, zones or versions that a message names at most."""
_SSD = ("pd-balanced", "pd-ssd")


@dataclass(slots=True)
class Preflight:
    """The questions about one spec."""

    api: Api
    spec: ClusterSpec
    where: Where

    def refusals(self) -> list[str]:
        """Return what speaks against the spec; what depends on a thing that is missing is not asked.

        Raises:
            CloudError: Google cannot be asked.
        """
        project = self._project()
        if isinstance(project, str):
            return [project]
        region = self._region()
        if isinstance(region, str):
            return [region]
        wrong = [*self._zones(region), *self._version()]
        machines = {} if wrong else self._machines()
        found = [*wrong, *(text for text in machines.values() if isinstance(text, str))]
        return found or [*self._quota(region, project, machines)]

    def _project(self) -> dict[str, Any] | str:
        try:
            return self.api.get("compute", f"projects/{self.where.account}")
        except ApiError as error:
            if error.status not in {400, 403, 404}:
                raise
            if error.reason in {"SERVICE_DISABLED", "accessNotConfigured"}:
                services = "compute.googleapis.com container.googleapis.com"
                return (
                    f"project {self.where.account} does not use Compute Engine: "
                    f"gcloud services enable {services} --project {self.where.account}"
                )
            return (
                f"project {self.where.account} is not there or not open to this login ({error}); "
                f"set {words()['variables']['project'][0]}"
            )

    def _region(self) -> dict[str, Any] | str:
        try:
            return self.api.get("compute", f"projects/{self.where.account}/regions/{self.where.region}")
        except ApiError as error:
            if error.status not in {400, 404}:
                raise
        names = sorted(one["name"] for one in self.api.items(f"projects/{self.where.account}/regions"))
        return f"there is no region {self.where.region}; on offer are {', '.join(names)}"

    def _zones(self, region: Mapping[str, Any]) -> Iterator[str]:
        offered = sorted(str(link).rpartition("/")[2] for link in region.get("zones", ()))
        asked = {f"{self.where.region}-{letter}" for letter in letters(self.spec, self.where.region)}
        asked |= {zone for pool in pools(self.spec, self.where.region) for zone in pool.zones}
        for zone in sorted(asked - set(offered)):
            yield f"there is no zone {zone}; on offer are {', '.join(offered)}"

    def _version(self) -> Iterator[str]:
        """Yield what speaks against version and images, as the cluster's own location tells them."""
        location = self.where.zone or self.where.region
        found = self.api.get("container", f"projects/{self.where.account}/locations/{location}/serverConfig")
        offered = [str(one) for one in found.get("validMasterVersions", ())]
        asked = self.spec.kubernetes_version
        if asked is not None and not any(one.startswith(f"{asked}.") for one in offered):
            minors = sorted({".".join(one.split(".")[:2]) for one in offered}, key=_numbers)
            yield f"Kubernetes {asked} is not offered in {location}; on offer are {', '.join(minors)}"
        images = {str(one).upper() for one in found.get("validImageTypes", ())}
        for pool in pools(self.spec, self.where.region):
            if images and pool.image not in images:
                yield f"pool {pool.name}: there is no image {pool.image} in {location}; on offer are {_some(images)}"

    def _machines(self) -> dict[str, dict[str, Any] | str]:
        """Return machine type -> what Google says of it, or what speaks against it."""
        wanted: dict[str, set[str]] = {}
        for pool in pools(self.spec, self.where.region):
            wanted.setdefault(pool.machine, set()).update(pool.zones)
        return {machine: self._machine(machine, zones) for machine, zones in wanted.items()}

    def _machine(self, machine: str, zones: Iterable[str]) -> dict[str, Any] | str:
        found: dict[str, Any] = {}
        for zone in sorted(zones):
            try:
                found = self.api.get("compute", f"projects/{self.where.account}/zones/{zone}/machineTypes/{machine}")
            except ApiError as error:
                if error.status not in {400, 404}:
                    raise
                return self._not_there(machine, zone)
        return found

    def _not_there(self, machine: str, zone: str) -> str:
        names = {one["name"] for one in self.api.items(f"projects/{self.where.account}/zones/{zone}/machineTypes")}
        family, _, size = machine.partition("-")
        near = {one for one in names if one.startswith(f"{family}-")} or {
            one for one in names if one.endswith(f"-{size}")
        }
        return f"there is no machine type {machine} in {zone}; on offer are {_some(near or names)}"

    def _quota(
        self, region: Mapping[str, Any], project: Mapping[str, Any], machines: Mapping[str, Any]
    ) -> Iterator[str]:
        limits = {one["metric"]: one for one in project.get("quotas", ())}
        limits |= {one["metric"]: one for one in region.get("quotas", ())}
        for metric, need in sorted(_needs(pools(self.spec, self.where.region), machines, limits).items()):
            quota = limits.get(metric)
            left = quota["limit"] - quota.get("usage", 0) if quota else need
            if quota and need > left:
                yield (
                    f"capacity: quota {metric} in {self.where.region} has {left:g} left of {quota['limit']:g}, "
                    f"but {need:g} are needed; ask for more at "
                    f"https://console.cloud.google.com/iam-admin/quotas?project={self.where.account}"
                )


def _needs(found: Iterable[GkePool], machines: Mapping[str, Any], limits: Mapping[str, Any]) -> dict[str, float]:
    """Return metric -> how much of it all pools take at their largest; every node has an address of its own."""
    needs: dict[str, float] = {"NETWORKS": 1, "SUBNETWORKS": 1}
    for pool in found:
        cores = float(machines[pool.machine].get("guestCpus", 0)) * pool.most
        disk = "SSD_TOTAL_GB" if pool.disk_type in _SSD else "DISKS_TOTAL_GB"
        more = {
            _cores_of(pool, limits): cores,
            "CPUS_ALL_REGIONS": cores,
            "IN_USE_ADDRESSES": pool.most,
            "INSTANCES": pool.most,
        }
        if not pool.disk_type.startswith("hyperdisk"):
            more[disk] = pool.disk_gb * pool.most
        for metric, amount in more.items():
            needs[metric] = needs.get(metric, 0) + amount
    return needs


def _cores_of(pool: GkePool, limits: Mapping[str, Any]) -> str:
    """Return the quota that a pool's cores count in: of spot, of its family, or the common one."""
    if pool.spot and limits.get("PREEMPTIBLE_CPUS", {}).get("limit", 0) > 0:
        return "PREEMPTIBLE_CPUS"
    family = f"{pool.machine.partition('-')[0].upper()}_CPUS"
    return family if family in limits else "CPUS"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:_OFFERED]) + (f" and {len(listed) - _OFFERED} more" if len(listed) > _OFFERED else "")
