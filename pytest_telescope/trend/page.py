"""All trends as one page that needs nothing but itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib import resources
from itertools import groupby

from pytest_telescope.trend.drawing import picture
from pytest_telescope.trend.model import STATES
from pytest_telescope.trend.model import Trend
from pytest_telescope.trend.table import details
from pytest_telescope.trend.table import summary

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Nothing is ever loaded, from anywhere."""


def page(trends: Sequence[Trend]) -> str:
    """Return the page: cells in alphabetical order, in each the most urgent series first."""
    ordered = sorted(trends, key=lambda one: (one.series.cell, STATES.index(one.state), one.series.metric))
    cells = "".join(_cell(cell, list(group)) for cell, group in groupby(ordered, key=lambda one: one.series.cell))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Trends</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<style>{_file('page.css')}</style></head><body><header><h1>Trends</h1><p>{escape(summary(trends))}</p>"
        f"{_filters(trends)}{_legend()}</header><main>{cells}</main><script>{_file('page.js')}</script></body></html>\n"
    )


def _file(name: str) -> str:
    return resources.files("pytest_telescope.trend").joinpath(name).read_text(encoding="utf-8")


def _filters(trends: Sequence[Trend]) -> str:
    counts = Counter(one.state for one in trends)
    boxes = "".join(
        f'<label><input type="checkbox" checked value="{_class(state)}"> {state} {counts[state]}</label>'
        for state in STATES
        if counts[state]
    )
    return f'<form><input type="search" placeholder="cell or metric" aria-label="cell or metric">{boxes}</form>'


def _legend() -> str:
    return (
        '<p class="legend"><i class="dot"></i> a run <i class="stroke interval"></i> 95 % interval within the run '
        '<i class="stroke level"></i> level <i class="stroke bound"></i> bound '
        '<i class="stroke break"></i> other fingerprint, never compared <i class="x">x</i> no sound value</p>'
    )


def _cell(cell: str, trends: Sequence[Trend]) -> str:
    note = " <small>functional: no performance figure of a cloud</small>" if trends[0].series.functional else ""
    cards = "".join(map(_card, trends))
    return f'<section><h2>{escape(cell)}{note}</h2><div class="cards">{cards}</div></section>'


def _card(trend: Trend) -> str:
    name = escape(f"{trend.series.cell} {trend.series.metric}", quote=True)
    more = "".join(f"<li>{escape(text)}</li>" for text in details(trend))
    head = f"<h3>{escape(trend.series.metric)} <b>{trend.state}</b></h3><p>{escape(trend.said)}</p>"
    tail = f"<ul>{more}</ul>" if more else ""
    return f'<article class="{_class(trend.state)}" data-name="{name}">{head}{picture(trend)}{tail}</article>'


def _class(state: str) -> str:
    return state.replace(" ", "-")
