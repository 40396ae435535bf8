"""Every error that a user of the harness can meet.

::

    TelescopeError
    ├── UsageError            bad input, found before anything is built (exit code 4)
    ├── ToolError             a pinned tool cannot be built, found or started
    ├── ClusterError
    │   ├── PreflightError    the provider cannot serve this spec; nothing was built
    │   ├── ProvisionError    the cluster did not come up; what may exist is in the ledger
    │   ├── DestroyError      the destroy failed or timed out; the lease stays open
    │   └── LeakError         something of the lease is still there after destroy
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
    """The provider cannot serve this spec here; nothing was built."""


class ProvisionError(ClusterError):
    """The cluster did not come up; what may exist stays in the ledger."""


class DestroyError(ClusterError):
    """The destroy failed or timed out; the lease stays open."""


class LeakError(ClusterError):
    """Something of the lease is still there after its destroy."""


class LoadError(TelescopeError):
    """The load is broken: nothing was measured."""


class MetricsError(TelescopeError):
    """Prometheus could not be asked, or refused the query."""
