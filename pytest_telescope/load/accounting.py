"""From pods that were tracked to the account of a load; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pytest_telescope.load.model import PodAccount
from pytest_telescope.load.model import PodStart
from pytest_telescope.load.tracker import UNKNOWN
from pytest_telescope.load.tracker import Pod

LONGEST = 200


def start_of(pod: Pod, given_up: float) -> PodStart:
    """Return what became of one pod; `given_up` stands in for a create call that was never sent."""
    why = pod.why
    if why is None and pod.running is None:
        why = pod.pending or UNKNOWN
    return PodStart(
        name=pod.name,
        node=pod.node,
        created=pod.created if pod.created is not None else given_up,
        scheduled=pod.scheduled,
        running=pod.running,
        reason=why[0] if why else None,
        detail=why[1] if why else "",
        upper_bound=pod.late,
        wave=pod.wave.number,
    )


def account(starts: Iterable[PodStart]) -> PodAccount:
    """Count pods: one that ran and has no reason runs, one that ran and has one failed, all others never ran."""
    running = failed = never_ran = 0
    reasons: Counter[str] = Counter()
    for start in starts:
        if start.reason is not None:
            reasons[start.reason] += 1
        if start.running is None:
            never_ran += 1
        elif start.reason is None:
            running += 1
        else:
            failed += 1
    return PodAccount(
        created=running + failed + never_ran,
        running=running,
        failed=failed,
        never_ran=never_ran,
        reasons=dict(sorted(reasons.items())),
    )


def summary(pods: PodAccount, starts: Iterable[PodStart]) -> str:
    """Return one line: the counts, and for each reason how many pods and the first one's own words."""
    line = f"{pods.running} of {pods.created} pods ran"
    words: dict[str, str] = {}
    for start in starts:
        if start.reason is not None:
            words.setdefault(start.reason, start.detail)
    for reason, count in pods.reasons.items():
        detail = " ".join(words.get(reason, "").split())[:LONGEST]
        line += f"; {count} {reason}" + (f" ({detail})" if detail else "")
    return line
