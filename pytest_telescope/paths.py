"""Where things of this project and of this user live; the only place that knows."""

from __future__ import annotations

import os
from pathlib import Path

APP = "pytest-telescope"


def checkout() -> Path:
    """Return the root of the checkout, which holds `modules/` and `scenarios/`."""
    return Path(__file__).resolve().parent.parent


def modules() -> Path:
    """Return the folder of Terraform modules, manifests and tool pins."""
    return checkout() / "modules"


def scenarios() -> Path:
    """Return the folder that holds one folder a scenario; `TELESCOPE_SCENARIOS` overrides it."""
    return Path(os.environ.get("TELESCOPE_SCENARIOS") or checkout() / "scenarios")


def cache() -> Path:
    """Return the user's cache folder (built tools); `TELESCOPE_CACHE_DIR` overrides it."""
    return _user_folder("TELESCOPE_CACHE_DIR", "user_cache_path")


def state() -> Path:
    """Return the user's state folder (ledger, leases); `TELESCOPE_STATE_DIR` overrides it."""
    return _user_folder("TELESCOPE_STATE_DIR", "user_state_path")


def _user_folder(variable: str, kind: str) -> Path:
    if override := os.environ.get(variable):
        return Path(override).resolve()
    import platformdirs  # lazy: only a run needs it

    folder: Path = getattr(platformdirs, kind)(APP, appauthor=False)
    return folder
