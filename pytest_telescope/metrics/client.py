"""Asking a Prometheus: every question is bounded in time and nothing of an answer is dropped."""

from __future__ import annotations

import time as _time
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Self

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics import answers
from pytest_telescope.metrics.answers import RangeAnswer
from pytest_telescope.metrics.answers import Samples
from pytest_telescope.metrics.answers import Target
from pytest_telescope.metrics.answers import unix as _unix
from pytest_telescope.metrics.model import Answer
from pytest_telescope.metrics.model import Endpoint

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT = 3.0
RETRIED_STATUS = (500, 502, 503, 504)

__all__ = ("Prometheus", "RangeAnswer", "Samples", "Target", "_unix", "connect")


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
            series=answers.vector(body["data"], promql),
            warnings=tuple(body.get("warnings", ())),
            infos=tuple(body.get("infos", ())),
        )

    def samples(self, selector: str, time: float) -> tuple[Samples, ...]:
        """Return the raw samples of a range selector such as `up[60s]` at `time`.

        Raises:
            MetricsError: as for `query`; or the answer is no range vector.
        """
        return answers.matrix(self._ask(selector, time)["data"], selector)

    def query_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        """Evaluate `promql` at `start`, `start + step` ... up to `end` (unix seconds, to the millisecond).

        Raises:
            MetricsError: as for `query`; or more than the 11,000 points of a series that Prometheus answers at most.
        """
        form = {"query": promql, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        body = self._request("POST", "/api/v1/query_range", {**form, "timeout": f"{self._timeout:g}s"})
        return RangeAnswer(
            query=promql,
            series=answers.matrix(body["data"], promql),
            warnings=tuple(body.get("warnings", ())),
            infos=tuple(body.get("infos", ())),
        )

    def now(self) -> float:
        """Return Prometheus' own time in unix seconds."""
        return self.query("time()").series[0].value

    def targets(self) -> tuple[Target, ...]:
        """Return every active scrape target."""
        data = self._request("GET", "/api/v1/targets", {"state": "active"})["data"]
        return tuple(answers.target(row) for row in data["activeTargets"])

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
        return answers.body(reply.status_code, reply.content, f"Prometheus at {self._url}{path}", about)

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


def _cause(error: BaseException) -> str:
    """Return the innermost reason, which is what helps ("Connection refused")."""
    reason: object = getattr(error.args[0], "reason", None) if error.args else None
    return f"{type(error).__name__}: {reason or error}"
