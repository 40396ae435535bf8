"""Deleting and renewing in Azure."""

from __future__ import annotations

from pytest_telescope.cluster.clouds.azure_api import Api
from pytest_telescope.cluster.clouds.azure_api import ApiError
from pytest_telescope.cluster.clouds.azure_listing import version_of
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.errors import CloudError

WITHIN = 900.0
"""Seconds that one deletion is waited for: a group with a cluster in it takes some ten minutes."""
POLL = 5.0


def delete(api: Api, resource: Resource) -> None:
    """Delete and wait until it is gone; nothing to do where it is gone already.

    Raises:
        CloudError: the cloud refused, or it takes too long (transient).
    """
    version = version_of(api, resource.id)
    try:
        api.call("DELETE", resource.id, version)
    except ApiError as error:
        if error.status == 404:
            return
        if not resource.deleting or error.status != 409:
            raise
    waited = 0.0
    while _there(api, resource.id, version):
        if waited >= WITHIN:
            raise CloudError(f"{resource.kind} {resource.name} is not gone after {WITHIN:g} s", transient=True)
        api.sleep(POLL)
        waited += POLL


def _there(api: Api, resource_id: str, version: str) -> bool:
    """Tell whether it is still there, and not refused for good.

    Raises:
        CloudError: the deletion failed in the cloud.
    """
    try:
        found = api.get(resource_id, version)
    except ApiError as error:
        if error.status == 404:
            return False
        raise
    properties = found.get("properties") or {}
    if properties.get("provisioningState") == "Failed" and properties.get("deletionError"):
        raise CloudError(f"{resource_id} was not deleted: {properties['deletionError']}", transient=True)
    return True


def renew(api: Api, subscription: str, cluster: str, due: int) -> None:
    """Write a later due time on the lease's group, cluster and node group; what is not there yet is left out.

    A cluster that is busy keeps its old time: the latest of a lease counts.

    Raises:
        CloudError: the group's could not be written.
    """
    group = f"/subscriptions/{subscription}/resourceGroups/{cluster}"
    _write(api, group, due)
    for other in (f"{group}/providers/Microsoft.ContainerService/managedClusters/{cluster}", f"{group}-nodes"):
        try:
            _write(api, other, due)
        except ApiError as error:
            if error.status not in {403, 409, 412}:
                raise


def _write(api: Api, scope: str, due: int) -> None:
    body = {"operation": "Merge", "properties": {"tags": {TAG_DUE: str(due)}}}
    version = words()["api_versions"]["Microsoft.Resources"]
    try:
        api.call("PATCH", f"{scope}/providers/Microsoft.Resources/tags/default", version, body=body)
    except ApiError as error:
        if error.status != 404:
            raise
