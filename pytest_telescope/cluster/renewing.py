"""A thread that pushes a lease's due time while its run lives, so that no sweeper takes a cluster that is in use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pytest_telescope.cluster import ledger
from pytest_telescope.cluster.model import Lease
from pytest_telescope.cluster.model import Provider
from pytest_telescope.errors import TelescopeError

Say = Callable[[str], None]
TRIES_A_LIFE = 8
"""How often a lease is renewed until it would have been due: seven may fail without harm."""
JOIN_WITHIN = 30.0


class Renewer:
    """Renews one lease every eighth of its life until it is stopped.

    Args:
        provider: whose resources carry the due time.
        lease: with a due time; `lease.due - lease.created` is its life.
        say: told what could not be renewed.
        clock: unix seconds.
    """

    def __init__(self, provider: Provider, lease: Lease, say: Say, clock: Callable[[], float] = time.time) -> None:
        self._provider = provider
        self._lease = lease
        self._life = (lease.due or lease.created) - lease.created
        self._say = say
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"renew-{lease.id}", daemon=True)

    def start(self) -> None:
        """Begin, where the lease is ever due."""
        if self._lease.due is not None:
            self._thread.start()

    def stop(self) -> None:
        """End; a renewal under way is waited for, at most `JOIN_WITHIN` seconds."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(JOIN_WITHIN)

    def _run(self) -> None:
        while not self._over.wait(self._life / TRIES_A_LIFE):
            self.renew()

    def renew(self) -> None:
        """Write the later time into the ledger, then on what the provider holds; say what did not work."""
        try:
            self._lease = ledger.renew(self._lease, self._clock() + self._life)
            self._provider.renew(self._lease)
        except (TelescopeError, OSError) as error:
            self._say(f"the due time of lease {self._lease.id} could not be renewed: {error}")
