"""Credentials for AWS: keys, a web identity (a file, or Azure Pipelines' own), or whatever the machine has.

Azure Pipelines' identity tokens are good for some minutes: each use asks for a new one, and the file for Terraform's
provider is written anew while the process lives.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote

from pytest_telescope.cluster.clouds.aws_words import home
from pytest_telescope.cluster.clouds.aws_words import region_of
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.errors import CloudError

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

CONNECTION = "AWS_SERVICE_CONNECTION_ID"
"""Variable with the id of the Azure DevOps service connection whose identity AWS trusts."""
ANSWER_WITHIN = 20.0
FRESH = 240.0
"""Seconds after which the file with the identity token is written anew; Azure Pipelines' tokens last ten minutes."""
SESSION = "telescope"
Tokens = Callable[[], str]


def identity_tokens(environ: Mapping[str, str]) -> Tokens | None:
    """Return what tells a fresh identity token, or None where the environment names no such identity."""
    if file := setting(environ, "AWS_WEB_IDENTITY_TOKEN_FILE"):
        return lambda: _read(Path(file))
    if _pipeline(environ):
        return lambda: pipeline_token(environ)
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CloudError(f"AWS_WEB_IDENTITY_TOKEN_FILE cannot be read: {error.strerror}: {file}") from None


def _pipeline(environ: Mapping[str, str]) -> bool:
    names = ("SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", CONNECTION, "AWS_ROLE_ARN")
    return all(setting(environ, name) for name in names)


def pipeline_token(environ: Mapping[str, str]) -> str:
    """Ask Azure Pipelines for an identity token.

    Raises:
        CloudError: it gives none; neither the token of the job nor an answer is in the text.
    """
    connection = quote(setting(environ, CONNECTION), safe="")
    uri = f"{setting(environ, 'SYSTEM_OIDCREQUESTURI')}?api-version=7.1&serviceConnectionId={connection}"
    if not uri.startswith(("https://", "http://127.0.0.1:")):
        raise CloudError("SYSTEM_OIDCREQUESTURI is not an https address")
    headers = {
        "Authorization": f"Bearer {setting(environ, 'SYSTEM_ACCESSTOKEN')}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(uri, data=b"", headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN) as answer:
            return str(json.load(answer)["oidcToken"])
    except urllib.error.HTTPError as error:
        error.close()
        raise CloudError(
            f"Azure Pipelines gives no identity token for the service connection in {CONNECTION}: HTTP {error.code}; "
            "one task of the job must name the connection",
            transient=error.code >= 500,
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CloudError(f"Azure Pipelines gives no identity token: {type(error).__name__}", transient=True) from None


class TokenFile:
    """A file, in a private folder that goes with the process, that always holds a fresh identity token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._folder = Path(tempfile.mkdtemp(prefix="telescope-identity-"))
        self._stop = threading.Event()
        self.path = write_private(self._folder / "token", tokens())
        atexit.register(self.close)
        self._thread = threading.Thread(target=self._keep, name="identity-token", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._stop.wait(FRESH):
            self.write()

    def write(self) -> None:
        """Write a fresh token; the former one stays where none is to be had."""
        try:
            write_private(self.path, self._tokens())
        except (CloudError, OSError):
            return

    def close(self) -> None:
        """End writing, and remove the folder."""
        self._stop.set()
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)


def credentials(environ: Mapping[str, str], session: Session) -> Credentials:
    """Return credentials of the environment; they renew themselves where they come from an identity token.

    Raises:
        CloudError: there are none.
    """
    from botocore.credentials import Credentials
    from botocore.credentials import DeferredRefreshableCredentials

    key, secret = setting(environ, "AWS_ACCESS_KEY_ID"), setting(environ, "AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(key, secret, setting(environ, "AWS_SESSION_TOKEN") or None)
    tokens, role = identity_tokens(environ), setting(environ, "AWS_ROLE_ARN")
    if tokens is not None and role:
        return DeferredRefreshableCredentials(lambda: _assumed(environ, session, role, tokens), "telescope-identity")
    found = session.get_credentials()
    if found is None:
        raise CloudError(
            "there is no login at AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ROLE_ARN with "
            f"AWS_WEB_IDENTITY_TOKEN_FILE or, on Azure Pipelines, {CONNECTION}; or sign in with `aws sso login`"
        )
    return found


def _assumed(environ: Mapping[str, str], session: Session, role: str, tokens: Tokens) -> dict[str, Any]:
    """Return a new session of `role`, in the words of botocore."""
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.exceptions import ClientError

    config = Config(signature_version=UNSIGNED, connect_timeout=5, read_timeout=ANSWER_WITHIN)
    region = setting(environ, "AWS_REGION") or home(region_of(environ))
    endpoint = setting(environ, "AWS_ENDPOINT_URL") or None
    sts: Any = session.create_client("sts", region_name=region, endpoint_url=endpoint, config=config)
    name = setting(environ, "AWS_ROLE_SESSION_NAME") or SESSION
    try:
        answer = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=name, WebIdentityToken=tokens())
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise CloudError(f"AWS refuses the identity token for {role}: {code}") from None
    except BotoCoreError as error:
        raise CloudError(f"AWS cannot be asked for {role}: {type(error).__name__}", transient=True) from None
    finally:
        sts.close()
    found = answer["Credentials"]
    return {
        "access_key": found["AccessKeyId"],
        "secret_key": found["SecretAccessKey"],
        "token": found["SessionToken"],
        "expiry_time": found["Expiration"].isoformat(),
    }
