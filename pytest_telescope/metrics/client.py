"""Asking a Prometheus: every question is bounded in time and nothing of an answer is dropped."""

from __future__ import annotations

import json
import time as _time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.model import Answer
from pytest_telescope.metrics.model import Endpoint
from pytest_telescope.metrics.model import Series

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 3.0
RETRIED_STATUS = (500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One scrape target as Prometheus sees it; `last_scrape` in unix seconds, 0.0 before the first one."""

    job: str
    instance: str
    up: bool
    last_scrape: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One element of a range vector: raw (unix seconds, value) pairs in order of time."""

    labels: Mapping[str, str]
    values: tuple[tuple[float, float], ...]


class Prometheus:
    """One Prometheus, asked over its HTTP API.

    Connection refused and 5xx are tried again `retries` times within about a second; everything else fails at once.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float = 30.0, retries: int = 2) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._retries = retries
        self._session: requests.Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def query(self, promql: str, time: float | None = None) -> Answer:
        """Evaluate `promql` at `time` (unix seconds, None is Prometheus' now) and return the whole answer.

        A scalar comes back as one series without labels.

        Raises:
            MetricsError: Prometheus is gone, too slow, or refused the query; or the answer is a range vector.
        """
        body = self._ask(promql, time)
        return Answer(
            query=promql,
            time=_time.time() if time is None else time,
            series=_series(body["data"], promql),
            warnings=tuple(body.get("warnings", ())),
            infos=tuple(body.get("infos", ())),
        )

    def samples(self, selector: str, time: float) -> tuple[Samples, ...]:
        """Return the raw samples of a range selector such as `up[60s]` at `time`.

        Raises:
            MetricsError: as for `query`; or the answer is no range vector.
        """
        data = self._ask(selector, time)["data"]
        if data["resultType"] != "matrix":
            raise MetricsError(f"expected a range vector of {selector}, Prometheus answered a {data['resultType']}")
        return tuple(
            Samples(labels=row["metric"], values=tuple((float(t), float(v)) for t, v in row.get("values", ())))
            for row in data["result"]
        )

    def now(self) -> float:
        """Return Prometheus' own time in unix seconds."""
        return self.query("time()").series[0].value

    def targets(self) -> tuple[Target, ...]:
        """Return every active scrape target."""
        data = self._request("GET", "/api/v1/targets", {"state": "active"})["data"]
        return tuple(_target(row) for row in data["activeTargets"])

    def metric_names(self) -> tuple[str, ...]:
        """Return the names of all metrics that are stored."""
        return tuple(self._request("GET", "/api/v1/label/__name__/values", {})["data"])

    def version(self) -> str:
        """Return the version that Prometheus says of itself, `unknown` for a build without one."""
        return str(self._request("GET", "/api/v1/status/buildinfo", {})["data"].get("version") or "unknown")

    def snapshot(self) -> str:
        """Write all data, the head included, as blocks to `<data>/snapshots/<name>` and return the name.

        Raises:
            MetricsError: the admin API is off (`--web.enable-admin-api`) or the snapshot failed.
        """
        return str(self._request("POST", "/api/v1/admin/tsdb/snapshot", {"skip_head": "false"})["data"]["name"])

    def ready(self) -> bool:
        """Return whether Prometheus answers queries; never raises and never retries."""
        import requests

        try:
            reply = self._connection().get(f"{self._url}/-/ready", timeout=(0.5, 1.0))
        except requests.RequestException:
            return False
        return bool(reply.status_code == requests.codes.ok)

    def _ask(self, promql: str, time: float | None) -> dict[str, Any]:
        form = {"query": promql, "timeout": f"{self._timeout:g}s"}
        if time is not None:
            form["time"] = f"{time:.3f}"
        return self._request("POST", "/api/v1/query", form)

    def _request(self, method: str, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        import requests

        about = f" (query: {form['query']})" if "query" in form else ""
        try:
            reply = self._connection().request(
                method,
                self._url + path,
                data=form if method == "POST" else None,
                params=form if method == "GET" else None,
                timeout=(CONNECT_TIMEOUT, self._timeout + 1.0),
            )
        except requests.RequestException as error:
            raise MetricsError(f"Prometheus at {self._url} cannot be asked: {_cause(error)}{about}") from error
        return _body(reply.status_code, reply.text, f"Prometheus at {self._url}{path}", about)

    @property
    def _url(self) -> str:
        return self.endpoint.url.rstrip("/")

    def _connection(self) -> requests.Session:
        if self._session is None:
            self._session = connect(self.endpoint, self._retries)
        return self._session


def connect(endpoint: Endpoint, retries: int = 2) -> requests.Session:
    """Return a session with everything that `endpoint` asks for; connection refused and 5xx are tried again."""
    import requests
    from prometheus_api_client import PrometheusConnect
    from urllib3.util.retry import Retry

    session = requests.Session()
    session.trust_env = False  # an outer proxy or REQUESTS_CA_BUNDLE must not come between us and the cluster
    if endpoint.ca is not None:
        session.verify = str(endpoint.ca)
    if endpoint.certificate is not None and endpoint.key is not None:
        session.cert = (str(endpoint.certificate), str(endpoint.key))
    if endpoint.authorization is not None:
        session.auth = _authorizing(endpoint.authorization)
    if endpoint.proxy is not None:
        session.proxies = {"http": endpoint.proxy, "https": endpoint.proxy}
    retry = Retry(
        total=None,
        connect=retries,
        status=retries,
        read=0,
        redirect=0,
        other=0,
        backoff_factor=0.1,
        status_forcelist=RETRIED_STATUS,
        allowed_methods=None,
        raise_on_status=False,
    )
    # The client library mounts the retries; its own queries would drop warnings and put long queries into the URL.
    PrometheusConnect(url=endpoint.url.rstrip("/"), session=session, retry=retry)
    return session


def _authorizing(ask: Callable[[], str | None]) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        value = ask()
        if value is not None:
            request.headers["Authorization"] = value
        return request

    return authorize


def _body(status: int, text: str, where: str, about: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        body = None
    if isinstance(body, dict) and body.get("status") == "success":
        return body
    said = body.get("error") if isinstance(body, dict) else None
    raise MetricsError(f"{where} answered HTTP {status}: {said or text.strip()[:300] or 'nothing'}{about}")


def _cause(error: BaseException) -> str:
    """Return the innermost reason, which is what helps ("Connection refused")."""
    reason: object = getattr(error.args[0], "reason", None) if error.args else None
    return f"{type(error).__name__}: {reason or error}"


def _series(data: Mapping[str, Any], promql: str) -> tuple[Series, ...]:
    kind = data["resultType"]
    if kind == "scalar":
        return (Series(labels={}, value=float(data["result"][1])),)
    if kind != "vector":
        raise MetricsError(f"expected an instant vector or a scalar, got a {kind} (query: {promql})")
    if any("value" not in row for row in data["result"]):
        raise MetricsError(f"the answer holds native histograms, which have no single value (query: {promql})")
    return tuple(Series(labels=row["metric"], value=float(row["value"][1])) for row in data["result"])


def _target(row: Mapping[str, Any]) -> Target:
    labels = row["labels"]
    return Target(
        job=labels.get("job", ""),
        instance=labels.get("instance", ""),
        up=row["health"] == "up",
        last_scrape=_unix(row["lastScrape"]),
        error=row.get("lastError", ""),
    )


def _unix(stamp: str) -> float:
    """Read RFC 3339 with nanoseconds; Go's zero time (year 1) is 0.0."""
    if stamp.startswith("0001-"):
        return 0.0
    head, _, rest = stamp.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] or "Z"
    whole = head if digits else head.rstrip("Z")
    base = datetime.fromisoformat(whole + zone.replace("Z", "+00:00")) if digits else _no_fraction(stamp)
    return base.timestamp() + (float(f"0.{digits}") if digits else 0.0)


def _no_fraction(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))
