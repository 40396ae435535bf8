"""Free ports on loopback that no other cluster of this user is about to take."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_telescope import paths
from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.errors import ProvisionError

RANGE = range(20000, 32000)
"""Below the ports that Linux and macOS give to outgoing connections, so that none of those takes one meanwhile."""
PROMISE = 60.0
"""Seconds after which a reserved port is either bound, which the probe sees, or was given up."""
_LOCK_WAIT = 10.0


def reserve(names: tuple[str, ...]) -> dict[str, int]:
    """Return a free port for each name; for `PROMISE` seconds no other caller of this user gets it.

    Raises:
        ProvisionError: the lock is held too long, or the range is exhausted.
    """
    from filelock import FileLock
    from filelock import Timeout

    folder = private_folder(paths.state())
    try:
        with FileLock(folder / "ports.lock", timeout=_LOCK_WAIT):
            return _choose(folder / "ports.json", names)
    except Timeout as error:
        raise ProvisionError(f"no ports: another process holds {folder / 'ports.lock'} for {_LOCK_WAIT:g} s") from error


def _choose(book: Path, names: tuple[str, ...]) -> dict[str, int]:
    promised = _promised(book)
    free = _free_ports(promised)
    chosen: dict[str, int] = {}
    for name in names:
        port = next(free, None)
        if port is None:
            raise ProvisionError(f"no free port between {RANGE.start} and {RANGE.stop - 1} on 127.0.0.1")
        chosen[name] = port
    until = time.time() + PROMISE
    write_private(book, json.dumps({**promised, **{str(port): until for port in chosen.values()}}))
    return chosen


def _promised(book: Path) -> dict[str, float]:
    try:
        entries = json.loads(book.read_text(encoding="utf-8"))
        return {port: until for port, until in entries.items() if until > time.time()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # the book only makes collisions rarer; a bind that fails is met by another try


def _free_ports(promised: dict[str, float]) -> Iterator[int]:
    for port in random.sample(RANGE, k=len(RANGE)):
        if str(port) not in promised and _bindable(port):
            yield port


def _bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Say whether somebody listens on a port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
