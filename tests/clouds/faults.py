"""What may go wrong in the pretended cloud."""

from __future__ import annotations

import fnmatch
import threading
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import Literal

import yaml

Kind = Literal["fail-create", "fail-after-create", "fail-destroy", "hang", "invisible", "throttle", "quota"]
MESSAGES: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(Path(__file__).with_name("messages.yaml").read_text())
"""Cloud (prefix of the type) -> kind -> code and message, as the cloud words them."""


class FakeError(Exception):
    """The cloud refused.

    Attributes:
        code: the cloud's own word for it, e.g. `DependencyViolation`.
        status: what an HTTP API answers with.
    """

    def __init__(self, code: str, message: str, status: int = 409) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(init=False)
class Fault:
    """One thing that goes wrong, `times` times (None: always) with things of `type` (a pattern with `*`).

    Settings: `code` and `message` instead of the cloud's usual ones; `op` ("create", "destroy", "*") and
    `seconds` (simulated) of a hang; `seconds` that a new thing stays invisible; `op` of a throttle.
    """

    kind: Kind
    type: str
    times: int | None
    settings: dict[str, Any] = field(default_factory=dict)
    struck: int = 0

    def __init__(self, kind: Kind, type: str = "*", times: int | None = 1, **settings: Any) -> None:  # noqa: A002 - the field's name
        self.kind = kind
        self.type = type
        self.times = times
        self.settings = settings
        self.struck = 0

    def hits(self, kind: str, typ: str, op: str) -> bool:
        """Tell whether it strikes now."""
        spent = self.times is not None and self.struck >= self.times
        wanted = self.settings.get("op", "*")
        return not spent and self.kind == kind and fnmatch.fnmatch(typ, self.type) and wanted in ("*", op)

    def error(self, typ: str, default: str | None = None) -> FakeError:
        """Return what the cloud of `typ` says to this kind of fault."""
        words = words_for(default or self.kind, typ)
        code = self.settings.get("code", words["code"])
        return FakeError(code, self.settings.get("message", words["message"]), int(words.get("status", 409)))


def words_for(kind: str, typ: str) -> dict[str, Any]:
    """Return code, message and status of the cloud that `typ` belongs to."""
    cloud = next((name for name in ("azure", "aws") if typ.startswith(name)), "google")
    return dict(MESSAGES[cloud][kind])


class Faults:
    """The faults that are to come; safe to use from many threads."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._lock = threading.Lock()

    def append(self, fault: Fault) -> None:
        """Add one; the first that fits strikes."""
        with self._lock:
            self.waiting.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self.waiting.clear()

    def take(self, kind: Kind, typ: str, op: str = "*") -> Fault | None:
        """Return the fault that strikes now and count it, or None."""
        with self._lock:
            for fault in self.waiting:
                if fault.hits(kind, typ, op):
                    fault.struck += 1
                    return fault
        return None

    def raised(self, kind: Kind, typ: str, op: str = "*") -> None:
        """Raise what the cloud says, if such a fault strikes now.

        Raises:
            FakeError: it does.
        """
        fault = self.take(kind, typ, op)
        if fault is not None:
            raise fault.error(typ)
