"""The text under a verdict: what broke, by how much, where, whether to believe it, and what to look at next.

Every section begins with its name in the first column, so that the text can be searched by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime

from pytest_telescope.report.element_table import table
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.golden_told import told
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.text import humanly
from pytest_telescope.slo.text import interval
from pytest_telescope.slo.text import short

INDENT = 12
"""Columns of a section's name."""
MOST_QUERY = 2000
"""Characters of one query; more is no help to a reader and too much for a test report."""
QUIET: Mapping[str, re.Pattern[str]] = {
    "coverage": re.compile(r"min up 1\.00 over .*|written by the harness.*"),
    "resets": re.compile(r"none"),
    "buckets": re.compile(r".*the same on all targets"),
    "node clocks": re.compile(r".*servers'"),
    "pods": re.compile(r"(\d+) of \1 have a time"),
    "pods sampled": re.compile(r"(\S+) of \1"),
}
"""Guard -> findings that say that all is well; everything else is told first."""

Section = tuple[str, list[str]]


def sections(judgement: Judgement) -> Iterator[Section]:
    """Yield (name, lines) in the order in which they help, empty ones too."""
    loud = {name: text for name, text in judgement.guards.items() if not is_quiet(name, text)}
    quiet = {name: text for name, text in judgement.guards.items() if name not in loud}
    yield "value", list(value(judgement))
    yield "elements", list(table(judgement))
    yield "window", list(window(judgement))
    yield "believe it?", list(belief(judgement, loud))
    yield "meaning", [judgement.description, *([f"bound from {judgement.ref}"] if judgement.ref else [])]
    yield "look at", [judgement.look_at]
    yield from node(judgement)
    yield "checked", [f"{name}: {text}" for name, text in quiet.items()]
    yield "queries", list(queries(judgement))


def laid_out(found: Iterator[Section] | Sequence[Section]) -> str:
    """Return sections as text, each with its name in front of its first line; those without a line are left out."""
    texts = []
    for name, lines in found:
        full = [line for line in lines if line]
        texts += [f"{name if not number else '':<{INDENT}}{line}".rstrip() for number, line in enumerate(full)]
    return "\n".join(texts)


def value(judgement: Judgement) -> Iterator[str]:
    """Yield the value against its bound, what it can be told to, and how many observations it is made of."""
    if judgement.value is None or judgement.bound is None:
        if judgement.bound is not None and judgement.verdict is not Verdict.SKIP:
            yield f"none, asked {asked(judgement.bound)}"
        return
    shown = judged(judgement)
    is_open = judgement.bucket is not None and math.isinf(judgement.bucket[1])
    yield (
        f"{'at least ' if is_open else ''}{humanly(judgement.value, judgement.unit)}, asked {asked(judgement.bound)}"
        f"{away(judgement)}"
    )
    if judgement.bucket is not None:
        yield f"exact to its bucket, {interval(*judgement.bucket, judgement.unit)}; inside it is interpolated"
    if judgement.interval is not None and judgement.interval != judgement.bucket:
        yield f"95 % interval {interval(*judgement.interval, judgement.unit)}"
    if shown is not None and shown.good is not None:
        yield within(shown)
    several = len(judgement.elements) > 1
    if judgement.count is not None and (several or shown is None or shown.good is None):
        yield f"{short(judgement.count)} samples{f' in {len(judgement.elements)} elements' if several else ''}"


def judged(judgement: Judgement) -> Element | None:
    """Return the element that the judgement's value is of; it is not the worst one where a quorum outvotes some."""
    same = (one for one in judgement.elements if one.labels == judgement.labels)
    return next(same, judgement.elements[0] if judgement.elements else None)


def asked(bound: Bound) -> str:
    """Return the bound with its sign: `<= 5 s`, `between 1 s and 2 s`."""
    return f"{SIGNS[bound.operator]} {' and '.join(humanly(one, bound.unit) for one in bound.values)}"


