"""CL2's own test configs, as scenarios of three lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from pytest_telescope.scenario.names import Scalar
from tests.e2e import stages
from tests.e2e.conftest import Harness
from tests.load.clusterloader2.test_cl2_methods import upstream

FOLDERS = ("examples", "testing")
THREE_LINES = "name: {name}\ncomponent: scheduler\nload: {{clusterloader2: {load}}}\n"
STAGES = "cluster: {stages: stages.yaml}\n"


def scenario_of(
    harness: Harness, name: str, config: str, overrides: Mapping[str, Scalar], *, endless: bool = False
) -> Path:
    """Make a scenario of a config of upstream, all of whose files are copied unchanged.

    Args:
        harness: that will run it.
        name: of the scenario.
        config: path within upstream's folder.
        overrides: variables of the config.
        endless: no pod ends by itself; kwok's own stages end those of jobs at once.
    """
    load = json.dumps({"config": config, "overrides": dict(overrides)})
    folder = harness.scenario(name, THREE_LINES.format(name=name, load=load) + (STAGES if endless else ""))
    (folder / "stages.yaml").write_text(stages.uniform(0, 0))
    for each in FOLDERS:
        shutil.copytree(upstream() / each, folder / each)
    return folder
