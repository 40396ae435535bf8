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
    """A line of a file, as an error message names it; line 0 is no file but what the user typed, e.g. `--set`."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else str(self.file)


DEFAULT_NODES = 10
"""Nodes of a cluster of which a scenario says nothing."""


class Spec(BaseModel):
    """Base of all specs: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    _place: Place | None = PrivateAttr(default=None)
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    @property
    def place(self) -> Place | None:
        """Where in a file this was written; None for specs made by hand."""
        return self._place

    def place_of(self, key: str) -> Place | None:
        """Return where a key was written, where the whole spec was for one that was not."""
        return self._places.get(key, self._place)


class PoolSpec(Spec):
    """One node pool."""

    count: Annotated[int | None, Field(ge=0, examples=[3])] = None
    """Nodes of the pool; leave it out where `min` and `max` say the range of an autoscaler."""
    min: Annotated[int | None, Field(ge=0, examples=[1])] = None
    """Fewest nodes that an autoscaler keeps."""
    max: Annotated[int | None, Field(ge=1, examples=[10])] = None
    """Most nodes that an autoscaler makes."""
    machine: Annotated[str | None, Field(examples=["Standard_D16_v3"])] = None
    """Machine type in the provider's own words; it belongs under `on.<provider>`."""
    max_pods: Annotated[int, Field(ge=1, examples=[110])] = 110
    """Pods that a node takes at most."""
    node: Annotated[NodeKind, Field(examples=["containerd"])] = "kwok"
    """`local` only: what a node of this pool is. A `containerd` pool has one real node at most."""
    cpu: Annotated[float, Field(gt=0, examples=[16])] = 16
    """`local` kwok nodes only: cores that each simulated node offers."""
    memory: Annotated[Quantity, Field(examples=["64Gi"])] = "64Gi"
    """`local` kwok nodes only: memory that each simulated node offers, a Kubernetes quantity."""
    labels: Annotated[Mapping[str, str], Field(examples=['{disk: "fast"}'])] = Field(default_factory=dict)
    """Labels of every node of the pool."""
    taints: Annotated[tuple[str, ...], Field(examples=['["key=value:NoSchedule"]'])] = ()
    """Taints of every node of the pool, `key=value:Effect` or `key:Effect`."""
    os: Annotated[str | None, Field(examples=["AzureLinux"])] = None
    """Clouds only: OS SKU (AKS), AMI family (EKS) or image type (GKE), in the provider's own words."""
    os_disk_gb: Annotated[int | None, Field(ge=1, examples=[128])] = None
    """Clouds only: size of each node's OS disk."""
    os_disk_type: Annotated[str | None, Field(examples=["Ephemeral"])] = None
    """Clouds only: kind of the OS disk, in the provider's own words."""
    zones: Annotated[tuple[str, ...], Field(examples=['["1"]'])] = ()
    """Clouds only: availability zones, as the last part of the provider's own names: `1` (AKS), `a` (EKS, GKE)."""
    spot: bool = False
    """Clouds only: capacity that the cloud may take back."""
    kubelet: Annotated[Mapping[str, Scalar], Field(examples=["{podPidsLimit: 4096}"])] = Field(default_factory=dict)
    """Clouds only: fields of KubeletConfiguration that the provider lets one set."""
    sysctls: Annotated[Mapping[str, str], Field(examples=['{vm.swappiness: "10"}'])] = Field(default_factory=dict)
    """Clouds only: kernel parameters of the nodes that the provider lets one set."""


class ClusterSpec(Spec):
    """The cluster a cell asks its provider for."""

    kubernetes_version: Annotated[str | None, Field(examples=['"1.34"'])] = None
    """`major.minor`; None means the provider's default."""
    region: Annotated[str | None, Field(examples=["westeurope"])] = None
    """Region in the provider's own words; it belongs under `on.<provider>`."""
    pools: Annotated[Mapping[str, PoolSpec], Field(examples=["{user: {count: 3}}"])] = Field(
        default_factory=lambda: {"user": PoolSpec(count=DEFAULT_NODES)}
    )
    """Node pools by name, so that overlays merge; ten nodes where nothing is said."""
    network: Annotated[str | None, Field(examples=["azure-cni-overlay"])] = None
    """Network plug-in in the provider's own words."""
    tier: Annotated[str | None, Field(examples=["standard"])] = None
    """Tier of the managed control plane in the provider's own words."""
    zones: Annotated[tuple[str, ...], Field(examples=['["a"]'])] = ()
    """Clouds only: zones of all pools that name none, as in a pool's `zones`; one zone makes a zonal GKE cluster."""
    prometheus_pool: Annotated[str | None, Field(examples=["prometheus"])] = None
    """Clouds only: the pool on which Prometheus runs; it takes no load then."""
    share: Annotated[Literal["rows"] | None, Field(examples=["rows"])] = None
    """`rows`: all rows run one after the other on one cluster; otherwise every cell has its own."""
    stages: Annotated[str | None, Field(examples=["stages.yaml"])] = None
    """`local` only: a file of kwok Stage objects beside scenario.yaml that replaces the built-in pod stages."""


