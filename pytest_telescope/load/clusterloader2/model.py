"""The words of this engine; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Literal

FindingKind = Literal["violation", "error", "vacuous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One process of CL2: a test config with its override files; a suite has one entry a scenario of it.

    Attributes:
        name: short and unique within the cell; a suite's identifier, or `main`.
        config: the test config; what it names is looked for beside it.
        overrides: override files of the suite, in order; the scenario's own overrides come after them.
    """

    name: str
    config: Path
    overrides: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number of one summary file, in base units.

    Attributes:
        summary: the summary's own name as CL2 spells it in the file name, e.g. `PodStartupLatency_PodStartupLatency`,
            `GenericPrometheusQuery API calls`.
        metric: what was measured, e.g. `pod_startup`, the name of a query, `availabilityPercentage`.
        stat: which number of it, e.g. `Perc99`, `max`, `value`.
        value: finite.
        unit: `s`, `B`, `ratio`, `count`, `cores`, `/s`, or CL2's own word where it is none that we know.
        labels: of the data item, without `Metric`.
    """

    summary: str
    metric: str
    stat: str
    value: float
    unit: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One summary file.

    Attributes:
        name: as in `Sample.summary`.
        config: name of the test config (and `_<suite identifier>`) as in the file name.
        samples: its numbers; empty where it holds none.
        problems: what is wrong with it (`dataItems is null`, `Perc99 is NaN`, `not JSON: …`), a line each.
    """

    name: str
    config: str
    file: Path
    samples: tuple[Sample, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case of CL2's junit.xml, i.e. a step, or one measurement call of a step.

    Attributes:
        step: the step's name without its number, empty for the whole test (`overall`).
        number: of the step, from 1; 0 for the whole test.
        measurement: the identifier of the measurement call, empty for steps of phases and for the whole test.
        seconds: how long it took.
        failure: CL2's words, without its decoration; None where it passed.
        violations: those lines of `failure` that are a threshold that was missed.
        errors: all other lines of `failure`.
    """

    step: str
    number: int
    measurement: str
    seconds: float
    failure: str | None = None
    violations: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason why CL2's own thresholds are not met, or say nothing.

    `violation`: a threshold was missed (FAIL); `error`: something broke (ERROR); `vacuous`: green upstream, though
    nothing was measured or nothing is compared (INVALID).
    """

    kind: FindingKind
    text: str
    entry: str = "main"
    step: str = ""
    measurement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What the lint found in a config: `error` is refused before anything is built, `warning` is shown."""

    level: Literal["error", "warning"]
    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"
