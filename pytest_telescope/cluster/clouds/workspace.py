"""The folder of a managed lease: its own copy of the module, and where the cluster stands.

A lease must be destroyable from its folder alone: the checkout may have moved on, and Terraform writes its lock file
beside the module.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pytest_telescope import paths
from pytest_telescope.cluster.clouds.model import Where
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import remove_durably
from pytest_telescope.cluster.durable import write_durably
from pytest_telescope.errors import DestroyError

_WHERE = "where.json"
_APPLYING = "applying.json"


class Workspace:
    """What lies in a lease's folder.

    Args:
        folder: of the lease; private.
        provider: whose module is copied.
    """

    def __init__(self, folder: Path, provider: str) -> None:
        self.folder = folder
        self.provider = provider

    @property
    def module(self) -> Path:
        """The lease's own copy of the module."""
        return self.folder / "module"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the cluster, once it is there."""
        return self.folder / "kubeconfig"

    def begin(self, where: Where) -> None:
        """Write down where the cluster will stand, then copy the module: from here on there may be something."""
        write_durably(self.folder / _WHERE, asdict(where))
        if not self.module.exists():
            partial = private_folder(self.folder / "module.partial")
            for file in sorted((paths.modules() / "terraform" / self.provider).glob("*.tf")):
                shutil.copyfile(file, partial / file.name)
            partial.replace(self.module)

    def where(self) -> Where | None:
        """Return where the cluster stands; None if the lease was opened and nothing begun.

        Raises:
            DestroyError: the file is there and cannot be read.
        """
        file = self.folder / _WHERE
        try:
            return Where(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise DestroyError(
                f"{file} does not say where the cluster of lease {self.folder.name} stands: {error!r}"
            ) from error

    def applying(self, attempt: int) -> None:
        """Write down that Terraform is about to make things."""
        write_durably(self.folder / _APPLYING, {"attempt": attempt})

    def applied(self) -> None:
        """Write down that Terraform came to its own end, well or not: its state knows what it made."""
        remove_durably(self.folder / _APPLYING)

    @property
    def cut_short(self) -> bool:
        """Whether an apply never came to its own end: something may appear that no state knows."""
        return (self.folder / _APPLYING).exists()

    def note(self, name: str, document: Any) -> None:
        """Keep a JSON document in the folder."""
        write_durably(self.folder / name, document)
