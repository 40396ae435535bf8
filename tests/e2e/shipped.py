"""ClusterLoader2's own test configs, as scenarios of three lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.scenario.names import Scalar
from tests.e2e.conftest import Harness
from tests.load.clusterloader2.test_cl2_methods import upstream

FOLDERS = ("examples", "testing")
THREE_LINES = "name: {name}\ncomponent: scheduler\nload: {{clusterloader2: {load}}}\n"


def scenario_of(harness: Harness, name: str, config: str, overrides: Mapping[str, Scalar]) -> Path:
    """Make a scenario of a config of upstream, all of whose files are copied unchanged."""
    load = json.dumps({"config": config, "overrides": dict(overrides)})
    folder = harness.scenario(name, THREE_LINES.format(name=name, load=load))
    for each in FOLDERS:
        shutil.copytree(upstream() / each, folder / each)
    return folder
