"""Terraform for one lease: python-terraform with a process that can be logged, bounded, interrupted and found again.

The module's folder is only read (`-chdir`); state, variables, data and log live in the lease's folder.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from typing import Any
from typing import NoReturn

from python_terraform import IsFlagged
from python_terraform import Terraform

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.processes import LEASE
from pytest_telescope.cluster.processes import ROLE
from pytest_telescope.cluster.processes import marked
from pytest_telescope.cluster.processes import wait_gone
from pytest_telescope.cluster.terraform_progress import LogProgress
from pytest_telescope.cluster.terraform_progress import planned
from pytest_telescope.cluster.terraform_progress import wait_looking
from pytest_telescope.errors import ClusterError

GRACE = 120.0
"""Seconds Terraform has after its one SIGINT to stop what it does and write its state."""
LOCK_TIMEOUT = "30s"
"""How long a command waits for another Terraform of the same lease to let go of the state."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_QUOTED_LINES = 25


class TerraformError(ClusterError):
    """Terraform failed or ran out of time; the message quotes its own error and names its log.

    Attributes:
        cut_short: it did not come to its own end, so that its state may not know all that it began.
    """

    cut_short = False


class LeaseTerraform(Terraform):  # type: ignore[misc] # python-terraform ships no types
    """A Terraform that runs one module for one lease.

    Args:
        binary: terraform or tofu.
        module: folder of the root module.
        folder: private folder of the lease.
        lease: id that marks the process and all it starts.
        environment: variables to add, e.g. the paths of tools.
        grace: seconds between the one SIGINT and SIGKILL.
    """

    def __init__(
        self,
        binary: Path,
        module: Path,
        folder: Path,
        lease: str,
        *,
        environment: Mapping[str, str] | None = None,
        grace: float = GRACE,
    ) -> None:
        super().__init__(working_dir=str(module), terraform_bin_path=str(binary))
        self.folder = private_folder(folder)
        self.module = module
        self.log = folder / "terraform.log"
        self._lease = lease
        self._added = dict(environment or {})
        self._grace = grace
        self.say: Callable[[str], None] | None = None
        """Told how far an apply or a destroy is."""
        self._planned = 0

    def __getattr__(self, item: str) -> NoReturn:
        """Refuse unknown names, which python-terraform would run as commands of Terraform."""
        raise AttributeError(f"{type(self).__name__} has no {item}")

    def read_state_file(self, file_path: str | None = None) -> None:
        """Do nothing: state is read by `output` alone, never behind Terraform's back."""

    def add_environment(self, variables: Mapping[str, str]) -> None:
        """Give Terraform more variables from now on."""
        self._added.update(variables)

    def init_module(self, deadline: float) -> None:
        """Run `terraform init` (errors as in `cmd`); `deadline` is seconds from now."""
        self.cmd("init", input=False, no_color=IsFlagged, deadline=deadline)

    def apply_module(self, variables: Mapping[str, Any], deadline: float) -> None:
        """Write the variables into the lease's folder and apply (errors as in `cmd`)."""
        write_private(self._variables, json.dumps(variables, indent=2, sort_keys=True))
        self.cmd("apply", auto_approve=IsFlagged, deadline=deadline, **self._options())

    def plan_module(self, variables: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        """Write the variables and the plan into the lease's folder; return it as `terraform show -json` tells it.

        Raises:
            TerraformError: as in `cmd`; or the plan cannot be read.
        """
        write_private(self._variables, json.dumps(variables, indent=2, sort_keys=True))
        options = {**self._options(), "lock_timeout": LOCK_TIMEOUT}
        self.cmd("plan", out=self._plan, deadline=deadline, **options)
        self._plan.chmod(0o600)
        _, text, _ = self.cmd("show", str(self._plan), json=IsFlagged, deadline=60.0, secret=True)
        try:
            document: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise TerraformError(f"terraform show gave no JSON of the plan: {error}; log: {self.log}") from error
        self._planned = planned(document)
        return document

    def apply_plan(self, deadline: float) -> None:
        """Apply the plan that `plan_module` wrote (errors as in `cmd`)."""
        self.cmd(
            "apply",
            str(self._plan),
            state=self._state,
            input=False,
            no_color=IsFlagged,
            lock_timeout=LOCK_TIMEOUT,
            deadline=deadline,
            total=self._planned,
        )

    def destroy_module(self, deadline: float) -> None:
        """Destroy what the state knows (errors as in `cmd`)."""
        self.cmd("destroy", auto_approve=IsFlagged, lock_timeout=LOCK_TIMEOUT, deadline=deadline, **self._options())

    def outputs(self, deadline: float = 60.0) -> dict[str, Any]:
        """Return the value of every output, secrets in clear; they never reach the log.

        Raises:
            TerraformError: they cannot be read.
        """
        _, text, _ = self.cmd("output", json=IsFlagged, state=self._state, deadline=deadline, secret=True)
        try:
            return {name: output["value"] for name, output in json.loads(text).items()}
        except (ValueError, KeyError, AttributeError) as error:
            raise TerraformError(
                f"terraform output gave no JSON object of outputs: {error!r}; log: {self.log}"
            ) from error

    @property
    def has_state(self) -> bool:
        """Whether an apply was ever begun here."""
        return self._state.exists() and self._state.stat().st_size > 0

    @property
    def _state(self) -> Path:
        return self.folder / "terraform.tfstate"

    @property
    def _variables(self) -> Path:
        return self.folder / "terraform.tfvars.json"

    @property
    def _plan(self) -> Path:
        return self.folder / "plan.bin"

    def _options(self) -> dict[str, Any]:
        return {"state": self._state, "var_file": self._variables, "input": False, "no_color": IsFlagged}

    def cmd(self, cmd: str, *args: str, **kwargs: Any) -> tuple[int, str, str]:
        """Run one command and return code 0, its standard output and "".

        Args:
            cmd: command as python-terraform takes it.
            args: arguments, likewise.
            kwargs: options, likewise; ours are `deadline` (seconds), `secret` (standard output is not logged) and
                `total` (changes that are to be made, 0: the log tells).

        Raises:
            TerraformError: it failed or did not end in time.
        """
        deadline = float(kwargs.pop("deadline", 600.0))
        secret = bool(kwargs.pop("secret", False))
        total = int(kwargs.pop("total", 0))
        try:
            command: list[str] = self.generate_cmd_string(cmd, *args, **kwargs)
            command.insert(1, f"-chdir={self.module}")
            return 0, self._run(cmd, command, deadline, secret=secret, total=total), ""
        finally:
            self.temp_var_files.clean_up()

    def _run(self, name: str, command: list[str], deadline: float, *, secret: bool, total: int) -> str:
        with _private_append(self.log) as log, tempfile.TemporaryFile(dir=self.folder) as answer:
            log.write(f"\n$ terraform {name}  # {time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n".encode())
            log.flush()
            begun = log.tell()
            look = self._progress(name, begun, total)
            code = self._wait(command, answer if secret else log, log, deadline, look)
            answer.seek(0)
            text = answer.read().decode(errors="replace") if secret else self._logged(begun)
        if code is None:
            error = TerraformError(self._message(name, f"did not end within {deadline:g} s", begun))
            error.cut_short = True
            raise error
        if code != 0:
            error = TerraformError(self._message(name, f"failed with code {code}", begun))
            error.cut_short = code < 0  # a signal of somebody else
            raise error
        return text

    def _progress(self, name: str, begun: int, total: int) -> Callable[[], None]:
        if self.say is None or name not in {"apply", "destroy"}:
            return lambda: None
        return LogProgress(self.log, begun, name, self.say, total).look

    def _wait(
        self, command: list[str], out: IO[bytes], log: IO[bytes], deadline: float, look: Callable[[], None]
    ) -> int | None:
        """Return the exit code, or None if the deadline passed and the process had to be ended."""
        process: subprocess.Popen[bytes] | None = None
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )
            return wait_looking(process, deadline, look)
        except subprocess.TimeoutExpired:
            end_terraform(process, self._grace)
            return None
        except BaseException:
            end_terraform(process, self._grace)
            raise

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self._added,
            "TF_DATA_DIR": str(self.folder / ".terraform"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            LEASE: self._lease,
            ROLE: "terraform",
        }

    def _logged(self, begun: int) -> str:
        with self.log.open("rb") as file:
            file.seek(begun)
            return file.read().decode(errors="replace")

    def _message(self, name: str, what: str, begun: int) -> str:
        return f"terraform {name} {what}:\n{error_of(self._logged(begun))}\nlog: {self.log}"


