"""The command line of the plugin, and what it chooses."""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_telescope.arms import Comparison
from pytest_telescope.arms import compared
from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.names import PROVIDERS

_UNSET = {"", "0", "false", "no"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line asks for; `providers` and `scenarios` are both empty for a run of unit tests."""

    providers: tuple[str, ...]
    scenarios: tuple[str, ...]
    rows: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    replay: Path | None = None
    attach: Path | None = None
    """Kubeconfig of the cluster that is there already."""
    comparison: Comparison | None = None
    """The arms of `--ab` or `--aa`, run in turn."""

    @property
    def benchmark(self) -> bool:
        """Whether clusters are built or a run is judged again, rather than unit tests run."""
        return bool(self.providers and self.scenarios) or self.replay is not None


def add(parser: pytest.Parser) -> None:
    """Add the plugin's options to pytest's command line."""
    group = parser.getgroup("telescope", "benchmarks of managed Kubernetes")
    group.addoption(
        "--scenario", action="append", default=[], metavar="NAME[,NAME]", help="scenarios to run; goes with -m PROVIDER"
    )
    group.addoption("--row", action="append", default=[], metavar="NAME[,NAME]", help="only these rows of the matrix")
    group.addoption(
        "--engine",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="load engines instead of the scenario's default",
    )
    group.addoption(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="telescope_set",
        help="override a row value or a dotted path of scenario.yaml",
    )
    _add_comparison(group)
    group.addoption("--plan", action="store_true", help="say what would be built, run and asked; build nothing")
    group.addoption("--keep", action="store_true", help="do not destroy the clusters; `telescope reap` does it later")
    group.addoption("--keep-in-ci", action="store_true", help="--keep, also where CI or TF_BUILD is set")
    group.addoption(
        "--attach", metavar="KUBECONFIG", help="run on the cluster of its current context, which is never destroyed"
    )
    group.addoption("--yes", action="store_true", help="do not ask before a load is put on an attached cluster")
    group.addoption(
        "--allow-exec",
        action="store_true",
        help="let ClusterLoader2 configs run commands of their own on this machine (measurement Exec)",
    )
    group.addoption("--replay", metavar="RUN", help="judge a finished run again, offline, with today's SLOs")
    group.addoption(
        "--tool", action="append", default=[], metavar="NAME=PATH", help="use this binary instead of the pinned one"
    )
    group.addoption(
        "--telescope-dir", metavar="DIR", help="where run folders go (default: .telescope below the root folder)"
    )
    group.addoption(
        "--shard",
        metavar="I/N",
        help="run only this share of the clusters; read from Azure DevOps' parallel strategy by itself",
    )


def _add_comparison(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--ab",
        metavar="NAME=OLD,NEW",
        help="run each cell with both values of what --set can set, in turn, and compare them",
    )
    group.addoption(
        "--aa", action="store_true", help="run each cell twice as it is, in turn, and store how much its numbers vary"
    )
    group.addoption("--repeats", metavar="N", help="pairs of --ab or --aa (default: 5)")


def choose(config: pytest.Config) -> Choice:
    """Read the choice off the command line.

    Raises:
        pytest.UsageError: a provider without --scenario, or --scenario without a provider in -m.
    """
    scenarios = split(config.getoption("scenario"))
    providers = providers_named(config.getoption("markexpr") or "")
    replay, attach = config.getoption("replay"), config.getoption("attach")
    keeps(config, os.environ)
    sets = tuple(assignment(text, "--set") for text in config.getoption("telescope_set"))
    comparison = _comparison(config, providers, scenarios, sets)
    if attach is not None:
        _check_attach(config, providers)
    if replay is None:
        _both_or_none(providers, scenarios, config.getoption("markexpr") or "")
    return Choice(
        providers=providers,
        scenarios=scenarios,
        rows=split(config.getoption("row")),
        engines=split(config.getoption("engine")),
        sets=sets,
        replay=Path(replay) if replay else None,
        attach=Path(attach).absolute() if attach else None,
        comparison=comparison,
    )


def _comparison(
    config: pytest.Config, providers: tuple[str, ...], scenarios: tuple[str, ...], sets: tuple[tuple[str, str], ...]
) -> Comparison | None:
    """Return what --ab, --aa and --repeats ask for.

    Raises:
        pytest.UsageError: they do not go together, with each other or with another option.
    """
    ab, aa, repeats = config.getoption("ab"), bool(config.getoption("aa")), config.getoption("repeats")
    if ab is None and not aa:
        if repeats is not None:
            raise pytest.UsageError("--repeats counts the pairs of a comparison: add --ab NAME=OLD,NEW or --aa")
        return None
    option = "--ab" if ab is not None else "--aa"
    if config.getoption("replay") is not None:
        raise pytest.UsageError(
            f"--replay judges a run as it was: leave {option} out; `telescope compare RUN` reads it"
        )
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(f"{option} runs its arms one after the other, so that both see the same: leave -n out")
    if not (providers and scenarios):
        raise pytest.UsageError(f"{option} needs cells to compare: add -m PROVIDER and --scenario=NAME")
    try:
        return compared(ab, aa, repeats, dict(sets))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def keeps(config: pytest.Config, environ: Mapping[str, str]) -> bool:
    """Return whether clusters outlive the run.

    Raises:
        pytest.UsageError: --keep in CI, where nobody comes back for what is kept.
    """
    if config.getoption("keep_in_ci"):
        return True
    told = next((name for name in ("CI", "TF_BUILD") if environ.get(name, "").lower() not in _UNSET), None)
    if config.getoption("keep") and told is not None:
        raise pytest.UsageError(
            f"--keep: {told}={environ[told]} says that this is CI, where nobody comes back for a cluster that is kept "
            "and paid for; leave it out, or say --keep-in-ci"
        )
    return bool(config.getoption("keep"))


def _check_attach(config: pytest.Config, providers: tuple[str, ...]) -> None:
    """Refuse what makes no sense with a cluster that is there already.

    Raises:
        pytest.UsageError: not exactly one provider in -m, or an option that does not go with --attach.
    """
    if len(providers) != 1:
        said = f"names {' and '.join(providers)}" if providers else "names none"
        raise pytest.UsageError(
            f"--attach needs the one provider that the cluster is of, and -m {said}: add -m {', '.join(PROVIDERS)}"
        )
    if config.getoption("keep") or config.getoption("keep_in_ci"):
        raise pytest.UsageError("--attach never destroys the cluster: leave --keep out")
    if config.getoption("replay") is not None:
        raise pytest.UsageError("--replay needs no cluster: leave --attach out")
    if getattr(config.option, "numprocesses", None):
        raise pytest.UsageError("--attach: one cluster takes one load at a time: leave -n out")


def _both_or_none(providers: tuple[str, ...], scenarios: tuple[str, ...], expression: str) -> None:
    if scenarios and not providers:
        said = f"-m {expression!r} names none" if expression else "add -m PROVIDER"
        close = difflib.get_close_matches(expression, PROVIDERS, 1)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise pytest.UsageError(
            f"--scenario={','.join(scenarios)} needs a provider: {said}{hint} There are {', '.join(PROVIDERS)}"
        )
    if providers and not scenarios:
        from pytest_telescope.cells import scenario_names

        raise pytest.UsageError(
            f"-m {' or '.join(providers)} needs --scenario: one of {', '.join(scenario_names()) or '(none found)'}"
        )


def split(values: Iterable[str]) -> tuple[str, ...]:
    """Return the names of a repeatable, comma-separated option, first mention first, each once."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def assignment(text: str, option: str) -> tuple[str, str]:
    """Split `name=value`.

    Raises:
        pytest.UsageError: there is no `=` or no name.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise pytest.UsageError(f"{option} {text!r}: expected NAME=VALUE")
    return name, value


def providers_named(expression: str) -> tuple[str, ...]:
    """Return the providers that a `-m` expression names and does not exclude.

    `aks or eks` gives both; `not aks` none; a name that is no provider may be true or false.
    """
    if not set(re.findall(r"\w+", expression)) & set(PROVIDERS):
        return ()
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        return ()  # pytest itself explains what is wrong with it
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return tuple(name for name in PROVIDERS if name in named and _holds(tree, name) is not False)


def _holds(node: ast.expr, provider: str) -> bool | None:
    """Evaluate for a cell of `provider`; None where it depends on marks that are no providers."""
    match node:
        case ast.Name(id=name):
            return name == provider if name in PROVIDERS else None
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            value = _holds(operand, provider)
            return None if value is None else not value
        case ast.BoolOp(op=ast.And(), values=values):
            return _all([_holds(value, provider) for value in values])
        case ast.BoolOp(values=values):
            negated = _all([None if (v := _holds(value, provider)) is None else not v for value in values])
            return None if negated is None else not negated
        case _:
            return None


def _all(values: list[bool | None]) -> bool | None:
    if False in values:
        return False
    return None if None in values else True
