"""From SLOs as written to SLOs that can be judged; every mistake is found here, before anything is built."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import cast

from pytest_telescope.errors import UsageError
from pytest_telescope.scenario.model import PROVIDERS
from pytest_telescope.scenario.model import Cell
from pytest_telescope.scenario.model import ResourceConsumerSpec
from pytest_telescope.scenario.model import SloSpec
from pytest_telescope.scenario.units import KINDS
from pytest_telescope.slo import library
from pytest_telescope.slo.bounds import OPERATORS
from pytest_telescope.slo.bounds import read_bound
from pytest_telescope.slo.bounds import short_form
from pytest_telescope.slo.bounds import snap
from pytest_telescope.slo.bounds import unit_of
from pytest_telescope.slo.model import Bound
from pytest_telescope.slo.model import Form
from pytest_telescope.slo.model import Operator
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.promql import mistakes
from pytest_telescope.slo.promql import parse
from pytest_telescope.slo.promql import split

RESERVED = ("pods-complete", "consumed-as-asked", "engine-thresholds")
MIN_COUNTS = ((50.0, 20), (90.0, 100), (99.0, 300), (100.0, 3000))
"""Up to percentile -> fewest observations. With n of them the chance that none is above the true p99 is 0.99^n."""
MIN_TOTAL = 20
"""Fewest events that a ratio is made of, unless it says otherwise."""
_FORMS: Mapping[Form, tuple[str, ...]] = {"histogram": ("histogram",), "ratio": ("bad", "total"), "query": ("query",)}
_ONLY: Mapping[str, tuple[Form, ...]] = {
    "p": ("histogram",),
    "sparse": ("histogram",),
    "where": ("histogram", "ratio"),
    "min_count": ("histogram", "ratio"),
    "absent": ("ratio", "query"),
}


class MistakesError(UsageError):
    """What is wrong with one SLO, one text a mistake."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(texts)
        super().__init__("; ".join(self.texts))


@dataclass(slots=True, kw_only=True)
class Draft:
    """One SLO's keys with the library's defaults below them, on the way to being resolved."""

    id: str
    keys: dict[str, Any]
    spec: SloSpec | None
    entry: library.Entry | None
    provider: str
    version: str | None
    found: list[str] = field(default_factory=list)


def resolve(cell: Cell, capabilities: frozenset[str]) -> tuple[Slo, ...]:
    """Resolve a cell's SLOs, the built-in ones first.

    Args:
        cell: with its SLOs as written.
        capabilities: what clusters of the provider can show at most; an SLO that needs more carries `skip`.

    Raises:
        UsageError: all mistakes of all SLOs, a line each, with file:line.
    """
    wrong: list[str] = []
    written: dict[str, Slo] = {}
    for number, spec in enumerate(cell.slos, start=1):
        where = str(spec.place or cell.place)
        try:
            slo = _resolved(spec, cell, capabilities)
        except MistakesError as error:
            name = spec.id or spec.use or f"number {number}"
            wrong.extend(f"{where}: slo {name}: {text}" for text in error.texts)
            continue
        if slo.id in written:
            wrong.append(
                f"{where}: slo {slo.id}: the id is taken by another SLO of this cell: give it an id of its own"
            )
        written[slo.id] = slo
    if wrong:
        raise UsageError("\n".join(dict.fromkeys(wrong)))
    own = {**_builtin(cell, capabilities), **written}
    return tuple(own.values())


def least(p: float) -> int:
    """Return the fewest observations that say anything about a percentile."""
    return next(count for upto, count in MIN_COUNTS if p <= upto)


def _builtin(cell: Cell, capabilities: frozenset[str]) -> dict[str, Slo]:
    known = _known_builtins.setdefault((cell.provider, cell.cluster.kubernetes_version, capabilities), {})
    skips = _own_skips(cell)
    for name, skip in skips.items():
        if (name, skip) not in known:
            known[name, skip] = _builtin_anew(cell, capabilities, name, skip)
    return {name: known[name, skip] for name, skip in skips.items()}


_known_builtins: dict[tuple[str, str | None, frozenset[str]], dict[tuple[str, str | None], Slo]] = {}


def _own_skips(cell: Cell) -> dict[str, str | None]:
    """Return the built-in SLOs of the cell's load, each with why it says nothing here, or None."""
    if isinstance(cell.load, ResourceConsumerSpec):
        return {"pods-complete": None, "consumed-as-asked": _idle(cell.load)}
    from pytest_telescope.load.clusterloader2.review import may_make_pods

    podless = None if may_make_pods(cell) else "the config makes no pods"
    return {"engine-thresholds": None, "pods-complete": podless}


