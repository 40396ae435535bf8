"""`telescope report RUN...`: the HTML report of a run that is over."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TextIO

if TYPE_CHECKING:
    from pytest_telescope.report.html import Made
    from pytest_telescope.report.html import Options
    from pytest_telescope.report.sources import Source

LIMIT = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="run id, run folder, its publish/, a replay, or a folder of Allure results; "
        "several: the parts of one run; none: the newest run",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="where the report goes (default: publish/report of the newest RUN)"
    )
    parser.add_argument("--name", help="what it is called (default: the build number of the agent, else the run id)")
    parser.add_argument(
        "--history",
        metavar="FILE",
        help="carries earlier runs from report to report (default: .telescope/history.jsonl)",
    )
    parser.add_argument("--history-limit", metavar="N", type=int, default=LIMIT, help="runs kept of each cell")
    parser.add_argument("--no-history", action="store_true", help="neither show earlier runs nor remember this one")
    parser.add_argument(
        "--single-file",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="one file that opens offline, or (--no-single-file) a folder for a web server",
    )
    parser.add_argument(
        "--gate",
        nargs="?",
        const="",
        metavar="FILE",
        help="check the quality gate too (default: modules/report/gate.yaml); exit 1 if a rule is broken",
    )
    parser.add_argument("--telescope-dir", metavar="DIR", help="the folder of all runs (default: .telescope)")


def run(arguments: argparse.Namespace, out: TextIO) -> int:
    """Make the report, say where it is; return 1 if the gate is broken or a result could not be read, else 0.

    Raises:
        UsageError: A RUN is none, or an option cannot be honoured.
        ToolError: Node.js or Allure cannot be had, or failed.
    """
    from pytest_telescope.report import html
    from pytest_telescope.report.reading import BASE
    from pytest_telescope.report.sources import find

    base = Path(arguments.telescope_dir) if arguments.telescope_dir else BASE
    sources = find(arguments.runs or _newest(base), base)
    made = html.make(sources, _options(arguments, base, sources), lambda line: print(line, file=out, flush=True))
    return _say(made, out)


def _options(arguments: argparse.Namespace, base: Path, sources: list[Source]) -> Options:
    from pytest_telescope.errors import UsageError
    from pytest_telescope.report import gate
    from pytest_telescope.report.html import Options

    if arguments.history_limit < 1:
        raise UsageError(f"--history-limit {arguments.history_limit}: expected 1 or more, or --no-history")
    file = Path(arguments.history) if arguments.history else base / "history.jsonl"
    return Options(
        output=(Path(arguments.out) if arguments.out else sources[-1].publish / "report").absolute(),
        history=None if arguments.no_history else file.absolute(),
        limit=arguments.history_limit,
        name=arguments.name,
        single_file=arguments.single_file,
        gate=None if arguments.gate is None else gate.load(Path(arguments.gate) if arguments.gate else gate.default()),
    )


def _newest(base: Path) -> list[str]:
    """Return the newest run that has results.

    Raises:
        UsageError: There is none.
    """
    from pytest_telescope.errors import UsageError

    runs = sorted(path for path in (base / "runs").glob("*") if any(path.glob("publish/allure-results/*-result.json")))
    if not runs:
        raise UsageError(f"no run with results in {base / 'runs'}: name one, or run a scenario first (make bench)")
    return [str(runs[-1])]


def _say(made: Made, out: TextIO) -> int:
    counts = ", ".join(f"{number} {status}" for status, number in sorted(made.answer.statuses.items()))
    earlier = f"beside {made.earlier} earlier runs" if made.earlier != 1 else "beside 1 earlier run"
    print(f"report: {made.index} ({made.answer.results} results: {counts}; {earlier})", file=out)
    for note in made.notes:
        print(f"note {note}", file=out)
    for line in made.wrong:
        print(f"WRONG {line}", file=out)
    for line in made.answer.broken:
        print(f"GATE {line}", file=out)
    return 1 if made.answer.broken or made.wrong else 0
