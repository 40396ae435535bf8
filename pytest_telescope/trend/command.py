"""`telescope trend`: its options, and what it prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TextIO

from pytest_telescope.errors import UsageError

if TYPE_CHECKING:
    from pytest_telescope.trend.acknowledged import Acknowledgement
    from pytest_telescope.trend.model import Trend
    from pytest_telescope.trend.sources import Sources
    from pytest_telescope.trend.verdicts import Floors

OK, RED = 0, 1
ACKS = "trend.acks.yaml"
NOISE = "noise.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run ids, run folders or results.jsonl (default: all)")
    parser.add_argument(
        "--telescope-dir", type=Path, metavar="DIR", help="the folder of all runs (default: .telescope)"
    )
    parser.add_argument("--cell", default="*", metavar="PATTERN", help="only cells like this, e.g. 'aks-*'")
    parser.add_argument("--metric", default="*", metavar="PATTERN", help="only metrics like this, e.g. 'pod-*'")
    parser.add_argument("--since", metavar="DATE|RUN", help="only runs from this day (UTC) or run on")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a page with every series too; it opens offline"
    )
    parser.add_argument("--all", action="store_true", help="show series too where nothing happened")
    parser.add_argument("--fail", action="store_true", help="exit 1 where a regression stands and is not acknowledged")
    parser.add_argument("--acks", type=Path, metavar="FILE", help=f"known changes (default: {ACKS} where it is there)")
    parser.add_argument(
        "--noise", type=Path, metavar="FILE", help=f"noise floors of `telescope compare --calibrate` (default: {NOISE})"
    )


def run(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the trends; return the exit code: 1 with `--fail` where a regression stands.

    Raises:
        UsageError: a run, a file or a date cannot be read, or no series is left.
    """
    from pytest_telescope.trend.sources import sources

    found = sources(arguments.runs, arguments.telescope_dir)
    known = _acknowledged(arguments)
    trends = _trends(arguments, found, known)
    if arguments.html:
        _write_page(arguments.html, trends)
    _print(arguments, trends, [*found.refused, *_notes(known, trends)], out)
    return RED if arguments.fail and any(one.state == "regression" for one in trends) else OK


def _notes(known: Sequence[Acknowledgement], trends: Sequence[Trend]) -> list[str]:
    from pytest_telescope.trend.acknowledged import unused

    return [f"acknowledged, but no change: {one.cell} {one.metric} at {one.run}" for one in unused(known, trends)]


def _trends(arguments: argparse.Namespace, found: Sources, known: Sequence[Acknowledgement]) -> list[Trend]:
    from pytest_telescope.trend.gathering import gather
    from pytest_telescope.trend.sources import Abouts
    from pytest_telescope.trend.verdicts import trends

    since = moment(arguments.since) if arguments.since else 0.0
    series = gather(found.records(), cells=arguments.cell, metrics=arguments.metric, since=since)
    if not series:
        raise UsageError(f"{len(found.files)} runs, but no series: {_asked(arguments)}")
    runs = sorted({point.run for one in series for point in one.points})
    return trends(
        series,
        floors=_floors(arguments),
        acknowledged=known,
        differs=Abouts(found.files, runs).differences,
    )


def _asked(arguments: argparse.Namespace) -> str:
    since = f" since {arguments.since}" if arguments.since else ""
    return (
        f"nothing fits --cell {arguments.cell} --metric {arguments.metric}{since}; "
        "arms of comparisons are left out, `telescope compare` reads them"
    )


def moment(text: str) -> float:
    """Return unix seconds of a day, a moment or a run id.

    Raises:
        UsageError: it is none of them.
    """
    from pytest_telescope.trend.gathering import time_of

    if when := time_of(text):
        return when
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since {text}: expected a day (2026-01-31), a moment or a run id") from None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


def _acknowledged(arguments: argparse.Namespace) -> Sequence[Acknowledgement]:
    from pytest_telescope.trend.acknowledged import read

    file = arguments.acks or Path(ACKS)
    return read(file) if arguments.acks or file.exists() else ()


def _floors(arguments: argparse.Namespace) -> Floors:
    from pytest_telescope.report.reading import BASE
    from pytest_telescope.statistics.noise import read_noise

    file = arguments.noise or (arguments.telescope_dir or BASE) / NOISE
    if arguments.noise and not file.is_file():
        raise UsageError(f"--noise {file}: no such file: `telescope compare --calibrate RUN...` writes one")
    return read_noise(file)


def _write_page(file: Path, trends: Sequence[Trend]) -> None:
    from pytest_telescope.trend.page import page

    try:
        file.write_text(page(trends), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {file}: cannot be written: {error.strerror}") from error


def _print(arguments: argparse.Namespace, trends: Sequence[Trend], notes: Sequence[str], out: TextIO) -> None:
    if arguments.format == "json":
        from pytest_telescope.trend.machine import document

        json.dump(document(trends, notes=notes), out, indent=1)
        out.write("\n")
        return
    from pytest_telescope.report.sparkline import is_unicode
    from pytest_telescope.report.sparkline import plain
    from pytest_telescope.trend.table import table

    width, colour = _terminal(out)
    text = table(trends, width=width, colour=colour, every=arguments.all)
    for line in notes:
        print(f"note: {line}", file=out)
    print(text if is_unicode(getattr(out, "encoding", None) or "utf-8") else plain(text), file=out)


def _terminal(out: TextIO) -> tuple[int, bool]:
    """Return the columns of where it is printed, and whether it shows colours."""
    import os
    import shutil

    is_terminal = out.isatty()
    colour = (is_terminal or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
    return shutil.get_terminal_size((120, 24)).columns if is_terminal else 120, colour
