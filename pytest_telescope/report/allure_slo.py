"""What the judgement of an SLO shows in Allure: value and bound, elements, guards, queries, picture, signals."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_telescope.report import allure_files
from pytest_telescope.report.allure_shape import Attached
from pytest_telescope.report.allure_shape import Shown
from pytest_telescope.report.allure_shape import Status
from pytest_telescope.report.allure_shape import Step
from pytest_telescope.report.allure_shape import limited
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import labelled
from pytest_telescope.slo.text import short

STATUS: dict[Verdict, Status] = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.INVALID: "broken",
    Verdict.ERROR: "broken",
    Verdict.SKIP: "skipped",
}
_FIELDS = tuple(one.name for one in fields(Judgement) if one.name not in {"traces", "signals"})
_TAIL = 4 * 1024 * 1024
"""Bytes at the end of judgements.jsonl among which the last line must begin."""


def title(slo: Slo) -> str:
    """Return what is asked: `running: p99 <= 15 s`; of what must not happen at all only the name."""
    if slo.bound.operator == "max" and slo.bound.values == (0.0,):
        return slo.id
    which = f"p{slo.p:g} " if slo.p is not None else ""
    return f"{slo.id}: {which}{asked(slo.bound)}"


def asked(bound: Bound) -> str:
    """Return the bound with its sign, `<= 5 s`."""
    return f"{SIGNS[bound.operator]} {' and '.join(humanly(one, bound.unit) for one in bound.values)}"


def description(slo: Slo) -> str:
    """Return what the SLO means, where its bound comes from and where to look, in Markdown."""
    lines = [slo.description or "", f"**Bound** {asked(slo.bound)}{f', from {slo.ref}' if slo.ref else ''}"]
    lines += [f"**Look at** {slo.look_at}"] if slo.look_at else []
    return "\n\n".join(line for line in lines if line)


def shown(judgement: Judgement, picture: Path, records: Path) -> Shown:
    """Return everything that a judgement rests on.

    Args:
        judgement: as it is kept in memory: the worst elements, no golden signals.
        picture: the file of its picture, drawn or not.
        records: judgements.jsonl, whose last line is this judgement as a whole.
    """
    whole = _last(records, judgement.slo) if judgement.verdict in {Verdict.FAIL, Verdict.INVALID} else {}
    drawn = allure_files.read(picture, f"{judgement.slo} over the window") if picture.exists() else None
    return Shown(
        steps=(*_picture(drawn), *_steps(judgement)),
        attached=(*_signals(whole), *_document(judgement)),
        parameters=_parameters(judgement),
    )


def _picture(drawn: Attached | None) -> Iterator[Step]:
    """Yield the picture as what comes first: a step with one attachment of its own name is shown as that."""
    if drawn is not None:
        yield Step(name=drawn.name, attached=(drawn,))


def _parameters(judgement: Judgement) -> dict[str, str]:
    bound = judgement.bound
    return {
        "verdict": str(judgement.verdict),
        **({} if judgement.value is None else {"value": humanly(judgement.value, judgement.unit)}),
        **({} if bound is None else {"bound": asked(bound)}),
        **({} if judgement.margin is None else {"margin": f"{100 * judgement.margin:+.3g} %"}),
        **({} if judgement.count is None else {"samples": short(judgement.count)}),
        **({} if not judgement.labels else {"where": labelled(dict(judgement.labels))}),
        **({} if judgement.level == "gate" else {"level": judgement.level}),
        **({} if judgement.window is None else {"window": _window(judgement.window)}),
    }


def _window(window: tuple[float, float]) -> str:
    return f"{clock(window[0])} to {clock(window[1])}, {window[1] - window[0]:.0f} s"


def _steps(judgement: Judgement) -> Iterator[Step]:
    """Yield what was found, whether it can be believed, and what was asked; nobody took the times of single queries.

    A query is the name of its step: of a parameter Allure shows the first words only.
    """
    elements = limited([_element(one, judgement) for one in judgement.elements])
    if elements:
        yield Step(name="the worst elements", steps=elements, status=STATUS[judgement.verdict])
    if judgement.guards:
        status: Status = "broken" if judgement.verdict is Verdict.INVALID else "passed"
        yield Step(name="guards", parameters=judgement.guards, status=status)
    if judgement.queries:
        at = f", evaluated at {judgement.time:.3f}" if judgement.time is not None else ""
        asked_for = [Step(name=one) for one in judgement.queries]
        yield Step(name=f"queries{at}", steps=limited(asked_for))


def _element(element: Element, judgement: Judgement) -> Step:
    where = labelled(dict(element.labels)) or "all"
    value = "no value" if element.value is None else humanly(element.value, judgement.unit)
    samples = f", {short(element.count)} samples" if element.count is not None else ""
    return Step(name=f"{where}: {value}{samples}", status=STATUS[element.verdict], message=element.message)


def _document(judgement: Judgement) -> Iterator[Attached]:
    """Yield the judgement as JSON, a line a field, without its lines over the window, which the picture shows.

    Of what is green, steps and parameters say as much, and a file an item is half of what shaping it costs.
    """
    if judgement.verdict is Verdict.PASS:
        return
    plain = {name: getattr(judgement, name) for name in _FIELDS}
    written = (f'"{name}": {json.dumps(value, default=_plain)}' for name, value in plain.items())
    body = "{\n" + ",\n".join(written) + "\n}\n"
    if "Infinity" in body or "NaN" in body:  # which JSON does not have
        body = json.dumps(_finite(json.loads(body)), indent=1) + "\n"
    yield allure_files.text("judgement.json", "json", body)


def _plain(one: Any) -> Any:
    """Return the elements and the bound as JSON data."""
    return {name.name: getattr(one, name.name) for name in fields(one)}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


def _last(file: Path, slo: str) -> dict[str, Any]:
    """Return the last line of judgements.jsonl where it is of this SLO; only a red item costs this read."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _TAIL))
            found = json.loads(stream.read().rstrip(b"\n").rpartition(b"\n")[2])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("slo") == slo else {}


def _signals(whole: dict[str, Any]) -> Iterator[Attached]:
    """Yield the golden signals of the node in question as a table, a column a signal."""
    signals: Sequence[dict[str, Any]] = whole.get("signals") or ()
    if not signals:
        return
    values = {(signal["name"], when): value for signal in signals for when, value in signal["points"]}
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("time", *(f"{signal['name']} ({signal['unit']})" for signal in signals)))
    for when in sorted({when for _, when in values}):
        found = (values.get((signal["name"], when)) for signal in signals)
        rows.writerow((clock(when), *("" if value is None else f"{value:.6g}" for value in found)))
    yield allure_files.text("golden signals of the node", "csv", table.getvalue())
