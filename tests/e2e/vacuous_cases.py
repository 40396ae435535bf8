"""What ClusterLoader2 calls a success though nothing was measured or compared: the runs, and what is red in them."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_telescope.slo.model import Verdict
from tests.e2e.vacuous import Run

RUNS = (
    Run(name="calls", prometheus="fit"),
    Run(name="slow-calls", prometheus="fit", upstream=False),
    Run(name="queries", prometheus="fit"),
    Run(name="samples-required", prometheus="fit", upstream=False),
    Run(name="green"),
    Run(name="no-prometheus"),
    Run(name="zero-pods"),
    Run(name="wrong-selector"),
    Run(name="unread"),
    Run(name="survivors"),
    Run(name="error-margin"),
    Run(name="timed-out", upstream=False),
    Run(name="waits-for-nothing"),
    Run(name="failed-jobs"),
    Run(name="late-jobs"),
    Run(name="jobs-of-nobody"),
    Run(name="overwritten"),
    Run(name="nothing-can-fail", slos=False),
    Run(name="trackers"),
    Run(name="critical", upstream=False),
    Run(name="slow-calls-unfit", config="slow-calls", prometheus="unfit"),
    Run(name="calls-without-rules", prometheus="unfit"),
)
BY_NAME = {run.name: run for run in RUNS}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something that is not green here.

    Attributes:
        run: name of the run it happens in.
        source: why upstream calls it a success, with its file; a bare name is below pkg/measurement/common.
        says: part of the message.
        measurement: identifier whose element must have the verdict.
    """

    name: str
    run: str
    source: str
    says: str
    verdict: Verdict = Verdict.INVALID
    slo: str = "engine-thresholds"
    measurement: str = ""


