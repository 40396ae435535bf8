"""What Azure says before anything is built: subscription, region, version, machine types, quota."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from pytest_telescope.cluster.clouds.aks_pools import AksPool
from pytest_telescope.cluster.clouds.aks_pools import pools
from pytest_telescope.cluster.clouds.azure_api import Api
from pytest_telescope.cluster.clouds.azure_api import ApiError
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.scenario.model import ClusterSpec

SHOWN = 8
"""Names on offer that one message lists."""


@dataclass(slots=True)
class Preflight:
    """One look at what a spec needs."""

    api: Api
    spec: ClusterSpec
    where: Where
    skus: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """Path of the subscription."""
        return f"/subscriptions/{self.where.account}"

    def refusals(self) -> list[str]:
        """Return what speaks against the spec; the later questions are asked only where the earlier are answered well.

        Raises:
            CloudError: Azure could not be asked.
        """
        for look in (self._subscription, self._region, self._rest):
            if found := list(look()):
                return found
        return []

    def _rest(self) -> Iterator[str]:
        yield from self._namespaces()
        yield from self._version()
        yield from self._machines()
        yield from self._quota()

    def _subscription(self) -> Iterator[str]:
        version = words()["api_versions"]["subscriptions"]
        try:
            state = self.api.get(self.root, version).get("state", "Enabled")
        except ApiError as error:
            if error.status not in {401, 403, 404}:
                raise
            offered = [str(one["subscriptionId"]) for one in self.api.items("/subscriptions", version)]
            yield f"this login does not see subscription {self.where.account}, but {_listed(offered)}"
        else:
            if state != "Enabled":
                yield f"subscription {self.where.account} is {state}, not Enabled"

    def _region(self) -> Iterator[str]:
        version = words()["api_versions"]["subscriptions"]
        offered = [str(one["name"]) for one in self.api.items(f"{self.root}/locations", version)]
        if self.where.region not in offered:
            yield f"there is no region {self.where.region}; on offer: {_listed(_close(self.where.region, offered))}"

    def _namespaces(self) -> Iterator[str]:
        for name in words()["namespaces"]:
            told = self.api.get(f"{self.root}/providers/{name}", words()["api_versions"]["Microsoft.Resources"])
            if told.get("registrationState") not in {"Registered", "Registering"}:
                yield f"{name} is not registered in the subscription: `az provider register --namespace {name}`"

    def _version(self) -> Iterator[str]:
        asked, tier = self.spec.kubernetes_version, self.spec.tier or words()["defaults"]["tier"]
        path = f"{self.root}/providers/Microsoft.ContainerService/locations/{self.where.region}/kubernetesVersions"
        plan = words()["tiers"].get(tier, "")
        offered = [
            str(one["version"])
            for one in self.api.items(path, words()["api_versions"]["kubernetesVersions"])
            if not one.get("isPreview") and plan in (one.get("capabilities") or {}).get("supportPlan", [plan])
        ]
        if asked and asked not in offered:
            yield f"Kubernetes {asked} is not offered here in tier {tier}; on offer: {_listed(offered)}"

    def _machines(self) -> Iterator[str]:
        path, query = f"{self.root}/providers/Microsoft.Compute/skus", f"location eq '{self.where.region}'"
        listing = self.api.items(path, words()["api_versions"]["skus"], **{"$filter": query})
        self.skus = {str(one["name"]): one for one in listing if one.get("resourceType") == "virtualMachines"}
        for pool in pools(self.spec):
            yield from self._machine(pool)

    def _machine(self, pool: AksPool) -> Iterator[str]:
        sku, lead = self.skus.get(pool.machine), f"pool {pool.name}: {pool.machine}"
        if sku is None:
            offered = _close(pool.machine, list(self.skus))
            yield f"{lead} is not offered in {self.where.region}; on offer: {_listed(offered)}"
            return
        limits = [one for one in sku.get("restrictions", ()) if one.get("type") == "Location"]
        if limits:
            reason = limits[0].get("reasonCode", "restricted")
            free = _listed(self._free(pool))
            yield f"capacity: {lead} cannot be had in {self.where.region} ({reason}); on offer: {free}"
            return
        zones = _zones(sku, self.where.region)
        if missing := [one for one in pool.zones if one not in zones]:
            yield f"capacity: {lead} cannot be had in zone {', '.join(missing)}; on offer: {_listed(sorted(zones))}"
        if pool.disk_type == "Ephemeral" and _capability(sku, "EphemeralOSDiskSupported") == "False":
            yield f"{lead} carries no Ephemeral OS disk; on offer: Managed"

    def _free(self, pool: AksPool) -> list[str]:
        """Return machine types like the asked one that can be had."""
        cores = _capability(self.skus[pool.machine], "vCPUs")
        alike = [
            name
            for name, sku in self.skus.items()
            if _capability(sku, "vCPUs") == cores and not sku.get("restrictions")
        ]
        return _close(pool.machine, alike)

    def _quota(self) -> Iterator[str]:
        path = f"{self.root}/providers/Microsoft.Compute/locations/{self.where.region}/usages"
        usages = {
            str(one["name"]["value"]).lower(): one for one in self.api.items(path, words()["api_versions"]["usages"])
        }
        for name, need in self._cores().items():
            usage = usages.get(name.lower())
            if usage is None:
                continue
            free = int(usage["limit"]) - int(usage["currentValue"])
            if need > free:
                yield (
                    f"capacity: {need} vCPUs of {name} are needed in {self.where.region}, but {free} of "
                    f"{usage['limit']} are free"
                )

    def _cores(self) -> Counter[str]:
        """Return quota -> vCPUs that the spec takes at most."""
        need: Counter[str] = Counter()
        for pool in pools(self.spec):
            sku = self.skus.get(pool.machine)
            if sku is not None:
                cores = int(_capability(sku, "vCPUs") or 0) * pool.most
                need.update({"lowPriorityCores": cores} if pool.spot else {"cores": cores, str(sku["family"]): cores})
        return need


def _zones(sku: Mapping[str, Any], region: str) -> set[str]:
    there = {
        str(zone)
        for place in sku.get("locationInfo", ())
        if str(place.get("location", "")).lower() == region
        for zone in place.get("zones", ())
    }
    limits = [one for one in sku.get("restrictions", ()) if one.get("type") == "Zone"]
    return there - {str(zone) for one in limits for zone in (one.get("restrictionInfo") or {}).get("zones", ())}


def _capability(sku: Mapping[str, Any], name: str) -> str:
    return next((str(one["value"]) for one in sku.get("capabilities", ()) if one["name"] == name), "")


def _close(asked: str, offered: list[str]) -> list[str]:
    """Return what is spelled like `asked` first."""
    return difflib.get_close_matches(asked, offered, n=SHOWN, cutoff=0.5) or sorted(offered)


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
