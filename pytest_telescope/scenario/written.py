"""The keys of a scenario.yaml as it is written, before overlay and row: what the schema and the loader agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import Component
from pytest_telescope.scenario.model import EngineName
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import Scalar
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.model import Spec
from pytest_telescope.scenario.names import NAME

FIXED = ("name", "on")
"""Keys that no overlay may change."""
SETTABLE = ("cluster", "load", "slos", "budget")
"""Keys that a dotted `--set` may reach into."""


class Head(Spec):
    """The keys that describe a scenario."""

    name: Annotated[str, Field(pattern=f"^{NAME}$", max_length=63, examples=["cri"])]
    """Name of the scenario and of its folder."""
    description: Annotated[str, Field(examples=["Container runtime under real pods."])] = ""
    """One line: what is measured under which load."""
    component: Annotated[Component, Field(examples=["kubelet"])]
    """The part of Kubernetes that is under test."""


class WrittenLoad(Spec):
    """The loads that the scenario offers, by engine."""

    default: Annotated[EngineName | None, Field(examples=["resource-consumer"])] = None
    """The engine that runs unless another is asked for; needed where there are two."""
    resource_consumer: Annotated[ResourceConsumerSpec | None, Field(alias="resource-consumer")] = None
    """Pods of the upstream resource-consumer image, made through the Kubernetes API."""
    clusterloader2: ClusterLoader2Spec | None = None
    """An unmodified ClusterLoader2 with a config of this scenario."""


class Written(Head):
    """A scenario.yaml."""

    cluster: ClusterSpec = ClusterSpec()
    """The cluster that every cell asks its provider for."""
    matrix: Mapping[str, Mapping[str, Scalar]] = Field(default_factory=dict)
    """Row -> the values that `${name}` is filled from; all rows give the same names."""
    load: Annotated[WrittenLoad, Field(examples=["{resource-consumer: {pods: 60}}"])]
    """What is put on the cluster."""
    slos: tuple[SloSpec, ...] = ()
    """What is judged."""
    budget: Budget = Budget()
    """What a run may cost and last."""
    on: Mapping[str, bool | Mapping[str, object]] = Field(default_factory=dict)
    """Provider -> what differs there, laid over everything but name and on; false: not on this provider."""
