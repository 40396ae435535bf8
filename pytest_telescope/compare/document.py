"""A comparison as JSON, for programs."""

from __future__ import annotations

from typing import Any

from pytest_telescope.compare.model import Cell
from pytest_telescope.compare.model import Finding
from pytest_telescope.compare.model import Report
from pytest_telescope.statistics.paired import Effect

SCHEMA = 1


def document(report: Report) -> dict[str, Any]:
    """Return the comparison as plain data; what is not known is null."""
    return {
        "schema": SCHEMA,
        "kind": "comparison",
        "a": report.a,
        "b": report.b,
        "margin": report.margin,
        "red": report.is_red,
        "cells": [_cell(cell) for cell in report.cells],
        "notes": list(report.notes),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "cell": cell.id,
        "functional": cell.functional,
        "differs": None if cell.differs is None else list(cell.differs),
        "metrics": [_finding(finding) for finding in cell.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    series = finding.series
    return {
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "paired": series.paired,
        "a": {"value": finding.a, "n": finding.counts[0], "values": [one.value for one in series.a]},
        "b": {"value": finding.b, "n": finding.counts[1], "values": [one.value for one in series.b]},
        **_effect(finding.effect),
        "q": finding.q,
        "q_equivalent": finding.q_equivalent,
        "outcome": finding.outcome,
        "lost": series.lost,
        "more": finding.more,
        "notes": list(finding.notes),
    }


def _effect(effect: Effect | None) -> dict[str, Any]:
    """Return ratio or difference of B to A with its 95 % interval."""
    names = ("effect", "low", "high")
    if effect is None:
        return {"scale": None, **dict.fromkeys(names), "p": None}
    values = (effect.estimate, effect.low, effect.high)
    shown = {name: effect.shown(min(value, 700.0)) for name, value in zip(names, values, strict=True)}
    return {"scale": "ratio" if effect.scale == "log" else "difference", **shown, "p": effect.p}
