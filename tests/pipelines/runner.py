"""A whole build: the jobs of an expanded pipeline one after the other, each on an agent of its own."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from tests.pipelines.agent import Agent
from tests.pipelines.agent import Result
from tests.pipelines.agent import StepRun
from tests.pipelines.expressions import Scope
from tests.pipelines.expressions import evaluate
from tests.pipelines.expressions import truth
from tests.pipelines.tasks import Server
from tests.pipelines.variables import Nulls
from tests.pipelines.variables import Variables

ROOT = Path(__file__).parent.parent.parent
TOKEN = "a-token-of-the-job"

# https://learn.microsoft.com/azure/devops/pipelines/build/variables: what is there before anything is defined.
PREDEFINED = {
    "TF_BUILD": "True",
    "Agent.OS": "Linux",
    "Agent.OSArchitecture": "X64",
    "Agent.MachineName": "pretended",
    "Build.BuildId": "4711",
    "Build.BuildNumber": "20260101.1",
    "Build.DefinitionName": "benchmark",
    "Build.Reason": "Manual",
    "Build.SourceBranch": "refs/heads/main",
    "Build.SourceVersion": "0" * 40,
    "System.CollectionUri": "https://dev.azure.com/pretended/",
    "System.DefinitionId": "7",
    "System.JobAttempt": "1",
    "System.OidcRequestUri": "https://dev.azure.com/pretended/oidctoken",
    "System.TeamProject": "pretended",
    "System.TeamProjectId": "00000000-0000-0000-0000-000000000000",
}
SECRET = {"System.AccessToken": TOKEN}
OF_AGENT = ("Agent.TempDirectory", "Build.SourcesDirectory", "System.DefaultWorkingDirectory", "Pipeline.Workspace")
OF_JOB = ("System.JobId", "System.JobPositionInPhase", "System.TotalJobsInPhase", "System.ParallelExecutionType")


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """What became of one copy of a job."""

    name: str
    position: int
    result: Result
    steps: tuple[StepRun, ...] = ()
    issues: tuple[str, ...] = ()
    undefined: frozenset[str] = frozenset()

    def step(self, name: str) -> StepRun:
        return next(step for step in self.steps if step.name == name)

    @property
    def results(self) -> dict[str, Result]:
        return {step.name: step.result for step in self.steps}

    @property
    def text(self) -> str:
        return "\n".join(f"== {step.name}: {step.result}\n{step.text}" for step in self.steps)


@dataclass(kw_only=True)
class Build:
    """Runs the jobs of a pipeline.

    Args:
        folder: below which agents work.
        server: what is kept of the build.
        sources: the checkout that agents find.
        variables: in place of, or beside, the predefined ones.
        agent: further arguments of every `Agent`.
    """

    folder: Path
    server: Server
    sources: Path = ROOT
    variables: Mapping[str, str] = field(default_factory=dict)
    agent: Mapping[str, Any] = field(default_factory=dict)

    def run(self, pipeline: Mapping[str, Any]) -> list[JobRun]:
        """Run the jobs in the order of the file, which must be that of their dependencies."""
        done: list[JobRun] = []
        static = {one["name"]: one["value"] for one in pipeline["variables"]}
        for job in pipeline["jobs"]:
            done += self._job(job, static, done)
        return done

    def _job(self, job: Mapping[str, Any], static: Mapping[str, str], done: list[JobRun]) -> Iterator[JobRun]:
        after = job.get("dependsOn", [])
        needed = [after] if isinstance(after, str) else after
        before = [one for one in done if one.name in needed]
        if not set(needed) <= {one.name for one in done}:
            raise NotImplementedError(f"job {job['job']} stands before a job that it depends on: {', '.join(needed)}")
        total = int(job.get("strategy", {}).get("parallel", "1"))
        for position in range(1, total + 1):
            if not self._starts(job.get("condition", "succeeded()"), static, before):
                yield JobRun(name=job["job"], position=position, result="Skipped")
                continue
            yield self._copy(job, static, position, total)

    def _starts(self, condition: str, static: Mapping[str, str], before: list[JobRun]) -> bool:
        results = {one.result for one in before}
        functions = {
            "always": lambda: True,
            "canceled": lambda: "Canceled" in results,  # here a job is cancelled by cancelling the build
            "failed": lambda: "Failed" in results,
            "succeeded": lambda: results <= {"Succeeded", "SucceededWithIssues"},
        }
        known = Nulls({**PREDEFINED, **static, **self.variables})
        return truth(evaluate(condition, Scope(contexts={"variables": known}, functions=functions)))

    def _copy(self, job: Mapping[str, Any], static: Mapping[str, str], position: int, total: int) -> JobRun:
        root = self.folder / f"{job['job']}-{position}"
        places = dict(zip(OF_AGENT, map(str, (root / "_temp", self.sources, self.sources, root / "work")), strict=True))
        kind = "MultiMachine" if "parallel" in job.get("strategy", {}) else "None"
        own = dict(zip(OF_JOB, (job["job"], str(position), str(total), kind), strict=True))
        variables = Variables({**PREDEFINED, **places, **own, **static, **self.variables}, SECRET)
        agent = Agent(root=root, sources=self.sources, variables=variables, server=self.server, **self.agent)
        result = agent.run(job["steps"])
        return JobRun(
            name=job["job"],
            position=position,
            result=result,
            steps=tuple(agent.steps),
            issues=tuple(agent.issues),
            undefined=frozenset(variables.undefined),
        )
