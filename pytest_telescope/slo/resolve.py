"""From SLOs as written to SLOs that can be judged; every mistake is found here, before anything is built."""

from __future__ import annotations

from typing import Any

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.slo import library
from pytest_telescope.slo import versions
from pytest_telescope.slo.builtin import RESERVED
from pytest_telescope.slo.builtin import skips
from pytest_telescope.slo.checks import checked
from pytest_telescope.slo.checks import min_count
from pytest_telescope.slo.draft import Draft
from pytest_telescope.slo.draft import Mistake
from pytest_telescope.slo.draft import MistakesError
from pytest_telescope.slo.draft import draft
from pytest_telescope.slo.model import Slo

__all__ = ["RESERVED", "resolve"]


def resolve(cell: Cell, capabilities: frozenset[str]) -> tuple[Slo, ...]:
    """Resolve a cell's SLOs, the built-in ones first.

    Args:
        cell: with its SLOs as written.
        capabilities: what clusters of the provider can show at most; an SLO that needs more carries `skip`.

    Raises:
        UsageError: all mistakes of all SLOs, a line each, with the file and line of the key.
    """
    wrong: list[str] = []
    written: dict[str, Slo] = {}
    for number, spec in enumerate(cell.slos, start=1):
        try:
            slo = _resolved(spec, cell, capabilities)
        except MistakesError as error:
            name = spec.id or spec.use or f"number {number}"
            wrong.extend(f"{one.place or spec.place or cell.place}: slo {name}: {one.text}" for one in error.found)
            continue
        if slo.id in written:
            where = spec.place_of("id") or cell.place
            wrong.append(
                f"{where}: slo {slo.id}: the id is taken by another SLO of this cell: give it an id of its own"
            )
        written[slo.id] = slo
    if wrong:
        raise UsageError("\n".join(dict.fromkeys(wrong)))
    own = {**_builtin(cell, capabilities), **written}
    return tuple(own.values())


def _builtin(cell: Cell, capabilities: frozenset[str]) -> dict[str, Slo]:
    known = _known_builtins.setdefault((cell.provider, cell.cluster.kubernetes_version, capabilities), {})
    idle = skips(cell)
    for name, skip in idle.items():
        if (name, skip) not in known:
            known[name, skip] = _builtin_anew(cell, capabilities, name, skip)
    return {name: known[name, skip] for name, skip in idle.items()}


_known_builtins: dict[tuple[str, str | None, frozenset[str]], dict[tuple[str, str | None], Slo]] = {}


def _builtin_anew(cell: Cell, capabilities: frozenset[str], name: str, skip: str | None) -> Slo:
    made = draft(None, library.entry(f"builtin/{name}"), cell)
    return _slo(made, _skip(made, capabilities) or skip)


_Known = dict[tuple[int, str, str | None, frozenset[str]], tuple[SloSpec, Slo]]
_known: _Known = {}
"""Resolved SLOs by the identity of their spec, which the entry keeps alive: the rows of a scenario share theirs."""


def _resolved(spec: SloSpec, cell: Cell, capabilities: frozenset[str]) -> Slo:
    key = (id(spec), cell.provider, cell.cluster.kubernetes_version, capabilities)
    if key not in _known:
        _known[key] = (spec, _resolved_anew(spec, cell, capabilities))
    return _known[key][1]


def _resolved_anew(spec: SloSpec, cell: Cell, capabilities: frozenset[str]) -> Slo:
    try:
        entry = library.entry(spec.use) if spec.use else None
    except UsageError as error:
        raise MistakesError([Mistake(spec.place_of("use"), str(error))]) from error
    made = draft(spec, entry, cell)
    if made.id in RESERVED and not (spec.use or "").startswith("builtin/"):
        made.wrong("id", f"the id {made.id} is reserved for a built-in SLO")
    return _slo(made, _skip(made, capabilities))


def _skip(made: Draft, capabilities: frozenset[str]) -> str | None:
    """Return why the SLO says nothing in this cell, as far as that is known before a run."""
    needs = [name for name in made.keys.get("requires", ()) if name not in capabilities]
    if needs:
        return f"{made.id} requires {', '.join(needs)}, which {made.provider} does not have here"
    on = made.entry.available_on if made.entry else ()
    if on and made.provider not in on and not capabilities & set(on):
        return f"{made.id} is available on {', '.join(on)}, not on {made.provider}"
    trust = made.keys.get("trust", {})
    if versions.mistakes(trust):
        return None
    untrusted = versions.outside(trust, dict.fromkeys(versions.OF_THE_CLUSTER, made.version))
    return f"{made.id} is not trusted here: {untrusted}" if untrusted else None


def _slo(made: Draft, skip: str | None) -> Slo:
    """Build the SLO, collecting every mistake on the way.

    Raises:
        MistakesError: there was at least one.
    """
    found = checked(made)
    if made.found or found is None:
        raise MistakesError(made.found)
    keys: dict[str, Any] = made.keys
    return Slo(
        id=made.id,
        form=found.form,
        bound=found.bound,
        description=keys.get("description", ""),
        metrics=found.metrics,
        bad=keys.get("bad", ""),
        total=keys.get("total", ""),
        counter=keys.get("counter", ""),
        query=keys.get("query", ""),
        job=keys.get("job"),
        where=keys.get("where", ""),
        slices=found.slices,
        quorum=found.quorum,
        trust=keys.get("trust", {}),
        during=keys.get("during", ""),
        by=tuple(keys.get("by", ())),
        p=float(keys["p"]) if "p" in keys else None,
        min_count=min_count(keys, found.form),
        sparse=keys.get("sparse"),
        expect=keys.get("expect", {}),
        absent_zero=bool(keys.get("absent")),
        level=keys.get("level", "gate"),
        skip=skip,
        ref=keys.get("ref", ""),
        look_at=made.entry.look_at if made.entry else "",
        place=made.spec.place if made.spec else None,
    )
