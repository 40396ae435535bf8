"""Tokens for EKS clusters: a signed question to STS that the cluster asks in the caller's name."""

from __future__ import annotations

import base64
from typing import Any

HEADER = "x-k8s-aws-id"
PREFIX = "k8s-aws-v1."
URL_LASTS = 60
"""Seconds that the signed question says it is good for; clusters take it for 15 minutes all the same.
https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster"""
LASTS = 840.0
"""Seconds after which a client asks for a new token."""


def cluster_token(login: Any, cluster: str, region: str) -> str:
    """Return a token of `login` (frozen credentials of botocore) for one cluster."""
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    url = f"https://sts.{region}.{suffix}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(method="GET", url=url, headers={HEADER: cluster})
    SigV4QueryAuth(login, "sts", region, expires=URL_LASTS).add_auth(request)
    return PREFIX + base64.urlsafe_b64encode(str(request.url).encode()).decode().rstrip("=")