def _builtin_anew(cell: Cell, capabilities: frozenset[str], name: str, skip: str | None) -> Slo:
    draft = _draft(None, library.entry(f"builtin/{name}"), cell)
    return _slo(draft, _skip(draft, cell.provider, capabilities) or skip)


def _idle(load: ResourceConsumerSpec) -> str | None:
    if load.consume.cpu == 0:
        return "the load asks for no CPU"
    held = load.hold_of(load.waves) > 0
    return None if held else "the load does not hold its pods (hold: 0s), so their use is never steady"


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
        raise MistakesError([str(error)]) from error
    draft = _draft(spec, entry, cell)
    if draft.id in RESERVED and not (spec.use or "").startswith("builtin/"):
        draft.found.append(f"the id {draft.id} is reserved for a built-in SLO")
    return _slo(draft, _skip(draft, cell.provider, capabilities))


def _draft(spec: SloSpec | None, entry: library.Entry | None, cell: Cell) -> Draft:
    own: dict[str, Any] = {}
    if spec is not None:
        own = {key: value for key in spec.model_fields_set if (value := getattr(spec, key)) is not None}
    own.pop("use", None)
    draft = Draft(
        id=own.pop("id", None) or (entry.name.partition("/")[2] if entry else ""),
        keys={},
        spec=spec,
        entry=entry,
        provider=cell.provider,
        version=cell.cluster.kubernetes_version,
    )
    if found := short_form(own.get("max")):
        draft.found += (
            [f"p{found[0]:g} in max, and p: {own['p']} beside it"] if own.get("p", found[0]) != found[0] else []
        )
        own["p"], own["max"] = found
    if entry is not None:
        draft.found += [
            f"{key} beside use: the library entry {entry.name} says what is measured"
            for key in ("histogram", "bad", "total", "query", "unit")
            if key in own
        ]
    draft.keys = {**_inherited(entry, own), **own}
    return draft


