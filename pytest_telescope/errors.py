"""Every error that a user of the harness can meet.

::

    TelescopeError
    ├── UsageError            bad input, found before anything is built (exit code 4)
    ├── ToolError             a pinned tool cannot be built, found or started
    ├── ClusterError
    │   ├── PreflightError    the provider cannot serve this spec; nothing was built
    │   ├── ProvisionError    the cluster did not come up; what may exist is in the ledger
    │   ├── DestroyError      the destroy failed or timed out; the lease stays open
    │   ├── LeakError         something of the lease is still there after destroy
    │   └── CloudError        a cloud could not be asked, or refused
    ├── LoadError             the load is broken: there is no measured window
    └── MetricsError          Prometheus could not be asked, or refused the query

A message says what was found, what was expected, where, and what to do next.
"""

from __future__ import annotations


class TelescopeError(Exception):
    """Base of all errors of the harness."""


class UsageError(TelescopeError):
    """Input that cannot be honoured: option, scenario.yaml, SLO, tool path."""


class ToolError(TelescopeError):
    """A pinned tool cannot be built, found or started."""


class ClusterError(TelescopeError):
    """Something went wrong with a cluster."""


class PreflightError(ClusterError):
    """The provider cannot serve this spec here; nothing was built.

    Attributes:
        cause: `capacity` where only quota or capacity is missing, else None.
    """

    def __init__(self, message: str, *, cause: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class ProvisionError(ClusterError):
    """The cluster did not come up; what may exist stays in the ledger.

    Attributes:
        cause: `capacity` where the cloud had not enough of something (quota, zone, machine type), else None.
    """

    def __init__(self, message: str, *, cause: str | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class DestroyError(ClusterError):
    """The destroy failed or timed out; the lease stays open."""


class LeakError(ClusterError):
    """Something of the lease is still there after its destroy."""


class LoadError(TelescopeError):
    """The load is broken: nothing was measured."""


class MetricsError(TelescopeError):
    """Prometheus could not be asked, or refused the query."""


class CloudError(ClusterError):
    """A cloud could not be asked, or refused what was asked.

    Attributes:
        transient: whether the same request may succeed later.
        cause: `capacity` where the cloud has not enough of something, else None.
    """

    def __init__(self, message: str, *, transient: bool = False, cause: str | None = None) -> None:
        super().__init__(message)
        self.transient = transient
        self.cause = cause
