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

_TRUE = {"true", "1", "t"}


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
        if self.method.gates == "always":
            return True
        if self.method.gates == "when-set":
            return any(self._value(name) not in (None, "", 0, "0s", "false") for name in self.method.switches)
        if self.method.gates == "enable-violations":
            given = self._value("enableViolations")
            return self.method.default_on if given is None else str(given).lower() in _TRUE
        return False

    @property
    def thresholds(self) -> tuple[str, ...]:
        """What it is given as thresholds, as `name value`; with `its own` where it has built-in ones and no other."""
        found = [text for names in self.method.thresholds.values() for name in names for text in self._thresholds(name)]
        return tuple(dict.fromkeys(found)) or (("its own",) if self.method.built_in else ())

    @property
    def gates(self) -> bool:
        """Whether this measurement is there to be judged: it is enforced, or has thresholds that should be."""
        return self.enforced or bool(self.thresholds)

    def _thresholds(self, name: str) -> Iterator[str]:
        outer, _, inner = name.partition(".")
        value = self._value(outer)
        if not inner:
            if value is not None:
                yield f"{name} {value}"
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                if isinstance(one, Mapping) and (found := _get(one, inner, any_case=True)) is not None:
                    yield f"{_get(one, 'name', any_case=True)} {inner} {found}"

    def _value(self, name: str) -> Any:
        return _get(self.params, name, any_case=self.method.any_case)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """All measurements of a config, and the methods that nobody knows."""

    measurements: tuple[Measurement, ...]
    unknown: tuple[str, ...]


def expected_of(generated: Generated) -> Expected:
    """Group the calls of a config."""
    groups: dict[tuple[str, str], list[Call]] = {}
    for call in generated.calls:
        groups.setdefault((call.method, call.identifier), []).append(call)
    found = [(method(name), identifier, calls) for (name, identifier), calls in groups.items()]
    return Expected(
        measurements=tuple(
            Measurement(method=known, identifier=identifier, calls=tuple(calls))
            for known, identifier, calls in found
            if known is not None
        ),
        unknown=tuple(calls[0].method for known, _, calls in found if known is None),
    )


def _get(values: Mapping[str, Any], name: str, *, any_case: bool) -> Any:
    if not any_case or name in values:
        return values.get(name)
    return next((value for key, value in values.items() if str(key).lower() == name.lower()), None)
