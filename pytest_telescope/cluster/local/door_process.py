"""The process of the prometheus door: `python -I -S door_process.py SOCKET PORT CA CERTIFICATE KEY`.

It listens at once and loads the rest when somebody comes: most clusters never ask, and their start pays nothing.
"""

from __future__ import annotations

import os
import select
import socket
import sys

BACKLOG = 256


def main(arguments: list[str]) -> None:
    """Serve the socket until the process is ended."""
    path, *upstream = arguments
    listener = listen(path)
    select.select([listener], [], [])
    _find_the_package()
    from pytest_telescope.cluster.local.door import run
    from pytest_telescope.cluster.local.egress import upstream_of

    run(listener, upstream_of(tuple(upstream)))


def listen(path: str) -> socket.socket:
    """Return a listening unix socket that only this user may use; a stale one makes way."""
    if os.path.lexists(path):
        os.unlink(path)  # noqa: PTH108 # pathlib alone would double the time this process takes to start
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(mask)
    listener.listen(BACKLOG)
    return listener


def _find_the_package() -> None:
    """An isolated Python without site packages knows its standard library only."""
    here = os.path.abspath(__file__)  # noqa: PTH100 # as above
    sys.path.append(here.rsplit(os.sep, 4)[0])


if __name__ == "__main__":
    main(sys.argv[1:])
