"""What is known of CL2's measurement Methods; the table is `methods.yaml`, which says what its words mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from typing import Any
from typing import Literal
from typing import cast

from pytest_telescope.load.clusterloader2.tables import table

Gates = Literal["always", "enable-violations", "when-set", "never"]
ONCE = "once"
"""The only action of a Method that takes none."""

_BLANK = re.compile(r"\{(\w+)(?:=([^}]*))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryName:
    """The name of a summary file that an action writes.

    Attributes:
        template: with `{identifier}`, `{metricName}` or another param, `{summaryName=default}`, or what only CL2
            knows (`{time}`, `{host}`).
        always: it is written whenever the measurement was not skipped; otherwise only sometimes.
        extension: of the file, without a dot.
    """

    template: str
    always: bool = True
    extension: str = "json"

    def pattern(self, values: Mapping[str, str]) -> re.Pattern[str]:
        """Return what fits the name, given the params and `identifier`; what is not known fits anything."""
        parts, end = [], 0
        for blank in _BLANK.finditer(self.template):
            known = values.get(blank[1], blank[2])
            parts += [re.escape(self.template[end : blank.start()]), ".+" if known is None else re.escape(known)]
            end = blank.end()
        return re.compile("".join(parts) + re.escape(self.template[end:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One registered measurement Method.

    Attributes:
        name: as a config spells it.
        needs: what must be there for it to measure, e.g. `prometheus`, `containers`, `ssh`.
        pods: it is about pods that the test makes.
        gates: when it can fail its step, see `methods.yaml`.
        switches: of `when-set`: the params that make it able to fail.
        default_on: of `enable-violations`: the default of `enableViolations`.
        unless: switch of `when-set`, or `always` -> params that must be true too -> their defaults.
        built_in: it compares with thresholds of its own where none is given.
        any_case: names of its params fit in any case.
        params: action (`once` where it has none) -> names of params.
        mandatory: action -> those of `params` without which it fails.
        nested: param -> names within it; those within `Method.mandatory[param]` are mandatory.
        thresholds: action -> params that are thresholds; `queries.threshold` is within a list.
        summaries: action -> names of the files it writes, those of its parts included.
        parts: the Methods it bundles.
    """

    name: str
    gates: Gates
    needs: tuple[str, ...] = ()
    pods: bool = False
    switches: tuple[str, ...] = ()
    default_on: bool = False
    unless: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)
    built_in: bool = False
    any_case: bool = False
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mandatory: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    thresholds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    summaries: Mapping[str, tuple[SummaryName, ...]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what `action` may say; empty where the Method takes none."""
        return tuple(action for action in self.params if action != ONCE)

    @property
    def known(self) -> frozenset[str]:
        """Return the params of all actions, and `action`."""
        return frozenset({"action"}.union(*self.params.values()))


def method(name: str) -> Method | None:
    """Return what is known of a Method, None where CL2 has none of this name."""
    return methods().get(name)


@cache
def methods() -> Mapping[str, Method]:
    """Read the table once: every Method that CL2 registers, by name."""
    document = table("methods")
    groups, bodies = document["groups"], document["methods"]
    return {name: _method(name, body, groups, bodies) for name, body in bodies.items()}


def _method(name: str, body: Mapping[str, Any], groups: Mapping[str, list[str]], bodies: Mapping[str, Any]) -> Method:
    gates, switches, default_on = _gates(body["gates"])
    params = _expanded(body["params"], groups)
    nested = _expanded(body.get("nested", {}), groups)
    return Method(
        name=name,
        gates=gates,
        switches=switches,
        default_on=default_on,
        unless=body.get("unless", {}),
        needs=tuple(body.get("needs", ())),
        pods=body.get("pods", False),
        built_in=body.get("built-in", False),
        any_case=body.get("any-case", False),
        params=_plain(params),
        mandatory=_starred(params) | _starred(nested),
        nested=_plain(nested),
        thresholds=_expanded(body.get("thresholds", {}), groups),
        summaries=_summaries([body, *(bodies[part] for part in body.get("parts", ()))]),
        parts=tuple(body.get("parts", ())),
    )


def _gates(written: Any) -> tuple[Gates, tuple[str, ...], bool]:
    if isinstance(written, str):
        return cast(Gates, written), (), False
    ((word, value),) = written.items()
    return (word, (), value) if word == "enable-violations" else (word, tuple(value), False)


def _expanded(written: Mapping[str, list[str]], groups: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    def names(listed: list[str]) -> Iterator[str]:
        for one in listed:
            yield from groups[one[1:]] if one.startswith("$") else (one,)

    return {action: tuple(names(listed)) for action, listed in written.items()}


def _plain(written: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {action: tuple(name.rstrip("*") for name in names) for action, names in written.items()}


def _starred(written: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {action: tuple(name[:-1] for name in names if name.endswith("*")) for action, names in written.items()}


def _summaries(bodies: list[Mapping[str, Any]]) -> dict[str, tuple[SummaryName, ...]]:
    found: dict[str, tuple[SummaryName, ...]] = {}
    bundle = "parts" in bodies[0]
    for body in bodies:
        for action, names in body.get("summaries", {}).items():
            own = "gather" if bundle else action
            found[own] = (*found.get(own, ()), *(_summary_name(name) for name in names))
    return found


def _summary_name(written: str) -> SummaryName:
    template, _, extension = written.rstrip("?").partition(".")
    return SummaryName(template=template, always=not written.endswith("?"), extension=extension or "json")
