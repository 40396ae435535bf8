"""AWS as the tests pretend it: computed values, what a cluster brings along, refusals, services and login."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.clouds.aws_rest import CLUSTER
from tests.clouds.aws_rest import GROUP
from tests.clouds.aws_rest import MACHINES
from tests.clouds.aws_rest import Rest
from tests.clouds.aws_rest import routed
from tests.clouds.aws_rest import vpc_of
from tests.clouds.aws_tokens import ACCOUNT
from tests.clouds.aws_tokens import Tokens
from tests.clouds.aws_wire import error_body
from tests.clouds.aws_wire import fields
from tests.clouds.aws_wire import service_of
from tests.clouds.aws_wire import xml
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.fake import Thing
from tests.clouds.front import Front

REGION = "us-east-1"
Values = Mapping[str, Any]
HANGS_ON = {
    "aws_vpc": (
        ("aws_subnet", "vpc_id"),
        ("aws_security_group", "vpc_id"),
        ("aws_network_interface", "vpc_id"),
        ("aws_internet_gateway", "vpc_id"),
        ("aws_route_table", "vpc_id"),
    ),
    "aws_subnet": (("aws_network_interface", "subnet_id"),),
    "aws_internet_gateway": (("aws_lb", "gateway"),),
    "aws_route_table": (("aws_route_table_association", "route_table_id"),),
}
"""Type -> what must go before it: type, and the attribute that holds its id."""


def install(cloud: FakeCloud, kubeconfig: Path | None) -> None:  # noqa: ARG001 - every cloud's shape: `serve` needs it
    """Teach the cloud AWS' ids, what a cluster brings along, and what cannot go while it is used."""
    cloud.computed.update(_ids())
    cloud.computed.update(_data())
    cloud.computed.update(
        {
            f"{CLUSTER}.endpoint": "https://192.0.2.1",
            f"{CLUSTER}.certificate_authority.data": base64.b64encode(b"no certificate").decode(),
            f"{CLUSTER}.version": "1.35",
            f"{CLUSTER}.platform_version": "eks.1",
            "aws_launch_template.latest_version": 1,
            "aws_eks_addon.addon_version": "v1.0.0-eksbuild.1",
            f"{GROUP}.release_version": "1.35.0-20261101",
        }
    )
    cloud.on_created.setdefault(CLUSTER, []).append(_add_interfaces)
    cloud.on_created.setdefault(GROUP, []).append(_add_machines)
    for kind, (above, attribute) in PARENTS.items():
        cloud.on_created.setdefault(kind, []).append(_under(above, attribute))
    for kind in HANGS_ON:
        cloud.on_removing.setdefault(kind, []).append(_in_use)
    cloud.on_removing.setdefault(CLUSTER, []).append(_has_groups)
    cloud.on_removing.setdefault("aws_security_group", []).append(_named_by_others)
    cloud.on_removing.setdefault("aws_iam_role", []).append(_has_profiles)


PARENTS = {
    "aws_eks_addon": (CLUSTER, "cluster_name"),
    "aws_eks_access_entry": (CLUSTER, "cluster_name"),
    "aws_eks_access_policy_association": (CLUSTER, "cluster_name"),
    "aws_route": ("aws_route_table", "route_table_id"),
    "aws_route_table_association": ("aws_subnet", "subnet_id"),
    "aws_iam_role_policy_attachment": ("aws_iam_role", "role"),
}
"""Type -> what it goes away with: type, and the attribute that holds its id."""


def _made(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:17]}"


def _ids() -> dict[str, Any]:
    plain = {"aws_vpc": "vpc", "aws_subnet": "subnet", "aws_internet_gateway": "igw", "aws_route_table": "rtb"}
    plain |= {"aws_launch_template": "lt", "aws_route_table_association": "rtbassoc", "aws_route": "r"}
    return {
        **{f"{kind}.id": lambda _v, prefix=prefix: _made(prefix) for kind, prefix in plain.items()},
        f"{CLUSTER}.id": lambda v: v["name"],
        f"{CLUSTER}.arn": lambda v: f"arn:aws:eks:{v.get('region') or REGION}:{ACCOUNT}:cluster/{v['name']}",
        f"{GROUP}.id": lambda v: f"{v['cluster_name']}:{v['node_group_name']}",
        "aws_eks_addon.id": lambda v: f"{v['cluster_name']}:{v['addon_name']}",
        "aws_iam_role.id": lambda v: v["name"],
        "aws_iam_role.arn": lambda v: f"arn:aws:iam::{ACCOUNT}:role{v['path']}{v['name']}",
    }


