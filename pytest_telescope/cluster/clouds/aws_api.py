"""Questions to AWS: one client a service, tried again where AWS throttles, every refusal a `CloudError`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.clouds.aws_login import credentials
from pytest_telescope.cluster.clouds.aws_words import is_code
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.errors import CloudError

TRIES = 6
BACKOFF = 1.0
"""Seconds before the second try; each further wait is twice the one before."""
TEXT = 300
"""Characters of AWS' own words that a message keeps."""


class AwsError(CloudError):
    """AWS refused.

    Attributes:
        code: AWS' own word, e.g. `DependencyViolation`.
    """

    def __init__(self, message: str, *, code: str) -> None:
        transient = any(is_code(what, code) for what in ("in_use", "throttled", "broken"))
        super().__init__(message, transient=transient, cause="capacity" if is_code("capacity", code) else None)
        self.code = code

    @property
    def gone(self) -> bool:
        """Whether it means that what was asked about is not there."""
        return is_code("gone", self.code)


class Api:
    """One login; safe to use from many threads."""

    def __init__(self, environ: Mapping[str, str], sleep: Callable[[float], None] = time.sleep) -> None:
        self.environ = environ
        self.sleep = sleep
        self._lock = threading.Lock()
        self._session: Any = None
        self._login: Any = None
        self._clients: dict[tuple[str, str], Any] = {}

    def call(self, service: str, operation: str, region: str, /, **arguments: Any) -> dict[str, Any]:
        """Ask once, again while AWS throttles or does not answer.

        Args:
            service: in boto3's words, e.g. `ec2`.
            operation: likewise, e.g. `describe_vpcs`.
            region: where; of IAM, whose services know no regions, any.
            arguments: of the operation.

        Raises:
            AwsError: AWS refused.
            CloudError: AWS did not answer, or there is no login.
        """
        from botocore.exceptions import BotoCoreError
        from botocore.exceptions import ClientError

        for attempt in range(TRIES):
            last = attempt + 1 == TRIES
            try:
                answer: dict[str, Any] = getattr(self.client(service, region), operation)(**arguments)
            except ClientError as error:
                refused = _refused(error, operation)
                if last or not _passing(refused.code):
                    raise refused from None
            except BotoCoreError as error:
                if last or not _unheard(error):
                    raise _unanswered(error, service, operation) from None
            else:
                return answer
            self.sleep(BACKOFF * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def all(self, service: str, operation: str, region: str, key: str, /, **arguments: Any) -> Iterator[Any]:
        """Yield every item of a listing, whatever its pages; `key` is where an answer has them."""
        model = self.client(service, region)
        if not model.can_paginate(operation):
            yield from self.call(service, operation, region, **arguments).get(key, ())
            return
        paginator = model.get_paginator(operation)
        tokens = list(zip(paginator._output_token, paginator._input_token, strict=True))
        more = True
        while more:
            answer = self.call(service, operation, region, **arguments)
            yield from answer.get(key, ())
            following = {name: token.search(answer) for token, name in tokens}
            more = any(following.values())
            arguments |= {name: value for name, value in following.items() if value}

    def client(self, service: str, region: str) -> Any:
        """Return the client for a service in a region.

        Raises:
            CloudError: there is no login.
        """
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self._made(service, region)
            return self._clients[key]

    def frozen(self) -> Any:
        """Return the credentials of this moment, with `access_key`, `secret_key` and `token`.

        Raises:
            CloudError: there are none.
        """
        with self._lock:
            return self._credentials().get_frozen_credentials()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _made(self, service: str, region: str) -> Any:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        login = self._credentials()
        config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
        self._session._credentials = login
        endpoint = setting(self.environ, "AWS_ENDPOINT_URL") or None
        try:
            return self._session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
        except (BotoCoreError, ValueError) as error:
            raise CloudError(f"AWS has no {service} in {region}: {error}") from None

    def _credentials(self) -> Any:
        if self._login is None:
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session

            self._session = Session()
            if not setting(self.environ, "AWS_PROFILE"):
                self._session.set_config_variable("profile", None)
            try:
                self._login = credentials(self.environ, self._session)
            except BotoCoreError as error:
                raise CloudError(f"there is no login at AWS: {error}") from None
        return self._login


def _refused(error: Any, operation: str) -> AwsError:
    told = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(told.get("Code") or f"HTTP {status}")
    code = f"HTTP {code}" if code.isdigit() else code
    hint = "; sign in again: the credentials have expired or are not known" if is_code("no_login", code) else ""
    text = " ".join(str(told.get("Message", "")).split())[:TEXT]
    return AwsError(f"{operation}: {code}: {text}{hint}", code=code)


def _passing(code: str) -> bool:
    return is_code("throttled", code) or is_code("broken", code)


def _unheard(error: Exception) -> bool:
    from botocore.exceptions import ConnectionError as Unheard
    from botocore.exceptions import HTTPClientError

    return isinstance(error, Unheard | HTTPClientError)


def _unanswered(error: Exception, service: str, operation: str) -> CloudError:
    return CloudError(
        f"{service} {operation} has no answer: {type(error).__name__}: {str(error)[:TEXT]}", transient=_unheard(error)
    )
