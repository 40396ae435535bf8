"""A small JSON client over mutual TLS; the Kubernetes client takes half a second to import, this one nothing."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from typing import Self

from pytest_telescope.errors import ProvisionError

_JSON = "application/json"


class Api:
    """One kept-alive connection to a server on loopback; not for use by several threads at once."""

    def __init__(self, port: int, ca: Path, certificate: Path, key: Path, timeout: float = 10.0) -> None:
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(certificate, key)
        self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)

    def request(self, method: str, path: str, body: object = None, content: str = _JSON) -> tuple[int, str]:
        """Send one request and return status and body.

        Raises:
            OSError: the server could not be reached.
        """
        payload = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, payload, {"Content-Type": content})
            response = self._connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(f"{method} {path}: {error!r}") from error

    def answers(self, path: str) -> bool:
        """Say whether a GET of `path` gives 200 now."""
        try:
            return self.request("GET", path)[0] == http.HTTPStatus.OK
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """Return the JSON at `path`.

        Raises:
            ProvisionError: any answer but 200.
            OSError: the server could not be reached.
        """
        return self._expect("GET", path, None, {200})

    def create(self, path: str, body: object) -> Any:
        """Post an object; one that is already there is fine.

        Raises:
            ProvisionError: the server refused it.
            OSError: the server could not be reached.
        """
        return self._expect("POST", path, body, {200, 201, 202, 409})

    def patch(self, path: str, body: object) -> Any:
        """Merge `body` into the object at `path` (errors as in `create`)."""
        return self._expect("PATCH", path, body, {200}, content="application/merge-patch+json")

    def _expect(self, method: str, path: str, body: object, good: set[int], *, content: str = _JSON) -> Any:
        status, text = self.request(method, path, body, content)
        if status not in good:
            raise ProvisionError(f"{method} {path} was answered with {status}: {text[:500]}")
        return json.loads(text)

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
