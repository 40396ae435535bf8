"""`telescope`: what there is, whether it can run here, and what is left behind."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING
from typing import TextIO

from pytest_telescope import paths
from pytest_telescope.errors import TelescopeError
from pytest_telescope.errors import UsageError

if TYPE_CHECKING:
    from pytest_telescope.slo.planned import Planned

USAGE = 4
"""Exit code of bad input, pytest's own."""
READERS = {
    "report": "make the Allure report of finished runs, with the history of those before",
    "trend": "tell what changed over runs: regressions, improvements, and what could have been seen",
    "compare": "compare two runs, or two sets of runs, honestly",
}
"""Commands that read finished runs; each is `command.py` of the room of its name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 something is red, 4 bad input."""
    arguments = _parsed(argv)
    command: Callable[[argparse.Namespace, TextIO], int] = arguments.command
    try:
        return command(arguments, sys.stdout)
    except UsageError as error:
        print(f"telescope: {error}", file=sys.stderr)
        return USAGE
    except TelescopeError as error:
        print(f"telescope: {error}", file=sys.stderr)
        return 1


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the command's arguments; what `bench` does not know is for pytest, also where it begins with a dash."""
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command is not _bench:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="telescope", description="Benchmarks of managed Kubernetes as pytest tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace, TextIO], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command, command_name=name)
        return sub

    add("list", _list, "list the scenarios with their providers, rows and engines")
    add("validate", _validate, "check scenarios without building anything").add_argument(
        "scenarios", nargs="*", metavar="SCENARIO"
    )
    _add_slo(add("slo", _slo, "look into the library of SLOs, check SLOs, try them on series written by hand"))
    add("schema", _schema, "print the JSON Schema of scenario.yaml")
    add("doctor", _doctor, "check this machine and say what mends it")
    _add_tools(add("tools", _tools, "list or build the pinned tools"))
    for name, text in READERS.items():
        _reader(name).arguments(add(name, _read_results, text))
    _add_reap(add("reap", _reap, "destroy the clusters that a run left behind"))
    _add_sweep(add("sweep", _sweep, "find by tag what a cloud still holds of the harness, and delete it"))
    _add_kube_token(add("kube-token", _kube_token, "print a token for a kubeconfig's exec plugin"))
    add("bench", _bench, "run the local scenario that suits this machine; all other arguments are passed on to pytest")
    return parser


def _reader(name: str) -> ModuleType:
    return importlib.import_module(f"pytest_telescope.{name}.command")


def _read_results(arguments: argparse.Namespace, out: TextIO) -> int:
    code: int = _reader(arguments.command_name).run(arguments, out)
    return code


def _add_tools(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "build"), default="list")
    parser.add_argument("names", nargs="*", metavar="TOOL", help="tools to build; all by default")


def _add_slo(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, name, count, text in (
        ("list", "PATTERN", "*", "list the library, or the entries that match, e.g. kubelet or '*/errors'"),
        ("show", "NAME", "+", "show what an entry means, its bound and the queries it asks"),
        ("lint", "SCENARIO", "*", "check the library and the SLOs of scenarios, and let Prometheus read every query"),
        ("test", "FILE", "+", "judge SLOs on series written by hand (docs/slo-tests.md)"),
    ):
        actions.add_parser(action, help=text, description=text).add_argument("names", nargs=count, metavar=name)


def _add_reap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", help="only clusters of this run, even if it seems alive")
    parser.add_argument("--older-than", metavar="HOURS", type=float, help="only clusters older than this")
    parser.add_argument("--all", action="store_true", help="also clusters of runs that are still alive")
    parser.add_argument("--dry-run", action="store_true", help="say what would be destroyed")


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", dest="provider", required=True, choices=("aks", "eks", "gke"), help="whose cloud")
    parser.add_argument("--region", help="where to look, in the cloud's own words")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--due", action="store_true", help="what is past its due time (the default)")
    which.add_argument("--run", help="everything of this run")
    which.add_argument("--lease", help="everything of this lease")
    parser.add_argument("--delete", action="store_true", help="delete it; without, only say what would go")


def _add_kube_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", choices=("eks", "gke"))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the provider's tokens need")


