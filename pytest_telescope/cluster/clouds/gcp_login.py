"""Logins at Google, as Azure DevOps and people have them: a key, a workload identity, the application default."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.settings import setting
from pytest_telescope.errors import CloudError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_ALLOW = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
_ASK = (
    "set GOOGLE_APPLICATION_CREDENTIALS to a file with a service account's key or a workload identity, "
    "or log in by `gcloud auth application-default login`"
)
_SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    re.compile(r"ya29\.[\w.~+/-]+"),
    re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"),
    re.compile(
        r"(?<=[\"'])((?:id|access|refresh|subject)_token|saml_response|private_key|client_secret|assertion)"
        r"[\"']\s*:\s*[\"'][^\"']*",
    ),
)


def credentials(environ: Mapping[str, str]) -> tuple[Credentials, str]:
    """Return credentials and the project they name ("" where they name none); nothing is asked yet.

    Raises:
        CloudError: there are none, or they cannot be read. No part of them is in the message.
    """
    for name in words()["variables"]["credentials"]:
        if value := setting(environ, name):
            return _from_document(_document(name, value), name)
    return _application_default(environ)


def _document(name: str, value: str) -> dict[str, Any]:
    """Return what a variable holds, or the file that it names."""
    text = value
    if not value.startswith("{"):
        try:
            text = Path(value).expanduser().read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise CloudError(f"the file that {name} names cannot be read ({reason}); {_ASK}") from None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CloudError(
            f"{name} holds no JSON object, but one of a service account's key or a workload identity is needed"
        )
    return found


def _from_document(found: Mapping[str, Any], name: str) -> tuple[Credentials, str]:
    kinds = {
        "service_account": _service_account,
        "external_account": _external_account,
        "authorized_user": _authorized_user,
    }
    kind = str(found.get("type"))
    if kind not in kinds:
        raise CloudError(f"{name} holds credentials of type {kind[:40]!r}, but {', '.join(kinds)} are understood")
    try:
        return kinds[kind](found), str(found.get("project_id") or found.get("quota_project_id") or "")
    except Exception as error:  # the library raises many kinds, also of its own dependencies
        raise CloudError(f"the credentials in {name} are not valid: {clean(error)}") from None


def _service_account(found: Mapping[str, Any]) -> Credentials:
    from google.oauth2 import service_account

    kind: Any = service_account.Credentials
    return _made(kind.from_service_account_info(found, scopes=SCOPES))


def _authorized_user(found: Mapping[str, Any]) -> Credentials:
    from google.oauth2.credentials import Credentials as UserCredentials

    kind: Any = UserCredentials
    return _made(kind.from_authorized_user_info(found, scopes=SCOPES))


def _external_account(found: Mapping[str, Any]) -> Credentials:
    from google.auth import aws
    from google.auth import identity_pool
    from google.auth import pluggable

    source = found.get("credential_source") or {}
    kind: Any = identity_pool.Credentials
    if "executable" in source:
        kind = pluggable.Credentials
    elif "aws" in str(source.get("environment_id", "")):
        kind = aws.Credentials
    return _made(kind.from_info(dict(found), scopes=SCOPES))


def _made(found: Credentials) -> Credentials:
    """Return what the library, which is hardly typed, made."""
    return found


def _application_default(environ: Mapping[str, str]) -> tuple[Credentials, str]:
    """Return what gcloud left in the home folder, or what a machine of Google's has."""
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    own = Path(setting(environ, "CLOUDSDK_CONFIG") or "~/.config/gcloud") / "application_default_credentials.json"
    if own.expanduser().exists():
        return _from_document(_document("the application default login", str(own)), "the application default login")
    try:
        found, project = google.auth.default(scopes=SCOPES)
    except GoogleAuthError:
        raise CloudError(f"there is no login at Google; {_ASK}") from None
    return found, str(project or "")


def refreshed(found: Credentials) -> Credentials:
    """Have an access token made and return the credentials.

    Raises:
        CloudError: Google did not give one.
    """
    import requests
    from google.auth.exceptions import GoogleAuthError
    from google.auth.exceptions import TransportError
    from google.auth.transport.requests import Request

    with requests.Session() as session:
        try:
            _refresh(found, Request(session=session))
        except TransportError as error:
            raise CloudError(f"Google's login cannot be reached: {clean(error)}", transient=True) from None
        except (GoogleAuthError, ValueError) as error:
            raise CloudError(_refused(error), transient=bool(getattr(error, "retryable", False))) from None
    return found


def _refresh(found: Any, request: Any) -> None:
    found.refresh(request)


def _refused(error: Exception) -> str:
    text = clean(error)
    hint = f"; set {_ALLOW}=1" if "explicitly allowed" in text else f"; {_ASK}"
    return f"Google refuses the login: {text}{hint}"


def clean(error: object) -> str:
    """Return an error's text in one line, short, and without anything that could be a token or a key."""
    text = str(error)
    if "Executable exited" in text:  # the library repeats all that the program printed: a token may be in it
        text = text.partition("Error:")[0].strip() + " (what it printed is not repeated)"
    for pattern in _SECRETS:
        text = pattern.sub("[hidden]", text)
    return " ".join(text.split())[:400]