def _data() -> dict[str, Any]:
    machine = "data.aws_ec2_instance_type"
    return {
        "data.aws_availability_zones.names": lambda v: [f"{v.get('region') or REGION}{letter}" for letter in "abc"],
        "data.aws_partition.partition": "aws",
        f"{machine}.supported_architectures": lambda v: ["arm64" if v["instance_type"].startswith("m7g") else "x86_64"],
        f"{machine}.maximum_network_interfaces": 4,
        f"{machine}.maximum_ipv4_addresses_per_interface": 15,
        f"{machine}.default_vcpus": lambda v: MACHINES.get(v["instance_type"], 4),
        f"{machine}.hypervisor": "nitro",
        f"{machine}.bare_metal": False,
    }


def put(
    cloud: FakeCloud, kind: str, prefix: str, *, name: str = "", parent: Thing | None = None, **values: Any
) -> Thing:
    """Add what AWS makes beside; `tags` is taken out of the values."""
    tags = values.pop("tags", {})
    made = values.pop("id", "") or _made(prefix)
    key = parent.key if parent is not None else None
    return cloud.add(kind, id=made, name=name or made, region=REGION, tags=tags, values=values, parent=key)


def _under(above: str, attribute: str):  # type: ignore[no-untyped-def] # a hook of the cloud
    def hook(_cloud: FakeCloud, thing: Thing) -> None:
        thing.parent = (above, str(thing.values[attribute]))

    return hook


def _add_interfaces(cloud: FakeCloud, thing: Thing) -> None:
    """Add the interfaces and the security group that EKS makes, and takes away, with a cluster."""
    vpc, subnets = vpc_of(cloud, thing), (thing.values.get("vpc_config") or [{}])[0].get("subnet_ids") or []
    tags = {"aws:eks:cluster-name": thing.name}
    put(cloud, "aws_security_group", "sg", name=f"eks-cluster-sg-{thing.name}-1", parent=thing, vpc_id=vpc, tags=tags)
    for subnet in subnets:
        put(cloud, "aws_network_interface", "eni", parent=thing, vpc_id=vpc, subnet_id=subnet, status="in-use")


def _add_machines(cloud: FakeCloud, thing: Thing) -> None:
    """Add a group's auto scaling group and machines with disk and interface; all go with the group."""
    values = thing.values
    cluster = values["cluster_name"]
    owned = {"eks:cluster-name": cluster, f"kubernetes.io/cluster/{cluster}": "owned"}
    tags = {**thing.tags, **owned}
    subnet = cloud.get("aws_subnet", str((values.get("subnet_ids") or [""])[0]))
    vpc = str(subnet.values["vpc_id"]) if subnet else ""
    scaling = put(cloud, "aws_autoscaling_group", "asg", name=f"eks-{thing.name}-1", parent=thing, tags=owned)
    machine = put(
        cloud,
        "aws_instance",
        "i",
        parent=scaling,
        tags=tags,
        vpc_id=vpc,
        instance_type=(values.get("instance_types") or ["m6i.xlarge"])[0],
        spot=values.get("capacity_type") == "SPOT",
    )
    put(cloud, "aws_ebs_volume", "vol", parent=machine, tags=tags, instance=machine.id)
    if subnet is not None:
        put(
            cloud,
            "aws_network_interface",
            "eni",
            parent=machine,
            tags=tags,
            vpc_id=vpc,
            subnet_id=subnet.id,
            status="in-use",
        )


def _in_use(cloud: FakeCloud, thing: Thing) -> None:
    for kind, attribute in HANGS_ON[thing.type]:
        for one in list(cloud.things.values()):
            if one.type == kind and one.values.get(attribute) == thing.id and not _default(one):
                text = f"The {thing.type} '{thing.id}' has dependencies and cannot be deleted: {one.id}"
                raise FakeError("DependencyViolation", text, 400)


def _default(thing: Thing) -> bool:
    """Tell whether it is a network's own group, which goes with the network."""
    return thing.type == "aws_security_group" and thing.name == "default"


