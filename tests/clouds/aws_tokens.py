"""What the pretended AWS knows of its callers: their keys, and the tokens that its clusters take."""

from __future__ import annotations

import base64
import datetime
import secrets
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import parse_qs
from urllib.parse import quote
from urllib.parse import urlsplit

from tests.clouds.fake import FakeCloud

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipelines/runner"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/runner/telescope"
LASTS = 900.0


@dataclass
class Tokens:
    """Keys, and what is granted for them.

    Attributes:
        identity: the only identity token that is taken for a role.
        keys: access key -> secret.
    """

    cloud: FakeCloud
    identity: str = field(default_factory=lambda: f"identity-{secrets.token_hex(16)}")
    access_key: str = "AKIAPRETENDED0000000"
    secret: str = field(default_factory=lambda: secrets.token_hex(20))
    session: str = field(default_factory=lambda: secrets.token_hex(40))
    granted: int = 0

    def known(self, authorization: str) -> bool:
        """Tell whether a request was signed by a key that there is."""
        return f"Credential={self.access_key}/" in authorization

    def accepts(self, token: str) -> bool:
        """Tell whether a token is one for a cluster that is there, of a key that there is, and fresh."""
        try:
            raw = token.removeprefix("k8s-aws-v1.")
            url = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode()
            clusters = [thing.name for thing in self.cloud.listed("aws_eks_cluster")]
            return token.startswith("k8s-aws-v1.") and any(self.signed(url, name) for name in clusters)
        except (ValueError, KeyError):
            return False

    def signed(self, url: str, cluster: str) -> bool:
        """Tell whether the question to STS was signed for `cluster`, and not long ago."""
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        told = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        at = datetime.datetime.strptime(told["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        region = told["X-Amz-Credential"].split("/")[2]
        asked = told.pop("X-Amz-Signature")
        head = url.partition("?")[0]
        if head != f"https://sts.{region}.amazonaws.com/" or told["Action"] != "GetCallerIdentity":
            return False
        if told["X-Amz-SignedHeaders"] != "host;x-k8s-aws-id" or told["X-Amz-Expires"] != "60":
            return False
        login = Credentials(self.access_key, self.secret)
        auth = SigV4QueryAuth(login, "sts", region, expires=60)
        query = "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in told.items())
        request = AWSRequest(method="GET", url=f"{head}?{query}", headers={"x-k8s-aws-id": cluster})
        request.context["timestamp"] = told["X-Amz-Date"]
        text = auth.string_to_sign(request, auth.canonical_request(request))
        age = (datetime.datetime.now(datetime.UTC) - at).total_seconds()
        return bool(auth.signature(text, request) == asked) and -60.0 < age < LASTS
