"""What a compiled config promises to measure; pure."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pytest_telescope.load.clusterloader2.generated import Call
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.methods import Method
from pytest_telescope.load.clusterloader2.methods import SummaryName
from pytest_telescope.load.clusterloader2.methods import method

ALWAYS = "always"
START = "start"
GATHER = "gather"
SAMPLES = "requireSamples"
_TRUE = {"true", "1", "t"}
_NONE = (None, "", 0, "0", "0s", "false")
"""Values with which CL2 compares nothing, unless a Method has thresholds of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One measurement of a config: all calls with the same method and identifier, which CL2 gives to one instance."""

    method: Method
    identifier: str
    calls: tuple[Call, ...]

    @property
    def params(self) -> Mapping[str, Any]:
        """All params of all calls; of one that comes again the last value."""
        return {name: value for call in self.calls for name, value in call.params.items()}

    @property
    def enforced(self) -> bool:
        """Whether CL2 fails its step when a threshold is missed."""
        if self.method.gates == "when-set":
            return any(not self.lacking(name) for name in self._switched_on())
        if self.method.gates == "enable-violations":
            return self._violations(default=self.method.default_on) and not self.lacking(ALWAYS)
        return self.method.gates == "always"

    @property
    def can_fail(self) -> bool:
        """Whether anything that it may see fails its step: it is enforced, and compares with something."""
        return self.enforced and bool(self.thresholds or self.method.gates == "when-set" or not self.method.thresholds)

    @property
    def compares_nothing(self) -> bool:
        """Whether it is told to fail its step when a threshold is missed, and is given none, not even 0."""
        off = any(self._value(name) is not None for names in self.method.thresholds.values() for name in names)
        return self._violations(default=False) and self.enforced and not self.can_fail and not off

    def lacking(self, switch: str) -> tuple[str, ...]:
        """Return the params that are not true, though with this switch it fails its step only if they are."""
        params = self.method.unless.get(switch, {})
        return tuple(name for name, default in params.items() if not self._true(name, default=default))

    @property
    def idle(self) -> Mapping[str, tuple[str, ...]]:
        """Return the switches that are on and say nothing, each with the params that are not true."""
        on = (*self._switched_on(), *([ALWAYS] if ALWAYS in self.method.unless else ()))
        return {name: lacking for name in on if (lacking := self.lacking(name))}

    @property
    def never_gathered(self) -> bool:
        """Whether it is started and nobody asks for its result."""
        actions = {call.action for call in self.calls}
        return {START, GATHER} <= set(self.method.actions) and START in actions and GATHER not in actions

    def _switched_on(self) -> tuple[str, ...]:
        return tuple(name for name in self.method.switches if self._value(name) not in _NONE)

    def _violations(self, *, default: bool) -> bool:
        """Whether CL2 is told, where it asks, to fail the step; every Method of the kind asks when it gathers."""
        given = self._at(GATHER, "enableViolations")
        return default if given is None else _true(given)

    def _true(self, name: str, *, default: bool) -> bool:
        given = self._value(name)
        return default if given is None else _true(given)

    @property
    def thresholds(self) -> tuple[str, ...]:
        """What it is given as thresholds, as `name value`; with `its own` where it has built-in ones and no other."""
        found = [text for name, value in self._given() for text in _thresholds(name, value)]
        return tuple(dict.fromkeys(found)) or (("its own",) if self.method.built_in else ())

    @property
    def misplaced(self) -> tuple[str, ...]:
        """Thresholds that stand at an action that does not read them."""
        here = {name for name, _ in self._given()}
        named = [name for names in self.method.thresholds.values() for name in names]
        elsewhere = {name: self._value(name.partition(".")[0]) for name in named if name not in here}
        found = (text for name, value in elsewhere.items() if value not in _NONE for text in _thresholds(name, value))
        return tuple(dict.fromkeys(found))

    def _given(self) -> Iterator[tuple[str, Any]]:
        """Yield thresholds with the value of the param that holds them, as the action that reads them gets it."""
        for action, names in self.method.thresholds.items():
            for name in names:
                value = self._at(action, name.partition(".")[0])
                if value is not None and (self.method.built_in or value not in _NONE):
                    yield name, value

    @property
    def gates(self) -> bool:
        """Whether this measurement is there to be judged: it is enforced, or has thresholds that should be."""
        return self.enforced or bool(self.thresholds)

    def _value(self, name: str) -> Any:
        return _get(self.params, name, any_case=self.method.any_case)

    def _at(self, action: str, name: str) -> Any:
        """Return the value of a param as calls with this action give it, the last one; None where none does."""
        found = [_get(call.params, name, any_case=self.method.any_case) for call in self.calls if call.action == action]
        return next((value for value in reversed(found) if value is not None), None)

    def summaries(self) -> Iterator[tuple[SummaryName, Mapping[str, str]]]:
        """Yield every file that its calls always write, with what is known of its name; one a call."""
        for call in self.calls:
            known = {name: str(value) for name, value in self.params.items() if not isinstance(value, dict | list)}
            for name in self.method.summaries.get(call.action or "once", ()):
                if name.always:
                    yield name, {**known, "identifier": self.identifier}

    def queries(self) -> tuple[str, ...]:
        """Return the names of its PromQL queries, each of which must give a number."""
        value = self._value("queries")
        listed = value if isinstance(value, list) else []
        return tuple(str(_get(one, "name", any_case=True)) for one in listed if isinstance(one, Mapping))


def measurements_of(generated: Generated) -> tuple[Measurement, ...]:
    """Group the calls of a config; those of a Method that nobody knows are left out."""
    groups: dict[tuple[str, str], list[Call]] = {}
    for call in generated.calls:
        groups.setdefault((call.method, call.identifier), []).append(call)
    found = [(method(name), identifier, calls) for (name, identifier), calls in groups.items()]
    return tuple(
        Measurement(method=known, identifier=identifier, calls=tuple(calls))
        for known, identifier, calls in found
        if known is not None
    )


def _thresholds(name: str, value: Any) -> Iterator[str]:
    inner = name.partition(".")[2]
    if not inner:
        if value is not None:
            yield f"{name} {value}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            if isinstance(one, Mapping):
                yield from _demands(one, inner)


def _demands(query: Mapping[str, Any], threshold: str) -> Iterator[str]:
    name = _get(query, "name", any_case=True)
    if (found := _get(query, threshold, any_case=True)) is not None:
        yield f"{name} {threshold} {found}"
    if _true(_get(query, SAMPLES, any_case=True)):
        yield f"{name} {SAMPLES}"


def _true(value: Any) -> bool:
    return str(value).lower() in _TRUE


def _get(values: Mapping[str, Any], name: str, *, any_case: bool) -> Any:
    if not any_case or name in values:
        return values.get(name)
    return next((value for key, value in values.items() if str(key).lower() == name.lower()), None)
