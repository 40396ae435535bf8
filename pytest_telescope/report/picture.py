"""An SLO over its window as a small SVG: the worst elements, the bound, the steps of the load, the node's signals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from xml.sax.saxutils import escape

from pytest_telescope.report.chart import LINES
from pytest_telescope.report.chart import MARGIN
from pytest_telescope.report.chart import WIDTH
from pytest_telescope.report.chart import Area
from pytest_telescope.report.chart import Scale
from pytest_telescope.report.chart import bands
from pytest_telescope.report.chart import from_to
from pytest_telescope.report.chart import gaps
from pytest_telescope.report.chart import line
from pytest_telescope.report.chart import rule
from pytest_telescope.report.chart import text
from pytest_telescope.report.chart import time_axis
from pytest_telescope.report.chart import value_axis
from pytest_telescope.slo.golden_told import stands_out
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.text import humanly

MOST_LINES = len(LINES)
MOST_SIGNALS = 4
"""Strips of golden signals under the plot, those that stand out first."""
PLOT, STRIP, ROW = 200.0, 34.0, 15.0
"""Heights in pixels: of the plot, of one signal, of one line of text."""
FAR = 20.0
"""Times: a bound further above all values than this is told instead of drawn, so that their course can be seen."""
LONGEST = 118
"""Characters of a line of text that fit."""

STYLE = """
svg{color-scheme:light dark;font:11px system-ui,sans-serif}
.paper{fill:#fff}.ink{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d1d9e0;stroke-width:1}
.band{fill:#f0f3f6}.gap{fill:#8c959f}.bound{stroke:#c62828;stroke-width:1.5;stroke-dasharray:6 4}.limit{fill:#c62828}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.l0{stroke:#0072b2}.l1{stroke:#d55e00}.l2{stroke:#008060}.l3{stroke:#a6408a}.l4{stroke:#6b5b00}.s{stroke:#59636e}
.f0{fill:#0072b2}.f1{fill:#d55e00}.f2{fill:#008060}.f3{fill:#a6408a}.f4{fill:#6b5b00}.fs{fill:#59636e}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117}.ink{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#30363d}
.band{fill:#161b22}.gap{fill:#6e7681}.bound{stroke:#ff7b72}.limit{fill:#ff7b72}
.l0{stroke:#58a6ff}.l1{stroke:#ffa657}.l2{stroke:#3fb990}.l3{stroke:#e79ad0}.l4{stroke:#d8c75a}.s{stroke:#9198a1}
.f0{fill:#58a6ff}.f1{fill:#ffa657}.f2{fill:#3fb990}.f3{fill:#e79ad0}.f4{fill:#d8c75a}.fs{fill:#9198a1}}
"""


def picture(judgement: Judgement, steps: Mapping[str, tuple[float, float]] | None = None) -> str:
    """Return the SVG of a judgement, empty where it has no line to show.

    Args:
        judgement: with traces.
        steps: of the load, name -> (start, end) in unix seconds.
    """
    lines = [one for one in judgement.traces if has_value(one)][:MOST_LINES]
    if not lines or judgement.window is None:
        return ""
    strips = _strips(judgement)
    area = Area(top=MARGIN + 2.4 * ROW, height=PLOT, start=judgement.window[0], end=judgement.window[1])
    legend = area.bottom + 2.2 * ROW
    first_strip = legend + len(lines) * ROW + 4
    height = first_strip + len(strips) * (STRIP + ROW) + 8
    body = [*_head(judgement, lines), *_plot(judgement, lines, area, steps or {}), *_legend(lines, legend)]
    for number, one in enumerate(strips):
        top = first_strip + number * (STRIP + ROW) + ROW
        body += _strip(one, judgement, Area(top=top, height=STRIP, start=area.start, end=area.end))
    return _svg(judgement, height, body)


def has_value(trace: Trace) -> bool:
    """Return whether a line has a point that is a number."""
    return any(value is not None for _, value in trace.points)


def _svg(judgement: Judgement, height: float, body: Sequence[str]) -> str:
    about = escape(f"{judgement.verdict} {judgement.message}")
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" '
            f'height="{height:g}" role="img">',
            f"<title>{about}</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH:g}" height="{height:g}"/>',
            *body,
            "</svg>",
            "",
        )
    )


def _head(judgement: Judgement, lines: Sequence[Trace]) -> Iterator[str]:
    how = lines[0].name.partition(", ")[0]
    yield text(MARGIN, MARGIN + 2, _cut(f"{judgement.verdict} {judgement.message}"), "ink", weight="600")
    yield text(MARGIN, MARGIN + 2 + ROW, f"{judgement.slo}: {how}; times in UTC", "faint")


def _plot(
    judgement: Judgement, lines: Sequence[Trace], area: Area, steps: Mapping[str, tuple[float, float]]
) -> Iterator[str]:
    limits, told = _limits(judgement.bound, lines)
    scale = Scale.over([*_values(lines), *limits])
    yield from bands(area, steps)
    yield from value_axis(area, scale, judgement.unit)
    yield from time_axis(area)
    yield from gaps(area, lines[0].points)
    for number, one in reversed(list(enumerate(lines))):
        yield from line(area, scale, one.points, LINES[number])
    for limit in limits:
        yield from rule(area, scale, limit, f"bound {humanly(limit, judgement.unit)}")
    if told:
        yield text(area.right - 4, area.top + 12, told, "limit", anchor="end")


def _limits(bound: Bound | None, lines: Sequence[Trace]) -> tuple[tuple[float, ...], str]:
    """Return the bounds to draw, and what is told of one that is too far away."""
    if bound is None:
        return (), ""
    highest = max(abs(one) for one in _values(lines))
    if highest > 0 and min(abs(one) for one in bound.values) > FAR * highest:
        return (), f"the bound, {humanly(bound.values[0], bound.unit)}, is far above"
    return bound.values, ""


def _legend(lines: Sequence[Trace], top: float) -> Iterator[str]:
    for number, one in enumerate(lines):
        where = one.name.partition(", ")[2] or one.name
        known = [value for _, value in one.points if value is not None]
        y = top + number * ROW
        yield f'<rect class="f{number}" x="{MARGIN:g}" y="{y - 7:g}" width="14" height="4"/>'
        missing = len(one.points) - len(known)
        holes = f", {missing} of {len(one.points)} points without a value" if missing else ""
        yield text(MARGIN + 20, y, _cut(f"{where}: {from_to(known, one.unit)}{holes}"), "ink")


def _strips(judgement: Judgement) -> list[Trace]:
    known = [one for one in judgement.signals if any(value is not None for _, value in _inside(one, judgement))]
    known.sort(key=lambda one: not stands_out(one, judgement.window))
    return known[:MOST_SIGNALS]


def _inside(trace: Trace, judgement: Judgement) -> list[tuple[float, float | None]]:
    start, end = judgement.window or (-math.inf, math.inf)
    return [(when, value) for when, value in trace.points if start <= when <= end + 1e-3]


def _strip(trace: Trace, judgement: Judgement, area: Area) -> Iterator[str]:
    kept = _inside(trace, judgement)
    known = [value for _, value in kept if value is not None]
    out = stands_out(trace, judgement.window)
    told = f"{trace.name}: {from_to(known, trace.unit)}{', stands out' if out else ''}"
    yield text(area.left, area.top - 4, _cut(told), "limit" if out else "faint")
    yield f'<rect class="band" x="{area.left:g}" y="{area.top:g}" width="{area.width:g}" height="{area.height:g}"/>'
    yield from line(area, Scale.over(known), kept, "s")


def _values(lines: Sequence[Trace]) -> list[float]:
    return [value for one in lines for _, value in one.points if value is not None]


def _cut(told: str) -> str:
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"
