"""Deleting one thing of a lease, and writing a later due time on its cluster."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from pytest_telescope.cluster.clouds.gcp_api import Api
from pytest_telescope.cluster.clouds.gcp_api import ApiError
from pytest_telescope.cluster.clouds.gcp_listing import iam_policy
from pytest_telescope.cluster.clouds.gcp_listing import lets_in
from pytest_telescope.cluster.clouds.gcp_listing import path_of
from pytest_telescope.cluster.clouds.gcp_listing import told_by_name
from pytest_telescope.cluster.clouds.gcp_login import clean
from pytest_telescope.cluster.clouds.gcp_words import words
from pytest_telescope.cluster.clouds.model import TAG_DUE
from pytest_telescope.cluster.clouds.model import Resource
from pytest_telescope.errors import CloudError

WITHIN = 600.0
"""Seconds that a deletion is waited for; a GKE cluster usually takes some minutes."""
POLL = 5.0
RENEWALS = 4
"""Tries to write labels: somebody else may write them at the same moment, or the cluster be busy."""


def delete(api: Api, project: str, resource: Resource) -> None:
    """Delete and wait; nothing to do where it is gone.

    Raises:
        CloudError: refused; transient where something still hangs on it.
    """
    how: dict[str, Callable[[Api, str, Resource], None]] = {
        "cluster": _delete_cluster,
        "firewall-rule": _delete_rule,
        "service-account": _delete_account,
        "iam-member": _remove_member,
    }
    try:
        how.get(resource.kind, _delete_compute)(api, project, resource)
    except ApiError as error:
        if error.status != 404:
            raise


def _delete_cluster(api: Api, project: str, resource: Resource) -> None:
    location = resource.id.split("/")[3]
    if resource.deleting:
        _wait(api, "container", resource.id, lambda _found: False)
        return
    try:
        operation = api.call("DELETE", "container", resource.id)
    except ApiError as error:
        busy = error.reason == "FAILED_PRECONDITION"
        if busy:
            raise CloudError(f"cluster {resource.name} is busy: {error}", transient=True) from error
        raise
    path = f"projects/{project}/locations/{location}/operations/{operation['name']}"
    _raise_failed(_wait(api, "container", path, _done))


def _delete_compute(api: Api, project: str, resource: Resource) -> None:  # noqa: ARG001 - one shape for all kinds
    operation = api.call("DELETE", "compute", resource.id)
    _raise_failed(_wait(api, "compute", path_of(operation["selfLink"]), _done, operation))


def _delete_rule(api: Api, project: str, resource: Resource) -> None:
    """Delete a rule last of its load balancer: nothing else tells whose that is.

    Raises:
        CloudError: the balancer is still there; transient.
    """
    name = lets_in(resource.name)
    left = told_by_name(api, project, name) if name else []
    if left:
        raise CloudError(f"firewall rule {resource.name} is kept while {', '.join(left)} is there", transient=True)
    _delete_compute(api, project, resource)


def _delete_account(api: Api, project: str, resource: Resource) -> None:  # noqa: ARG001 - one shape for all kinds
    api.call("DELETE", "iam", resource.id)


def _remove_member(api: Api, project: str, resource: Resource) -> None:
    """Take one member out of one role of the project; its etag makes a change by somebody else a conflict."""
    role, _, member = resource.id.partition(" ")
    policy = iam_policy(api, project)
    for binding in policy.get("bindings", ()):
        if binding["role"] == role and "condition" not in binding:
            binding["members"] = [one for one in binding["members"] if one != member]
    policy["bindings"] = [one for one in policy.get("bindings", ()) if one["members"]]
    api.call("POST", "projects", f"projects/{project}:setIamPolicy", body={"policy": policy})


def _wait(
    api: Api,
    service: str,
    path: str,
    done: Callable[[Mapping[str, Any]], bool],
    found: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Ask until it is done or gone.

    Raises:
        CloudError: it takes too long; transient.
    """
    waited = 0.0
    while True:
        if found is not None and done(found):
            return found
        if waited >= WITHIN:
            raise CloudError(f"{path} is not done after {WITHIN:g} s", transient=True)
        try:
            found = api.get(service, path)
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        if not done(found):
            api.sleep(POLL)
            waited += POLL


def _done(operation: Mapping[str, Any]) -> bool:
    return operation.get("status") == "DONE"


def _raise_failed(operation: Mapping[str, Any]) -> None:
    """Raise what an operation ended with, if it failed.

    Raises:
        CloudError: it did.
    """
    error = operation.get("error")
    if not error:
        return
    errors = error.get("errors") or [error]
    codes, known = {str(one.get("code", "")) for one in errors}, words()
    text = "; ".join(f"{one.get('code', '')}: {clean(one.get('message', ''))}" for one in errors)
    raise CloudError(text, transient=bool(codes & {*known["in_use"], *known["throttled"], *known["later"]}))


def renew(api: Api, project: str, cluster: str, due: int) -> None:
    """Write a later due time on a cluster's labels; nothing to do where it is not there.

    Raises:
        CloudError: it could not be written.
    """
    for attempt in range(RENEWALS):
        item = _cluster(api, project, cluster)
        if item is None:
            return
        try:
            _write_due(api, project, item, due)
        except ApiError as error:
            if attempt + 1 == RENEWALS or not _worth_another_look(error):
                raise
            api.sleep(POLL)
        else:
            return


def _cluster(api: Api, project: str, name: str) -> dict[str, Any] | None:
    listing = api.get("container", f"projects/{project}/locations/-/clusters")
    found: list[dict[str, Any]] = [one for one in listing.get("clusters", ()) if one["name"] == name]
    return found[0] if found else None


def _write_due(api: Api, project: str, item: Mapping[str, Any], due: int) -> None:
    labels = {**item.get("resourceLabels", {}), TAG_DUE: str(due)}
    api.call(
        "POST",
        "container",
        f"projects/{project}/locations/{item['location']}/clusters/{item['name']}:setResourceLabels",
        body={"resourceLabels": labels, "labelFingerprint": item.get("labelFingerprint", "")},
    )


def _worth_another_look(error: ApiError) -> bool:
    return error.status in {409, 412} or error.reason == "FAILED_PRECONDITION" or "fingerprint" in str(error).lower()
