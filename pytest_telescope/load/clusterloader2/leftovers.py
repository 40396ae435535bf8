"""What a run of CL2 leaves in the cluster: found by comparing with before, removed where it is surely CL2's."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_telescope.cluster.model import Leftover
from pytest_telescope.errors import LoadError
from pytest_telescope.load.api import FAILURES
from pytest_telescope.load.api import Api
from pytest_telescope.load.clusterloader2.tables import table

NAMESPACES = "namespaces"
DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
GONE_WITHIN = 120.0
FORCE_AFTER = 30.0
POLL = 0.1
POLL_MOST = 1.0
_DONE = {http.client.OK, http.client.ACCEPTED, http.client.NOT_FOUND, http.client.CONFLICT}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Thing:
    """One cluster-scoped object.

    Attributes:
        resource: spelled `plural.group`.
        path: where it can be deleted.
        claimed_from: namespace of the claim that a volume was made for; empty for anything else.
    """

    resource: str
    name: str
    uid: str
    path: str
    claimed_from: str = ""


def known() -> Mapping[str, Any]:
    """Return leftovers.yaml."""
    found: Mapping[str, Any] = table("leftovers")
    return found


def snapshot(api: Api) -> frozenset[Thing]:
    """Return every cluster-scoped object of the kinds that a load can make, namespaces among them.

    Raises:
        LoadError: the API server does not tell.
    """
    return frozenset(thing for resource, path in _resources(api) for thing in _things(api, resource, path))


def _resources(api: Api) -> Iterator[tuple[str, str]]:
    versions = [("", "v1", "/api/v1")]
    for group in api.get("/apis")["groups"]:
        version = group["preferredVersion"]["groupVersion"]
        versions.append((group["name"], version, f"/apis/{version}"))
    ignored = set(known()["ignored"])
    for group_name, _, path in versions:
        for one in _served(api, path):
            name = f"{one['name']}.{group_name}" if group_name else one["name"]
            if not one["namespaced"] and {"list", "delete"} <= set(one["verbs"]) and name not in ignored:
                yield name, f"{path}/{one['name']}"


def _served(api: Api, path: str) -> list[dict[str, Any]]:
    """Return the resources of one version of a group; none where the server of an aggregated API is not there."""
    try:
        reply = api.request("GET", path)
    except FAILURES as error:
        raise LoadError(f"GET {path}: no answer from the API server ({type(error).__name__}: {error})") from error
    if reply.status not in {http.client.OK, http.client.SERVICE_UNAVAILABLE}:
        raise LoadError(f"GET {path}: HTTP {reply.status} {reply.json().get('message', '')}")
    found: list[dict[str, Any]] = reply.json()["resources"] if reply.status == http.client.OK else []
    return found


def _things(api: Api, resource: str, path: str) -> Iterator[Thing]:
    for page in api.pages(path):
        for item in page["items"]:
            name, claim = item["metadata"]["name"], (item.get("spec") or {}).get("claimRef") or {}
            yield Thing(
                resource=resource,
                name=name,
                uid=item["metadata"]["uid"],
                path=f"{path}/{name}",
                claimed_from=claim.get("namespace", ""),
            )


def is_ours(thing: Thing, prefixes: Sequence[str], basenames: Iterable[str]) -> bool:
    """Say whether an object that was not there before was surely made by CL2 for us.

    Args:
        thing: the object.
        prefixes: of our namespaces.
        basenames: of the objects of the config's phases; CL2 names them `<base name>-<number>`.
    """
    if _is_own(thing, prefixes):
        return True
    if thing.resource == NAMESPACES and thing.name in known()["namespaces"]:
        return True
    pattern = known()["objects"].get(thing.resource)
    return bool(pattern and re.match(pattern, thing.name)) or _numbered(thing.name, basenames)


def _is_own(thing: Thing, prefixes: Sequence[str]) -> bool:
    """Say whether it is a namespace of ours by its name alone."""
    return thing.resource == NAMESPACES and _numbered(thing.name, prefixes)


def _numbered(name: str, stems: Iterable[str]) -> bool:
    stem, _, number = name.rpartition("-")
    return number.isdigit() and stem in set(stems)


def remove(
    api: Api, before: frozenset[Thing] | None, prefixes: Sequence[str], basenames: Iterable[str]
) -> list[Leftover]:
    """Remove what is ours and was not there before; return what does not go, and what is new but may be another's.

    Without a `before` only our namespaces are removed.
    """
    try:
        names = tuple(basenames)
        new = sorted(one for one in snapshot(api) if before is None or one not in before)
        ours = [one for one in new if _is_own(one, prefixes) or (before is not None and is_ours(one, prefixes, names))]
        volumes = _volumes(new, ours)
        left = _remove(api, ours, volumes)
        others = [one for one in new if before is not None and one not in (*ours, *volumes)]
        return left + [_other(one) for one in others if _there(api, one)]
    except (*FAILURES, LoadError) as error:
        return [Leftover(kind="load", name=prefixes[0], detail=f"cannot ask the API server: {error}")]


def _volumes(new: Sequence[Thing], ours: Sequence[Thing]) -> list[Thing]:
    """Return the volumes made for our claims; their provisioner deletes them once the claims are gone."""
    spaces = {one.name for one in ours if one.resource == NAMESPACES}
    return [one for one in new if one.claimed_from in spaces and one not in ours]


def _remove(api: Api, things: Sequence[Thing], volumes: Sequence[Thing]) -> list[Leftover]:
    """Delete, and wait until nothing of it is there; pods that do not go in time are deleted by force.

    Definitions go last: one that goes while it has objects can hold on to them for more than a minute, since the API
    server counts them in a cache that no longer hears of their deletion.
    """
    last = [thing for thing in things if thing.resource == DEFINITIONS]
    first = [thing for thing in things if thing.resource != DEFINITIONS]
    spaces = [thing.name for thing in first if thing.resource == NAMESPACES]
    refused = _delete(api, first)
    for name in spaces:
        _delete_pods(api, name, grace=None)
    left = _wait(api, [one for one in (*first, *volumes) if one not in refused], force=spaces)
    refused |= _delete(api, last)
    left += _wait(api, [one for one in last if one not in refused])
    return [_stays(api, one) for one in left] + [_leftover(one, detail) for one, detail in refused.items()]


def _wait(api: Api, things: Sequence[Thing], force: Sequence[str] = ()) -> list[Thing]:
    """Wait until nothing of it is there, and return what is; `force`: namespaces whose pods are forced to go."""
    start, wait, forced = time.monotonic(), POLL, False
    left = list(things)
    while left and time.monotonic() - start < GONE_WITHIN:
        left = [thing for thing in left if _there(api, thing)]
        if left and not forced and time.monotonic() - start > FORCE_AFTER:
            forced = True
            for name in force:
                _delete_pods(api, name, grace=0)
        if left:
            time.sleep(wait)
            wait = min(wait * 1.5, POLL_MOST)
    return left


def _stays(api: Api, thing: Thing) -> Leftover:
    """Return it with what the API server says it waits for."""
    conditions = api.request("GET", thing.path).json().get("status", {}).get("conditions", ())
    said = "; ".join(one["message"] for one in conditions if one.get("status") == "True" and one.get("message"))
    told = f"does not go within {GONE_WITHIN:.0f} s"
    return _leftover(thing, f"{told}: {said}" if said else told)


def _other(thing: Thing) -> Leftover:
    return _leftover(thing, "appeared during the load and is not surely of it, so it was not deleted")


def _leftover(thing: Thing, detail: str) -> Leftover:
    return Leftover(kind=thing.resource, name=thing.name, detail=detail)


def _delete(api: Api, things: Sequence[Thing]) -> dict[Thing, str]:
    """Delete them; return those that the API server refuses to delete, and why."""
    options = b'{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Background"}'
    replies = {thing: api.request("DELETE", thing.path, options) for thing in things}
    return {
        thing: f"cannot be deleted: HTTP {reply.status} {reply.json().get('message', '')}"
        for thing, reply in replies.items()
        if reply.status not in _DONE
    }


def _delete_pods(api: Api, namespace: str, *, grace: int | None) -> None:
    """Begin with the pods: the namespace's own controller waits 5 s before it does."""
    seconds = "" if grace is None else f',"gracePeriodSeconds":{grace}'
    body = f'{{"kind":"DeleteOptions","apiVersion":"v1"{seconds}}}'
    api.request("DELETE", f"/api/v1/namespaces/{namespace}/pods", body.encode())


def _there(api: Api, thing: Thing) -> bool:
    """Say whether it is there, or may be."""
    reply = api.request("GET", thing.path)
    if reply.status != http.client.OK:
        return reply.status != http.client.NOT_FOUND
    uid: str = reply.json()["metadata"]["uid"]
    return uid == thing.uid
