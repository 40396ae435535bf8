"""Tokens for kubeconfigs whose user is a command: `telescope kube-token eks|gke ...`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from pytest_telescope.errors import UsageError

PROVIDERS = ("eks", "gke")


def credential(arguments: Sequence[str]) -> dict[str, Any]:
    """Return an ExecCredential (client.authentication.k8s.io/v1); the first argument is the provider.

    Raises:
        UsageError: the arguments are not understood.
        CloudError: there is no login.
    """
    provider = arguments[0] if arguments else ""
    if provider not in PROVIDERS:
        raise UsageError(f"kube-token knows {' and '.join(PROVIDERS)}, but not {provider or 'nothing'}")
    module = importlib.import_module(f"pytest_telescope.cluster.clouds.{provider}")
    make: Callable[[Sequence[str]], dict[str, Any]] = module.kube_token
    return make(arguments[1:])
