"""What the pretended Google Cloud holds, as its REST APIs show it: an object's id is the path of its self link."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing

PROJECT = "telescope-test"
ROOT = "https://www.googleapis.com/compute/v1/"
COLLECTIONS = {
    "google_compute_network": "networks",
    "google_compute_subnetwork": "subnetworks",
    "google_compute_firewall": "firewalls",
    "google_compute_address": "addresses",
    "google_compute_router": "routers",
    "gcp_firewall": "firewalls",
    "gcp_address": "addresses",
    "gcp_forwarding_rule": "forwardingRules",
    "gcp_target_pool": "targetPools",
    "gcp_target_http_proxy": "targetHttpProxies",
    "gcp_target_https_proxy": "targetHttpsProxies",
    "gcp_url_map": "urlMaps",
    "gcp_backend_service": "backendServices",
    "gcp_http_health_check": "httpHealthChecks",
    "gcp_health_check": "healthChecks",
    "gcp_ssl_certificate": "sslCertificates",
    "gcp_network_endpoint_group": "networkEndpointGroups",
    "gcp_disk": "disks",
    "gcp_route": "routes",
    "gcp_instance_group_manager": "instanceGroupManagers",
    "gcp_instance_group": "instanceGroups",
    "gcp_instance": "instances",
    "gcp_instance_template": "instanceTemplates",
}
"""Type of a thing -> collection of Compute Engine."""
_STATES = {"creating": "PROVISIONING", "ready": "RUNNING", "failed": "ERROR", "deleting": "STOPPING"}


def scope(place: str) -> str:
    """Return `global`, `regions/<region>` or `zones/<zone>` of a place."""
    if not place or place == "global":
        return "global"
    return f"zones/{place}" if re.fullmatch(r"[a-z]+-[a-z]+\d+-[a-z]", place) else f"regions/{place}"


def compute_id(kind: str, name: str, place: str, project: str = PROJECT) -> str:
    """Return the id of a thing of Compute Engine."""
    return f"projects/{project}/{scope(place)}/{COLLECTIONS[kind]}/{name}"


def put(
    cloud: FakeCloud,
    kind: str,
    name: str,
    place: str = "",
    *,
    tags: dict[str, str] | None = None,
    parent: tuple[str, str] | None = None,
    **values: Any,
) -> Thing:
    """Put a thing of Compute Engine there; `values` are fields as REST spells them."""
    return cloud.add(
        kind, id=compute_id(kind, name, place), name=name, region=place, tags=tags, values=values, parent=parent
    )


def compute_item(thing: Thing) -> dict[str, Any]:
    """Return a thing of Compute Engine as REST shows it."""
    place = scope(thing.region)
    item = {"name": thing.name, "selfLink": ROOT + thing.id, "kind": f"compute#{COLLECTIONS[thing.type]}"}
    if place != "global":
        kind, _, where = place.partition("/")
        item[kind.removesuffix("s")] = f"{ROOT}projects/{PROJECT}/{kind}/{where}"
    if thing.type.startswith("gcp_"):
        return {**item, **thing.values, "labels": dict(thing.tags)}
    more = {key: thing.values[key] for key in ("description", "network") if thing.values.get(key)}
    if "network" in more:
        more["network"] = ROOT + more["network"]
    return {**item, **more}


def cluster_item(thing: Thing) -> dict[str, Any]:
    """Return a cluster as REST shows it."""
    return {
        "name": thing.name,
        "location": thing.values.get("location") or thing.region,
        "status": _STATES[thing.state],
        "resourceLabels": dict(thing.tags),
        "labelFingerprint": fingerprint(thing),
        "network": str(thing.values.get("network", "")).rpartition("/")[2],
        "currentMasterVersion": thing.values.get("master_version"),
    }


def fingerprint(thing: Thing) -> str:
    """Return what changes with a thing's labels."""
    return hashlib.sha256(json.dumps(thing.tags, sort_keys=True).encode()).hexdigest()[:8]


def in_use(cloud: FakeCloud, thing: Thing) -> None:
    """Refuse to delete what another thing points at; its own children and what is going do not count.

    Raises:
        FakeError: something does.
    """
    with cloud.locked():
        others = [one for one in cloud.things.values() if thing.key not in {one.key, one.parent}]
        user = next((one for one in others if _mentions(one.values, thing.id)), None)
    if user is not None:
        text = f"The resource '{thing.id}' is already being used by '{user.id}', resourceInUseByAnotherResource"
        raise FakeError("Error 400", text, status=400)
    users = [one for one in thing.values.get("users", ()) if ("gcp_instance", one) in cloud.things]
    if users:
        text = f"The disk resource '{thing.id}' is already being used by '{users[0]}', resourceInUseByAnotherResource"
        raise FakeError("Error 400", text, status=400)


def _mentions(value: Any, path: str) -> bool:
    if isinstance(value, str):
        return value == path or value.endswith("/" + path)
    if isinstance(value, dict):
        return any(_mentions(one, path) for key, one in value.items() if key not in {"id", "self_link", "users"})
    return isinstance(value, list) and any(_mentions(one, path) for one in value)


def leave_behind(cloud: FakeCloud, cluster: str, place: str = "us-central1") -> list[Thing]:
    """Make what Services, an Ingress and a claim of a cluster leave in the cloud; return it, users first."""
    network = f"projects/{PROJECT}/global/networks/{cluster}"
    zone, balancer = f"{place}-a", "a0123456789abcdef0123456789abcdef"
    group = put(cloud, "gcp_network_endpoint_group", "k8s1-aa-web", zone, network=ROOT + network)
    check = put(cloud, "gcp_health_check", "k8s1-aa-web")
    backend = put(
        cloud,
        "gcp_backend_service",
        "k8s1-aa-web",
        backends=[{"group": ROOT + group.id}],
        healthChecks=[ROOT + check.id],
    )
    certificate = put(cloud, "gcp_ssl_certificate", "k8s2-cr-web")
    urls = put(cloud, "gcp_url_map", "k8s2-um-web", defaultService=ROOT + backend.id)
    proxy = put(
        cloud, "gcp_target_https_proxy", "k8s2-ts-web", urlMap=ROOT + urls.id, sslCertificates=[ROOT + certificate.id]
    )
    front = put(cloud, "gcp_forwarding_rule", "k8s2-fr-web", target=ROOT + proxy.id)
    health = put(cloud, "gcp_http_health_check", "k8s-0123456789abcdef-node")
    probes = put(cloud, "gcp_firewall", "k8s-0123456789abcdef-node-http-hc", network=ROOT + network)
    pool = put(cloud, "gcp_target_pool", balancer, place, healthChecks=[ROOT + health.id])
    rule = put(cloud, "gcp_forwarding_rule", balancer, place, target=ROOT + pool.id)
    opening = put(cloud, "gcp_firewall", f"k8s-fw-{balancer}", network=ROOT + network)
    address = put(cloud, "gcp_address", balancer, place, status="IN_USE")
    labels = {"goog-k8s-cluster-name": cluster, "goog-gke-volume": ""}
    disk = put(cloud, "gcp_disk", "pvc-11111111-2222-3333-4444-555555555555", zone, tags=labels)
    return [front, proxy, urls, backend, check, certificate, group, rule, pool, health, opening, probes, address, disk]
