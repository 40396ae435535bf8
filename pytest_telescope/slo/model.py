"""An SLO that can be judged, and its judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum
from typing import Literal

from pytest_telescope.scenario.model import Place

Form = Literal["histogram", "ratio", "counter", "query"]
Operator = Literal["max", "min", "below", "above", "equals", "between"]
Level = Literal["gate", "warn", "info"]


class Verdict(StrEnum):
    """What became of an SLO. Only PASS is green; SKIP is declared and known at collection."""

    PASS = "PASS"
    FAIL = "FAIL"
    INVALID = "INVALID"
    ERROR = "ERROR"
    SKIP = "SKIP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A threshold in the metric's base unit.

    Attributes:
        values: one number, two for `between`.
        unit: base unit: `s`, `B`, `ratio`, `count`, `cores`, `/s`, `bit/s`.
        text: as written, e.g. `3.05s`.
        note: set when the bound was snapped to a bucket, e.g. `3.05s is judged at the bucket 3.0517578125s`.
    """

    operator: Operator
    values: tuple[float, ...]
    unit: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The window judged in slices of `length` that end every `step`, the first one `length` after the window's start.

    Attributes:
        mode: `sliding`: at least `good` of the slices that hold enough data keep the bound; `peak`: all of them do.
        length: seconds.
        step: seconds.
        good: share of slices, 0 to 1.
    """

    mode: Literal["sliding", "peak"]
    length: float
    step: float
    good: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A resolved, linted SLO.

    `histogram`, `bad`/`total`, `counter`, `query` are filled by form. `by` labels make the elements that are judged
    one by one.
    `expect` maps a label of `by` to the values that must be present (`${nodes}` is filled at judging).
    `skip` is the reason known at collection (a capability that the provider declares absent), else None.
    """

    id: str
    form: Form
    bound: Bound
    description: str = ""
    metrics: tuple[str, ...] = ()
    """The histogram's base name(s), or the metrics of a ratio; empty for `query`."""
    bad: str = ""
    total: str = ""
    counter: str = ""
    """How much this counter counted in the window is judged, whole and without extrapolation."""
    query: str = ""
    job: str | None = None
    where: str = ""
    slices: Slices | None = None
    """None: one value over the whole window."""
    quorum: float = 1.0
    """Share of the elements that must keep the bound; INVALID ones are never outvoted."""
    trust: Mapping[str, str] = field(default_factory=dict)
    """Component (`kubernetes`, `containerd`) -> versions in which the metric means what the SLO says, `>=1.36`."""
    during: str = ""
    """Step of the load over which it is judged; empty: the whole window."""
    by: tuple[str, ...] = ()
    p: float | None = None
    min_count: int = 1
    sparse: Literal["merge", "skip", "fail"] | None = None
    expect: Mapping[str, object] = field(default_factory=dict)
    absent_zero: bool = False
    level: Level = "gate"
    skip: str | None = None
    ref: str = ""
    look_at: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One judged element of an SLO: one label set of `by`.

    Attributes:
        value: the reported number in base units (an interpolated quantile for histograms), None if there is none.
        bucket: for histograms the bucket (low, high) that holds the quantile: the value's resolution.
        interval: 95 % interval (low, high) of the value, from the number of observations and the buckets alone.
        count: observations, or the denominator of a ratio.
        good: share of observations within the bound; what the verdict is made of for histograms. With slices the share
            of slices within it.
        slices: how many slices held enough data to be judged; None where the window is judged whole.
    """

    labels: Mapping[str, str]
    verdict: Verdict
    value: float | None
    count: float | None = None
    bucket: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    good: float | None = None
    slices: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """How one element's value went over the window: what a picture shows.

    Attributes:
        name: what is shown, e.g. `p99 node n1`, or a golden signal, `CPU busy n1`.
        points: (unix seconds, value in `unit`); None where there is none.
        query: PromQL, ready to paste, of the whole line.
    """

    name: str
    unit: str
    points: tuple[tuple[float, float | None], ...]
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One SLO's verdict and everything that it rests on.

    Attributes:
        message: one line: metric or id, value, bound, by how much, where. It does not repeat the verdict.
        value, labels: of the worst element; where a quorum outvotes some, of the worst that it does not.
        count: observations over all elements.
        margin: (bound - value) / bound, signed so that negative is worse than the bound; None without a value.
        elements: worst first.
        guards: name -> finding of every guard that was looked at, e.g. `coverage: min up 1.00`.
        queries: PromQL, ready to paste, in the order asked, each evaluated at `time`.
        window: unix seconds (start, end) that were judged, a step of the load where the SLO asks for one.
        traces: the worst elements over the window, worst first.
        signals: golden signals of the worst element's node, while something is red.
        description, ref, look_at: what the SLO means, where its bound comes from, where to look when it is red.
    """

    slo: str
    verdict: Verdict
    message: str
    unit: str
    bound: Bound | None
    value: float | None = None
    count: float | None = None
    margin: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    bucket: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    elements: tuple[Element, ...] = ()
    guards: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[str, ...] = ()
    time: float | None = None
    window: tuple[float, float] | None = None
    level: Level = "gate"
    traces: tuple[Trace, ...] = ()
    signals: tuple[Trace, ...] = ()
    description: str = ""
    ref: str = ""
    look_at: str = ""
