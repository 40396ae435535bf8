"""What is asked before anything is built: the providers whether they can, and a person whether they may."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.errors import PreflightError
from pytest_telescope.errors import UsageError

if TYPE_CHECKING:
    from pytest_telescope.slo.planned import Planned


def ask_providers(plans: Iterable[Planned], attach: Path | None) -> None:
    """Ask every provider whether it can serve every spec, in seconds, before anything is built.

    Raises:
        UsageError: one cannot; every refusal is named.
    """
    from pytest_telescope.arms import too_dear
    from pytest_telescope.cluster.providers import source
    from pytest_telescope.paying import refusal

    wanted = [planned for planned in plans if planned.skip is None]
    asked = set()
    refusals = too_dear(wanted) if attach is None else []
    for planned in wanted:
        spec = (planned.cell.provider, planned.cell.cluster.model_dump_json())
        try:
            if spec not in asked:  # the repeats of a comparison have the same
                asked.add(spec)
                source(planned.cell.provider, attach).preflight(planned.cell.cluster)
            if attach is None and (refused := refusal(planned.cell.provider, [planned.cell])):
                refusals.append(f"{planned.cell.id}: {refused}")
        except PreflightError as error:
            if error.cause != "capacity":  # that comes and goes: red in test_provision, the other cells run
                refusals.append(f"{planned.cell.id}: {error}")
    if refusals:
        raise UsageError("\n".join(refusals))


def agree(provider: str, kubeconfig: Path, *, capture: Any, yes: bool) -> None:
    """Show the cluster that `--attach` names, and ask on a terminal before a load is put on it.

    Args:
        provider: what the cluster is of.
        kubeconfig: whose current context it is.
        capture: pytest's capture manager, None where nothing is captured.
        yes: do not ask.

    Raises:
        UsageError: the answer is not yes, or there is nobody to ask and no --yes.
    """
    from pytest_telescope.cluster.attached import AttachedProvider

    lines = AttachedProvider(of=provider, kubeconfig=kubeconfig).look().lines()
    if capture is not None:  # at this time pytest holds nothing but standard input; it takes it again with the items
        capture.suspend_global_capture(in_=True)
    print("The load goes to this cluster:", *lines, sep="\n  ", file=sys.stderr, flush=True)
    if not yes:
        _ask()


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError("--attach: there is no terminal to ask on: look at the cluster above, then say --yes")
    print("Type yes to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise UsageError("--attach: not agreed to; nothing was done")
