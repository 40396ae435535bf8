"""One line of results.jsonl: one number that a run found out, with everything needed to compare it."""

from __future__ import annotations

from typing import Literal
from typing import Self

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import model_validator

SCHEMA = 2
LOWER, HIGHER = frozenset({"max", "below"}), frozenset({"min", "above"})
"""Operators of a bound under which a lower or a higher value is the better one."""

Verdict = Literal["PASS", "FAIL", "INVALID", "ERROR", "SKIP"]
Operator = Literal["max", "min", "below", "above", "equals", "between"]


def better(operator: object) -> str | None:
    """Return which way is good under a bound; None where neither is."""
    if not isinstance(operator, str):
        return None
    return "lower" if operator in LOWER else "higher" if operator in HIGHER else None


class Record(BaseModel):
    """A flat record; what was not measured is null, never 0 and never left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True, populate_by_name=True)

    schema_version: Literal[2] = Field(2, alias="schema", description="Version of this record's shape.")
    run: str = Field(min_length=1, description="Run id: `<date>-<time>-<4 hex digits>`, UTC.")
    started: float | None = Field(None, description="When the cell's first stage began, unix seconds.")
    cell: str = Field(description="`<provider>-<scenario>[--<row>][--<engine>]`, without the arm of a comparison.")
    provider: str = Field(description="`aks`, `eks`, `gke` or `local`.")
    scenario: str = Field(description="Name of the scenario.")
    row: str | None = Field(None, description="Row of the scenario's matrix; null where it has none.")
    engine: str | None = Field(None, description="What put the load on; null only in records of schema 1.")
    arm: str | None = Field(None, description="Arm of an interleaved comparison (`--ab`), null outside of one.")
    repeat: int | None = Field(None, ge=1, description="Number of the pair within that comparison, from 1.")
    metric: str = Field(
        min_length=1, description="The SLO's id, or what no SLO judges: a stage's duration, a fact of the load, a cost."
    )
    slo: str | None = Field(None, description="The SLO's id; null for what no SLO judges.")
    value: float | None = Field(description="In `unit`; null where nothing was measured.")
    unit: str = Field(min_length=1, description="Base unit: s, B, ratio, count, cores, /s, bit/s; USD, USD/h.")
    n: float | None = Field(ge=0, description="Observations behind the value; null where that is not known.")
    low: float | None = Field(None, description="Lower end of the value's 95 % interval within this run.")
    high: float | None = Field(None, description="Upper end of it; null where it is open.")
    better: Literal["lower", "higher"] | None = Field(None, description="Which way is good; null where neither is.")
    verdict: Verdict | None = Field(None, description="What became of the SLO; null for what no SLO judges.")
    level: Literal["gate", "warn", "info"] | None = Field(
        None, description="Whether a missed bound makes the run red, warns, or is only shown."
    )
    operator: Operator | None = Field(None, description="How the value must stand to the bound.")
    bound: float | None = Field(None, description="In `unit`; the lower one of `between`.")
    bound_high: float | None = Field(None, description="The upper bound of `between`.")
    margin: float | None = Field(None, description="(bound - value) / bound, negative: worse than the bound.")
    labels: str | None = Field(None, description="The worst element's labels, `node=n1,verb=LIST`.")
    message: str | None = Field(None, description="The judgement's one line; why there is no value.")
    window_start: float | None = Field(None, description="Unix seconds, in Prometheus' time.")
    window_end: float | None = Field(None, description="Unix seconds, in Prometheus' time.")
    fingerprint: str | None = Field(
        description="Hash of all that makes this number comparable: what was built, put on and asked. A trend breaks "
        "where it changes. The bound is not in it. Null where that is not known."
    )
    functional: bool | None = Field(description="True: measured on `local`, no performance figure of a cloud.")
    reused: bool | None = Field(None, description="The cluster had served another row before.")
    position: int | None = Field(
        None, ge=1, description="The cell's place among the rows that share its cluster, from 1."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse what no run can have found out: ends in the wrong order, half a bound, a cell of another scenario."""
        for low, high in (("low", "high"), ("bound", "bound_high"), ("window_start", "window_end")):
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and first > last:
                raise ValueError(f"{low} {first:g} is above {high} {last:g}")
        if (self.operator == "between") != (self.bound_high is not None):
            raise ValueError("bound_high belongs to `between`, and to nothing else")
        if (self.operator is None) != (self.bound is None):
            raise ValueError("operator and bound belong together")
        if self.cell.partition("--")[0] != f"{self.provider}-{self.scenario}":
            raise ValueError(f"cell {self.cell!r} is not of provider {self.provider!r} and scenario {self.scenario!r}")
        return self
