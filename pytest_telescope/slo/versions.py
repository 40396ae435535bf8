"""Versions in which a metric means what an SLO says (`trust`): one rule before a run and over its recording."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "kubernetes": ("kubernetes", "kubernetes_version"),
    "kubelet": ("kubelet", "node-kubelet"),
    "containerd": ("containerd", "node-container_runtime"),
    "kernel": ("kernel", "node-kernel"),
    "etcd": ("etcd",),
    "prometheus": ("prometheus",),
    "coredns": ("coredns",),
    "kube-proxy": ("kube-proxy",),
    "cilium": ("cilium",),
    "azure-cns": ("azure-cns",),
    "cluster-autoscaler": ("cluster-autoscaler",),
    "karpenter": ("karpenter",),
}
"""Component -> the facts that tell its version; `node-` is that of the real node on local."""
OF_THE_CLUSTER = ("kubernetes", "kubelet")
"""Components that have the version which a scenario asks of its cluster."""
ADDONS = "addons"
"""Fact of managed add-ons, `coredns=v1.11.3,kube-proxy=v1.34.0`."""
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
}
_CONDITION = re.compile(r"(>=|<=|==|>|<)\s*v?(\d+(?:\.\d+){0,2})")
_VERSION = re.compile(r"v?(\d+(?:\.\d+){0,2})(-(?:alpha|beta|rc)[-.\w]*)?")
_MODULE = re.compile(r"v0\.([1-9])(\d\d)\.(\d+)\b")
"""Version of Prometheus' Go module: 3.13.5 is v0.313.5 (RELEASE.md of prometheus/prometheus)."""

Numbers = tuple[int, ...]


def mistakes(trust: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a `trust`, in words; empty when nothing is."""
    return [text for component, written in trust.items() if (text := _mistake(component, written))]


def outside(trust: Mapping[str, str], facts: Mapping[str, object]) -> str | None:
    """Say which version is not trusted; None if all are that are known, or none is known.

    A version is compared by as many numbers as the condition has: 1.36.3 is `<=1.36` and not `>1.36`. One that is known
    only in part (`1.35` against `>=1.35.4`) is not known. Before its release (`-rc.1`) a version is the one before.

    Args:
        trust: component -> conditions, all of which hold: `>=1.34.8, <1.35`; `or` parts alternatives.
        facts: of the cluster; a text may hold several versions, all of which must be trusted.
    """
    for component, conditions in trust.items():
        for version in _told(component, facts):
            if _within(conditions, version) is False:
                return f"{component} {version} is outside {conditions}, in which the metric means what the SLO says"
    return None


def unknown(trust: Mapping[str, str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the components of which `facts` do not tell whether their version is trusted."""
    return tuple(
        component
        for component, conditions in trust.items()
        if all(_within(conditions, version) is None for version in _told(component, facts))
    )


def _mistake(component: str, written: object) -> str | None:
    if component not in COMPONENTS:
        near = difflib.get_close_matches(component, COMPONENTS, 1)
        return f"unknown component {component!r}: {f'did you mean {near[0]}?' if near else ', '.join(COMPONENTS)}"
    if not isinstance(written, str):
        return f"{component}: {written!r} is no condition on a version: write e.g. '>=1.36' in quotes"
    for condition in _conditions(written):
        if not _CONDITION.fullmatch(condition):
            return f"{component}: {condition!r} is no condition on a version: write e.g. '>=1.34.8, <1.36'"
    return None


def _conditions(written: str) -> Iterator[str]:
    for alternative in written.split(" or "):
        yield from (condition.strip() for condition in alternative.split(","))


def _within(written: str, version: str) -> bool | None:
    """Return whether a version keeps the conditions of one alternative, None where too little of it is known."""
    answers = {_all(_keeps(one.strip(), version) for one in part.split(",")) for part in written.split(" or ")}
    return True if True in answers else None if None in answers else False


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else None if None in found else True


def _keeps(condition: str, version: str) -> bool | None:
    asked, told = _CONDITION.fullmatch(condition), _numbers(version)
    if asked is None or told is None:
        return None
    wanted = tuple(int(part) for part in asked[2].split("."))
    shared = min(len(wanted), len(told))
    if told[:shared] == wanted[:shared] and len(told) < len(wanted):
        return None
    return _OPERATORS[asked[1]](told[: len(wanted)], wanted)


def _numbers(version: str) -> Numbers | None:
    """Return the numbers of a version; of one before its release those of the version before it."""
    if module := _MODULE.match(version):
        return tuple(int(part) for part in module.groups())
    found = _VERSION.match(version)
    if found is None:
        return None
    numbers = tuple(int(part) for part in found[1].split("."))
    return _before(numbers) if found[2] else numbers


def _before(numbers: Numbers) -> Numbers:
    """Return numbers below a version and all that come after the one before it: 1.36.0 -> 1.35.infinite."""
    at = max((index for index, number in enumerate(numbers) if number), default=0)
    most = 1 << 30
    return (*numbers[:at], max(numbers[at] - 1, 0), *([most] * (len(numbers) - at - 1)))


def _told(component: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the versions of a component that the facts tell, each as written."""
    found = [word for name in COMPONENTS.get(component, ()) for word in _words(facts.get(name))]
    found += [version for addon in _words(facts.get(ADDONS)) for name, _, version in [addon.partition("=")]
              if name == component]  # fmt: skip
    own = [word.removeprefix(f"{component}://") for word in found]
    return tuple(dict.fromkeys(word for word in own if "://" not in word and _numbers(word)))


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(word for one in value for word in _words(one))
    return tuple(word for word in re.split(r"[,\s]+", value) if word) if isinstance(value, str) else ()