def error_of(output: str) -> str:
    """Return what Terraform itself calls the error: from its first `Error:` on, without boxes and colours."""
    lines = [_COLOUR.sub("", line).lstrip("│╷╵ ").rstrip() for line in output.splitlines()]
    lines = [line for line in lines if line]
    first = next((index for index, line in enumerate(lines) if line.startswith("Error:")), None)
    quoted = lines[-_QUOTED_LINES:] if first is None else lines[first : first + _QUOTED_LINES]
    return "\n".join(quoted) or "(no output)"


def end_terraform(process: subprocess.Popen[bytes] | None, grace: float) -> None:
    """End a running Terraform: one SIGINT, `grace` seconds, then SIGKILL to its group; never a second signal.

    A second signal would make it drop what it is creating without writing the state.
    """
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    if not _ended(process, grace):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait, undisturbed by the impatience of who pressed Ctrl-C once more: the wait is bounded."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            process.wait(left)
        except subprocess.TimeoutExpired:
            break
        except KeyboardInterrupt:
            continue
        return True
    return process.poll() is not None


def _private_append(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def end_left_behind(lease: str, grace: float = GRACE) -> None:
    """End every Terraform of a lease that outlived its caller, in the same way."""
    left = [member.identity for member in marked(lease) if member.role == "terraform"]
    for process in left:
        process.signal(signal.SIGINT)
    for process in wait_gone(left, grace):
        process.signal(signal.SIGKILL)
    wait_gone(left, 5.0)
