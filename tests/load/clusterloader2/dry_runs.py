"""Dry runs of the real CL2, for the tests that look through its eyes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pytest_telescope import toolchain
from pytest_telescope.load.clusterloader2 import generated
from pytest_telescope.load.clusterloader2.command import Invocation
from pytest_telescope.load.clusterloader2.command import environment
from pytest_telescope.load.clusterloader2.generated import Generated
from pytest_telescope.load.clusterloader2.model import Entry
from pytest_telescope.load.clusterloader2.overrides import write_overrides
from pytest_telescope.scenario.names import Scalar

HEAD = """\
name: seen
namespace:
  number: 1
steps:
- name: see
  measurements:
  - Identifier: seen
    Method: Timer
    Params:
"""


@cache
def binary() -> Path:
    """The pinned CL2."""
    return toolchain.tool("clusterloader2")


def invocation_of(config: Path, folder: Path, overrides: tuple[Path, ...] = ()) -> Invocation:
    """How the config is started, all of whose files go to `folder`."""
    return Invocation(
        binary=binary(),
        entry=Entry(name="main", config=config),
        provider="local",
        kubeconfig=generated.offline_kubeconfig(folder / "kubeconfig"),
        reports=folder / "reports",
        overrides=overrides,
        prefix="telescope-test",
        nodes=5,
    )


def compiled(config: Path, folder: Path, overrides: tuple[Path, ...] = ()) -> Generated:
    """What CL2 makes of a config; UsageError where it refuses it."""
    invocation = invocation_of(config, folder, overrides)
    return generated.dry_run(invocation, environment(os.environ, {}), folder, now=time.time())


def seen(uses: Mapping[str, str], values: Mapping[str, Scalar], folder: Path) -> Mapping[str, object]:
    """What CL2 makes of each template of `uses` (a name -> the text of one param), given overrides."""
    config = folder / "config.yaml"
    config.write_text(HEAD + "".join(f"      {name}: {text}\n" for name, text in uses.items()), encoding="utf-8")
    written = write_overrides(folder / "overrides.yaml", values)
    (call,) = compiled(config, folder, (written,)).calls
    return call.params
