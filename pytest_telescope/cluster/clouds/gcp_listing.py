"""What a project holds of a lease: told by labels, names, network, and by pointing at what is told so.

Networks, firewall rules, load balancers and endpoint groups have no labels of ours: what lies in a lease's own network
is the lease's; a Service's load balancer shares its name with a firewall rule of that network; proxies and maps point
at backends of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from pytest_telescope.cluster.clouds.gcp_api import Api
from pytest_telescope.cluster.clouds.gcp_api import ApiError
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import TAG_LEASE
from pytest_telescope.cluster.clouds.model import TAG_RUN
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.errors import CloudError

CLUSTER_RANK = 10
MEMBER_RANK = 90
ACCOUNT_RANK = 92
NODE_ACCOUNT = "TELESCOPE_GKE_NODE_SERVICE_ACCOUNT"
"""Variable that names an existing service account for the nodes, so that none is made."""
_NAME = re.compile(r"(?:^|[-/])telescope-([0-9a-f]{8})(?=-|$)")
_PAIR = re.compile(r"([a-z][-_a-z0-9]*)=([-_a-z0-9]+)")
_MEMBER = re.compile(r"^(?:deleted:)?serviceAccount:([^@]+)@")
_MADE = ("k8s", "gke", "mcrt-")
"""Beginnings of names that Kubernetes and GKE give."""
_LINK = re.compile(r"(?:^|/)(projects/[^?\s]+)$")


@dataclass(slots=True)
class _Found:
    """One object, and whose it is."""

    kind: Mapping[str, Any]
    item: Mapping[str, Any]
    path: str
    lease: str | None = None

    @property
    def tags(self) -> dict[str, str]:
        return _tags(self.item)


@dataclass(slots=True)
class Listing:
    """One look at a project; `cluster` is the name of the only lease's cluster that matters, or None for all."""

    api: Api
    project: str
    lease: str | None
    cluster: str | None
    found: list[_Found] = field(default_factory=list)

    def resources(self) -> list[Resource]:
        """Return what is there, sorted by rank.

        Raises:
            CloudError: something could not be asked.
        """
        self._look()
        alive = {one.lease for one in self.found if one.kind["kind"] == "cluster"}
        mine = [one for one in self.found if one.lease and self._wanted(one.lease) and not _part(one, alive)]
        shared = _shared(mine)
        return sorted((self._resource(one, shared) for one in mine), key=lambda one: (one.rank, one.kind, one.name))

    def _wanted(self, lease: str) -> bool:
        return self.lease is None or lease == self.lease

    def _look(self) -> None:
        for found in (*self._clusters(), *self._compute(), *self._accounts()):
            found.lease = self._told(found)
            self.found.append(found)
        balancers = self._balancers()
        for found in self.found:
            if found.lease is None and "balancer" in found.kind["by"]:
                found.lease = balancers.get(str(found.item["name"]))
        while self._follow():
            pass

    def _clusters(self) -> Iterator[_Found]:
        page = self.api.get("container", f"projects/{self.project}/locations/-/clusters")
        missing = page.get("missingZones")
        if missing:
            raise CloudError(f"GKE has no answer from {', '.join(missing)}", transient=True)
        for item in page.get("clusters", ()):
            path = f"projects/{self.project}/locations/{item['location']}/clusters/{item['name']}"
            yield _Found({"kind": "cluster", "by": ["name"], "rank": CLUSTER_RANK}, item, path)

    def _compute(self) -> Iterator[_Found]:
        for kind in words()["compute"]:
            scope = "aggregated" if kind["list"] == "aggregated" else "global"
            for item in self.api.items(f"projects/{self.project}/{scope}/{kind['collection']}"):
                if kind["kind"] != "route" or _own_route(item):
                    yield _Found(kind, item, path_of(item["selfLink"]))

    def _accounts(self) -> Iterator[_Found]:
        """Yield service accounts and their roles; none where the harness makes none and may not look."""
        try:
            pages = [*self.api.pages("iam", f"projects/{self.project}/serviceAccounts", pageSize=100)]
            policy = iam_policy(self.api, self.project)
        except ApiError as error:
            if error.status == 403 and setting(self.api.environ, NODE_ACCOUNT):
                return
            raise
        for item in (one for page in pages for one in page.get("accounts", ())):
            kind = {"kind": "service-account", "by": ["name"], "rank": ACCOUNT_RANK}
            yield _Found(
                kind, {**item, "name": item["email"]}, f"projects/{self.project}/serviceAccounts/{item['email']}"
            )
        yield from _members(policy)

    def _told(self, found: _Found) -> str | None:
        """Return the lease that an object itself tells."""
        item, by = found.item, found.kind["by"]
        tags = found.tags
        if TAG_LEASE in tags:
            return tags[TAG_LEASE]
        names = [tags.get("goog-k8s-cluster-name", "")]
        names += [str(item["name"])] if "name" in by else []
        names += _networks(item) if "network" in by else []
        return next((lease for name in names if (lease := self._lease_in(name))), None)

    def _lease_in(self, name: str) -> str | None:
        if self.cluster and self.lease and re.search(rf"(?:^|[-/]){re.escape(self.cluster)}(?=-|$|@)", name):
            return self.lease
        found = _NAME.search(name.partition("@")[0])
        return found.group(1) if found else None

    def _balancers(self) -> dict[str, str]:
        """Return name of a Service's load balancer, or of its check -> lease, from the rules that let traffic in."""
        rules = [one for one in self.found if one.kind["kind"] == "firewall-rule" and one.lease]
        return {let_in: str(one.lease) for one in rules if (let_in := lets_in(str(one.item["name"])))}

    def _follow(self) -> bool:
        """Claim what points at something that is owned, or is pointed at by it; return whether anything was."""
        owned = {one.path: one.lease for one in self.found if one.lease}
        users = {link: one.lease for one in self.found if one.lease for link in _links(one.item)}
        claimed = False
        for one in self.found:
            if one.lease is None and "reference" in one.kind["by"]:
                one.lease = next((owned[link] for link in _links(one.item) if link in owned), None)
            elif one.lease is None and "used" in one.kind["by"] and str(one.item["name"]).startswith(_MADE):
                one.lease = users.get(one.path)
            else:
                continue
            claimed = claimed or one.lease is not None
        return claimed

    def _resource(self, one: _Found, shared: Mapping[str, Mapping[str, str]]) -> Resource:
        lease = str(one.lease)
        return Resource(
            kind=str(one.kind["kind"]),
            id=one.path,
            name=str(one.item["name"]),
            region=_place(one.item),
            tags={**one.tags, TAG_LEASE: lease, **shared[lease]},
            rank=int(one.kind["rank"]),
            command=_command(one, self.project),
            usd_per_hour=one.kind.get("usd_per_hour"),
            deleting=one.item.get("status") in {"STOPPING", "DELETING"},
        )


