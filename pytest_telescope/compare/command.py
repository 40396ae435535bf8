"""`telescope compare A B`: two runs, lists of runs or arms, number by number; and the calibration of noise."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING
from typing import TextIO

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_telescope.compare.differing import Documents
    from pytest_telescope.compare.model import Report
    from pytest_telescope.report.record import Record

RED = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN[,RUN]",
        help="A and B: run ids, run folders or results.jsonl, with commas between repeats; one alone: the arms of --ab",
    )
    parser.add_argument("--margin", default="5%", help="within this share two numbers count as equivalent (5%%)")
    parser.add_argument("--paired", action="store_true", help="the first run of A goes with the first of B, and so on")
    parser.add_argument(
        "--providers", metavar="A,B", help="compare the cells of one provider with those of another, e.g. aks,eks"
    )
    parser.add_argument("--cell", action="append", metavar="PATTERN", help="only these cells, e.g. 'aks-cri--*'")
    parser.add_argument("--metric", action="append", metavar="PATTERN", help="only these metrics")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="for people or for programs")
    parser.add_argument(
        "--fail", action="store_true", help="exit 1 where B is worse, lost a number, or nothing can be compared"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="store how much the numbers of these runs of one thing vary"
    )
    parser.add_argument(
        "--noise", metavar="FILE", help="the noise floor (default: noise.json in the folder of all runs)"
    )
    parser.add_argument("--telescope-dir", metavar="DIR", help="the folder of all runs (default: .telescope)")


def run(arguments: argparse.Namespace, out: TextIO) -> int:
    """Compare, or calibrate, and print; return 1 with --fail where it is red, else 0.

    Raises:
        UsageError: a run is none, or the options do not go together.
    """
    from pathlib import Path

    from pytest_telescope import paths
    from pytest_telescope.errors import UsageError
    from pytest_telescope.statistics.noise import FILE

    base = Path(arguments.telescope_dir) if arguments.telescope_dir else paths.checkout() / ".telescope"
    noise = Path(arguments.noise) if arguments.noise else base / FILE
    if arguments.calibrate:
        return _calibrate(arguments, base, noise, out)
    if arguments.noise and not noise.exists():
        raise UsageError(f"--noise {noise}: no such file: `telescope compare --calibrate RUN...` writes one")
    report = _report(arguments, base, noise)
    _print(report, arguments.format, out)
    return RED if arguments.fail and report.is_red else 0


def _print(report: Report, form: str, out: TextIO) -> None:
    if form == "json":
        import json

        from pytest_telescope.compare.document import document

        print(json.dumps(document(report), indent=1, allow_nan=False), file=out)
        return
    import shutil

    from pytest_telescope.compare.table import WIDTH
    from pytest_telescope.compare.table import table

    colour = out.isatty()
    print(
        table(report, width=shutil.get_terminal_size((WIDTH, 0)).columns if colour else WIDTH, colour=colour), file=out
    )


def _calibrate(arguments: argparse.Namespace, base: Path, noise: Path, out: TextIO) -> int:
    from pytest_telescope.compare.calibrating import calibrated
    from pytest_telescope.compare.table import noise_lines
    from pytest_telescope.errors import UsageError
    from pytest_telescope.statistics.noise import write

    found, left = calibrated(_records(arguments, ",".join(arguments.runs), base))
    for line in (*noise_lines(found), *(f"left out: {line}" for line in left)):
        print(line, file=out)
    if not found:
        raise UsageError("no number has two pairs or runs of one fingerprint: nothing was stored")
    print(f"{len(found)} numbers stored, {write(noise, found)} in {noise}", file=out)
    return 0


def _report(arguments: argparse.Namespace, base: Path, noise: Path) -> Report:
    from pytest_telescope.compare import comparing
    from pytest_telescope.compare.options import margin_of
    from pytest_telescope.compare.options import providers_of
    from pytest_telescope.compare.options import two_sides
    from pytest_telescope.statistics.noise import read

    margin, across = margin_of(arguments.margin), providers_of(arguments.providers)
    names = two_sides(arguments.runs, across)
    sides = [_records(arguments, name, base) for name in names]
    documents = _documents(names, base)
    floor = read(noise)
    if len(sides) == 1:
        _need_arms(sides[0], names[0])
        return comparing.of_arms(sides[0], documents, margin=margin, floor=floor)
    if across is None:
        _need_two(*sides)
    return comparing.of_runs(
        sides[0], sides[1], documents, paired=arguments.paired, across=across, margin=margin, floor=floor
    )


def _need_two(a: list[Record], b: list[Record]) -> None:
    from pytest_telescope.errors import UsageError

    if both := {one.run for one in a} & {one.run for one in b}:
        raise UsageError(f"{min(both)} is in A and in B: a run compared with itself says nothing; name each side once")


def _need_arms(records: list[Record], name: str) -> None:
    from pytest_telescope.errors import UsageError

    if not any(record.arm is not None for record in records):
        raise UsageError(
            f"{name}: no arms of --ab or --aa in it, so there is nothing to compare: name two runs, A and B"
        )


def _records(arguments: argparse.Namespace, names: str, base: Path) -> list[Record]:
    """Return the records of several runs that are asked for.

    Raises:
        UsageError: a run is none, or nothing of it is asked for.
    """
    from fnmatch import fnmatchcase

    from pytest_telescope.errors import UsageError
    from pytest_telescope.report.reading import read_runs

    def asked(text: str, patterns: list[str] | None) -> bool:
        return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)

    found = list(read_runs(_split(names), base=base))
    kept = [one for one in found if asked(one.cell, arguments.cell) and asked(one.metric, arguments.metric)]
    if not kept:
        known = ", ".join(dict.fromkeys(one.cell for one in found)) or "no cell"
        raise UsageError(f"{names}: nothing to compare: it has {known}")
    return kept


def _documents(names: list[str], base: Path) -> Documents:
    """Return what finds the cell.json of the runs; a file with several runs in it counts for its first."""
    from itertools import islice

    from pytest_telescope.compare.differing import in_folders
    from pytest_telescope.report.reading import find_run
    from pytest_telescope.report.reading import read_results

    files = [find_run(one, base) for name in names for one in _split(name)]
    return in_folders({record.run: file.parent for file in files for record in islice(read_results(file), 1)})


def _split(names: str) -> list[str]:
    return [name for name in names.split(",") if name]
