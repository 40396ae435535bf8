"""What Kubernetes made in the cloud goes before the cluster: load balancers and disks outlive it otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.clouds import pace as paces

_REQUEST = (5, 20)
_ANSWER_WITHIN = (3, 5)
SYSTEM = {"kube-system", "kube-public", "kube-node-lease", "gke-managed-system", "gmp-system"}
"""Namespaces whose objects are the cloud's own."""
Say = Callable[[str], None]


def clean(kubeconfig: Path, within: float, say: Say, sleep: paces.Sleep = paces.sleep) -> list[str]:
    """Delete services of type LoadBalancer, ingresses and volume claims with their users; wait until they are gone.

    Args:
        kubeconfig: of the cluster; nothing is done where it is missing or the API server does not answer.
        within: seconds until the wait is given up; what is left then is for the sweeper.
        say: told what goes.
        sleep: waits between two looks.

    Returns:
        What is still there, a word each.
    """
    from kubernetes import client
    from kubernetes import config

    if not kubeconfig.exists():
        return []
    try:
        api = config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call] # upstream
        client.VersionApi(api).get_code(_request_timeout=_ANSWER_WITHIN)
    except Exception as error:  # whatever it is, the destroy must go on without it
        say(
            "what Kubernetes made in the cloud is left to the sweeper: "
            f"the API server does not answer ({type(error).__name__})"
        )
        return []
    with api:
        left = _clean(api, within, say, sleep)
        api.rest_client.pool_manager.clear()
    return left


def _clean(api: Any, within: float, say: Say, sleep: paces.Sleep) -> list[str]:
    end = time.monotonic() + within / paces.speed()
    try:
        doomed = list(_doomed(api))
        if doomed:
            say(f"deleting what lives in the cloud beside the cluster: {', '.join(name for name, _ in doomed)}")
        for _, delete in doomed:
            _tolerant(delete)
        while (left := [*(name for name, _ in _doomed(api)), *_bound_volumes(api)]) and time.monotonic() < end:
            sleep(2.0)
    except Exception as error:  # as above
        say(f"what Kubernetes made in the cloud is left to the sweeper: {type(error).__name__}: {error}")
        return []
    return left


def _tolerant(delete: Callable[[], object]) -> None:
    from kubernetes.client.exceptions import ApiException

    try:
        delete()
    except ApiException as error:
        if error.status != 404:
            raise


def _doomed(api: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what holds something in the cloud, and how it is deleted: users before what they use."""
    from kubernetes import client

    core, apps, net = client.CoreV1Api(api), client.AppsV1Api(api), client.NetworkingV1Api(api)
    claims = core.list_persistent_volume_claim_for_all_namespaces
    kinds: tuple[tuple[str, Any, Any], ...] = (
        ("ingress", net.list_ingress_for_all_namespaces, net.delete_namespaced_ingress),
        ("service", core.list_service_for_all_namespaces, core.delete_namespaced_service),
        ("statefulset", apps.list_stateful_set_for_all_namespaces, apps.delete_namespaced_stateful_set),
        ("persistentvolumeclaim", claims, core.delete_namespaced_persistent_volume_claim),
    )
    for kind, list_all, delete in kinds:
        for item in list_all(_request_timeout=_REQUEST).items:
            name, namespace = item.metadata.name, item.metadata.namespace
            if namespace not in SYSTEM and _in_the_cloud(kind, item):
                yield f"{kind} {namespace}/{name}", partial(delete, name, namespace, _request_timeout=_REQUEST)


def _in_the_cloud(kind: str, item: Any) -> bool:
    if kind == "service":
        return bool(item.spec.type == "LoadBalancer")
    return kind != "statefulset" or bool(item.spec.volume_claim_templates)


def _bound_volumes(api: Any) -> list[str]:
    """Return the volumes whose disk goes with them and that are still there."""
    from kubernetes import client

    volumes: list[Any] = client.CoreV1Api(api).list_persistent_volume(_request_timeout=_REQUEST).items
    return [
        f"persistentvolume {volume.metadata.name}"
        for volume in volumes
        if volume.spec.persistent_volume_reclaim_policy == "Delete" and volume.spec.claim_ref is not None
    ]