def lets_in(rule: str) -> str:
    """Return the name of the balancer, or of the health check, whose traffic a firewall rule of Kubernetes lets in."""
    if rule.startswith("k8s-fw-"):
        return rule.removeprefix("k8s-fw-")
    return rule.removesuffix("-http-hc") if rule.startswith("k8s-") and rule.endswith("-http-hc") else ""


def told_by_name(api: Api, project: str, name: str) -> list[str]:
    """Return the paths of what only a firewall rule tells whose it is, and that has this name."""
    kinds = [kind for kind in words()["compute"] if "balancer" in kind["by"]]
    scopes = [f"{'aggregated' if kind['list'] == 'aggregated' else 'global'}/{kind['collection']}" for kind in kinds]
    found = [item for scope in scopes for item in api.items(f"projects/{project}/{scope}")]
    return [path_of(item["selfLink"]) for item in found if item["name"] == name]


def iam_policy(api: Api, project: str) -> dict[str, Any]:
    """Return who may do what in a project; with conditions, so that it can be written back whole."""
    whole = {"options": {"requestedPolicyVersion": 3}}
    return api.call("POST", "projects", f"projects/{project}:getIamPolicy", body=whole)


def path_of(link: str) -> str:
    """Return `projects/…` of a self link, whatever the endpoint."""
    found = _LINK.search(link)
    return found.group(1) if found else link