def _inherited(entry: library.Entry | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's keys that the scenario leaves standing: a bound replaces all bounds, a p its min_count."""
    if entry is None:
        return {}
    gone: set[str] = set(OPERATORS) if any(key in own for key in OPERATORS) else set()
    if "p" in own:
        gone.add("min_count")
    return {key: value for key, value in entry.keys.items() if key not in gone}


def _skip(draft: Draft, provider: str, capabilities: frozenset[str]) -> str | None:
    needs = [name for name in draft.keys.get("requires", ()) if name not in capabilities]
    if needs:
        return f"{draft.id} requires {', '.join(needs)}, which {provider} does not have here"
    on = draft.entry.available_on if draft.entry else ()
    if on and provider not in on and not capabilities & set(on):
        return f"{draft.id} is available on {', '.join(on)}, not on {provider}"
    return None


def _slo(draft: Draft, skip: str | None) -> Slo:
    """Build the SLO, collecting every mistake on the way.

    Raises:
        MistakesError: there was at least one.
    """
    if not draft.id:
        draft.found.append("has no id: write id:, or use: an entry of the library")
    form = _form(draft)
    bound = _bound(draft, form) if form else None
    if form:
        _check_keys(draft, form)
    if draft.found or form is None or bound is None:
        raise MistakesError(draft.found)
    keys = draft.keys
    metrics = _metrics(draft, form)
    return Slo(
        id=draft.id,
        form=form,
        bound=bound,
        description=keys.get("description", ""),
        metrics=metrics,
        bad=keys.get("bad", ""),
        total=keys.get("total", ""),
        query=keys.get("query", ""),
        job=keys.get("job"),
        where=keys.get("where", ""),
        during=keys.get("during", ""),
        by=tuple(keys.get("by", ())),
        p=float(keys["p"]) if "p" in keys else None,
        min_count=_min_count(keys, form),
        sparse=keys.get("sparse"),
        expect=keys.get("expect", {}),
        absent_zero=bool(keys.get("absent")),
        level=keys.get("level", "gate"),
        skip=skip,
        ref=keys.get("ref", ""),
        look_at=draft.entry.look_at if draft.entry else "",
        place=draft.spec.place if draft.spec else None,
    )


def _form(draft: Draft) -> Form | None:
    used = [form for form, keys in _FORMS.items() if any(key in draft.keys for key in keys)]
    if len(used) != 1:
        what = " and ".join(used) if used else "none"
        draft.found.append(f"one of histogram, bad + total, query says what is measured; found {what}")
        return None
    form = used[0]
    if lacking := [key for key in _FORMS[form] if key not in draft.keys]:
        draft.found.append(f"{', '.join(lacking)} is missing beside {', '.join(set(_FORMS[form]) - set(lacking))}")
        return None
    return form


def _metrics(draft: Draft, form: Form) -> tuple[str, ...]:
    if form == "histogram":
        name = draft.keys["histogram"]
        return (name,) if isinstance(name, str) else tuple(name)
    return tuple(split(draft.keys[key])[0] for key in ("bad", "total")) if form == "ratio" else ()


def _bound(draft: Draft, form: Form) -> Bound | None:
    used = [key for key in OPERATORS if key in draft.keys]
    if len(used) != 1:
        draft.found.append(f"exactly one bound of {', '.join(OPERATORS)}; found {' and '.join(used) or 'none'}")
        return None
    operator: Operator = used[0]
    try:
        written = _for_provider(draft, draft.keys[operator])
        unit, of = _unit(draft, form)
        bound = read_bound(operator, written, unit, of)
        return _snapped(draft, bound) if form == "histogram" else bound
    except UsageError as error:
        draft.found.append(f"{operator}: {error}")
        return None


def _for_provider(draft: Draft, written: Any) -> Any:
    """Return the bound for this provider where it is written as a mapping."""
    if not isinstance(written, Mapping):
        return written
    known = ("default", *PROVIDERS)
    for name in written:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            raise UsageError(f"unknown provider {name!r}: {f'did you mean {near[0]}?' if near else ', '.join(known)}")
    if draft.provider not in written and "default" not in written:
        raise UsageError(f"no bound for {draft.provider}: add default: or {draft.provider}:")
    return written.get(draft.provider, written.get("default"))


def _unit(draft: Draft, form: Form) -> tuple[str, str]:
    """Return the base unit and what it is the unit of."""
    said = draft.keys.get("unit")
    if said is not None and said not in KINDS:
        raise UsageError(f"unknown unit {said!r}: known are {', '.join(KINDS)}")
    if form == "ratio":
        return "ratio", "a ratio of bad to total"
    if form == "query":
        if said is None:
            raise UsageError(f"a query needs unit: one of {', '.join(KINDS)}")
        return said, f"unit {said}"
    metric = _metrics(draft, form)[0]
    fixed = unit_of(metric)
    if fixed and said and fixed != said:
        raise UsageError(f"unit {said}, but the name {metric} says {fixed}")
    if not (fixed or said):
        raise UsageError(f"the name {metric} does not say its unit: add unit: one of {', '.join(KINDS)}")
    return cast("str", fixed or said), f"metric {metric}"


def _snapped(draft: Draft, bound: Bound) -> Bound:
    if bound.operator != "max":
        raise UsageError("a histogram takes max: the share of observations up to it is compared with p")
    metric = _metrics(draft, "histogram")[0]
    known = draft.entry.buckets_of(draft.version) if draft.entry else library.known_buckets(metric, draft.version)
    return snap(bound, known, metric) if known else bound


def _check_keys(draft: Draft, form: Form) -> None:
    keys, found = draft.keys, draft.found
    for key, forms in _ONLY.items():
        if key in keys and form not in forms:
            found.append(f"{key} means nothing beside {form}")
    if form == "histogram" and "p" not in keys:
        found.append("a histogram needs p, e.g. p: 99")
    by = tuple(keys.get("by", ()))
    if len(set(by)) < len(by) or "le" in by:
        found.append(f"by: [{', '.join(by)}] has a label twice, or le")
    if stray := [label for label in keys.get("expect", {}) if label not in by]:
        found.append(f"expect: {', '.join(stray)} is not in by")
    found += [f"query: {text}" for text in mistakes(keys["query"])] if form == "query" else []
    found += _absent(keys, form)
    found += _selectors(keys, form)
    if (
        form == "histogram"
        and "p" in keys
        and keys["p"] >= 99
        and keys.get("min_count", least(keys["p"])) < least(keys["p"])
    ):
        found.append(f"min_count: {keys['min_count']} is too few for p{keys['p']:g}: it needs {least(keys['p'])}")


def _absent(keys: Mapping[str, Any], form: Form) -> list[str]:
    allowed = {"ratio": "bad", "query": "query"}.get(form)
    found = [f"absent: only {allowed} can be absent" for key in keys.get("absent", {}) if allowed and key != allowed]
    if form == "query" and keys.get("absent") and not keys.get("job"):
        found.append("absent: needs job, whose scraped targets witness the zero")
    return found


def _selectors(keys: Mapping[str, Any], form: Form) -> list[str]:
    texts = {"where": f"x{{{keys['where']}}}"} if keys.get("where") else {}
    texts.update({key: keys[key] for key in ("bad", "total")} if form == "ratio" else {})
    return [f"{key}: not PromQL: {wrong}" for key, text in texts.items() if isinstance(wrong := parse(text), str)]


def _min_count(keys: Mapping[str, Any], form: Form) -> int:
    if "min_count" in keys:
        return int(keys["min_count"])
    return {"histogram": least(keys.get("p", 0)), "ratio": MIN_TOTAL, "query": 1}[form]
