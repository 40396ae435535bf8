"""The named steps of creating a cluster, and the one place where a test makes one of them fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_telescope.cluster.local.spec import LocalSpec
from pytest_telescope.errors import ProvisionError

FAIL_AT = "TELESCOPE_FAIL_AT"
"""Environment variable: the step that fails once its work is done, so that as much as possible exists by then."""

_ALWAYS = (
    "pki",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "kwok-nodes",
    "prometheus",
    "nodes-ready",
    "targets-up",
    "facts",
)


def steps(spec: LocalSpec) -> tuple[str, ...]:
    """Return the names of the steps that creating `spec` takes."""
    return (*_ALWAYS, "real-node") if spec.real_pool else _ALWAYS


class Steps:
    """Runs steps, takes their times, and fails the one that a test asked for.

    Args:
        fail_at: the step that fails.
        say: told every step that is done, by name.
    """

    def __init__(self, fail_at: str | None = None, say: Callable[[str], None] = lambda _name: None) -> None:
        self._fail_at, self._say = fail_at, say
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}

    @classmethod
    def from_environment(cls, say: Callable[[str], None] = lambda _name: None) -> Steps:
        """Return steps with the failure that the environment asks for."""
        return cls(os.environ.get(FAIL_AT), say)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Mark the work of a step.

        Raises:
            ProvisionError: a test asked this step to fail.
        """
        started = time.monotonic()
        yield
        with self._lock:
            self.seconds[name] = round(time.monotonic() - started, 3)
            self._say(name)
        if name == self._fail_at:
            raise ProvisionError(f"step {name} failed because {FAIL_AT}={name} asks for it")
