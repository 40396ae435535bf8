"""What the Prometheus of every cluster has in common, the embedded one's and a managed one's."""

from __future__ import annotations

from pytest_telescope import paths

MANIFESTS = paths.modules() / "manifests" / "prometheus"
RULES = MANIFESTS / "recording_rules.yaml"
"""What ClusterLoader2's own measurements read beside the metrics themselves."""
RULES_INTERVAL = 30
"""Seconds between two evaluations of the rules, as in ClusterLoader2's own Prometheus."""
WHOLE_BOUNDS: dict[str, object] = {
    "source_labels": ["le", "__name__"],
    "regex": r"(\d+)\.0+;.*_bucket",
    "target_label": "le",
    "replacement": "$1",
}
"""Prometheus 3 writes `le="1.0"` where the component said `le="1"`, which is what ClusterLoader2 asks for."""
NO_CGROUPS: dict[str, object] = {"source_labels": ["__name__"], "regex": "container_.*", "action": "drop"}
"""containerd tells the cgroups of every container too, some hundred series each, which cAdvisor has by name."""


def metric_relabelling(job: str) -> list[dict[str, object]]:
    """Return what is done to the series of a job, on every cluster."""
    return [WHOLE_BOUNDS, *([NO_CGROUPS] if job == "containerd" else [])]
