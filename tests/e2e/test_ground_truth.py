"""The harness against a known truth: pods that take as long to run as was injected."""

from __future__ import annotations

import pytest

from tests.e2e import stages
from tests.e2e.conftest import Harness

pytestmark = pytest.mark.e2e

LEAST, MOST = 10.0, 20.0
PODS = 1000
SCENARIO = f"""\
name: truth
description: Pods whose way to Running takes a known time.
component: scheduler
cluster:
  stages: stages.yaml
  pools:
    user: {{count: 20, labels: {{tests: "true"}}}}
load:
  default: resource-consumer
  resource-consumer:
    pods: {PODS}
    rate: 40/s
    consume: {{cpu: 0.01, memory: 16Mi}}
    selector: {{tests: "true"}}
    timeout: 2m
slos:
  - {{id: p50, use: pod-startup/running, p: 50, max: 60s}}
  - {{id: p99, use: pod-startup/running, p: 99, max: 60s}}
"""


def test_reported_quantiles_agree_with_the_injected_ones_within_5_percent(harness: Harness) -> None:
    folder = harness.scenario("truth", SCENARIO)
    (folder / "stages.yaml").write_text(stages.uniform(LEAST, MOST))

    run = harness.run("-m", "local", "--scenario=truth")

    found = run.judgements("local-truth")
    assert run.code == 0, run.output
    assert found["p99"]["count"] == PODS
    assert found["p50"]["value"] == pytest.approx(LEAST + 0.50 * (MOST - LEAST), rel=0.05)
    assert found["p99"]["value"] == pytest.approx(LEAST + 0.99 * (MOST - LEAST), rel=0.05)
