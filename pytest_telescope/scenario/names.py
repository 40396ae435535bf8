"""Words that everybody spells alike; importable in every pytest run, so nothing heavy is imported here."""

from __future__ import annotations

Scalar = str | int | float | bool

PROVIDERS: tuple[str, ...] = ("aks", "eks", "gke", "local")
ENGINES: tuple[str, ...] = ("resource-consumer", "clusterloader2")
NAME = r"[a-z0-9]+(-[a-z0-9]+)*"

BUILT_IN_SLOS: tuple[str, ...] = ("pods-complete", "consumed-as-asked", "engine-thresholds")
"""Ids of the items that judge every load; no scenario may define them."""

JUDGED_LATER: tuple[str, ...] = ("nodes", "w", "w_s", "start", "end", "scrape")
"""`${...}` names inside `slos` that only the run knows: facts of the cluster and of the window."""


def suggest(kind: str, word: str, options: tuple[str, ...]) -> str:
    """Return one line for an unknown word: what was found, the nearest known word, and all known words."""
    import difflib  # lazy: only an error needs it

    near = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    known = f"known: {', '.join(options)}" if options else "there are none"
    return f"unknown {kind} {word!r}; {hint}{known}"
