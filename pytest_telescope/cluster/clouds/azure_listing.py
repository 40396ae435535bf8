"""What a subscription holds of a lease: its resource groups, by tag and by name, and what is tagged elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.clouds.azure_api import Api
from pytest_telescope.cluster.clouds.azure_api import ApiError
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import TAG_LEASE
from pytest_telescope.cluster.clouds.model import Resource

GROUP_RANK = 60
NODES_RANK = 70
OTHER_RANK = 25
"""Rank of what is tagged with a lease and of a kind that `aks.yaml` does not know."""
CLUSTER_TYPE = "microsoft.containerservice/managedclusters"
_NAME = re.compile(r"^telescope-([0-9a-f]{8})(-nodes)?$")
_BESIDE = 10
"""Ranks below are of what Azure puts beside a cluster and does not take away with it."""


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    id: str
    lease: str
    nodes: bool
    item: Mapping[str, Any]


def resources(api: Api, subscription: str, lease: str | None, cluster: str | None) -> list[Resource]:
    """Return what is there of one lease or (None) of all, sorted by rank.

    Raises:
        CloudError: something could not be asked.
    """
    root = f"/subscriptions/{subscription}"
    groups = [one for one in _groups(api, root, lease, cluster) if lease in (None, one.lease)]
    held = [found for group in groups for found in _held(api, group)]
    inside = {group.name.lower() for group in groups}
    held += [(item, of) for item, of in _tagged(api, root, lease) if group_of(item["id"]).lower() not in inside]
    alive = {of for item, of in held if str(item["type"]).lower() == CLUSTER_TYPE}
    found = [_resource(item, of) for item, of in held if _stands_alone(item, of, alive)]
    return sorted(_with_latest([*found, *map(_group, groups)]), key=lambda one: (one.rank, one.kind, one.name))


def group_of(resource_id: str) -> str:
    """Return the name of the resource group in an ARM id; "" where it names none."""
    found = re.search(r"/resourcegroups/([^/]+)", resource_id, re.IGNORECASE)
    return found.group(1) if found else ""


def version_of(api: Api, resource_id: str) -> str:
    """Return the version of the API that deletes a resource; asked for where `aks.yaml` has none."""
    if "/providers/" not in resource_id:
        return str(words()["api_versions"]["Microsoft.Resources"])
    space, kind = type_of(resource_id).split("/", 1)
    known = words()["kinds"].get(f"{space}/{kind}".lower())
    if known:
        return str(known["api"])
    subscription = resource_id.split("/")[2]
    told = api.get(f"/subscriptions/{subscription}/providers/{space}", words()["api_versions"]["Microsoft.Resources"])
    offered = {str(one["resourceType"]).lower(): one["apiVersions"] for one in told.get("resourceTypes", ())}
    return str(offered.get(kind.lower(), ["2021-04-01"])[0])


def type_of(resource_id: str) -> str:
    """Return `Namespace/type[/child]` of an ARM id."""
    parts = resource_id.rpartition("/providers/")[2].split("/")
    return "/".join([parts[0], *parts[1::2]])


def _groups(api: Api, root: str, lease: str | None, cluster: str | None) -> Iterator[_Group]:
    for item in api.items(f"{root}/resourcegroups", words()["api_versions"]["Microsoft.Resources"]):
        name, tags = str(item["name"]), item.get("tags") or {}
        told = _NAME.match(name.lower())
        mine = lease if cluster and lease and name.lower() in (cluster, f"{cluster}-nodes") else None
        owner = mine or tags.get(TAG_LEASE) or (told.group(1) if told else None)
        if owner:
            yield _Group(name, str(item["id"]), str(owner), name.lower().endswith("-nodes"), item)


def _held(api: Api, group: _Group) -> list[tuple[Mapping[str, Any], str]]:
    """Return what is in a group; nothing where it has just gone."""
    path = f"{group.id}/resources"
    try:
        return [(item, group.lease) for item in api.items(path, words()["api_versions"]["Microsoft.Resources"])]
    except ApiError as error:
        if error.status == 404:
            return []
        raise


def _tagged(api: Api, root: str, lease: str | None) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield what carries the tag, in whatever group."""
    query = f"tagName eq '{TAG_LEASE}'" + (f" and tagValue eq '{lease}'" if lease else "")
    version = words()["api_versions"]["Microsoft.Resources"]
    for item in api.items(f"{root}/resources", version, **{"$filter": query}):
        owner = (item.get("tags") or {}).get(TAG_LEASE)
        if owner and lease in (None, owner):
            yield item, str(owner)


def _stands_alone(item: Mapping[str, Any], lease: str, alive: set[str]) -> bool:
    """Tell whether something does not go with its cluster, which is still there."""
    kind = str(item["type"]).lower()
    known = words()["kinds"].get(kind)
    beside = known is not None and known["rank"] < _BESIDE
    return kind == CLUSTER_TYPE or beside or lease not in alive or not group_of(item["id"]).lower().endswith("-nodes")


def _resource(item: Mapping[str, Any], lease: str) -> Resource:
    name, known = str(item["type"]), words()["kinds"].get(str(item["type"]).lower(), {})
    return Resource(
        kind=known.get("kind", name.rpartition("/")[2].lower()),
        id=str(item["id"]),
        name=str(item["name"]),
        region=str(item.get("location", "")),
        tags={**(item.get("tags") or {}), TAG_LEASE: lease},
        rank=int(known.get("rank", OTHER_RANK)),
        command=f"az resource delete --ids {item['id']}",
        usd_per_hour=known.get("usd_per_hour"),
        deleting=_deleting(item),
    )


def _group(group: _Group) -> Resource:
    return Resource(
        kind="node-resource-group" if group.nodes else "resource-group",
        id=group.id,
        name=group.name,
        region=str(group.item.get("location", "")),
        tags={**(group.item.get("tags") or {}), TAG_LEASE: group.lease},
        rank=NODES_RANK if group.nodes else GROUP_RANK,
        command=f"az group delete --yes --subscription {group.id.split('/')[2]} --name {group.name}",
        usd_per_hour=0.0,
        deleting=_deleting(group.item),
    )


def _deleting(item: Mapping[str, Any]) -> bool:
    state = item.get("provisioningState") or (item.get("properties") or {}).get("provisioningState")
    return state in {"Deleting", "Deprovisioning"}


def _with_latest(found: Iterable[Resource]) -> Iterator[Resource]:
    """Yield each with the latest due time that anything of its lease tells: not all of it can be renewed."""
    from dataclasses import replace

    found = list(found)
    latest: dict[str | None, float] = {}
    for one in found:
        if one.due is not None:
            latest[one.lease] = max(one.due, latest.get(one.lease, 0.0))
    for one in found:
        due = {TAG_DUE: str(int(latest[one.lease]))} if one.lease in latest else {}
        yield replace(one, tags={**one.tags, **due})
