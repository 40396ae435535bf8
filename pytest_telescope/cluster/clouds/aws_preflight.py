"""What AWS says, in seconds, about a spec before anything is built: region, version, zones, machines, quotas."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from pytest_telescope.cluster.clouds.aws_api import Api
from pytest_telescope.cluster.clouds.aws_words import home
from pytest_telescope.cluster.clouds.aws_words import words
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.errors import CloudError
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec

NAMED = 12
"""How many of what is on offer a refusal names."""


def machine_of(pool: PoolSpec) -> str:
    """Return the machine type that a pool gets."""
    return pool.machine or str(words()["defaults"]["machine"])


def most(pool: PoolSpec) -> int:
    """Return the most nodes that a pool may have."""
    return pool.max if pool.max is not None else 1 if pool.count is None else pool.count


class Preflight:
    """Questions about one spec at one place."""

    def __init__(self, api: Api, spec: ClusterSpec, where: Where) -> None:
        self.api = api
        self.spec = spec
        self.where = where

    def refusals(self) -> list[str]:
        """Return what speaks against the spec.

        Raises:
            CloudError: a question has no answer.
        """
        if found := [*self._account(), *self._region()]:
            return found
        found = [*self._version(), *self._machines()]
        return found or [*self._vcpus(), *self._counted()]

    def zones(self) -> list[str]:
        """Return the letters of the zones for pools that name none: the first two that offer all machines."""
        if self.spec.zones:
            return list(self.spec.zones)
        wanted = {machine_of(pool) for pool in self.spec.pools.values() if not pool.zones}
        fitting = [zone for zone in self._zones if wanted <= self._offers.get(zone, set())]
        return [zone.removeprefix(self.where.region) for zone in (fitting or self._zones)[:2]]

    def _account(self) -> Iterator[str]:
        told = self.api.call("sts", "get_caller_identity", self.where.region)["Account"]
        if told != self.where.account:
            yield f"the login is of account {told}, but the cluster is to stand in {self.where.account}"

    def _region(self) -> Iterator[str]:
        asked = self.api.call("ec2", "describe_regions", home(self.where.region))["Regions"]
        names = sorted(one["RegionName"] for one in asked)
        if self.where.region not in names:
            yield f"region {self.where.region} is not enabled for the account; enabled are {_some(names)}"

    def _version(self) -> Iterator[str]:
        version = self.spec.kubernetes_version
        if version is None:
            return
        listing = self.api.all("eks", "describe_cluster_versions", self.where.region, "clusterVersions")
        offered = {one["clusterVersion"]: _support(one) for one in listing}
        standard = [name for name, support in offered.items() if support == "STANDARD_SUPPORT"]
        if version not in standard:
            late = (
                " is in extended support, which costs six times as much:" if version in offered else " is not on offer;"
            )
            newest = sorted(standard, key=lambda name: [int(part) for part in name.split(".")], reverse=True)
            yield f"kubernetes_version {version}{late} EKS offers {', '.join(newest)}"

    @cached_property
    def _zones(self) -> list[str]:
        """The zones in which EKS can have a cluster, by name."""
        filters = [{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
        found = self.api.call("ec2", "describe_availability_zones", self.where.region, Filters=filters)
        bad = words()["bad_zone_ids"]
        zones = [one for one in found["AvailabilityZones"] if one.get("State") == "available"]
        return sorted(one["ZoneName"] for one in zones if one.get("ZoneId") not in bad)

    @cached_property
    def _types(self) -> set[str]:
        return {machine_of(pool) for pool in self.spec.pools.values()}

    @cached_property
    def _offers(self) -> dict[str, set[str]]:
        """Zone -> the machine types of the spec that are on offer there."""
        offers: dict[str, set[str]] = {}
        for one in self._offered(sorted(self._types)):
            offers.setdefault(one["Location"], set()).add(one["InstanceType"])
        return offers

    def _offered(self, types: list[str]) -> Iterator[Any]:
        filters = [{"Name": "instance-type", "Values": types}]
        return self.api.all(
            "ec2",
            "describe_instance_type_offerings",
            self.where.region,
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=filters,
        )

    def _machines(self) -> Iterator[str]:
        zones = self.zones()
        for name, pool in self.spec.pools.items():
            machine = machine_of(pool)
            if not any(machine in types for types in self._offers.values()):
                yield f"pool {name}: there is no machine {machine} in {self.where.region}; {self._like(machine)}"
                continue
            for letter in pool.zones or zones:
                zone = f"{self.where.region}{letter}"
                if zone not in self._zones:
                    yield f"pool {name}: there is no zone {zone} for EKS; there are {_some(self._zones)}"
                elif machine not in self._offers.get(zone, set()):
                    there = sorted(one for one, types in self._offers.items() if machine in types)
                    yield f"pool {name}: {machine} is not on offer in {zone}, but in {_some(there)}"

    def _like(self, machine: str) -> str:
        family, _, _ = machine.partition(".")
        found = sorted({one["InstanceType"] for one in self._offered([f"{family}.*", f"{machine[:1]}6i.*"])})
        return f"on offer are {_some(found)}" if found else "nothing like it is on offer"

    def _vcpus(self) -> Iterator[str]:
        pools = [pool for pool in self.spec.pools.values() if _standard(machine_of(pool))]
        cores = self._cores()
        for what, pick in (("vcpus", False), ("spot", True)):
            need = sum(cores.get(machine_of(pool), 0) * most(pool) for pool in pools if pool.spot is pick)
            if need:
                yield from self._short(what, need, self._running(spot=pick), "vCPUs")

    def _cores(self) -> dict[str, int]:
        listing = self.api.all(
            "ec2", "describe_instance_types", self.where.region, "InstanceTypes", InstanceTypes=sorted(self._types)
        )
        return {one["InstanceType"]: int(one["VCpuInfo"]["DefaultVCpus"]) for one in listing}

    def _running(self, *, spot: bool) -> int:
        filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        found = self.api.all("ec2", "describe_instances", self.where.region, "Reservations", Filters=filters)
        return sum(
            _vcpus_of(one)
            for reservation in found
            for one in reservation["Instances"]
            if _standard(one["InstanceType"]) and (one.get("InstanceLifecycle") == "spot") is spot
        )

    def _counted(self) -> Iterator[str]:
        clusters = self.api.all("eks", "list_clusters", self.where.region, "clusters")
        yield from self._short("clusters", 1, sum(1 for _ in clusters), "clusters")
        networks = self.api.all("ec2", "describe_vpcs", self.where.region, "Vpcs")
        yield from self._short("vpcs", 1, sum(1 for _ in networks), "VPCs")

    def _short(self, what: str, need: int, used: int, unit: str) -> Iterator[str]:
        row = words()["quotas"][what]
        answer = self.api.call(
            "service-quotas",
            "get_service_quota",
            self.where.region,
            ServiceCode=row["service"],
            QuotaCode=row["code"],
        )
        limit = answer["Quota"].get("Value")
        if limit is None:
            raise CloudError(f"Service Quotas tells no value of {row['code']} ({row['name']})")
        if used + need > limit:
            yield (
                f"capacity: {need} {unit} more are needed, but of {row['name']} ({row['code']}) {used} of {limit:g} "
                f"are in use in {self.where.region}: {max(0, limit - used):g} are free"
            )


def _support(version: dict[str, Any]) -> str:
    return str(version.get("versionStatus") or version.get("status") or "").upper().replace("-", "_")


def _standard(machine: str) -> bool:
    """Tell whether the quotas of the standard families count a machine: by the letters before the digits."""
    letters = machine[: next((at for at, sign in enumerate(machine) if not sign.isalpha()), len(machine))]
    return letters in {*words()["standard_families"], "im", "is"}


def _vcpus_of(instance: dict[str, Any]) -> int:
    options = instance.get("CpuOptions", {})
    return int(options.get("CoreCount", 0)) * int(options.get("ThreadsPerCore", 1))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}" if names else "none"
