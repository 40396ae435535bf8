"""Google's REST APIs over the pretended cloud: Compute Engine, GKE, IAM and the project's policy."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from typing import Any

from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing
from tests.clouds.gcp_objects import COLLECTIONS
from tests.clouds.gcp_objects import PROJECT
from tests.clouds.gcp_objects import ROOT
from tests.clouds.gcp_objects import cluster_item
from tests.clouds.gcp_objects import compute_item
from tests.clouds.gcp_objects import fingerprint
from tests.clouds.gcp_objects import scope

CLUSTER = "google_container_cluster"
ACCOUNT = "google_service_account"
MEMBER = "google_project_iam_member"
MACHINES = {
    "e2-medium": 2,
    "e2-standard-4": 4,
    "n2-standard-4": 4,
    "n2-standard-16": 16,
    "n2-standard-32": 32,
    "c3-standard-8": 8,
}
REGIONS = {"us-central1": "abcf", "europe-west1": "bcd"}
VERSIONS = ["1.36.2-gke.1100", "1.35.4-gke.900", "1.35.3-gke.800", "1.34.9-gke.700"]
IMAGES = ["COS_CONTAINERD", "UBUNTU_CONTAINERD", "WINDOWS_LTSC_CONTAINERD"]
QUOTAS = {
    "CPUS": 500.0,
    "N2_CPUS": 500.0,
    "IN_USE_ADDRESSES": 200.0,
    "SSD_TOTAL_GB": 40960.0,
    "DISKS_TOTAL_GB": 40960.0,
    "INSTANCES": 500.0,
}
REASONS = ("rateLimitExceeded", "resourceInUseByAnotherResource", "quotaExceeded", "backendError")
Query = dict[str, list[str]]


class Rest:
    """All services of one project.

    Attributes:
        page: objects a page of a listing.
        unreachable: places that no listing gets an answer from.
        forbidden: services that this login may not use.
        disabled: services that the project does not use.
        quotas, usage: metric -> of every region.
        bindings: roles of others in the project: role -> members.
        conditional: bindings with a condition, as REST shows them to who asks for version 3.
        before_labels: called before labels are written: somebody else's moment.
    """

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.page = 500
        self.unreachable: list[str] = []
        self.forbidden: set[str] = set()
        self.disabled: set[str] = set()
        self.quotas = dict(QUOTAS)
        self.usage: dict[str, float] = {}
        self.versions = list(VERSIONS)
        self.bindings: dict[str, list[str]] = {"roles/owner": ["user:owner@example.com"]}
        self.conditional: list[dict[str, Any]] = []
        self.before_labels: list[Callable[[], None]] = []
        self.operations: dict[str, dict[str, Any]] = {}
        self.threads: list[threading.Thread] = []
        self.asked: list[str] = []

    def answer(self, method: str, service: str, path: str, query: Query, body: dict[str, Any]) -> dict[str, Any]:
        """Return what a request is answered with.

        Raises:
            FakeError: with the status of HTTP.
        """
        self.asked.append(f"{method} {service} {path}")
        if service in self.forbidden:
            raise FakeError("forbidden", f"Required permission is missing for {service}", 403)
        if service in self.disabled:
            raise FakeError("SERVICE_DISABLED", f"{service} has not been used in this project", 403)
        if not path.startswith(f"projects/{PROJECT}"):
            raise FakeError("notFound", f"The resource '{path}' was not found", 404)
        handlers = {
            "compute": self._compute,
            "container": self._container,
            "iam": self._iam,
            "projects": self._policy,
        }
        return handlers[service](method, path, query, body)

    # Compute Engine

    def _compute(self, method: str, path: str, query: Query, _body: dict[str, Any]) -> dict[str, Any]:
        if method == "DELETE":
            return self._delete_compute(path)
        rest = path.removeprefix(f"projects/{PROJECT}").strip("/").split("/")
        found: dict[str, Any] | None = None
        match rest:
            case ["aggregated" | "global" as kind, collection] if collection in COLLECTIONS.values():
                found = self._list(kind, collection, query)
            case [*_, "operations", name]:
                found = self.operations.get(name)
            case ["zones", zone, "machineTypes", *names] if self._is_zone(zone):
                found = self._machines(names)
            case _:
                found = self._place(rest)
        if found is None:
            raise FakeError("notFound", f"The resource '{path}' was not found", 404)
        return found

    def _place(self, rest: list[str]) -> dict[str, Any] | None:
        if rest == [""]:
            return {"name": PROJECT, "quotas": [{"metric": "CPUS_ALL_REGIONS", "limit": 1000.0, "usage": 0.0}]}
        if rest == ["regions"]:
            return {"items": [self._region(name) for name in REGIONS]}
        return self._region(rest[1]) if rest[0] == "regions" and rest[1] in REGIONS else None

    def _machines(self, names: list[str]) -> dict[str, Any] | None:
        if not names:
            return {"items": [{"name": name} for name in MACHINES]}
        return {"name": names[0], "guestCpus": MACHINES[names[0]]} if names[0] in MACHINES else None

    def _is_zone(self, zone: str) -> bool:
        region, _, letter = zone.rpartition("-")
        return letter in REGIONS.get(region, "")

    def _region(self, name: str) -> dict[str, Any]:
        quotas = [
            {"metric": metric, "limit": limit, "usage": self.usage.get(metric, 0.0)}
            for metric, limit in self.quotas.items()
        ]
        zones = [f"{ROOT}projects/{PROJECT}/zones/{name}-{letter}" for letter in REGIONS[name]]
        return {"name": name, "zones": zones, "quotas": quotas}

    def _list(self, kind: str, collection: str, query: Query) -> dict[str, Any]:
        types = [one for one, name in COLLECTIONS.items() if name == collection]
        self.cloud.log("list", types[-1], collection)
        self.cloud.faults.raised("throttle", types[-1], "list")
        found = [thing for one in types for thing in self.cloud.listed(one)]
        start = int(query.get("pageToken", ["0"])[0])
        shown = found[start : start + self.page]
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(found) else {}
        if kind == "global":
            return {"items": [compute_item(one) for one in shown], **more}
        items: dict[str, Any] = {"global": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}
        for one in shown:
            items.setdefault(scope(one.region), {}).setdefault(collection, []).append(compute_item(one))
        return {"items": items, "unreachables": self.unreachable, **more}

    def _delete_compute(self, path: str) -> dict[str, Any]:
        thing = self._thing(path, [*COLLECTIONS])
        if COLLECTIONS[thing.type] != "networks":  # a network's refusal is told by its operation
            for hook in self.cloud.on_removing.get(thing.type, ()):
                hook(self.cloud, thing)
        place = scope(thing.region)
        return self._begin(thing, f"{ROOT}projects/{PROJECT}/{place}/operations/")

    def _thing(self, path: str, types: list[str]) -> Thing:
        for one in types:
            if found := self.cloud.get(one, path):
                return found
        raise FakeError("notFound", f"The resource '{path}' was not found", 404)

    def _begin(self, thing: Thing, root: str) -> dict[str, Any]:
        """Delete in the background; return the operation."""
        self.cloud.faults.raised("throttle", thing.type, "destroy")
        name = f"operation-{uuid.uuid4().hex[:12]}"
        self.operations[name] = {"name": name, "selfLink": root + name, "status": "RUNNING"}
        thread = threading.Thread(target=self._delete, args=(thing, name), name=name, daemon=True)
        self.threads.append(thread)
        thread.start()
        return dict(self.operations[name])

    def _delete(self, thing: Thing, name: str) -> None:
        error: dict[str, Any] = {}
        try:
            self.cloud.destroy(thing.type, thing.id)
        except FakeError as failed:
            code = "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" if "InUse" in failed.message else failed.code
            told = {"code": code, "message": failed.message}
            error = {"error": told if thing.type == CLUSTER else {"errors": [told]}}
        self.operations[name] = {**self.operations[name], "status": "DONE", **error}

    # GKE

    def _container(self, method: str, path: str, _query: Query, body: dict[str, Any]) -> dict[str, Any]:
        rest = path.removeprefix(f"projects/{PROJECT}/locations/")
        if rest == "-/clusters":
            self.cloud.log("list", CLUSTER, "clusters")
            self.cloud.faults.raised("throttle", CLUSTER, "list")
            return {"clusters": [cluster_item(one) for one in self.cloud.listed(CLUSTER)]}
        if rest.endswith("/serverConfig"):
            return {"validMasterVersions": self.versions, "validImageTypes": IMAGES}
        if found := re.search(r"/operations/([^/]+)$", rest):
            if found.group(1) in self.operations:
                return self.operations[found.group(1)]
            raise FakeError("NOT_FOUND", f"Not found: {path}", 404)
        thing = self._thing(path.removesuffix(":setResourceLabels"), [CLUSTER])
        if method == "GET":
            return cluster_item(thing)
        if method == "POST":
            return self._label(thing, body)
        if thing.state in {"creating", "deleting"}:
            raise FakeError("FAILED_PRECONDITION", f"Cluster {thing.name} has an incompatible operation", 400)
        return self._begin(thing, f"https://container.googleapis.com/v1/projects/{PROJECT}/locations/x/operations/")

    def _label(self, thing: Thing, body: dict[str, Any]) -> dict[str, Any]:
        if self.before_labels:
            self.before_labels.pop(0)()
        self.cloud.log("update", CLUSTER, thing.name)
        if body["labelFingerprint"] != fingerprint(thing):
            raise FakeError("INVALID_ARGUMENT", "Labels could not be set due to fingerprint mismatch.", 400)
        self.cloud.retag(CLUSTER, thing.id, body["resourceLabels"])
        return {"name": "operation-labels", "status": "DONE"}

    # Identities

    def _iam(self, method: str, path: str, query: Query, _body: dict[str, Any]) -> dict[str, Any]:
        if method == "DELETE":
            thing = self._thing(path, [ACCOUNT])
            self.cloud.destroy(ACCOUNT, thing.id)
            return {}
        self.cloud.log("list", ACCOUNT, "serviceAccounts")
        accounts = [
            {"email": one.values["email"], "name": one.id, "description": one.values.get("description") or ""}
            for one in self.cloud.listed(ACCOUNT)
        ]
        start = int(query.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(accounts) else {}
        return {"accounts": accounts[start : start + self.page], **more}

    def _policy(self, _method: str, path: str, _query: Query, body: dict[str, Any]) -> dict[str, Any]:
        whole = body.get("options", {}).get("requestedPolicyVersion") == 3
        if path.endswith(":setIamPolicy"):
            self._write_policy(body["policy"]["bindings"])
            whole = True
        roles = {role: list(members) for role, members in self.bindings.items() if members}
        for thing in self.cloud.listed(MEMBER):
            roles.setdefault(thing.values["role"], []).append(thing.values["member"])
        bindings = [{"role": role, "members": members} for role, members in roles.items()]
        return {"etag": "BwX", "bindings": [*bindings, *(self.conditional if whole else [])]}

    def _write_policy(self, bindings: list[dict[str, Any]]) -> None:
        self.conditional = [one for one in bindings if "condition" in one]
        kept = {(one["role"], member) for one in bindings if "condition" not in one for member in one["members"]}
        for thing in self.cloud.listed(MEMBER):
            if (thing.values["role"], thing.values["member"]) not in kept:
                self.cloud.destroy(MEMBER, thing.id)
        self.bindings = {
            role: [one for one in members if (role, one) in kept] for role, members in self.bindings.items()
        }


def error_document(error: FakeError) -> dict[str, Any]:
    """Return what Google answers with."""
    text = f"{error.code} {error.message}"
    reason = next((one for one in REASONS if one in text), error.code if " " not in error.code else "unknown")
    document: dict[str, Any] = {"code": error.status, "message": error.message, "status": error.code}
    if reason == "SERVICE_DISABLED":
        document["details"] = [{"reason": reason}]
    elif reason not in {"FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"}:
        document["errors"] = [{"reason": reason, "message": error.message}]
    return {"error": document}
