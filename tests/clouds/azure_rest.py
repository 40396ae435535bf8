"""Azure Resource Manager as the tests pretend it: paths, pages, errors; what it holds is the `FakeCloud`'s."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.clouds.azure_objects import CLUSTER
from tests.clouds.azure_objects import CORES
from tests.clouds.azure_objects import FAMILIES
from tests.clouds.azure_objects import GROUP
from tests.clouds.azure_objects import NODES
from tests.clouds.azure_objects import SUBSCRIPTION
from tests.clouds.azure_objects import TYPES
from tests.clouds.azure_objects import VERSIONS
from tests.clouds.azure_objects import cores
from tests.clouds.azure_objects import shown
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing

PAGE = 3
"""Objects a page: small, so that every listing has several."""
REGIONS = ["eastus", "eastus2", "westeurope"]
FILTER = re.compile(r"tagName eq '([^']+)'(?: and tagValue eq '([^']+)')?")
Query = dict[str, str]


class Rest:
    """Answers one subscription's requests.

    Attributes:
        throttles: how many of the next requests are answered with 429.
        restricted: machine type -> its restrictions.
        refusing: ids whose deletion is refused with `ScopeLocked`.
        calls: method -> requests.
    """

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.state = "Enabled"
        self.unregistered: set[str] = set()
        self.restricted: dict[str, list[dict[str, Any]]] = {}
        self.limits: dict[str, int] = {"cores": 1000, "standardDSv5Family": 1000, "lowPriorityCores": 1000}
        self.refusing: set[str] = set()
        self.throttles = 0
        self.retry_after = "2"
        self.calls: Counter[str] = Counter()
        self.deleting: list[threading.Thread] = []

    def answer(self, method: str, path: str, query: Query, body: Any) -> tuple[int, Any]:
        """Return status and document; raises `FakeError` for an error."""
        self.calls[method] += 1
        if self.throttles:
            self.throttles -= 1
            raise FakeError("TooManyRequests", "the request was throttled", status=429)
        if "api-version" not in query:
            raise FakeError("MissingApiVersionParameter", "api-version is required", status=400)
        if path == "/subscriptions":
            return 200, {"value": [{"subscriptionId": SUBSCRIPTION, "state": self.state}]}
        root = f"/subscriptions/{SUBSCRIPTION}"
        if not path.startswith(root):
            raise FakeError("SubscriptionNotFound", "the subscription was not found", status=404)
        return self._in_subscription(method, path.removeprefix(root), path, query, body)

    def _in_subscription(self, method: str, below: str, path: str, query: Query, body: Any) -> tuple[int, Any]:
        routes: list[tuple[str, Callable[..., tuple[int, Any]]]] = [
            (r"", lambda: (200, {"subscriptionId": SUBSCRIPTION, "state": self.state})),
            (r"/locations", lambda: (200, {"value": [{"name": name} for name in REGIONS]})),
            (r"/resourcegroups", lambda: self._page(self._groups(), path, query)),
            (r"/resources", lambda: self._page(self._tagged(query), path, query)),
            (r"/resourceGroups/([^/]+)/resources", lambda name: self._page(self._within(name), path, query)),
            (r"/providers/([^/]+)", self._namespace),
            (r"/providers/Microsoft.ContainerService/locations/([^/]+)/kubernetesVersions", self._versions),
            (r"/providers/Microsoft.Compute/skus", lambda: (200, {"value": self._skus(query)})),
            (r"/providers/Microsoft.Compute/locations/([^/]+)/usages", self._usages),
        ]
        for pattern, answer in routes:
            found = re.fullmatch(pattern, below)
            if found and method == "GET":
                return answer(*found.groups())
        if path.endswith("/providers/Microsoft.Resources/tags/default") and method == "PATCH":
            return self._retag(path.removesuffix("/providers/Microsoft.Resources/tags/default"), body)
        return self._object(method, path)

    def _object(self, method: str, path: str) -> tuple[int, Any]:
        thing = self._find(path)
        if method == "GET":
            return 200, shown(thing)
        if method != "DELETE":
            raise FakeError("MethodNotAllowed", f"{method} {path}", status=405)
        return self._delete(thing)

    def _inside(self, group: Thing) -> list[Thing]:
        """Return what goes with a resource group, whose deletion fails with any of them."""
        with self.cloud.locked():
            return [one for one in self.cloud.things.values() if one.id.lower().startswith(f"{group.id}/".lower())]

    def _delete(self, thing: Thing) -> tuple[int, Any]:
        if thing.id in self.refusing:
            raise FakeError("ScopeLocked", f"{thing.id} has a lock", status=409)
        self.cloud.faults.raised("throttle", thing.type, "destroy")
        for doomed in (thing, *self._inside(thing)):
            self.cloud.faults.raised("fail-destroy", doomed.type, "destroy")
        if thing.state != "deleting":
            worker = threading.Thread(target=self.cloud.destroy, args=thing.key, daemon=True)
            self.deleting.append(worker)
            worker.start()
        return 202, {}

    def _retag(self, scope: str, body: Any) -> tuple[int, Any]:
        thing = self._find(scope)
        if thing.type == CLUSTER and thing.state == "creating":
            raise FakeError("AnotherOperationInProgress", "the cluster is being made", status=409)
        assert body["operation"] == "Merge"
        self.cloud.retag(*thing.key, {**thing.tags, **body["properties"]["tags"]})
        return 200, {"properties": {"tags": thing.tags}}

    def _find(self, path: str) -> Thing:
        for thing in self._shown():
            if thing.id.lower() == path.lower():
                return thing
        code = "ResourceNotFound" if "/providers/" in path else "ResourceGroupNotFound"
        raise FakeError(code, f"{path} was not found", status=404)

    def _shown(self) -> list[Thing]:
        return [thing for thing in self.cloud.listed() if thing.type in TYPES or thing.type in (GROUP, NODES)]

    def _groups(self) -> list[Thing]:
        return [thing for thing in self._shown() if thing.type in (GROUP, NODES)]

    def _within(self, name: str) -> list[Thing]:
        group = next((one for one in self._groups() if one.name.lower() == name.lower()), None)
        if group is None:
            raise FakeError("ResourceGroupNotFound", f"{name} was not found", status=404)
        return [thing for thing in self._shown() if thing.id.lower().startswith(f"{group.id}/providers/".lower())]

    def _tagged(self, query: Query) -> list[Thing]:
        found = FILTER.fullmatch(query["$filter"])
        assert found is not None, query
        key, value = found.groups()
        return [
            one
            for one in self._shown()
            if one.type in TYPES and one.tags.get(key) in ({value} if value else one.tags.values())
        ]

    def _page(self, things: list[Thing], path: str, query: Query) -> tuple[int, Any]:
        start = int(query.get("$skiptoken", "0"))
        page: dict[str, Any] = {"value": [shown(thing) for thing in things[start : start + PAGE]]}
        if start + PAGE < len(things):
            page["next"] = (path, {**query, "$skiptoken": str(start + PAGE)})
        return 200, page

    def _namespace(self, name: str) -> tuple[int, Any]:
        state = "NotRegistered" if name in self.unregistered else "Registered"
        types = [{"resourceType": one.partition("/")[2], "apiVersions": ["2024-01-01"]} for one in TYPES.values()]
        return 200, {"namespace": name, "registrationState": state, "resourceTypes": types}

    def _versions(self, _region: str) -> tuple[int, Any]:
        offered = [{"version": one, "capabilities": {"supportPlan": plans}} for one, plans in VERSIONS.items()]
        return 200, {"values": [*offered, {"version": "1.35", "isPreview": True}]}

    def _skus(self, query: Query) -> list[dict[str, Any]]:
        region = query["$filter"].removeprefix("location eq '").removesuffix("'")
        return [self._sku(name, region) for name in CORES]

    def _sku(self, name: str, region: str) -> dict[str, Any]:
        ephemeral = "False" if name == "Standard_D4s_v5" else "True"
        return {
            "resourceType": "virtualMachines",
            "name": name,
            "family": FAMILIES[name],
            "capabilities": [
                {"name": "vCPUs", "value": str(CORES[name])},
                {"name": "EphemeralOSDiskSupported", "value": ephemeral},
            ],
            "locationInfo": [{"location": region, "zones": ["1", "2", "3"]}],
            "restrictions": self.restricted.get(name, []),
        }

    def _usages(self, _region: str) -> tuple[int, Any]:
        used = sum(cores(one.type, one.values) for one in self.cloud.listed())
        limits = {**self.limits, **{name: int(most) for name, most in self.cloud.quotas.items() if name == "cores"}}
        return 200, {
            "value": [
                {"name": {"value": name}, "limit": limit, "currentValue": int(used) if name == "cores" else 0}
                for name, limit in limits.items()
            ]
        }
