"""One job on one agent: conditions, macros, logging commands, time-outs, cancelling.

Sources: https://learn.microsoft.com/azure/devops/pipelines/process/phases and .../scripts/logging-commands,
azure-pipelines-agent `src/Agent.Worker/StepsRunner.cs`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import Literal

from tests.pipelines import scripts
from tests.pipelines import tasks
from tests.pipelines.expressions import Scope
from tests.pipelines.expressions import evaluate
from tests.pipelines.expressions import truth
from tests.pipelines.variables import Variables

Result = Literal["Succeeded", "SucceededWithIssues", "Failed", "Canceled", "Skipped"]
_COMMAND = re.compile(r"##vso\[(?P<what>[\w.]+)(?: (?P<properties>[^\]]*))?\](?P<value>.*)")
_GOOD = ("Succeeded", "SucceededWithIssues")
_FOREIGN = ("AGENT_", "ARM_", "AWS_", "AZURE_", "BUILD_", "GOOGLE_", "PYTEST_", "SYSTEM_", "TELESCOPE_")
"""What the environment of the tests may hold, and an agent's own does not."""


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """What became of a step."""

    name: str
    result: Result
    output: tuple[str, ...] = ()
    killed: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.output)


@dataclass(kw_only=True)
class Agent:
    """Runs the steps of one job.

    Args:
        root: the agent's work folder.
        sources: the checkout.
        variables: what the job's steps see.
        server: where results go to, and artifacts come from.
        extra: added to the environment of every step, as an agent's own environment is.
        minute: seconds that a minute of a time-out lasts.
        cancel_at: tells by a line of output that the job is cancelled now.
        first: the signal that a shell gets first.
    """

    root: Path
    sources: Path
    variables: Variables
    server: tasks.Server
    extra: Mapping[str, str] = field(default_factory=dict)
    minute: float = 60.0
    cancel_at: Callable[[str], bool] = lambda _line: False
    first: signal.Signals = signal.SIGTERM
    status: Result = "Succeeded"
    steps: list[StepRun] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def temp(self) -> Path:
        return self.root / "_temp"

    def run(self, steps: list[dict[str, Any]]) -> Result:
        """Run every step whose condition holds, and return the job's result."""
        self.temp.mkdir(parents=True, exist_ok=True)
        for step in steps:
            done = self._step(step)
            self.steps.append(done)
            self._merge(done.result, allowed=step.get("continueOnError", "false").casefold() == "true")
        shutil.rmtree(self.temp)
        return self.status

    def _merge(self, result: Result, *, allowed: bool) -> None:
        if self.status != "Canceled" and result == "Failed":
            self.status = self.status if self.status == "Failed" else "SucceededWithIssues" if allowed else "Failed"

    def holds(self, condition: str) -> bool:
        """Tell whether a condition holds now; without one of its own it is `succeeded()`."""
        status = {
            "always": lambda: True,
            "succeeded": lambda: self.status in _GOOD,
            "succeededorfailed": lambda: self.status != "Canceled",
            "failed": lambda: self.status == "Failed",
            "canceled": lambda: self.status == "Canceled",
        }
        known = self.variables.for_conditions()
        return truth(evaluate(condition, Scope(contexts={"variables": known}, functions=status)))

    def _step(self, step: dict[str, Any]) -> StepRun:
        condition = step.get("condition", "succeeded()")
        name = self.variables.expanded(step.get("displayName") or step.get("task") or step.get("bash", "checkout"))
        if not self.holds(condition):
            return StepRun(name=name, result="Skipped")
        if "checkout" in step:
            return StepRun(name=name, result="Succeeded")
        if "task" in step:
            return self._task(step, name)
        if "bash" not in step:
            raise NotImplementedError(f"step {step} is of a kind that is not known here")
        return self._script(step, name, condition)

    def _task(self, step: dict[str, Any], name: str) -> StepRun:
        inputs = {key: self.variables.expanded(value) for key, value in step.get("inputs", {}).items()}
        said: list[str] = []
        try:
            tasks.run(step["task"], inputs, self.server, said.append)
        except tasks.TaskError as error:
            return StepRun(name=name, result="Failed", output=(*said, f"##[error]{error}"))
        return StepRun(name=name, result="Succeeded", output=tuple(said))

    def _script(self, step: dict[str, Any], name: str, condition: str) -> StepRun:
        file = self.temp / f"{len(self.steps)}.sh"
        file.write_text(self.variables.expanded(step["bash"]))
        given = {key: self.variables.expanded(value) for key, value in step.get("env", {}).items()}
        script = scripts.Script(
            file=file,
            folder=self.sources / step.get("workingDirectory", "."),
            environment={**self._environment(), **given},
            signal=self.first,
        )
        output: list[str] = []
        stop = threading.Event()

        def hear(line: str) -> None:
            output.append(line)
            self._obey(line)
            if self.cancel_at(line):
                self._cancel()
            if self._cancelled.is_set() and not self.holds(condition):
                stop.set()

        ended = scripts.run(script, self._patience(step), hear, stop)
        result: Result = "Succeeded" if ended.code == 0 and not ended.stopped else "Failed"
        if stop.is_set():
            result = "Canceled"
        return StepRun(name=name, result=result, output=tuple(output), killed=ended.killed)

    def _cancel(self) -> None:
        self.status = "Canceled"
        self._cancelled.set()

    def _patience(self, step: dict[str, Any]) -> scripts.Patience:
        interrupt = float(self.variables.get("PROCESS_SIGINT_TIMEOUT") or 7500) / 1000
        return scripts.Patience(
            step=float(step["timeoutInMinutes"]) * self.minute, interrupt=interrupt * self.minute / 60
        )

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        own["PATH"] = os.pathsep.join([*self.variables.path, own.get("PATH", os.defpath)])
        return {**own, **self.variables.environment(), **self.extra}

    def _obey(self, line: str) -> None:
        found = _COMMAND.search(line)
        if found is None:
            return
        properties = _properties(found["properties"] or "")
        match found["what"]:
            case "task.setvariable" if "isoutput" in properties:
                raise NotImplementedError("output variables are not known here")
            case "task.setvariable":
                self.variables.set(
                    properties["variable"], found["value"], secret=properties.get("issecret", "").casefold() == "true"
                )
            case "task.prependpath":
                self.variables.path.insert(0, found["value"])
            case "task.logissue":
                self.issues.append(f"{properties['type']}: {found['value']}")
            case "build.addbuildtag":
                self.server.tags.add(found["value"])
            case "task.complete" | "task.debug" | "task.setprogress":
                pass
            case other:
                raise NotImplementedError(f"the logging command {other} is not known here")


def _properties(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().casefold(): value for name, _, value in pairs}


def hear_signals() -> None:
    """Let children hear SIGINT: a background shell hands it down as ignored, and what is ignored stays so."""
    with contextlib.suppress(ValueError):  # not the main thread: then nothing can be done, and nothing is
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