PODS = "pods-complete"
CASES = (
    Case(
        name="query skipped, Prometheus is disabled",
        run="no-prometheus",
        source="prometheus_measurement.go; an enforced threshold that is missed, with requireSamples",
        measurement="Query",
        says="Prometheus is disabled, skipping the measurement!",
    ),
    Case(
        name="API calls skipped, Prometheus is disabled",
        run="no-prometheus",
        source="prometheus_measurement.go; the junit.xml case of a skipped measurement passes",
        measurement="Calls",
        says="Prometheus is disabled, skipping the measurement!",
    ),
    Case(
        name="query without samples",
        run="queries",
        source="generic_query_measurement.go: only a warning without requireSamples, which Azure/telescope never sets",
        measurement="no-samples",
        says="query 'requests' gave no number",
    ),
    Case(
        name="requireSamples is not enforced",
        run="queries",
        source="prometheus_measurement.go drops the violation without enableViolations",
        measurement="samples-not-enforced",
        says="(requests requireSamples) are not enforced",
    ),
    Case(
        name="requireSamples is enforced",
        run="samples-required",
        source="generic_query_measurement.go: a violation like a missed threshold, though nothing was compared",
        measurement="Query",
        says="query returned no samples",
    ),
    Case(
        name="exceeded threshold is not enforced",
        run="queries",
        source="prometheus_measurement.go; all thresholds of Azure/telescope are of this kind",
        measurement="threshold-not-enforced",
        says="targets threshold 0, targets requireSamples) are not enforced: give it enableViolations: true",
    ),
    Case(
        name="enableViolations stands at start, where nobody reads it",
        run="queries",
        source="prometheus_measurement.go reads it at gather",
        measurement="enforced-too-early",
        says="are not enforced",
    ),
    Case(
        name="enableViolations without a threshold",
        run="queries",
        source="generic_query_measurement.go; most queries of Azure/telescope",
        measurement="nothing-compared",
        says="there is no threshold: nothing is compared",
    ),
    Case(
        name="NaN",
        run="queries",
        source="pkg/measurement/util/prometheus.go drops NaN samples",
        measurement="nan",
        says="query 'share' gave no number",
    ),
    Case(
        name="slow API calls are not enforced",
        run="calls",
        source="slos/api_responsiveness_prometheus.go: singleResourceThreshold without enableViolations",
        measurement="calls-not-enforced",
        says="(singleResourceThreshold 1us) are not enforced",
    ),
    Case(
        name="no API calls",
        run="calls",
        source="slos/api_responsiveness_prometheus.go: no samples, no items, no violation",
        measurement="calls-without-samples",
        says="dataItems is null",
    ),
    Case(
        name="Prometheus without CL2's recording rules",
        run="calls-without-rules",
        source="slos/api_responsiveness_prometheus.go: latencies that were not found are 0",
        measurement="calls-without-rules",
        says="all latencies are 0",
    ),
    Case(
        name='slow calls where Prometheus spells le="1.0"',
        run="slow-calls-unfit",
        source='slos/api_responsiveness_prometheus.go asks for le="1", so SlowCount is 0 and allowedSlowCalls forgives',
        measurement="slow-calls",
        says="POST secrets has a 99th percentile of ",
    ),
    Case(
        name="slow calls where the harness prepared Prometheus",
        run="slow-calls",
        source="the same config: our own Prometheus is no trap",
        verdict=Verdict.FAIL,
        measurement="slow-calls",
        says="there should be no high-latency requests",
    ),
    Case(
        name="no pods",
        run="zero-pods",
        source="slos/pod_startup_latency.go: percentiles of no pod are 0",
        says="no pod was seen in its namespaces",
    ),
    Case(
        name="pods, but a selector that fits none",
        run="wrong-selector",
        source="slos/pod_startup_latency.go: percentiles of no pod are 0",
        measurement="Startup",
        says="all its numbers are 0, so it saw nothing",
    ),
    Case(
        name="a measurement that is started and never gathered",
        run="unread",
        source="slos/pod_startup_latency.go compares at gather only",
        measurement="never-gathered",
        says="started, but never gathered",
    ),
    Case(
        name="a threshold where it is not read",
        run="unread",
        source="scheduling_throughput.go reads it at gather; unknown params are ignored",
        measurement="misplaced",
        says="stand at an action that does not read them",
    ),
    Case(
        name="pods that never ran",
        run="survivors",
        source="slos/pod_startup_latency.go knows only pods that ran; Azure/telescope's own sample report is one",
        slo=PODS,
        verdict=Verdict.FAIL,
        says="2 of 5 pods did not run: never ran Unschedulable 2",
    ),
    Case(
        name="pods that an error margin forgives",
        run="error-margin",
        source="wait_for_controlled_pods.go: countErrorMargin",
        slo=PODS,
        verdict=Verdict.FAIL,
        says="2 of 5 pods did not run: never ran Unschedulable 2",
    ),
    Case(
        name="a Deployment that timed out, with good percentiles",
        run="timed-out",
        source="slos/pod_startup_latency.go knows only pods that ran; Azure/telescope drops CL2's exit code",
        verdict=Verdict.ERROR,
        says="1 objects timed out: Deployments",
    ),
    Case(
        name="a barrier for objects that are not there",
        run="waits-for-nothing",
        source="wait_for_controlled_pods.go: 0 of 0 are running",
        says="WaitForControlledPodsRunning found no object",
    ),
    Case(
        name="a barrier for Jobs that are not there",
        run="jobs-of-nobody",
        source="wait_for_jobs.go: 0 of 0 are finished",
        says="WaitForFinishedJobs found no object",
    ),
    Case(
        name="failed Jobs",
        run="failed-jobs",
        source="wait_for_jobs.go: a failed Job is a finished Job",
        verdict=Verdict.ERROR,
        says="2 of 2 Jobs failed",
    ),
    Case(
        name="failed pods of failed Jobs",
        run="failed-jobs",
        source="wait_for_jobs.go: a failed Job is a finished Job",
        slo=PODS,
        verdict=Verdict.FAIL,
        says="2 of 2 pods did not run: failed Error 2",
    ),
    Case(
        name="Jobs that took too long, whose pods all ran",
        run="late-jobs",
        source="wait_for_jobs.go: a failed Job is a finished Job",
        verdict=Verdict.ERROR,
        says="2 of 2 Jobs failed",
    ),
    Case(
        name="summaries that overwrite one another",
        run="overwritten",
        source="scheduling_throughput.go: the name of its file is without identifier, and its time has whole seconds",
        measurement="ThroughputA, ThroughputB, ThroughputC, ThroughputD",
        says="summary files SchedulingThroughput were written",
    ),
    Case(
        name="nothing that can fail",
        run="nothing-can-fail",
        source="scheduling_throughput.go, api_availability_measurement.go: without threshold they only inform",
        says="the config has no measurement that can fail, and the scenario has no slos of its own",
    ),
    Case(
        name="restarts that are only logged",
        run="trackers",
        source="system_pod_metrics.go: systemPodsFailureEnabled",
        measurement="restarts-not-enforced",
        says="says nothing without systemPodsFailureEnabled: true",
    ),
    Case(
        name="restarts that are not collected",
        run="trackers",
        source="system_pod_metrics.go: nothing is checked without systemPodMetricsEnabled",
        measurement="restarts-not-collected",
        says="says nothing without systemPodMetricsEnabled: true",
    ),
    Case(
        name="OOM kills that are only logged",
        run="trackers",
        source="ooms_tracker.go: clusterOOMsFailureEnabled",
        measurement="ooms-not-enforced",
        says="says nothing without clusterOOMsFailureEnabled: true",
    ),
    Case(
        name="constraints on resources that nobody measured",
        run="trackers",
        source="resource_usage.go: a kubelet that does not answer is only logged",
        measurement="no-kubelet",
        says="there is no number in it",
    ),
    Case(
        name="steps that a critical error skips",
        run="critical",
        source="pkg/test/simple_test_executor.go: they are not in junit.xml at all",
        verdict=Verdict.ERROR,
        says="create: the step did not run",
    ),
)