class Consume(Spec):
    """What each pod of resource-consumer asks and uses."""

    cpu: Annotated[Literal["fit"] | Annotated[float, Field(ge=0)], Field(examples=["fit", 0.5])] = "fit"
    """Cores a pod, or `fit`: an equal share of what its node has left."""
    memory: Annotated[Literal["fit"] | Quantity, Field(examples=["fit", "64Mi"])] = "fit"
    """A Kubernetes quantity a pod, or `fit`."""
    share: Annotated[float, Field(gt=0, le=1, examples=[0.8])] = 0.8
    """How much of what the nodes have left `fit` takes."""


class ResourceConsumerSpec(Spec):
    """Load: pods of the upstream resource-consumer image, made through the Kubernetes API."""

    pods: Annotated[int, Field(ge=1, examples=[60])]
    """Pods a wave."""
    consume: Annotated[Consume, Field(examples=["{cpu: fit, memory: fit}"])] = Consume()
    """What each pod asks and uses."""
    rate: Annotated[Rate, Field(examples=["10/s"])] = 10.0
    """Pods created a second."""
    hold: Annotated[Duration, Field(examples=["10m"])] = 0.0
    """Seconds that all pods of a wave are kept once they run."""
    last_hold: Annotated[Duration, Field(examples=["30s"])] | None = None
    """Seconds that the last wave is kept, where that differs from `hold`: churn first, then a steady stretch."""
    waves: Annotated[int, Field(ge=1, examples=[2])] = 1
    """How often the pods are made and deleted; the last wave's pods are deleted by clean-up, not by the load."""
    selector: Annotated[Mapping[str, str], Field(examples=['{disk: "fast"}'])] = Field(default_factory=dict)
    """Node labels that the pods ask for."""
    tolerations: Annotated[tuple[str, ...], Field(examples=['["key=value:NoSchedule"]'])] = ()
    """Taints that the pods tolerate, `key=value:Effect` or `key:Effect`."""
    timeout: Annotated[Duration, Field(examples=["10m"])] = 600.0
    """Seconds that one wave may take to run or to go before its missing pods count as never run."""

    def hold_of(self, wave: int) -> float:
        """Return the seconds that wave `wave` (from 1) is kept."""
        return self.last_hold if wave == self.waves and self.last_hold is not None else self.hold


class ClusterLoader2Spec(Spec):
    """Load: an unmodified ClusterLoader2 with a config of this scenario."""

    config: Annotated[str, Field(examples=["clusterloader2/config.yaml"])]
    """Its test config, a file of the scenario's folder."""
    overrides: Annotated[Mapping[str, Scalar], Field(examples=['{CL2_PODS: "${pods}"}'])] = Field(default_factory=dict)
    """Variables of the config, written to one override file."""
    timeout: Annotated[Duration, Field(examples=["30m"])] = 1800.0
    """Seconds after which it is stopped."""


LoadSpec = ResourceConsumerSpec | ClusterLoader2Spec


