"""Become another program, which the kernel ends together with the process that started it; Linux only.

Run as a script, `tied.py <pid of the starter> <program> <argument>...`: a `preexec_fn` would run Python between fork
and exec of a process with threads. Little is imported, so this costs some 10 ms.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_PDEATHSIG = 1


def tied(command: list[str]) -> list[str]:
    """Return `command` so that it does not outlive the calling thread; unchanged where the kernel cannot do that."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def main(starter: int, command: list[str]) -> None:
    """Ask for the signal, see that the starter still lives, and become `command`.

    Raises:
        OSError: the program cannot be started.
    """
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:  # it ended before the kernel was asked
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
