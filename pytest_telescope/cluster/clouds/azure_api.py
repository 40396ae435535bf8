"""Azure Resource Manager over REST: one request, again while it throttles; errors in the harness' words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urlsplit

from pytest_telescope.cluster.clouds.azure_login import clean
from pytest_telescope.cluster.clouds.azure_login import transport
from pytest_telescope.cluster.clouds.azure_words import words
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.errors import CloudError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ENDPOINT = "TELESCOPE_ARM_ENDPOINT"
"""Variable that moves Azure Resource Manager."""
PUBLIC = "https://management.azure.com"
WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before the second and later tries of a request, where the service does not say how long."""
LONGEST = 60.0
"""Seconds that one wait lasts at most, whatever the service says."""


class ApiError(CloudError):
    """Azure answered with an error.

    Attributes:
        status: of HTTP.
        code: Azure's own word, e.g. `ResourceGroupNotFound`; "" where there is none.
        after: seconds that the service asks to wait, or None.
        again: whether the very same request is worth a try in a moment.
    """

    def __init__(self, message: str, status: int, code: str, after: float | None = None) -> None:
        again = status == 429 or status >= 500
        busy = status in {409, 412} and code != "ScopeLocked"
        cause = "capacity" if code in words()["capacity"] else None
        super().__init__(message, transient=again or busy, cause=cause)
        self.status = status
        self.code = code
        self.after = after
        self.again = again


@dataclass(slots=True)
class Api:
    """Azure Resource Manager for one login; use `opened`."""

    client: Any
    environ: Mapping[str, str]
    base: str
    sleep: Callable[[float], None]

    def get(self, path: str, version: str, **query: str) -> dict[str, Any]:
        """Return one object."""
        return self.call("GET", path, version, query=query)

    def items(self, path: str, version: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a listing, all pages.

        Raises:
            CloudError: a page cannot be had, or lies elsewhere, where our token must not go.
        """
        page = self.get(path, version, **query)
        while True:
            yield from page.get("value") or page.get("values") or ()
            link = page.get("nextLink")
            if not link:
                return
            if urlsplit(link)[:2] != urlsplit(self.base)[:2]:
                raise CloudError(f"the next page of {path} is said to lie elsewhere, at {urlsplit(link).netloc}")
            page = self._tried("GET", link, None)

    def call(
        self,
        method: str,
        path: str,
        version: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request; again while the cloud throttles or fails.

        Raises:
            ApiError: Azure said no.
            CloudError: there was no answer, or no login.
        """
        text = urlencode({"api-version": version, **(query or {})}, quote_via=quote)
        return self._tried(method, f"{self.base}{quote(path)}?{text}", body)

    def _tried(self, method: str, url: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        for wait in (*WAITS, None):
            try:
                return self._once(method, url, body)
            except ApiError as error:
                if wait is None or not error.again:
                    raise
                self.sleep(min(LONGEST, wait if error.after is None else error.after))
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        from azure.core.exceptions import AzureError
        from azure.core.exceptions import ClientAuthenticationError
        from azure.core.rest import HttpRequest

        try:
            answer = self.client.send_request(HttpRequest(method, url, json=body))
        except ClientAuthenticationError as error:
            raise CloudError(f"no login at Azure: {clean(self.environ, str(error.message))}") from None
        except AzureError as error:
            said = clean(self.environ, str(error))
            raise CloudError(f"no answer from {urlsplit(url).netloc}: {said}", transient=True) from None
        if answer.status_code >= 400:
            raise self._error(answer, f"{method} {urlsplit(url).path}")
        return _document(answer)

    def _error(self, answer: Any, what: str) -> ApiError:
        told = _document(answer).get("error") or {}
        code = str(told.get("code", ""))
        text = clean(self.environ, f"{what}: {answer.status_code} {code}: {told.get('message', answer.reason)}")
        return ApiError(text, answer.status_code, code, _after(answer.headers.get("Retry-After")))


def _document(answer: Any) -> dict[str, Any]:
    """Return the JSON object of an answer; {} where it has none."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _after(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


@contextlib.contextmanager
def opened(credential: TokenCredential, environ: Mapping[str, str], sleep: Callable[[float], None]) -> Iterator[Api]:
    """Yield Azure Resource Manager; its connections are closed at the end."""
    from azure.core.pipeline import policies
    from azure.mgmt.core import ARMPipelineClient

    base = (setting(environ, ENDPOINT) or PUBLIC).rstrip("/")
    chain = [
        policies.RequestIdPolicy(),
        policies.UserAgentPolicy("pytest-telescope"),
        policies.BearerTokenCredentialPolicy(credential, f"{PUBLIC}/.default"),
    ]
    how = {name: value for name, value in transport(environ).items() if not name.startswith("retry")}
    client: Any = ARMPipelineClient(base, policies=chain, **how)
    with client:
        yield Api(client, environ, base, sleep)
