"""`telescope slo list | show | lint | test`, without their command line."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TextIO

from pytest_telescope.errors import UsageError
from pytest_telescope.metrics.model import Window
from pytest_telescope.slo import library
from pytest_telescope.slo import queries
from pytest_telescope.slo.bounds import OPERATORS
from pytest_telescope.slo.bounds import SIGNS
from pytest_telescope.slo.library import Entry

if TYPE_CHECKING:
    from pytest_telescope.slo.planned import Planned

OK, RED, BAD_INPUT = 0, 1, 4
EXAMPLE = queries.span(Window(start=0.0, end=600.0, steps={}), 5.0)
"""The window that `show` fills into queries: ten minutes."""


def list_entries(stream: TextIO, patterns: Sequence[str] = ()) -> int:
    """Print the entries whose names match any of the patterns (all if none), one line each; return the exit code.

    Raises:
        UsageError: nothing matches.
    """
    chosen = [entry for name, entry in library.entries().items() if _matches(name, patterns)]
    if not chosen:
        files = sorted({name.partition("/")[0] for name in library.entries()})
        raise UsageError(f"no entry of the library matches {' '.join(patterns)}: its files are {', '.join(files)}")
    table = [("SLO", "FORM", "BOUND", "LEVEL", "NEEDS", "DESCRIPTION"), *map(_line, chosen)]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip(), file=stream)
    return OK


def show(stream: TextIO, names: Sequence[str]) -> int:
    """Print all that is known of some entries, with the queries as they are asked over ten minutes.

    Raises:
        UsageError: no such entry; the nearest is suggested.
    """
    for name in names:
        entry = library.entry(name)
        print(name, file=stream)
        for key, value in _facts(entry).items():
            print(f"  {key:<12}{value}", file=stream)
        for query in asked(entry):
            print(f"    {query}", file=stream)
    return OK


def lint(stream: TextIO, plans: Iterable[Planned], wrong: Iterable[str], *, whole: bool) -> int:
    """Let Prometheus read every query of some cells, and of the library if asked; print what is wrong.

    Args:
        stream: where to.
        plans: cells with their SLOs.
        wrong: what was found before, a line each.
        whole: the library too, its entries checked for what each must say.

    Raises:
        ToolError: promtool cannot be had.
    """
    from pytest_telescope.slo.parsing import syntax
    from pytest_telescope.slo.parsing import unreadable

    found = [*wrong, *unreadable(plans)]
    entries = library.entries().values() if whole else ()
    texts = {f"{entry.name} ({n})": text for entry in entries for n, text in enumerate(asked(entry), start=1)}
    found += [f"{name}: Prometheus cannot read it: {why}" for name, why in syntax(texts).items()]
    found += [mistake for entry in entries for mistake in library.mistakes(entry)]
    for line in dict.fromkeys(found):
        print(line, file=stream)
    print(f"{len(found)} mistakes" if found else "no mistakes", file=stream)
    return BAD_INPUT if found else OK


def test(stream: TextIO, files: Sequence[Path]) -> int:
    """Run the trials of some files, print one line an SLO; return the exit code, 1 where one is not as expected.

    Raises:
        UsageError: a file cannot be read, or holds mistakes.
    """
    from pytest_telescope.slo.trials.reading import read
    from pytest_telescope.slo.trials.run import run

    plans = [(file, read(file)) for file in files]
    red = count = 0
    for file, trials in plans:
        for trial, slo, wrong in run(trials):
            count, red = count + 1, red + bool(wrong)
            print(f"{'FAILED' if wrong else 'ok'} {file}: {trial}: {slo}{f': {wrong}' if wrong else ''}", file=stream)
    print(f"{count - red} of {count} judgements as expected", file=stream)
    return RED if red else OK


def asked(entry: Entry) -> list[str]:
    """Return the queries that an entry is judged by, as they are over ten minutes."""
    keys = entry.keys
    where, job = keys.get("where", ""), queries.is_job(keys.get("job"))
    by = tuple(keys.get("by", ()))
    if "histogram" in keys:
        names = [keys["histogram"]] if isinstance(keys["histogram"], str) else keys["histogram"]
        return [queries.delta(queries.selector(f"{name}_bucket", job, where), (*by, "le"), EXAMPLE) for name in names]
    if "query" in keys:
        return [queries.fill(keys["query"], EXAMPLE, {"nodes": [".+"]})]
    counters = [keys[key] for key in ("bad", "total", "counter") if key in keys]
    return [queries.delta(_counter(written, job, where), by, EXAMPLE) for written in counters]


def _counter(written: str, job: str, where: str) -> str:
    from pytest_telescope.slo.promql import split

    name, inner = split(written)
    return queries.selector(name, job, inner, where)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, p) or name.partition("/")[0] == p for p in patterns)


def _line(entry: Entry) -> tuple[str, ...]:
    keys = entry.keys
    needs = ", ".join((*keys.get("requires", ()), *entry.available_on)) or "-"
    return (entry.name, form(entry), bound(entry), keys.get("level", "gate"), needs, keys.get("description", ""))


def form(entry: Entry) -> str:
    """Return what an entry judges: `p99`, `ratio`, `counter` or `query`."""
    if "histogram" in entry.keys:
        return f"p{entry.keys.get('p', 0):g}"
    return next((name for name in ("counter", "query") if name in entry.keys), "ratio")


def bound(entry: Entry) -> str:
    """Return an entry's bound as it is written: `<= 5s`."""
    operator = next(one for one in OPERATORS if one in entry.keys)
    return f"{SIGNS[operator]} {_written(entry.keys[operator])}"


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return " to ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _facts(entry: Entry) -> dict[str, str]:
    keys = entry.keys
    told = {
        "means": keys.get("description", ""),
        "judged": f"{form(entry)} {bound(entry)}{_split(keys)}, level {keys.get('level', 'gate')}",
        "needs": ", ".join((*keys.get("requires", ()), *entry.available_on)),
        "trusted": ", ".join(f"{name} {versions}" for name, versions in keys.get("trust", {}).items()),
        "at least": f"{keys['min_count']} samples" if "min_count" in keys else "",
        "buckets": "; ".join(f"{_version(name)}{_edges(edges)}" for name, edges in entry.buckets.items()),
        "job": keys.get("job", ""),
        "look at": entry.look_at,
        "source": keys.get("ref", ""),
        "asks": "over a window of ten minutes:",
    }
    return {name: str(text) for name, text in told.items() if text}


def _split(keys: Mapping[str, object]) -> str:
    by = keys.get("by")
    return f", each {' and '.join(map(str, by))} by itself" if isinstance(by, list | tuple) and by else ""


def _version(name: str) -> str:
    return "" if name == "default" else f"from {name} on "


def _edges(edges: Iterable[float]) -> str:
    return " ".join(f"{edge:g}" for edge in edges)
