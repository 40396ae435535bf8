"""Configuration of the kwok controller: how many stages it plays at once, and which."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.errors import ProvisionError

OWN_STATUS = "kwok.x-k8s.io/status=custom"
"""Annotation of the pods whose status is written by somebody else; no stage touches them."""
PARALLELISM = 16
"""kwok's default of 4 makes it the bottleneck of a burst of pods, which the benchmark would then measure."""


def write_kwok_config(layout: Layout, stages: Path | None) -> list[Path]:
    """Write kwok's configuration files: its options and, where given, the Stage objects that replace its own.

    Stages of a kind (Pod, Node) that a file does not speak of stay kwok's built-in ones.

    Raises:
        ProvisionError: the file of stages cannot be read.
    """
    folder = private_folder(layout.config)
    options = {
        "podPlayStageParallelism": PARALLELISM,
        "nodePlayStageParallelism": PARALLELISM,
        "nodeLeaseParallelism": PARALLELISM,
        "disregardStatusWithAnnotationSelector": OWN_STATUS,
    }
    document = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": options}
    files = [write_private(folder / "kwok.yaml", json.dumps(document))]
    if stages is not None:
        files.append(_copy(stages, folder / "stages.yaml"))
    return files


def _copy(source: Path, target: Path) -> Path:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise ProvisionError(f"the kwok stages cannot be read: {error}") from error
    return target
