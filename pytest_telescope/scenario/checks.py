"""What no type can say: values that contradict each other, or what Kubernetes would refuse.

Every check yields (steps to the value, what is wrong and what to do).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.scenario.ids import is_name
from pytest_telescope.scenario.model import Budget
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ClusterLoader2Spec
from pytest_telescope.scenario.model import ClusterSpec
from pytest_telescope.scenario.model import PoolSpec
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.model import Spec
from pytest_telescope.scenario.names import BUILT_IN_SLOS
from pytest_telescope.scenario.problems import Step
from pytest_telescope.scenario.units import UnitError
from pytest_telescope.scenario.units import usd

Finding = tuple[tuple[Step, ...], str]

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_WORD = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_LABEL_KEY = re.compile(rf"(?:(?=.{{1,253}}/){_DOMAIN}/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"(?:{_WORD})?")
_VERSION = re.compile(r"1\.[0-9]{1,2}")
_USE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)+")
_BOUNDS = ("max", "min", "below", "above", "equals", "between")


def of(spec: Spec, folder: Path) -> Iterator[Finding]:
    """Check one spec; relative files are looked for in `folder`."""
    if isinstance(spec, ClusterSpec):
        yield from _cluster(spec, folder)
    elif isinstance(spec, ResourceConsumerSpec):
        yield from _labels(spec.selector, "selector")
        yield from _taints(spec.tolerations, "tolerations")
    elif isinstance(spec, ClusterLoader2Spec):
        yield from _file(spec.config, folder, "config")
    elif isinstance(spec, SloSpec):
        yield from _slo(spec)
    elif isinstance(spec, Budget):
        yield from _budget(spec)


def real_nodes(cluster: ClusterSpec, provider: str) -> Iterator[Finding]:
    """Check that real nodes are asked only of `local`, and one at most."""
    pools = [name for name, pool in cluster.pools.items() if pool.node == "containerd"]
    for at, name in enumerate(pools):
        steps = ("pools", name, "node")
        if provider != "local":
            yield steps, f"containerd is a node of local, not of {provider}; write it under on.local"
        elif at:
            yield steps, f"a second containerd pool besides {pools[0]!r}; this machine is one node: keep one"
        elif (cluster.pools[name].max or cluster.pools[name].count or 0) > 1:
            yield ("pools", name, "count"), "more than one containerd node; this machine is one node: write count: 1"


def room(cell: Cell) -> Iterator[Finding]:
    """Check that the pods of a wave can run at all, where that is known for sure."""
    load = cell.load
    if not isinstance(load, ResourceConsumerSpec) or not cell.cluster.pools:
        return
    places = 0
    for pool in cell.cluster.pools.values():
        if not _contradicts(pool.labels, load.selector):
            places += pool.max_pods * (pool.max or pool.count or 0)
    if load.pods > places:
        yield (
            ("pods",),
            f"{load.pods} pods cannot run: the pools take {places} (nodes x max_pods); ask fewer, or more nodes",
        )


def _contradicts(labels: Mapping[str, str], selector: Mapping[str, str]) -> bool:
    return any(key in labels and labels[key] != value for key, value in selector.items())


def _cluster(cluster: ClusterSpec, folder: Path) -> Iterator[Finding]:
    version = cluster.kubernetes_version
    if version is not None and not _VERSION.fullmatch(version):
        yield ("kubernetes_version",), f'{version!r} is not major.minor; write e.g. "1.34"'
    if cluster.stages is not None:
        yield from _file(cluster.stages, folder, "stages")
    for name, pool in cluster.pools.items():
        if not is_name(name):
            yield ("pools", name), f"pool {name!r} is not lower-case letters and digits with single dashes between"
        yield from ((("pools", name, *steps), text) for steps, text in _pool(pool))


def _pool(pool: PoolSpec) -> Iterator[Finding]:
    yield from _labels(pool.labels, "labels")
    yield from _taints(pool.taints, "taints")
    if (pool.min is None) != (pool.max is None):
        given, lacking = ("max", "min") if pool.min is None else ("min", "max")
        yield (given,), f"{given} without {lacking}; write both, or count alone"
    if pool.count is None and pool.min is None and pool.max is None:
        yield (), "how many nodes? write count, or min and max"
    if pool.min is None or pool.max is None:
        return
    if pool.min > pool.max:
        yield ("min",), f"min {pool.min} is more than max {pool.max}; exchange them"
    elif pool.count is not None and not pool.min <= pool.count <= pool.max:
        yield ("count",), f"count {pool.count} is not between min {pool.min} and max {pool.max}; it is where they start"


def _budget(budget: Budget) -> Iterator[Finding]:
    try:
        if budget.cost is not None:
            usd(budget.cost)
    except UnitError as error:
        yield ("cost",), str(error)


def _labels(labels: Mapping[str, str], key: str) -> Iterator[Finding]:
    for name, value in labels.items():
        if not _LABEL_KEY.fullmatch(name):
            yield (key, name), f"{name!r} is not a label key; write e.g. disk or example.com/disk"
        if not _LABEL_VALUE.fullmatch(value):
            yield (key, name), f"{value!r} is not a label value: at most 63 letters, digits, - _ and ."


def _taints(taints: Iterable[str], key: str) -> Iterator[Finding]:
    for at, taint in enumerate(taints):
        head, _, effect = taint.rpartition(":")
        name, _, value = head.partition("=")
        if effect not in EFFECTS or not _LABEL_KEY.fullmatch(name) or not _LABEL_VALUE.fullmatch(value):
            yield (key, at), f"{taint!r} is not key=value:Effect or key:Effect; effects: {', '.join(EFFECTS)}"


def _file(name: str, folder: Path, key: str) -> Iterator[Finding]:
    path = (folder / name).resolve()
    if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
        yield (key,), f"{name!r} leaves the scenario's folder; keep the file beside scenario.yaml"
    elif not path.is_file():
        yield (key,), f"no file {name!r} in the scenario's folder; create it or mend the name"


def _slo(slo: SloSpec) -> Iterator[Finding]:
    yield from _slo_name(slo)
    yield from _form(slo)
    bounds = [name for name in _BOUNDS if getattr(slo, name) is not None]
    if len(bounds) > 1:
        yield (bounds[1],), f"bounds {' and '.join(bounds)}; an SLO has one: keep one, or make two SLOs"


def _slo_name(slo: SloSpec) -> Iterator[Finding]:
    if slo.id is None and slo.use is None:
        yield (), "an SLO needs a name; write id: <name>"
    if slo.use is not None and not _USE.fullmatch(slo.use):
        yield ("use",), f"{slo.use!r} is not an entry of the library; write e.g. kubelet/sandbox-create"
    name = slo.id or (slo.use or "").rpartition("/")[2]
    if name in BUILT_IN_SLOS:
        yield ("id" if slo.id else "use",), f"{name!r} is judged for every load; write another id"
    elif slo.id is not None and not is_name(slo.id):
        yield ("id",), f"{slo.id!r} is too long; write at most 63 characters"


def _form(slo: SloSpec) -> Iterator[Finding]:
    forms = [form for form in ("use", "histogram", "bad", "counter", "query") if getattr(slo, form) is not None]
    if slo.total is not None and slo.bad is None:
        yield ("total",), "total without bad; write the counter of what went wrong, too"
    elif slo.bad is not None and slo.total is None:
        yield ("bad",), "bad without total; write the counter of everything, too"
    elif not forms:
        yield (), "nothing to judge; write one of use, histogram, bad with total, counter, query"
    if len(forms) > 1:
        yield (
            (forms[1],),
            f"forms {' and '.join(forms)}; an SLO has one: use, histogram, bad with total, counter, or query",
        )
