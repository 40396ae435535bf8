"""The table that closes a run: one block a cell, one line an SLO."""

from __future__ import annotations

import io
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.report.folder import CellFolder
from pytest_telescope.report.sparkline import sparkline
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.text import humanly

WIDE = 110
"""Columns from which on the table shows how each SLO went."""
STYLE = {"PASS": "green", "FAIL": "red", "INVALID": "magenta", "ERROR": "yellow", "SKIP": "dim"}


def closing_table(cells: Iterable[tuple[str, CellFolder]], *, width: int, colour: bool) -> str:
    """Return the tables as text, with ANSI colours if asked."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        color_system="standard" if colour else None,
    )
    for cell_id, folder in cells:
        _cell(console, cell_id, folder)
    return out.getvalue().rstrip()


def _cell(console: Any, cell_id: str, folder: CellFolder) -> None:
    from rich import box
    from rich.table import Table

    rows = [(row(one), line_of(one)) for one in folder.records("judgements.jsonl")]
    about = folder.read("cell.json") or {}
    note = "  (functional: no performance figure of a cloud)" if about.get("functional") else ""
    console.print(f"\n{cell_id}{note}", style="bold", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for heading in ("SLO", "value", "bound", "margin", "samples", "verdict"):
        right = heading in {"value", "bound", "margin", "samples"}
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading != "SLO")
    has_lines = console.width >= WIDE and any(line for _, line in rows)
    if has_lines:
        table.add_column("over the window", no_wrap=True)
    for cells, line in rows:
        table.add_row(*cells, *([line] if has_lines else []), style=None)
    console.print(table) if rows else console.print(f"{cell_id}: nothing was judged", style="red")
    console.print("  ".join(durations(folder)), style="dim")


def row(judgement: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """Return one line of the table; what was not measured is a dash."""
    verdict = judgement["verdict"]
    bound = judgement.get("bound") or {}
    value, margin, count = judgement["value"], judgement["margin"], judgement["count"]
    return (
        judgement["slo"],
        humanly(value, judgement["unit"]) if value is not None else "-",
        f"{SIGNS.get(bound.get('operator', ''), '')} {bound.get('text', '-')}".strip(),
        f"{margin:+.0%}" if margin is not None else "-",
        f"{count:.0f}" if count is not None else "-",
        f"[{STYLE[verdict]}]{verdict}[/]",
    )


def line_of(judgement: Mapping[str, Any]) -> str:
    """Return how the worst element went over the window, empty where no line was asked for."""
    traces = judgement.get("traces") or ()
    points = traces[0]["points"] if traces else ()
    bound = judgement.get("bound")
    edge = Bound(**{**bound, "values": tuple(bound["values"])}) if bound else None
    return sparkline([value for _, value in points], edge) if points else ""


def durations(folder: CellFolder) -> list[str]:
    """Return how long each stage took."""
    return [f"{r['stage']} {r['ended'] - r['started']:.1f} s" for r in folder.records("status.jsonl")]
