"""Terraform's providers azurerm, aws and google over a pretended cloud: no cloud, no provider's binary.

They speak plugin protocol 6 and are handed to the real `terraform` with TF_REATTACH_PROVIDERS, so that validate, test,
plan, apply and destroy run against the published schemas. They go on when Terraform dies, as a cloud does.
"""

from __future__ import annotations

import copy
import json
import os
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any
from typing import Self

import grpc

from tests.clouds.fake import TAGS
from tests.clouds.fake import FakeCloud
from tests.clouds.fake import FakeError
from tests.clouds.planning import Computed
from tests.clouds.planning import Values
from tests.clouds.planning import planned
from tests.clouds.planning import replacing
from tests.clouds.planning import with_defaults
from tests.clouds.schemas import attributes
from tests.clouds.schemas import encoded
from tests.clouds.schemas import provider_schemas
from tests.clouds.wire import Message
from tests.clouds.wire import attribute_path
from tests.clouds.wire import dynamic
from tests.clouds.wire import field
from tests.clouds.wire import parse
from tests.clouds.wire import problem
from tests.clouds.wire import text
from tests.clouds.wire import value_of

THREADS = 400
"""More than Terraform's processes times their `-parallelism`; a thread is made only when it is needed."""
SERVICE = "tfplugin6.Provider"
SILENT = (
    "ValidateProviderConfig",
    "ValidateResourceConfig",
    "ValidateDataResourceConfig",
    "StopProvider",
    "GetResourceIdentitySchemas",
)
"""Calls whose empty answer means that all is well."""
NAMES = ("account_id", "name", "node_group_name", "addon_name", "cluster_name", "name_prefix")
REGIONS = ("region", "location", "zone")
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
Call = Callable[[Message, str], bytes]