class SloSpec(Spec):
    """One entry of `slos`, as written; the slo room resolves `use`, units and bounds (docs/slos.md)."""

    id: Annotated[str | None, Field(pattern=f"^{NAME}$", examples=["pod-startup"])] = None
    """Part of the item's name; the last part of `use` where it is left out."""
    use: Annotated[str | None, Field(examples=["kubelet/sandbox-create"])] = None
    """Entry of the library, `<file>/<id>`."""
    description: str | None = None
    """One line on what it means to a user of the cluster."""
    histogram: Annotated[str | tuple[str, ...] | None, Field(examples=["kubelet_pod_start_sli_duration_seconds"])] = (
        None
    )
    """Base name of a histogram (without `_bucket`), or several where it was renamed: the first that has data."""
    bad: Annotated[str | None, Field(examples=["kubelet_runtime_operations_errors_total"])] = None
    """Counter of what went wrong; with `total`."""
    total: Annotated[str | None, Field(examples=["kubelet_runtime_operations_total"])] = None
    """Counter of everything; with `bad`."""
    counter: Annotated[str | None, Field(examples=["kubelet_evictions"])] = None
    """Counter of which is judged how much it counted in the window: whole numbers, nothing extrapolated."""
    query: Annotated[str | None, Field(examples=["max(max_over_time(etcd_mvcc_db_total_size_in_bytes[${w}]))"])] = None
    """PromQL without a comparison; wants `unit`."""
    job: Annotated[str | None, Field(examples=["kubelet"])] = None
    """Prometheus job whose targets must have been scraped."""
    during: Annotated[str | None, Field(examples=["create-pods"])] = None
    """Step of the load (`wave-1`, a step of ClusterLoader2) over which it is judged; the whole window if left out."""
    window: Annotated[str | None, Field(examples=["sliding(5m, step=1m, good=99%)"])] = None
    """`whole` (default), `sliding(5m, step=1m, good=99%)`: that share of slices keeps the bound; `peak(...)`: all."""
    where: Annotated[str | None, Field(examples=["'verb=\"POST\"'"])] = None
    """Label matchers, without braces."""
    by: Annotated[tuple[str, ...] | None, Field(examples=["[node]"])] = None
    """Labels by which the result is split; every element is judged on its own."""
    p: Annotated[float | None, Field(gt=0, lt=100, examples=[99])] = None
    """Percentile of a histogram."""
    max: Annotated[Any, Field(examples=["5s"])] = None
    """Bound: the value is at most this, with its unit."""
    min: Annotated[Any, Field(examples=["10/s"])] = None
    """Bound: the value is at least this."""
    below: Annotated[Any, Field(examples=["20%"])] = None
    """Bound: the value is less than this."""
    above: Annotated[Any, Field(examples=["20%"])] = None
    """Bound: the value is more than this."""
    equals: Annotated[Any, Field(examples=[0])] = None
    """Bound: the value is this."""
    between: Annotated[tuple[Any, Any] | None, Field(examples=["[1s, 5s]"])] = None
    """Bound: the value is in this range, ends included."""
    unit: Annotated[str | None, Field(examples=["ratio"])] = None
    """Unit of a `query`: s, B, ratio, count, cores, /s or bit/s."""
    min_count: Annotated[int | None, Field(ge=1, examples=[300])] = None
    """Observations without which the SLO is INVALID."""
    sparse: Annotated[Literal["merge", "skip", "fail"] | None, Field(examples=["merge"])] = None
    """What becomes of an element of `by` with fewer observations than `min_count`."""
    quorum: Annotated[Any, Field(examples=["99%"])] = None
    """Share of the elements of `by` that must keep the bound; all if left out."""
    expect: Annotated[Mapping[str, Any] | None, Field(examples=['{node: "${nodes}"}'])] = None
    """Label of `by` -> values that must be there."""
    absent: Annotated[Mapping[str, Literal["zero"]] | None, Field(examples=["{bad: zero}"])] = None
    """`{bad: zero}`: no errors counter means no errors, as `total` proves the scrape; counter and query need `job`."""
    requires: Annotated[tuple[str, ...] | None, Field(examples=["[etcd-metrics]"])] = None
    """Capabilities of the provider without which the SLO is skipped."""
    trust: Annotated[Mapping[str, str] | None, Field(examples=['{kubernetes: ">=1.36"}'])] = None
    """Component -> versions in which the metric means what the SLO says; outside of them it is skipped."""
    level: Annotated[Literal["gate", "warn", "info"] | None, Field(examples=["warn"])] = None
    """`gate` (default): red when missed; `warn`: a warning; `info`: shown only."""
    ref: str | None = None
    """Where the bound comes from."""


class Budget(Spec):
    """What a run of the scenario may cost and last."""

    cost: Annotated[str | None, Field(examples=["40 USD"])] = None
    """Amount and currency."""
    time: Annotated[Duration | None, Field(examples=["3h"])] = None
    """How long a cell may last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """provider x scenario x row x engine: what is run and judged as one.

    Attributes:
        id: `<provider>-<scenario>[--<row>][--<engine>]`, see `scenario.ids`.
        values: the row's values with `--set` applied; what `${name}` was filled from.
        folder: the scenario's folder; relative paths of the specs start here.
        slos: as written after overlay and row, `use` not yet resolved.
        arm: of an interleaved comparison (`--ab`, `--aa`), e.g. `a-5-s`; None outside of one.
        repeat: number of the pair within that comparison, from 1.
        of: the id without arm and repeat, which is what the numbers are of.
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
    arm: str | None = None
    repeat: int | None = None
    of: str | None = None