def _members(policy: Mapping[str, Any]) -> Iterator[_Found]:
    for binding in policy.get("bindings", ()):
        for member in binding.get("members", ()):
            account = _MEMBER.match(member)
            if account and "condition" not in binding:
                kind = {"kind": "iam-member", "by": ["name"], "rank": MEMBER_RANK}
                item = {"name": account.group(1), "role": binding["role"], "member": member}
                yield _Found(kind, item, f"{binding['role']} {member}")


def _tags(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels; of what has none, what its description says."""
    labels = item.get("resourceLabels") or item.get("labels")
    if labels:
        return dict(labels)
    text = str(item.get("description") or "")
    return dict(_PAIR.findall(text)) if f"{TAG_LEASE}=" in text else {}


def _shared(found: Iterable[_Found]) -> dict[str, dict[str, str]]:
    """Return lease -> its run and latest due time, as anything of it tells: only the cluster is renewed."""
    shared: dict[str, dict[str, str]] = {}
    for one in found:
        of_lease, tags = shared.setdefault(str(one.lease), {}), one.tags
        if TAG_RUN in tags:
            of_lease[TAG_RUN] = tags[TAG_RUN]
        due = tags.get(TAG_DUE, "")
        if due.isdigit() and int(due) > int(of_lease.get(TAG_DUE, "0")):
            of_lease[TAG_DUE] = due
    return shared


def _part(one: _Found, alive: set[str | None]) -> bool:
    """Tell whether an object goes with its cluster, which is still there: machines, their disks, GKE's own rules."""
    if one.lease not in alive:
        return False
    kind, name = one.kind["kind"], str(one.item["name"])
    attached = kind == "disk" and bool(one.item.get("users"))
    return attached or bool(one.kind.get("nodes")) or (kind == "firewall-rule" and name.startswith("gke-"))


def _own_route(item: Mapping[str, Any]) -> bool:
    """Tell a route that somebody made from those that come and go with the network."""
    return not item.get("nextHopNetwork") and "default-internet-gateway" not in str(item.get("nextHopGateway"))


def _networks(item: Mapping[str, Any]) -> list[str]:
    links = [item.get("network"), *(one.get("network") for one in item.get("networkInterfaces", ()))]
    return [str(link).rpartition("/")[2] for link in links if link]


def _links(value: Any) -> Iterator[str]:
    """Yield the paths of all self links in an object, itself left out by the caller's table."""
    if isinstance(value, str):
        if found := _LINK.search(value):
            yield found.group(1)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _links(one)
    elif isinstance(value, list):
        for one in value:
            yield from _links(one)


def _place(item: Mapping[str, Any]) -> str:
    """Return zone, region or `global`."""
    place = item.get("location") or item.get("zone") or item.get("region") or "global"
    return str(place).rpartition("/")[2]


def _command(one: _Found, project: str) -> str:
    kind, name, place = one.kind["kind"], one.item["name"], _place(one.item)
    if kind == "cluster":
        return f"gcloud container clusters delete {name} --location {place} --project {project} --quiet"
    if kind == "service-account":
        return f"gcloud iam service-accounts delete {name} --project {project} --quiet"
    if kind == "iam-member":
        member, role = one.item["member"], one.item["role"]
        return f"gcloud projects remove-iam-policy-binding {project} --member {member} --role {role} --quiet"
    return f"gcloud compute {one.kind['gcloud']} delete {name}{_scope(one)} --project {project} --quiet"


def _scope(one: _Found) -> str:
    if "/zones/" in one.path:
        return f" --zone {_place(one.item)}"
    if "/regions/" in one.path:
        return f" --region {_place(one.item)}"
    always_global = one.kind["list"] == "global" or one.kind["kind"] == "instance-template"
    return "" if always_global else " --global"
