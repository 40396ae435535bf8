"""Google's REST APIs: one request, with bounded tries while the cloud throttles; errors in the harness' words."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.clouds.gcp_login import clean
from pytest_telescope.cluster.clouds.gcp_login import refreshed
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.errors import CloudError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

TIMEOUT = 30.0
"""Seconds that one request may take."""
WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before the second and later tries of a request that was throttled or met a failing server."""
PAGE = 500
"""Objects a page: the most that Compute Engine gives."""


class ApiError(CloudError):
    """Google answered with an error.

    Attributes:
        status: of HTTP.
        reason: Google's own word, e.g. `resourceInUseByAnotherResource`; "" where there is none.
    """

    def __init__(self, message: str, status: int, reason: str) -> None:
        known = words()
        throttled = status == 429 or reason in known["throttled"] or status >= 500
        busy = reason in known["in_use"] or status in {409, 412}
        super().__init__(
            message, transient=throttled or busy, cause="capacity" if reason in known["capacity"] else None
        )
        self.status = status
        self.reason = reason
        self.again = throttled
        """Whether the very same request is worth a try in a moment."""


@dataclass(slots=True)
class Api:
    """Google's services for one login; use `opened`."""

    session: Any
    environ: Mapping[str, str]
    sleep: Callable[[float], None]

    def get(self, service: str, path: str, **query: str | int) -> dict[str, Any]:
        """Return one object."""
        return self.call("GET", service, path, query=query)

    def pages(self, service: str, path: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """Yield the pages of a listing.

        Raises:
            CloudError: a page cannot be had, or a place did not answer: not having looked is not having found nothing.
        """
        token = ""
        while True:
            page = self.get(service, path, **query, **({"pageToken": token} if token else {}))
            missing = [*page.get("unreachables", ()), *page.get("unreachable", ()), *page.get("missingZones", ())]
            if missing:
                raise CloudError(f"{service} {path}: no answer from {', '.join(map(str, missing))}", transient=True)
            yield page
            token = str(page.get("nextPageToken") or "")
            if not token:
                return

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a listing of Compute Engine, aggregated or not."""
        for page in self.pages("compute", path, maxResults=PAGE):
            found = page.get("items") or []
            if isinstance(found, dict):
                found = [
                    one for scope in found.values() for many in scope.values() if isinstance(many, list) for one in many
                ]
            yield from found

    def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request; again while the cloud throttles or fails.

        Raises:
            ApiError: Google said no.
            CloudError: there was no answer.
        """
        for wait in (*WAITS, None):
            try:
                return self._once(method, service, path, dict(query or {}), body)
            except ApiError as error:
                if wait is None or not error.again:
                    raise
                self.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, service: str, path: str, query: dict[str, Any], body: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        import requests
        from google.auth.exceptions import GoogleAuthError

        url = self.endpoint(service) + path
        try:
            answer = self.session.request(
                method, url, params=query, json=body, timeout=TIMEOUT, max_allowed_time=2 * TIMEOUT
            )
        except GoogleAuthError as error:
            raise CloudError(f"Google refuses the login: {clean(error)}") from None
        except requests.RequestException as error:
            raise CloudError(
                f"{service} of Google does not answer: {type(error).__name__}: {clean(error)}", transient=True
            ) from None
        return _read(answer.status_code, answer.content, f"{method} {service} {path}")

    def endpoint(self, service: str) -> str:
        """Return a service's base, as Terraform's provider would take it."""
        name, usual = words()["endpoints"][service]
        found = setting(self.environ, name) or str(usual)
        return found if found.endswith("/") else found + "/"


def _read(status: int, content: bytes, what: str) -> dict[str, Any]:
    import json

    try:
        found = json.loads(content or b"{}")
    except ValueError:
        found = {}
    if status < 400:
        return found if isinstance(found, dict) else {}
    error = found.get("error") if isinstance(found, dict) else None
    error = error if isinstance(error, dict) else {}
    reason = _reason(error)
    text = clean(error.get("message") or "no message")
    raise ApiError(f"{what}: {status}{' ' + reason if reason else ''}: {text}", status, reason)


def _reason(error: Mapping[str, Any]) -> str:
    """Return the most telling word of an error: of its details, of its list, or its status."""
    details = [str(one["reason"]) for one in error.get("details", ()) if isinstance(one, dict) and one.get("reason")]
    listed = [str(one["reason"]) for one in error.get("errors", ()) if isinstance(one, dict) and one.get("reason")]
    return next(iter([*details, *listed]), str(error.get("status") or ""))


@contextlib.contextmanager
def opened(
    found: Credentials, environ: Mapping[str, str], sleep: Callable[[float], None] = time.sleep
) -> Iterator[Api]:
    """Log in, unless `found` still has a token, and yield the services; connections are closed at the end.

    Raises:
        CloudError: the login is refused.
    """
    import requests
    from google.auth.transport.requests import AuthorizedSession
    from google.auth.transport.requests import Request

    if not found.valid:
        refreshed(found)
    kind: Any = AuthorizedSession
    with requests.Session() as login:
        session = kind(found, auth_request=Request(session=login), refresh_timeout=TIMEOUT)
        try:
            yield Api(session, environ, sleep)
        finally:
            session.close()