def _sweep(arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.cluster import sweep_command

    asked = sweep_command.Sweep(
        provider=arguments.provider,
        region=arguments.region,
        run=arguments.run,
        lease=arguments.lease,
        delete=arguments.delete,
    )
    return sweep_command.run(asked, out)


def _kube_token(arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.cluster.clouds.kube_token import credential

    print(json.dumps(credential([arguments.provider, *arguments.arguments])), file=out)
    return 0


def _list(_arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.scenario.command import list_scenarios

    return list_scenarios(out, paths.scenarios())


def _validate(arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.scenario.command import validate

    code = validate(out, paths.scenarios(), arguments.scenarios)
    return code or _lint_slos(arguments.scenarios, out)


def _lint_slos(names: Sequence[str], out: TextIO) -> int:
    """Resolve every SLO of every cell, with every engine, as a run would; print what the lint of the loads says."""
    from pytest_telescope import cells
    from pytest_telescope.scenario.command import all_cells

    loaded = [cells.scenario(name) for name in names or cells.scenario_names()]
    plans = [cells.planned(cell) for scenario in loaded for cell in all_cells(scenario)]
    for note in dict.fromkeys(note for planned in plans for note in planned.notes):
        print(f"note {note}", file=out)
    print(f"{sum(len(planned.slos) for planned in plans)} SLOs resolved", file=out)
    return _read_queries(plans, out)


def _read_queries(plans: Sequence[Planned], out: TextIO) -> int:
    """Let Prometheus read every query where promtool is there already."""
    from pytest_telescope.slo.parsing import unreadable
    from pytest_telescope.toolchain.registry import ready

    if ready("promtool") is None:
        print("note queries were not read by Prometheus: `telescope tools build promtool` makes it possible", file=out)
        return 0
    wrong = unreadable(plans)
    for line in wrong:
        print(line, file=out)
    return USAGE if wrong else 0


def _slo(arguments: argparse.Namespace, out: TextIO) -> int:
    from pathlib import Path

    from pytest_telescope.slo import slo_command

    if arguments.action == "list":
        return slo_command.list_entries(out, arguments.names)
    if arguments.action == "show":
        return slo_command.show(out, arguments.names)
    if arguments.action == "test":
        return slo_command.test(out, [Path(name) for name in arguments.names])
    return _lint_all(arguments.names, out)


def _lint_all(names: Sequence[str], out: TextIO) -> int:
    """Check the library (unless scenarios are named) and the SLOs of scenarios, queries read by Prometheus."""
    from pytest_telescope import cells
    from pytest_telescope.scenario.command import all_cells
    from pytest_telescope.slo import slo_command

    plans: list[Planned] = []
    wrong: list[str] = []
    for name in names or cells.scenario_names():
        try:
            plans += [cells.planned(cell) for cell in all_cells(cells.scenario(name))]
        except UsageError as error:
            wrong += str(error).splitlines()
    return slo_command.lint(out, plans, wrong, whole=not names)


def _schema(_arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.scenario.schema import text

    out.write(text())
    return 0


def _doctor(_arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope import doctor

    return doctor.run(out)


def _tools(arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.toolchain import command

    return command.build_tools(arguments.names, out) if arguments.action == "build" else command.list_tools(out)


def _reap(arguments: argparse.Namespace, out: TextIO) -> int:
    from pytest_telescope.cluster import reaper

    hours = arguments.older_than
    return reaper.reap(
        run=arguments.run,
        older_than=hours * 3600 if hours is not None else None,
        all=arguments.all,
        dry_run=arguments.dry_run,
        report=lambda text: print(text, file=out, flush=True),
    )


def _bench(arguments: argparse.Namespace, out: TextIO) -> int:
    """Run the local scenario that this machine can, saying which and why."""
    from pytest_telescope.doctor import bench_choice

    scenario, why = bench_choice()
    print(f"telescope bench: scenario {scenario} on provider local, because {why}", file=out, flush=True)
    command = [sys.executable, "-m", "pytest", "-m", "local", f"--scenario={scenario}", *arguments.rest]
    return subprocess.run(command, cwd=paths.checkout(), env={**os.environ}, check=False).returncode
