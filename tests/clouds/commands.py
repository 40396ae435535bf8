"""Real Terraform on one module, against providers that pretend."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_telescope.toolchain import tool

PATIENCE = 60.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    output: str


@dataclass(frozen=True)
class Commands:
    """Terraform for one state.

    Attributes:
        module: read only, may be shared.
        folder: state and data.
        environment: what a `StubProviders` gave.
    """

    module: Path
    folder: Path
    environment: Mapping[str, str]

    @property
    def state(self) -> Path:
        """The state's file."""
        return self.folder / "terraform.tfstate"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own."""
        return subprocess.Popen(
            [tool("terraform"), f"-chdir={self.module}", *arguments],
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> Result:
        """Run a command to its end."""
        with self.start(*arguments) as process:
            try:
                output, _ = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Result(process.returncode, output)

    def init(self) -> Result:
        """Make the module ready."""
        return self.run("init", "-input=false", "-no-color")

    def apply(self, *arguments: str) -> Result:
        """Apply without asking."""
        return self.run("apply", "-auto-approve", *self._options(), *arguments)

    def destroy(self, *arguments: str) -> Result:
        """Destroy without asking."""
        return self.run("destroy", "-auto-approve", *self._options(), *arguments)

    def drift(self, *arguments: str) -> Result:
        """Plan again; code 0 is no drift, 2 is something to do."""
        return self.run("plan", "-detailed-exitcode", *self._options(), *arguments)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs' values."""
        result = self.run("output", "-json", f"-state={self.state}")
        return {name: entry["value"] for name, entry in json.loads(result.output).items()}

    def known(self) -> list[str]:
        """Return `type` of what the state knows, with `(tainted)`."""
        resources = json.loads(self.state.read_text())["resources"] if self.state.exists() else []
        return sorted(
            resource["type"] + (" (tainted)" if instance.get("status") == "tainted" else "")
            for resource in resources
            if resource["mode"] == "managed"
            for instance in resource["instances"]
        )

    def variables(self) -> dict[str, str]:
        """Return the environment of a command."""
        own = {"TF_DATA_DIR": str(self.folder / "data"), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
        return {**os.environ, **self.environment, **own}

    def _options(self) -> tuple[str, ...]:
        return (f"-state={self.state}", "-input=false", "-no-color")
