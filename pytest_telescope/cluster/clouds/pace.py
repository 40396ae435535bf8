"""How long clouds are waited for; `TELESCOPE_CLOUD_SPEED` divides every wait, for a pretended cloud on a fast clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds; the defaults are for real clouds.

    Attributes:
        apply: that one `terraform apply` may take: AKS clusters have 90 minutes in azurerm, GKE ones likewise.
        destroy: likewise for one `terraform destroy`.
        nodes: until every node of a cluster that Terraform made is ready.
        settle: how long a listing must stay empty after an apply that was cut short: what was begun may appear late.
        gone: that the sweep of a lease may take.
        poll: between two looks at the cloud.
        backoff: before the second, third and fourth try.
        cleanup: that deleting what Kubernetes made in the cloud may take.
    """

    apply: float = 5400.0
    destroy: float = 3600.0
    nodes: float = 900.0
    settle: float = 60.0
    gone: float = 1800.0
    poll: float = 10.0
    backoff: tuple[float, ...] = (60.0, 120.0, 240.0)
    cleanup: float = 600.0


def speed() -> float:
    """Return by what waits are divided: 1 unless the environment says otherwise."""
    return max(1.0, float(os.environ.get("TELESCOPE_CLOUD_SPEED") or 1))


LEAST = 45.0
"""Seconds that a real Terraform on a busy machine needs, however fast the cloud's clock is."""


def deadline(seconds: float) -> float:
    """Return the real seconds that a process may take for `seconds` of the cloud's time."""
    return max(seconds / speed(), min(seconds, LEAST))


def sleep(seconds: float) -> None:
    """Wait `seconds` of the cloud's time."""
    time.sleep(seconds / speed())


Sleep = Callable[[float], None]
