"""AWS' protocols: requests taken apart, and answers in the shapes that the published models of the services give."""

from __future__ import annotations

import datetime
import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.clouds.fake import FakeError

VERSIONS = {"2012-06-01": "elb", "2015-12-01": "elbv2"}
SIGNED = {"servicequotas": "service-quotas", "tagging": "resourcegroupstaggingapi"}


@cache
def model(service: str) -> Any:
    """Return botocore's model of a service."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def service_of(authorization: str, body: str) -> str:
    """Return the service, in boto3's words, that a request was signed for; STS takes unsigned ones."""
    if "Credential=" not in authorization:
        return "sts"
    signed = authorization.partition("Credential=")[2].split("/")[3]
    if signed == "elasticloadbalancing":
        return VERSIONS[dict(parse_qsl(body))["Version"]]
    return SIGNED.get(signed, signed)


def fields(body: str) -> dict[str, Any]:
    """Return the parameters of a query, `A.1.B=x` as `{"A": [{"B": "x"}]}`."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(body, keep_blank_values=True):
        at, parts = tree, [part for part in key.split(".") if part != "member"]
        for part in parts[:-1]:
            at = at.setdefault(part, {})
        at[parts[-1]] = value
    found: dict[str, Any] = _listed(tree)
    return found


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(one) for key, one in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def xml(service: str, operation: str, answer: dict[str, Any]) -> str:
    """Return an answer of the protocols `query` and `ec2`."""
    shape = model(service).operation_model(operation).output_shape
    inner = _members(shape, answer) if shape is not None else ""
    if service == "ec2":
        return f"<{operation}Response><requestId>r</requestId>{inner}</{operation}Response>"
    return (
        f"<{operation}Response><{operation}Result>{inner}</{operation}Result>"
        f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>"
    )


def _members(shape: Any, value: dict[str, Any]) -> str:
    parts = []
    for name, one in value.items():
        member = shape.members[name]
        tag = member.serialization.get("name", name)
        parts.append(f"<{tag}>{_value(member, one)}</{tag}>")
    return "".join(parts)


def _value(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        return _members(shape, value)
    if shape.type_name == "list":
        tag = shape.member.serialization.get("name", "member")
        return "".join(f"<{tag}>{_value(shape.member, one)}</{tag}>" for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return escape(str(value))


def error_body(service: str, error: FakeError) -> tuple[str, str]:
    """Return content type and body of a refusal."""
    if service in ("eks", "logs", "service-quotas", "resourcegroupstaggingapi"):
        return "application/json", json.dumps({"__type": error.code, "code": error.code, "message": error.message})
    told = f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
    if service == "ec2":
        return "text/xml", f"<Response><Errors><Error>{told}</Error></Errors><RequestID>r</RequestID></Response>"
    return "text/xml", f"<ErrorResponse><Error>{told}</Error><RequestId>r</RequestId></ErrorResponse>"
