"""What the Prometheus of every cluster has in common, the embedded one's and a managed one's."""

from __future__ import annotations

from pytest_telescope import paths

MANIFESTS = paths.modules() / "manifests" / "prometheus"
RULES = MANIFESTS / "recording_rules.yaml"
"""What ClusterLoader2's own measurements read beside the metrics themselves."""
RULES_INTERVAL = 30
"""Seconds between two evaluations of the rules, as in ClusterLoader2's own Prometheus."""
WHOLE_BOUNDS = {
    "source_labels": ["le", "__name__"],
    "regex": r"(\d+)\.0+;.*_bucket",
    "target_label": "le",
    "replacement": "$1",
}
"""Prometheus 3 writes `le="1.0"` where the component said `le="1"`, which is what ClusterLoader2 asks for."""