def _has_groups(cloud: FakeCloud, thing: Thing) -> None:
    for one in list(cloud.things.values()):
        if one.type == GROUP and one.values["cluster_name"] == thing.name:
            raise FakeError("ResourceInUseException", f"Cluster has nodegroups attached: {one.name}", 409)


def _named_by_others(cloud: FakeCloud, thing: Thing) -> None:
    for one in list(cloud.things.values()):
        if one.type == "aws_security_group" and one.id != thing.id and thing.id in one.values.get("from", ()):
            raise FakeError("DependencyViolation", f"resource {thing.id} has a dependent object {one.id}", 400)


def _has_profiles(cloud: FakeCloud, thing: Thing) -> None:
    for one in list(cloud.things.values()):
        if one.type == "aws_instance_profile" and thing.name in one.values["roles"]:
            raise FakeError("DeleteConflict", "must remove roles from instance profile first", 409)


@dataclass(frozen=True)
class Served:
    """A pretended AWS that answers.

    Attributes:
        base: URL of all services.
        front: the API server of every cluster; None without a cluster behind.
    """

    base: str
    rest: Rest
    tokens: Tokens
    front: Front | None

    def environment(self) -> dict[str, str]:
        """Return what makes the harness, and Terraform's provider, come here."""
        return {
            "AWS_ENDPOINT_URL": self.base,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.tokens.access_key,
            "AWS_SECRET_ACCESS_KEY": self.tokens.secret,
            "AWS_SESSION_TOKEN": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextlib.contextmanager
def serve(cloud: FakeCloud, kubeconfig: Path | None) -> Iterator[Served]:
    """Answer for `cloud`; the API server of its clusters is the one of `kubeconfig`, behind EKS' tokens."""
    tokens = Tokens(cloud)
    rest = Rest(cloud, tokens)
    with contextlib.ExitStack() as stack:
        front = stack.enter_context(Front(kubeconfig, tokens.accepts)) if kubeconfig else None
        if front is not None:
            cloud.computed[f"{CLUSTER}.endpoint"] = front.endpoint
            cloud.computed[f"{CLUSTER}.certificate_authority.data"] = base64.b64encode(front.ca.encode()).decode()
        yield Served(stack.enter_context(_listening(rest)), rest, tokens, front)


@contextlib.contextmanager
def _listening(rest: Rest) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"rest": rest}))
    server.daemon_threads = False  # joined by server_close
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        rest.cloud.close()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5.0)


class Handler(BaseHTTPRequestHandler):
    """One request; connections are not kept, so that the server's end waits for none."""

    rest: Rest

    def do_GET(self) -> None:
        self._answer("")

    def do_DELETE(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path.startswith("/oidc?"):
            self._identity()
        else:
            self._answer(body)

    def _identity(self) -> None:
        """Be Azure Pipelines, which gives identity tokens for a service connection."""
        known = (
            self.headers.get("Authorization") == "Bearer job-token" and "serviceConnectionId=connection" in self.path
        )
        document = {"oidcToken": self.rest.tokens.identity} if known else {"message": "No service connection found"}
        self._send(200 if known else 404, "application/json", json.dumps(document))

    def _answer(self, body: str) -> None:
        authorization = self.headers.get("Authorization") or ""
        service = service_of(authorization, body)
        try:
            operation, given = self._asked(service, body)
            if operation != "AssumeRoleWithWebIdentity" and not self.rest.tokens.known(authorization):
                raise FakeError("InvalidClientTokenId", "the security token included in the request is invalid", 403)
            region = authorization.partition("Credential=")[2].split("/")[2] if authorization else REGION
            found = self.rest.answer(operation, given, region)
            if service in ("eks", "logs", "service-quotas"):
                self._send(200, "application/json", json.dumps(found))
            else:
                self._send(200, "text/xml", xml(service, operation, found))
        except FakeError as error:
            kind, text = error_body(service, error)
            self._send(error.status, kind, text)

    def _asked(self, service: str, body: str) -> tuple[str, dict[str, Any]]:
        if service == "eks":
            operation, given = routed(self.command, self.path.partition("?")[0])
            return operation, {**given, **(json.loads(body) if body else {})}
        if target := self.headers.get("X-Amz-Target"):
            return target.rpartition(".")[2], json.loads(body or "{}")
        given = fields(body)
        return given["Action"], given

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's shape
        """Say nothing."""
