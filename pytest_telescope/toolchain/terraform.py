"""Terraform from PATH where it is new enough, else the pinned OpenTofu."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from pytest_telescope.toolchain import overrides

NEEDED = (1, 4)
"""`terraform_data`, which the modules use, came with 1.4."""


def find() -> Path | None:
    """Return the user's own Terraform, or the one on PATH if it is new enough; None means the pinned OpenTofu.

    Raises:
        UsageError: The user's own Terraform cannot be run.
    """
    own = overrides.overridden("terraform")
    if own:
        return own
    found = shutil.which("terraform")
    return Path(found) if found and version_of(Path(found)) >= NEEDED else None


@lru_cache
def version_of(terraform: Path) -> tuple[int, ...]:
    """Return the version of a Terraform or OpenTofu, empty if it does not tell one."""
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    command = [str(terraform), "version", "-json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment)
        text = json.loads(done.stdout[done.stdout.index("{") :])["terraform_version"]
        return tuple(int(part) for part in text.split("-")[0].split("."))
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired):
        return ()
