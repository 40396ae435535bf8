"""What `--plan` says: what would be built, run, asked and paid."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_telescope.slo.model import Slo
    from pytest_telescope.slo.planned import Planned


def plan_lines(plans: Iterable[Planned], attach: Path | None = None) -> Iterator[str]:
    """Yield the plan, a block a cell, and the sum where clouds are paid; nothing is built or paid with `attach`.

    Raises:
        UsageError: the file that `TELESCOPE_PRICES` names cannot be read.
    """
    from pytest_telescope.report.paid import Paid

    planned_cells = list(plans)
    paid = Paid(planned_cells)
    for planned in planned_cells:
        yield planned.cell.id
        if planned.skip:
            yield f"  SKIP  {planned.skip}"
        yield from _cluster(planned) if attach is None else [f"  on    the cluster of {attach}, which stays as it is"]
        yield f"  load  {planned.cell.engine}: {_settings(planned.cell.load)}"
        yield from (f"  note  {note}" for note in planned.notes)
        yield from (f"  slo   {_slo(slo)}" for slo in planned.slos)
        if attach is None:
            yield from _labelled("paid", paid.lines(planned))
            yield from _labelled("due", paid.due(planned))
    if attach is None:
        yield from paid.closing()


def _labelled(label: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield a line with its label, and what belongs to it under it."""
    for number, text in enumerate(texts):
        yield f"  {label if not number else '':5} {text}"


def _cluster(planned: Planned) -> Iterator[str]:
    spec = planned.cell.cluster
    rest = {k: v for k, v in spec.model_dump(exclude_defaults=True).items() if k != "pools"}
    yield f"  build {planned.cell.provider} cluster {planned.cluster}" + (f": {_pairs(rest)}" if rest else "")
    for name, pool in spec.pools.items():
        yield f"        pool {name}: {_settings(pool)}"


def _slo(slo: Slo) -> str:
    from pytest_telescope.slo.bounds import SIGNS

    sign = SIGNS[slo.bound.operator]
    quantile = f" p{slo.p:g}" if slo.p is not None else ""
    note = f"  ({slo.bound.note})" if slo.bound.note else ""
    skip = f"  SKIP {slo.skip}" if slo.skip else ""
    return f"{slo.id}{quantile} {sign} {slo.bound.text}  n >= {slo.min_count}{note}{skip}"


def _settings(model: Any) -> str:
    return _pairs(model.model_dump(mode="json", exclude_unset=True))


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + _pairs(value) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
