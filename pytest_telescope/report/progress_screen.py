"""The terminal's own stream: what pytest and the live lines write, above one status line that is drawn in place.

It writes to a copy of standard output's descriptor, so that what pytest captures meanwhile does not matter.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from collections.abc import Mapping
from typing import TextIO

ERASE = "\r\x1b[K"
_SAYS_NO = ("NO_COLOR", "CI", "TF_BUILD", "GITHUB_ACTIONS")


def may_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a line may be drawn in place: on a terminal that a person looks at, and nowhere else."""
    return (
        stream.isatty()
        and environ.get("TERM", "dumb") != "dumb"
        and not any(environ.get(name, "") not in {"", "0", "false"} for name in _SAYS_NO)
    )


class Screen:
    """Text in, bytes out; stands in for a text stream.

    Args:
        stream: standard output as pytest found it; it must be a file of the operating system.
        in_place: a status line may be drawn.
        shield: is given all text before it is written.

    Raises:
        OSError: `stream` is no such file.
    """

    def __init__(self, stream: TextIO, *, in_place: bool, shield: Callable[[str], str] | None = None) -> None:
        stream.flush()
        self._file = os.dup(stream.fileno())
        self.encoding = stream.encoding or "utf-8"
        self.errors = stream.errors or "strict"
        self._tty = stream.isatty()
        self.in_place, self._shield = in_place, shield
        self._lock = threading.RLock()
        self._status, self._drawn, self._at_start = "", False, True

    def write(self, text: str) -> int:
        """Write text above the status line.

        Raises:
            UnicodeEncodeError: the terminal has no such characters.
        """
        if not text:
            return 0
        with self._lock:
            safe = self._shield(text) if self._shield is not None else text
            self._put(safe.encode(self.encoding, self.errors), ends_line=safe[-1] in "\r\n")
        return len(text)

    def command(self, text: str) -> None:
        """Write a line of our own past the shield."""
        with self._lock:
            start = "" if self._at_start else "\n"
            self._put(f"{start}{text}\n".encode(self.encoding, "replace"), ends_line=True)

    def _put(self, data: bytes, *, ends_line: bool) -> None:
        self._erase()
        self._at_start = ends_line
        self._out(data)
        self._draw()

    def status(self, text: str) -> None:
        """Show this below all else from now on; empty: nothing."""
        if not self.in_place:
            return
        with self._lock:
            if text != self._status:
                self._erase()
                self._status = text
                self._draw()

    @property
    def columns(self) -> int:
        """How wide the terminal is now."""
        try:
            return os.get_terminal_size(self._file).columns or 80
        except OSError:
            return 80

    def _draw(self) -> None:
        if self._status and self._at_start:
            self._out(self._status.encode(self.encoding, "replace"))
            self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._out(ERASE.encode())
            self._drawn = False

    def _out(self, data: bytes) -> None:
        """Write everything; straight to the operating system, so that a signal in between finds no half-written buffer.

        A terminal that does not take more just now (its descriptor is set not to block) is waited for.
        """
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._file, rest) :]
            except BlockingIOError:
                select.select([], [self._file], [], 1.0)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._tty

    def fileno(self) -> int:
        """Return the descriptor it writes to."""
        return self._file

    def close(self) -> None:
        """Take the status line away and let go of the descriptor."""
        with self._lock:
            self._status = ""
            self._erase()
            os.close(self._file)
