"""One SLO's elements and findings, put together."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_telescope.slo import quorum
from pytest_telescope.slo import wording
from pytest_telescope.slo.bounds import margin
from pytest_telescope.slo.closeness import close_call
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import worst
from pytest_telescope.slo.elements import worst_first
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict


def judgement(slo: Slo, desk: Desk, found: Iterable[Element], text: str) -> Judgement:
    """Return the judgement of at least one element; `text` is the line of an SLO that has its own.

    Where a quorum outvotes elements, the value is that of the worst one that it does not.
    """
    elements = worst_first(found, slo)
    outvoted = quorum.outvoted(slo, elements)
    first = elements[min(outvoted, len(elements) - 1)]
    counts = [one.count for one in elements if one.count is not None]
    _tell(slo, desk, elements, first)
    return Judgement(
        slo=slo.id,
        verdict=_verdict(elements, outvoted, desk),
        message=wording.message(slo, elements, desk.problems, text, outvoted=outvoted, ends=desk.worst_slice),
        unit=slo.bound.unit,
        bound=slo.bound,
        value=first.value,
        count=desk.observed if desk.observed is not None else sum(counts) if counts else None,
        margin=None if first.value is None else margin(slo.bound, first.value),
        labels=first.labels,
        bucket=first.bucket,
        interval=first.interval,
        elements=elements,
        guards=desk.notes,
        queries=tuple(desk.asked),
        time=desk.span.end,
        window=(desk.span.start, desk.span.end),
        level=slo.level,
        description=slo.description,
        ref=slo.ref,
        look_at=slo.look_at,
    )


def _verdict(elements: tuple[Element, ...], outvoted: int, desk: Desk) -> Verdict:
    if desk.problems:
        return worst([Verdict.INVALID, *(one.verdict for one in elements)])
    if outvoted:
        return Verdict.PASS
    return worst(one.verdict for one in elements)


def _tell(slo: Slo, desk: Desk, elements: tuple[Element, ...], first: Element) -> None:
    told = {
        "bound": slo.bound.note,
        "quorum": quorum.told(slo, elements),
        "close call": "" if desk.problems else close_call(slo, first),
    }
    desk.notes.update({name: text for name, text in told.items() if text})


def without_value(slo: Slo, verdict: Verdict, message: str, desk: Desk | None = None) -> Judgement:
    """Return the judgement of an SLO that came to no value; `message` says why."""
    return Judgement(
        slo=slo.id,
        verdict=verdict,
        message=message,
        unit=slo.bound.unit,
        bound=slo.bound,
        guards=desk.notes if desk else {},
        queries=tuple(desk.asked) if desk else (),
        time=desk.span.end if desk else None,
        window=(desk.span.start, desk.span.end) if desk else None,
        level=slo.level,
        description=slo.description,
        ref=slo.ref,
        look_at=slo.look_at,
    )