class StubProviders:
    """All three providers over one cloud, each a server on loopback, for as long as the context lasts."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.providers: list[Provider] = []

    def __enter__(self) -> Self:
        self.providers = [Provider(source, self.cloud) for source in provider_schemas()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cloud.close()
        for stopped in [provider.server.stop(grace=1.0) for provider in self.providers]:
            stopped.wait(timeout=5.0)

    def environment(self) -> dict[str, str]:
        """Return what makes Terraform, in any process of this machine, use these providers and nothing else."""
        reattach = {provider.source: provider.reattach() for provider in self.providers}
        return {
            "TF_REATTACH_PROVIDERS": json.dumps(reattach),
            "TF_CLI_CONFIG_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
        }

    @property
    def crashes(self) -> list[str]:
        """Return what broke in the providers themselves; empty in a sound test."""
        return [crash for provider in self.providers for crash in provider.crashes]


class Provider:
    """One provider: the calls of the protocol, each a method of its name that takes the message and the caller."""

    def __init__(self, source: str, cloud: FakeCloud) -> None:
        self.source = source
        self.cloud = cloud
        self.schemas = provider_schemas()[source]
        self.configs: dict[str, Values] = {}
        self.crashes: list[str] = []
        self.server = grpc.server(ThreadPoolExecutor(THREADS, thread_name_prefix="stub"), options=UNLIMITED)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, self._handlers()),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def reattach(self) -> dict[str, Any]:
        """Return how Terraform finds this server; it neither starts nor ends it."""
        address = {"Network": "tcp", "String": f"127.0.0.1:{self.port}"}
        return {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}

    def GetProviderSchema(self, _message: Message, _peer: str) -> bytes:
        return encoded(self.source)

    def GetMetadata(self, _message: Message, _peer: str) -> bytes:
        resources = b"".join(field(4, field(1, name)) for name in self.schemas["resource_schemas"])
        return resources + b"".join(field(3, field(1, name)) for name in self.schemas["data_source_schemas"])

    def ConfigureProvider(self, message: Message, peer: str) -> bytes:
        """Remember the configuration of this Terraform: each has a connection of its own."""
        self.configs[peer] = value_of(message, 2) or {}
        return b""

    def UpgradeResourceState(self, message: Message, _peer: str) -> bytes:
        raw = parse(message[3][0])
        return field(1, dynamic(json.loads(raw[1][0])))

    def ReadResource(self, message: Message, _peer: str) -> bytes:
        typ, known = text(message, 1), value_of(message, 2)
        try:
            self.cloud.faults.raised("throttle", typ, "read")
        except FakeError as error:
            return field(1, dynamic(known)) + field(2, problem(f"reading {typ}", str(error)))
        thing = self.cloud.get(typ, known["id"])
        return field(1, dynamic(None if thing is None else copy.deepcopy(thing.values)))

    def PlanResourceChange(self, message: Message, peer: str) -> bytes:
        typ, prior, proposed = text(message, 1), value_of(message, 2), value_of(message, 3)
        block = self.block(typ)
        plan = with_defaults(block, planned(block, proposed, prior), self.configs.get(peer, {}))
        replaced = b"".join(field(2, attribute_path(name)) for name in replacing(typ, prior, plan))
        return field(1, dynamic(plan)) + replaced

    def ApplyResourceChange(self, message: Message, peer: str) -> bytes:
        typ, prior, plan = text(message, 1), value_of(message, 2), value_of(message, 3)
        if plan is None:
            return self.delete(typ, prior)
        values = Computed(self.cloud.computed, typ, plan).filled(self.block(typ))
        if prior is None:
            return self.create(typ, values, region_of(values) or region_of(self.configs.get(peer, {})))
        return self.change(typ, prior, values)

    def ReadDataSource(self, message: Message, peer: str) -> bytes:
        typ, config = text(message, 1), value_of(message, 2)
        block = self.schemas["data_source_schemas"][typ]["block"]
        context = {**config, "provider": self.configs.get(peer, {})}
        computed = Computed(self.cloud.computed, f"data.{typ}", context)
        for name, flags in attributes(block).items():
            if config.get(name) is None and flags.get("computed"):
                config[name] = context[name] = computed.value(name, flags["type"])
        return field(1, dynamic(config))

    def create(self, typ: str, values: Values, region: str) -> bytes:
        """Make the object; one that came into being in spite of an error goes into the state as tainted."""
        made, name = str(values["id"]), name_of(values)
        try:
            self.cloud.create(typ, id=made, name=name, region=region, tags=tags_of(values), values=values)
        except FakeError as error:
            thing = self.cloud.things.get((typ, made))
            state = values if thing is not None and thing.state == "failed" else None
            return field(1, dynamic(state)) + field(3, problem(f"creating {typ} {name}", str(error)))
        return field(1, dynamic(values))

    def change(self, typ: str, prior: Values, values: Values) -> bytes:
        """Update the object in place."""
        try:
            thing = self.cloud.get(typ, prior["id"])
            if thing is None:
                raise FakeError("NotFound", f"there is no {typ} {prior['id']}", status=404)
            self.cloud.update(thing, values, tags_of(values))
        except FakeError as error:
            return field(1, dynamic(prior)) + field(3, problem(f"updating {typ} {name_of(prior)}", str(error)))
        return field(1, dynamic(values))

    def delete(self, typ: str, prior: Values) -> bytes:
        """Delete the object; it stays in the state if the cloud refuses."""
        try:
            self.cloud.destroy(typ, prior["id"])
        except FakeError as error:
            return field(1, dynamic(prior)) + field(3, problem(f"deleting {typ} {name_of(prior)}", str(error)))
        return field(1, dynamic(None))

    def block(self, typ: str) -> dict[str, Any]:
        """Return the schema of a resource."""
        found: dict[str, Any] = self.schemas["resource_schemas"][typ]["block"]
        return found

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler[bytes, bytes]]:
        calls = {name: getattr(self, name) for name in dir(self) if name[0].isupper()}
        calls |= {name: lambda _message, _peer: b"" for name in SILENT}
        return {name: grpc.unary_unary_rpc_method_handler(self._noted(call)) for name, call in calls.items()}

    def _noted(self, call: Call) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def answered(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                return call(parse(request), context.peer())
            except Exception:
                self.crashes.append(traceback.format_exc())
                raise

        return answered


def name_of(values: Values) -> str:
    """Return what a person would call the object."""
    tagged = (values.get("tags") or {}).get("Name")
    return next((str(values[name]) for name in NAMES if values.get(name)), tagged or str(values["id"]))


def region_of(values: Values) -> str:
    """Return where the object, or a provider's configuration, says that it is; "" where it does not."""
    return next((values[name] for name in REGIONS if isinstance(values.get(name), str)), "")


def tags_of(values: Values) -> dict[str, str]:
    """Return all tags, also those that the provider added."""
    return {key: value for name in TAGS for key, value in (values.get(name) or {}).items()}
