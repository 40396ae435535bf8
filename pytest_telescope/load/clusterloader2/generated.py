"""The dry run, and the test config as CL2 compiled it: templates filled, modules flattened.

`--dry-run` always exits with 1; whether the config is right is said by its last line. It dials nothing, so it is done
before there is a cluster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.load.clusterloader2 import log
from pytest_telescope.load.clusterloader2 import process
from pytest_telescope.load.clusterloader2.command import Invocation

WITHIN = 60.0
NOWHERE = "https://127.0.0.1:9"
"""Nothing listens on the discard port; the dry run needs a kubeconfig that can be read, no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a measurement."""

    step: int
    step_name: str
    method: str
    identifier: str
    params: Mapping[str, Any]

    @property
    def action(self) -> str:
        """What it is asked to do (`start`, `gather`, …)."""
        return str(self.params.get("action", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An object template that a phase makes objects of, and what it fills in, beside what CL2 itself does."""

    template: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A compiled test config.

    Attributes:
        name: the config's own name, part of the names of its report files.
        steps: names, in order.
        calls: of measurements, in order.
        objects: (base name, template) of every object that a phase makes, cluster-scoped ones marked.
        rates: actions a second of its tuning sets, as far as they say one.
        filled: object templates of the phases that make any object, in order.
        dependencies: methods of what must be set up before the first step.
    """

    name: str
    steps: tuple[str, ...]
    calls: tuple[Call, ...]
    objects: tuple[tuple[str, str, bool], ...]
    rates: tuple[float, ...]
    filled: tuple[Filled, ...] = ()
    dependencies: tuple[str, ...] = ()


def dry_run(invocation: Invocation, environment: Mapping[str, str], folder: Path, *, now: float) -> Generated:
    """Let CL2 compile the config and return what it made of it.

    Raises:
        UsageError: CL2 refuses the config; the message has its own words. Or what it made of it cannot be read.
        LoadError: CL2 cannot be started.
    """
    lines: list[str] = []
    ended = process.run(
        invocation.command(dry_run=True),
        environment=environment,
        cwd=folder,
        log=folder / "dry-run.log",
        timeout=WITHIN,
        on_line=lines.append,
    )
    said = list(log.parse(lines, now=now))
    last = said[-1] if said else None
    if last is None or last.event != "dry-run-done":
        words = last.text if last and not ended.timed_out else f"no end within {WITHIN:g} s"
        raise UsageError(f"{invocation.entry.config}: clusterloader2 refuses it: {_readable(words)}")
    return _generated(invocation)


def _generated(invocation: Invocation) -> Generated:
    import yaml

    config, found = invocation.entry.config, sorted(invocation.reports.glob("generatedConfig_*.yaml"))
    if len(found) != 1:
        raise UsageError(f"{config}: the dry run of clusterloader2 made {len(found)} configs, not 1")
    try:
        return read(found[0])
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{config}: what clusterloader2 made of it cannot be read: {error}") from error


def _readable(words: str) -> str:
    """Undo what Go's %v makes of a list of errors."""
    return " ".join(words.split()).strip()


def offline_kubeconfig(path: Path) -> Path:
    """Write a kubeconfig that leads nowhere."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "none", "cluster": {"server": NOWHERE}}],
        "users": [{"name": "none", "user": {}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "current-context": "none",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def read(path: Path) -> Generated:
    """Read a `generatedConfig_*.yaml`: Go structs by yaml.v2, so all keys are lower case and durations are ns.

    Raises:
        OSError, ValueError, yaml.YAMLError: it cannot be read.
    """
    import yaml

    document = yaml.load(path.read_text(encoding="utf-8"), Loader=_loader())
    if not isinstance(document, dict):
        raise ValueError("it is no map")
    steps = document.get("steps") or []
    phases = [phase for step in steps for phase in step.get("phases") or []]
    return Generated(
        name=str(document.get("name", "")),
        steps=tuple(str(step.get("name", "")) for step in steps),
        calls=tuple(call for number, step in enumerate(steps, start=1) for call in _calls(number, step)),
        objects=tuple(dict.fromkeys(one for phase in phases for one in _objects(phase))),
        rates=tuple(rate for one in document.get("tuningsets") or [] if (rate := _rate(one)) is not None),
        filled=tuple(one for phase in phases for one in _filled(phase)),
        dependencies=tuple(str(one.get("method", "")) for one in document.get("dependencies") or []),
    )


@cache
def _loader() -> Any:
    """Return PyYAML's loader, told what yaml.v2 takes otherwise: `1e+06` is a number, `=`, `<<` and dates are texts."""
    import yaml

    loader: Any = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+e[-+]\d+$"), list("-+0123456789"))
    for kind in ("value", "merge", "timestamp"):
        loader.add_constructor(f"tag:yaml.org,2002:{kind}", lambda _, node: str(node.value))
    return loader


def _calls(number: int, step: Mapping[str, Any]) -> Iterator[Call]:
    name = str(step.get("name", ""))
    for one in step.get("measurements") or []:
        for identifier, params in _instances(one):
            method = str(one.get("method", ""))
            yield Call(step=number, step_name=name, method=method, identifier=identifier, params=params)


def _instances(one: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    params = one.get("params") or {}
    if not (instances := one.get("instances")):
        yield str(one.get("identifier", "")), params
    for instance in instances or []:
        yield str(instance.get("identifier", "")), {**params, **(instance.get("params") or {})}


def _objects(phase: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    scoped = phase.get("namespacerange") is None and not phase.get("namespacelist")
    for one in phase.get("objectbundle") or []:
        yield str(one.get("basename", "")), str(one.get("objecttemplatepath", "")), scoped


def _filled(phase: Mapping[str, Any]) -> Iterator[Filled]:
    for one in phase.get("objectbundle") or [] if phase.get("replicaspernamespace") else ():
        yield Filled(template=str(one.get("objecttemplatepath", "")), values=one.get("templatefillmap") or {})


def _rate(tuning: Mapping[str, Any]) -> float | None:
    for kind, key in (("qpsload", "qps"), ("globalqpsload", "qps"), ("randomizedload", "averageqps")):
        if value := (tuning.get(kind) or {}).get(key):
            return float(value)
    if value := (tuning.get("poissonload") or {}).get("expectedactionspersecond"):
        return float(value)
    if (stepped := tuning.get("steppedload")) and (delay := stepped.get("stepdelay")):
        return float(stepped.get("burstsize", 0)) / (float(delay) / 1e9)
    return None
