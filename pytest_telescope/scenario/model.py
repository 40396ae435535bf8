"""The pure specs: what a scenario.yaml says once overlay, row and `--set` are applied.

No file, network or clock is touched here. Every number is in a base unit: seconds, bytes, cores, pods per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import PrivateAttr

from pytest_telescope.scenario.names import NAME
from pytest_telescope.scenario.names import PROVIDERS
from pytest_telescope.scenario.names import Scalar
from pytest_telescope.scenario.units import Duration
from pytest_telescope.scenario.units import Quantity
from pytest_telescope.scenario.units import Rate

__all__ = [
    "NAME",
    "PROVIDERS",
    "Budget",
    "Cell",
    "ClusterLoader2Spec",
    "ClusterSpec",
    "Component",
    "Consume",
    "EngineName",
    "LoadSpec",
    "NodeKind",
    "Place",
    "PoolSpec",
    "ResourceConsumerSpec",
    "Scalar",
    "SloSpec",
    "Spec",
]

Component = Literal["kubelet", "api-server", "scheduler", "cni", "autoscaler", "node", "storage"]
EngineName = Literal["resource-consumer", "clusterloader2"]
NodeKind = Literal["kwok", "containerd"]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, as an error message names it."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Spec(BaseModel):
    """Base of all specs: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _place: Place | None = PrivateAttr(default=None)

    @property
    def place(self) -> Place | None:
        """Where in a file this was written; None for specs made by hand."""
        return self._place


class PoolSpec(Spec):
    """One node pool."""

    count: Annotated[int, Field(ge=0)] | None = None
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=1)] | None = None
    machine: str | None = None
    max_pods: Annotated[int, Field(ge=1)] = 110
    node: NodeKind = "kwok"
    """`local` only: what a node of this pool is. A `containerd` pool has one real node at most."""
    cpu: Annotated[float, Field(gt=0)] = 16
    """`local` kwok nodes only: cores that each simulated node offers."""
    memory: Quantity = "64Gi"
    """`local` kwok nodes only: memory that each simulated node offers, a Kubernetes quantity."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    taints: tuple[str, ...] = ()


class ClusterSpec(Spec):
    """The cluster a cell asks its provider for."""

    kubernetes_version: str | None = None
    """`major.minor`; None means the provider's default."""
    region: str | None = None
    pools: Mapping[str, PoolSpec] = Field(default_factory=dict)
    network: str | None = None
    tier: str | None = None
    share: Literal["rows"] | None = None
    stages: str | None = None
    """`local` only: a file of kwok Stage objects beside scenario.yaml that replaces the built-in pod stages."""


class Consume(Spec):
    """What each pod of resource-consumer asks and uses."""

    cpu: Literal["fit"] | Annotated[float, Field(ge=0)] = "fit"
    """Cores a pod, or `fit`: an equal share of what its node has left."""
    memory: Literal["fit"] | Quantity = "fit"
    """A Kubernetes quantity a pod, or `fit`."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.8
    """How much of what the nodes have left `fit` takes."""


class ResourceConsumerSpec(Spec):
    """Load: pods of the upstream resource-consumer image, made through the Kubernetes API."""

    pods: Annotated[int, Field(ge=1)]
    """Pods a wave."""
    consume: Consume = Consume()
    rate: Rate = 10.0
    """Pods created a second."""
    hold: Duration = 0.0
    """Seconds that all pods of a wave are kept once they run."""
    waves: Annotated[int, Field(ge=1)] = 1
    """How often the pods are made and deleted; the last wave's pods are deleted by clean-up, not by the load."""
    selector: Mapping[str, str] = Field(default_factory=dict)
    """Node labels that the pods ask for."""
    tolerations: tuple[str, ...] = ()
    """Taints that the pods tolerate, `key=value:Effect` or `key:Effect`."""
    timeout: Duration = 600.0
    """Seconds that one wave may take to run or to go before its missing pods count as never run."""


class ClusterLoader2Spec(Spec):
    """Load: an unmodified ClusterLoader2 with a config of this scenario."""

    config: str
    overrides: Mapping[str, Scalar] = Field(default_factory=dict)
    timeout: Duration = 1800.0


LoadSpec = ResourceConsumerSpec | ClusterLoader2Spec


class SloSpec(Spec):
    """One entry of `slos`, as written; the slo room resolves `use`, units and bounds (`reference`: docs/slos.md)."""

    id: Annotated[str, Field(pattern=f"^{NAME}$")] | None = None
    use: str | None = None
    description: str | None = None
    histogram: str | tuple[str, ...] | None = None
    bad: str | None = None
    total: str | None = None
    query: str | None = None
    job: str | None = None
    where: str | None = None
    by: tuple[str, ...] | None = None
    p: Annotated[float, Field(gt=0, lt=100)] | None = None
    max: Any = None
    min: Any = None
    below: Any = None
    above: Any = None
    equals: Any = None
    between: tuple[Any, Any] | None = None
    unit: str | None = None
    min_count: Annotated[int, Field(ge=1)] | None = None
    sparse: Literal["merge", "skip", "fail"] | None = None
    expect: Mapping[str, Any] | None = None
    absent: Mapping[str, Literal["zero"]] | None = None
    requires: tuple[str, ...] | None = None
    level: Literal["gate", "warn", "info"] | None = None
    ref: str | None = None


class Budget(Spec):
    """What a run of the scenario may cost and last."""

    cost: str | None = None
    time: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """provider x scenario x row x engine: what is run and judged as one.

    Attributes:
        id: `<provider>-<scenario>[--<row>][--<engine>]`, see `scenario.ids`.
        values: the row's values with `--set` applied; what `${name}` was filled from.
        folder: the scenario's folder; relative paths of the specs start here.
        slos: as written after overlay and row, `use` not yet resolved.
    """

    id: str
    provider: str
    scenario: str
    row: str | None
    engine: EngineName
    description: str
    component: Component
    values: Mapping[str, Scalar]
    cluster: ClusterSpec
    load: LoadSpec
    slos: tuple[SloSpec, ...]
    budget: Budget
    folder: Path
    place: Place
