"""kwok stages with a known behaviour: ground truth for what the harness measures."""

from __future__ import annotations

DELETE = """\
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-delete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: .metadata.deletionTimestamp, operator: Exists}
  next: {finalizers: {empty: true}, delete: true}
"""

READY = """\
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {{name: pod-ready}}
spec:
  resourceRef: {{apiGroup: v1, kind: Pod}}
  selector:
    matchExpressions:
      - {{key: .metadata.deletionTimestamp, operator: DoesNotExist}}
      - {{key: .status.phase, operator: In, values: [Pending]}}
  delay: {{durationMilliseconds: {least}, jitterDurationMilliseconds: {most}}}
  next:
    statusTemplate: |
      phase: Running
      startTime: {{{{ Now | Quote }}}}
      conditions:
      - {{type: Ready, status: "True", lastTransitionTime: {{{{ Now | Quote }}}}}}
"""


def uniform(least: float, most: float) -> str:
    """Return stages in which a pod runs after a delay drawn evenly from `least` to `most` seconds."""
    return DELETE + READY.format(least=round(least * 1000), most=round(most * 1000))
