"""What the metrics room hands on: plain times, series, answers, recordings."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How to reach a Prometheus.

    Attributes:
        url: base URL, e.g. `https://127.0.0.1:34567`.
        ca: PEM file of the authority that signed its certificate; None for plain http or the system's authorities.
        certificate, key: PEM files of the harness' own certificate; None where it needs none.
        scrape_interval: seconds between two scrapes of one target.
        data: folder of its TSDB where this machine can read it, else None.
        assets: path below `url` at which Prometheus shows its snapshots (`--web.user-assets`), for one far away.
        authorization: returns the value of the header Authorization, asked before each request (tokens end), or None.
        proxy: URL of the HTTP proxy on the way there.
    """

    url: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    scrape_interval: float = 5.0
    data: Path | None = None
    assets: str | None = None
    authorization: Callable[[], str | None] | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The measured interval in Prometheus' time, unix seconds.

    `start` is after one scrape of every target and before the first object of the load; `end` is when every target
    was scraped twice after the load's last measured event, so counter values at `end` hold all of the load.
    `steps` are named parts of it (e.g. `wave-1`, `hold-1`) as (start, end).
    """

    start: float
    end: float
    steps: Mapping[str, tuple[float, float]]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One element of an instant vector; `value` may be NaN or infinite."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Prometheus' whole answer to one instant query: nothing dropped."""

    query: str
    time: float
    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The metrics of one cell's window as Prometheus blocks.

    `recording.json` beside the blocks holds the same facts, so that a folder alone can be judged again.

    Attributes:
        path: folder of the blocks.
        scrape_interval: seconds.
        clock_offset: Prometheus' clock minus the controller's, seconds.
        clock_drift: how much that offset changed while the load ran, seconds.
        selectors: the only series that were recorded, None for everything that Prometheus held.
        why: why not everything was recorded, empty where it was.
    """

    path: Path
    window: Window
    scrape_interval: float
    clock_offset: float
    prometheus_version: str
    clock_drift: float = 0.0
    selectors: tuple[str, ...] | None = None
    why: str = ""
