"""Google's login as the pretended cloud has it: a service account's key, signed assertions, tokens that expire."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa

ACCOUNT = "runner@telescope-test.iam.gserviceaccount.com"


_MAKING = threading.Lock()


@cache
def _private_key() -> rsa.RSAPrivateKey:
    """Return the one key of this process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key() -> rsa.RSAPrivateKey:
    """Return the one key, also where several threads ask for it first."""
    with _MAKING:
        return _private_key()


def private_pem() -> str:
    """Return it as a key file has it."""
    return (
        private_key()
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def key_document(token_uri: str, project: str) -> dict[str, str]:
    """Return a service account's key, as Google hands it out."""
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "0" * 40,
        "private_key": private_pem(),
        "client_email": ACCOUNT,
        "client_id": "1",
        "token_uri": token_uri,
    }


class Tokens:
    """The tokens that were given out.

    Attributes:
        life: seconds for which a new token is good.
        subjects: subject tokens of workload identities that are exchanged.
        refuses: nobody is let in.
    """

    def __init__(self) -> None:
        self.life = 3600.0
        self.subjects: set[str] = set()
        self.refuses = False
        self.given: dict[str, float] = {}
        self._lock = threading.Lock()

    def accepts(self, token: str) -> bool:
        """Tell whether a token was given out here and has not expired."""
        with self._lock:
            return self.given.get(token, 0.0) > time.time()

    def granted(self, form: dict[str, list[str]]) -> dict[str, Any] | None:
        """Return the answer to a request for a token; None where the login is bad."""
        assertion, subject = form.get("assertion", [""])[0], form.get("subject_token", [""])[0]
        if self.refuses or not (_signed(assertion) or subject in self.subjects):
            return None
        token = "ya29." + secrets.token_urlsafe(40)
        with self._lock:
            self.given[token] = time.time() + self.life
        return {
            "access_token": token,
            "expires_in": int(self.life),
            "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }


def _signed(assertion: str) -> bool:
    """Tell whether an assertion is by our account, for now, and signed with its key."""
    try:
        head, body, signature = assertion.split(".")
        private_key().public_key().verify(
            _decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        claims = json.loads(_decoded(body))
    except (ValueError, InvalidSignature):
        return False
    return claims.get("iss") == ACCOUNT and float(claims.get("exp", 0)) > time.time()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
