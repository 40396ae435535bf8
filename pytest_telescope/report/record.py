"""One line of results.jsonl: one number that a run found out, with everything needed to compare it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field

SCHEMA = 2

Verdict = Literal["PASS", "FAIL", "INVALID", "ERROR", "SKIP"]
Operator = Literal["max", "min", "below", "above", "equals", "between"]


class Record(BaseModel):
    """A flat record; what was not measured is null, never 0 and never left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True, populate_by_name=True)

    schema_version: Literal[2] = Field(2, alias="schema", description="Version of this record's shape.")
    run: str = Field(description="Run id: `<date>-<time>-<4 hex digits>`, UTC.")
    started: float | None = Field(None, description="When the cell's first stage began, unix seconds.")
    cell: str = Field(description="`<provider>-<scenario>[--<row>][--<engine>]`, without the arm of a comparison.")
    provider: str
    scenario: str
    row: str | None = None
    engine: str
    arm: str | None = Field(None, description="Arm of an interleaved comparison (`--ab`), null outside of one.")
    repeat: int | None = Field(None, description="Number of the pair within that comparison, from 1.")
    metric: str = Field(description="The SLO's id, or `<stage>_duration_seconds`.")
    slo: str | None = Field(None, description="The SLO's id; null for what no SLO judges.")
    value: float | None = Field(description="In `unit`; null where nothing was measured.")
    unit: str = Field(description="Base unit: s, B, ratio, count, cores, /s, bit/s.")
    n: float | None = Field(description="Observations behind the value.")
    low: float | None = Field(None, description="Lower end of the value's 95 % interval within this run.")
    high: float | None = Field(None, description="Upper end of it; null where it is open.")
    better: Literal["lower", "higher"] | None = Field(None, description="Which way is good; null where neither is.")
    verdict: Verdict | None = None
    level: Literal["gate", "warn", "info"] | None = None
    operator: Operator | None = None
    bound: float | None = Field(None, description="In `unit`; the lower one of `between`.")
    bound_high: float | None = Field(None, description="The upper bound of `between`.")
    margin: float | None = Field(None, description="(bound - value) / bound, negative: worse than the bound.")
    labels: str | None = Field(None, description="The worst element's labels, `node=n1,verb=LIST`.")
    message: str | None = Field(None, description="The judgement's one line.")
    window_start: float | None = Field(None, description="Unix seconds, in Prometheus' time.")
    window_end: float | None = None
    fingerprint: str | None = Field(
        description="Hash of all that makes this number comparable: what was built, put on and asked. A trend breaks "
        "where it changes. The bound is not in it."
    )
    functional: bool | None = Field(description="True: measured on `local`, no performance figure of a cloud.")
    reused: bool | None = Field(None, description="The cluster had served another row before.")
    position: int | None = Field(None, description="The cell's place among the rows that share its cluster, from 1.")
