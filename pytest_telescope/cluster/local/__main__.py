"""`python -m pytest_telescope.cluster.local up|down`: what the Terraform module calls."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_telescope.cluster.processes import LEASE
from pytest_telescope.cluster.processes import ROLE
from pytest_telescope.errors import TelescopeError

SPEC = "TELESCOPE_LOCAL_SPEC"
"""Environment variable with the spec as JSON, for a caller that has no file."""


def main(arguments: list[str] | None = None) -> int:
    """Bring a cluster up or down; return 0, or 1 with the reason on stderr."""
    options = _parser().parse_args(arguments)
    try:
        _up(options.spec) if options.command == "up" else _down(options)
    except TelescopeError as error:
        print(f"local cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("local cluster: interrupted; `down` takes away what was started", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pytest_telescope.cluster.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a cluster up and return when it is ready")
    up.add_argument("--spec", type=Path, help=f"JSON file; without it the variable {SPEC} is read")
    down = commands.add_parser("down", help="take a cluster away; may be called again")
    down.add_argument("--lease", type=Path, help='JSON file with "id" and "folder", e.g. an entry of the ledger')
    down.add_argument("--id", help="id of the lease, instead of a file")
    down.add_argument("--folder", type=Path, help="the cluster's own folder, where it is known")
    return parser


def _up(file: Path | None) -> None:
    from pytest_telescope.cluster.local.spec import parse

    spec = parse(file.read_text(encoding="utf-8") if file else os.environ.get(SPEC, ""))
    if os.environ.get(LEASE) != spec.lease or os.environ.get(ROLE) != "up":
        # The mark must be in the environment that the kernel shows of this process, which is the one of its start.
        mark = {LEASE: spec.lease, ROLE: "up"}
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **mark})
    from pytest_telescope.cluster.durable import private_folder
    from pytest_telescope.cluster.durable import write_private
    from pytest_telescope.cluster.local.bringup import up
    from pytest_telescope.cluster.local.layout import Layout
    from pytest_telescope.cluster.local.steps import Steps
    from pytest_telescope.cluster.local.steps import steps
    from pytest_telescope.toolchain import tool

    layout = Layout(spec.folder)
    layout.error.unlink(missing_ok=True)
    try:
        facts = up(spec, tool, Steps.from_environment(_teller(len(steps(spec)))))
    except TelescopeError as error:
        private_folder(layout.folder)
        private_folder(layout.logs)
        write_private(layout.error, f"{error}\n")
        raise
    print(f"cluster {spec.name} is ready after {facts['facts']['seconds-to-ready']} s: {json.dumps(facts['steps'])}")


def _teller(total: int) -> Callable[[str], None]:
    """Return what prints a line for every step done; Terraform's log has it at once."""
    numbers = itertools.count(1)
    return lambda name: print(f"step {next(numbers)}/{total} done: {name}", flush=True)


def _down(options: argparse.Namespace) -> None:
    from pytest_telescope.cluster.local.teardown import down

    if options.lease:
        entry = json.loads(options.lease.read_text(encoding="utf-8"))
        down(entry["id"], Path(entry["folder"]) / "cluster")
    elif options.id:
        down(options.id, options.folder)
    else:
        raise TelescopeError("down needs --lease FILE or --id ID")


if __name__ == "__main__":
    sys.exit(main())