def away(judgement: Judgement) -> str:
    """Return how far from the bound the value is: `: 26 % worse than asked`."""
    if judgement.margin is None:
        return ""
    share = f"{short(100 * abs(judgement.margin))} %"
    return f": {share} worse than asked" if judgement.margin < 0 else f": {share} to spare"


def within(element: Element) -> str:
    """Return the share that the verdict is made of."""
    good = element.good or 0.0
    if element.slices is not None:
        return f"{round(good * element.slices)} of {element.slices} judged slices are within the bound"
    share = f"{100 * good:.6g} %" if 0.999 <= good < 1 else f"{100 * good:.4g} %"
    return f"{share} of its {short(element.count or 0.0)} observations are within the bound"


def window(judgement: Judgement) -> Iterator[str]:
    """Yield the judged window in UTC and its length."""
    if judgement.window is None:
        return
    start, end = (datetime.fromtimestamp(one, UTC) for one in judgement.window)
    yield f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC, {judgement.window[1] - judgement.window[0]:.0f} s"


def belief(judgement: Judgement, loud: Mapping[str, str]) -> Iterator[str]:
    """Yield whether the verdict can be believed, then every guard that says something."""
    yield _belief(judgement, loud)
    found = told(judgement.signals, judgement.window)
    if found is not None and found.scraped:
        yield f"scraped: {found.scraped}"
    yield from (f"{name}: {text}" for name, text in loud.items())


def _belief(judgement: Judgement, loud: Mapping[str, str]) -> str:
    if judgement.verdict is Verdict.INVALID:
        return "no verdict: what was measured is missing or doubtful, which says nothing about the cluster"
    if judgement.verdict is Verdict.ERROR:
        return "no verdict: Prometheus could not be asked, which says nothing about the cluster"
    if judgement.verdict is Verdict.SKIP or judgement.value is None or judgement.bound is None:
        return ""
    if "close call" in loud:
        return "with care: with as many samples chance alone could turn this verdict"
    complete = "the data are complete" if not loud else "what was found about the data does not speak against it"
    shown = judged(judgement)
    if judgement.interval is not None and shown is not None and shown.slices is None:
        return f"yes: {complete}, and chance alone would not turn the verdict (95 %)"
    return f"yes: {complete}"


def is_quiet(name: str, finding: str) -> bool:
    """Return whether a guard found nothing to tell of."""
    return name in QUIET and QUIET[name].fullmatch(finding) is not None


def node(judgement: Judgement) -> Iterator[Section]:
    """Yield the golden signals of the node in question: what stands out, what is calm, what was not recorded."""
    found = told(judgement.signals, judgement.window)
    if found is None or not found.node:
        was_asked = judgement.time is not None  # else the verdict was known without asking Prometheus
        if was_asked and judgement.verdict in {Verdict.FAIL, Verdict.INVALID}:
            yield "node", ["no golden signals: neither node_exporter nor cAdvisor of any node was recorded"]
        return
    chosen = "" if judgement.labels.get("node") == found.node else " (under the most pressure; the SLO names no node)"
    several = f"{len(found.unusual)} signals stand out" if len(found.unusual) > 1 else "1 signal stands out"
    yield (
        "node",
        [
            f"{found.node}{chosen}: {several if found.unusual else 'nothing stands out'}",
            *found.unusual,
            f"calm: {', '.join(found.calm)}" if found.calm else "",
            f"not recorded: {', '.join(found.missing)}" if found.missing else "",
        ],
    )


def queries(judgement: Judgement) -> Iterator[str]:
    """Yield every query ready to paste, and the time at which it is to be evaluated."""
    if not judgement.queries:
        return
    if judgement.time is not None:
        yield f"to be evaluated at time {judgement.time:.3f}"
    yield from (one if len(one) <= MOST_QUERY else f"{one[:MOST_QUERY]} ... (cut)" for one in judgement.queries)
