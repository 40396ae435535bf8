"""Every test config and suite that CL2 ships, by the harness; what becomes of each stands in data/shipped.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_telescope.load.clusterloader2.source import is_suite
from tests.e2e.conftest import CHECKOUT
from tests.e2e.conftest import Harness
from tests.e2e.conftest import traces
from tests.e2e.shipped import FOLDERS
from tests.e2e.shipped import scenario_of
from tests.load.clusterloader2.test_cl2_methods import upstream

pytestmark = pytest.mark.e2e

SHIPPED: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "data" / "shipped.yaml").read_text())
_CONFIG = re.compile(r"^namespace:.*^steps:", re.DOTALL | re.MULTILINE)


def is_test(file: Path) -> bool:
    """Whether CL2 can be started with it."""
    return bool(_CONFIG.search(file.read_text())) or is_suite(file)


def name_of(config: str) -> str:
    """Return a scenario's name for the path of a config."""
    words = config.removesuffix(".yaml").removeprefix("testing/").removesuffix("/config")
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).removeprefix("experimental-")[-40:].strip("-")


def outcome_of(entry: Mapping[str, Any]) -> str:
    """Return what the page calls the outcome."""
    return str(entry.get("verdict") or ("refused" if "refused" in entry else "left-out"))


def having(key: str) -> list[str]:
    return [config for config, entry in SHIPPED.items() if key in entry]


def test_all_are_listed() -> None:
    found = [file for folder in FOLDERS for file in (upstream() / folder).rglob("*.yaml") if is_test(file)]

    assert {str(file.relative_to(upstream())) for file in found} == set(SHIPPED)


def test_the_documentation_tells_the_same() -> None:
    page = (CHECKOUT / "docs" / "clusterloader2-configs.md").read_text()
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", page, re.MULTILINE))

    assert rows == {config: outcome_of(entry) for config, entry in SHIPPED.items()}


@pytest.mark.long
@pytest.mark.parametrize("config", having("refused"))
def test_what_cannot_run_is_refused_with_its_reason_before_anything_is_built(harness: Harness, config: str) -> None:
    entry, name = SHIPPED[config], name_of(config)
    scenario_of(harness, name, config, entry.get("overrides", {}))

    run = harness.run("-m", "local", f"--scenario={name}")

    assert run.code == 4
    assert entry["refused"] in run.output
    assert traces(run.state) == []


OFTEN = ("testing/node-throughput/config.yaml",)
"""What CI runs; the others take ten minutes together, and test_cl2_vacuous has the red ones of every kind."""


@pytest.mark.long
@pytest.mark.parametrize(
    "config",
    [config if config in OFTEN else pytest.param(config, marks=pytest.mark.extra) for config in having("verdict")],
)
def test_what_can_run_has_its_verdict(harness: Harness, config: str) -> None:
    entry, name = SHIPPED[config], name_of(config)
    scenario_of(harness, name, config, entry.get("overrides", {}), endless=entry.get("endless", False))

    run = harness.run("-m", "local", f"--scenario={name}")

    found = run.judgements(f"local-{name}").get("engine-thresholds", {})
    assert found.get("verdict") == entry["verdict"], run.output
    assert entry.get("says", "") in found["message"]
    assert run.code == (entry["verdict"] != "PASS")
    assert traces(run.state) == []
