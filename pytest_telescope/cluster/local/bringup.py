"""Bring one local cluster up: start, wait on conditions, write down what is there."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pytest_telescope.cluster.durable import private_folder
from pytest_telescope.cluster.durable import write_private
from pytest_telescope.cluster.local import components
from pytest_telescope.cluster.local import egress
from pytest_telescope.cluster.local import monitoring
from pytest_telescope.cluster.local import pki
from pytest_telescope.cluster.local import pools
from pytest_telescope.cluster.local import ports as port_book
from pytest_telescope.cluster.local import real_node
from pytest_telescope.cluster.local.api import Api
from pytest_telescope.cluster.local.facts import component_facts
from pytest_telescope.cluster.local.facts import machine_facts
from pytest_telescope.cluster.local.facts import pool_facts
from pytest_telescope.cluster.local.facts import real_node_facts
from pytest_telescope.cluster.local.kubeconfig import write_kubeconfigs
from pytest_telescope.cluster.local.kwok_config import write_kwok_config
from pytest_telescope.cluster.local.launch import Fleet
from pytest_telescope.cluster.local.launch import PortTakenError
from pytest_telescope.cluster.local.layout import Layout
from pytest_telescope.cluster.local.ports import accepts
from pytest_telescope.cluster.local.spec import LocalSpec
from pytest_telescope.cluster.local.steps import Steps
from pytest_telescope.cluster.processes import identity_of
from pytest_telescope.cluster.processes import stop
from pytest_telescope.errors import ProvisionError

Resolve = Callable[[str], Path]


def up(spec: LocalSpec, resolve: Resolve, steps: Steps) -> dict[str, Any]:
    """Return the facts of a cluster that is ready: all nodes Ready, every metrics target scraped once.

    Raises:
        ProvisionError: it did not become ready; what was started still runs and is left to `down`.
    """
    for last in (False, False, True):
        bringup = Bringup(spec, resolve, steps)
        try:
            return bringup.run()
        except PortTakenError:
            if last:
                raise
            bringup.start_over()
    raise AssertionError("unreachable: the last try returns or raises")


class Bringup:
    """One try to bring a cluster up."""

    def __init__(self, spec: LocalSpec, resolve: Resolve, steps: Steps) -> None:
        self.spec = spec
        self.steps = steps
        self.layout = Layout(spec.folder)
        self.ports: dict[str, int] = {}
        self.node: real_node.Joined | None = None
        self._resolve = resolve
        self._connections: list[Api] = []
        self._fleet = Fleet(spec.lease, self.layout, resolve, time.monotonic() + spec.timeout)

    def run(self) -> dict[str, Any]:
        """Return the facts of the ready cluster (errors as in `up`)."""
        started = time.monotonic()
        try:
            self._write_files()
            self._start_control_plane()
            self._populate()
            self._wait_for_metrics()
            with self.steps.step("facts"):
                return self._write_facts(time.monotonic() - started)
        finally:
            for connection in self._connections:
                connection.close()

    def start_over(self) -> None:
        """Stop what this try started and forget its files, so that another try finds nothing."""
        processes = [identity_of(process.pid) for process in self._fleet.running.values()]
        stop([process for process in processes if process], grace=0.0)
        if self.spec.real_pool:
            real_node.leave(self.spec, self.layout)
        for folder in (self.layout.etcd, self.layout.tsdb):
            shutil.rmtree(folder, ignore_errors=True)

    def _write_files(self) -> None:
        with self.steps.step("pki"):
            private_folder(self.layout.folder)
            self.ports = port_book.reserve(components.PORTS)
            pool = self.spec.real_pool
            pki.write_pki(self.layout, [pki.kubelet_subject(pool.node_names()[0])] if pool else [])
            write_kubeconfigs(self.layout, self.spec.name, self.server)

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{components.LOOPBACK}:{self.ports['kube-apiserver']}"

    def kubernetes(self) -> Api:
        """Return a new connection to the API server with the admin's rights."""
        return self._api("kube-apiserver", "ca", "admin")

    def _api(self, port: str, authority: str, client: str) -> Api:
        layout = self.layout
        api = Api(self.ports[port], layout.certificate(authority), layout.certificate(client), layout.key(client))
        self._connections.append(api)
        return api

    def _start_control_plane(self) -> None:
        """Start the next as soon as the one it needs has bound its port, ready or not: it waits by itself."""
        with self.steps.step("etcd"):
            self._start_and_wait_for_port(components.etcd(self.layout, self.ports))
        with self.steps.step("kube-apiserver"):
            self._start_and_wait_for_port(components.apiserver(self.layout, self.ports, self._write_egress()))
        with self.steps.step("kube-scheduler"):
            self._fleet.start(components.scheduler(self.layout, self.ports))

    def _write_egress(self) -> Path:
        if self.spec.real_pool:
            return real_node.write_egress(self.spec, self.layout)
        return egress.write_config(self.layout, egress.SOCKET)

    def _start_and_wait_for_port(self, component: components.Component) -> None:
        self._fleet.start(component)
        port = self.ports[component.name]
        self._fleet.wait(f"{component.name} listening", lambda: accepts(port))

    def _populate(self) -> None:
        """Simulated nodes and the real one come at the same time."""
        jobs = [self._simulate_nodes, *([self._join_real_node] if self.spec.real_pool else [])]
        with ThreadPoolExecutor(len(jobs)) as executor:
            results = [executor.submit(job) for job in jobs]
        for result in results:
            result.result()
        with self.steps.step("nodes-ready"):
            api = self.kubernetes()
            wanted = {name for pool in self.spec.pools for name in pool.node_names()}
            self._fleet.wait("every node Ready", lambda: pools.all_ready(api, wanted), poll=0.2)

    def _simulate_nodes(self) -> None:
        self._wait_for_api()
        with self.steps.step("kube-controller-manager"):  # it gives an API server that is not ready 10 s, then exits
            self._fleet.start(components.controller_manager(self.layout, self.ports))
        self._start_prometheus()
        with self.steps.step("kwok"):
            files = write_kwok_config(self.layout, self.spec.stages)
            self._fleet.start(components.kwok(self.layout, files))
        with self.steps.step("kwok-nodes"):
            pools.create_nodes(self.kubernetes, self.spec.kwok_pools)

    def _wait_for_api(self) -> None:
        api = self.kubernetes()
        self._fleet.wait("the API server ready", lambda: api.answers("/readyz"))

    def _join_real_node(self) -> None:
        with self.steps.step("real-node"):
            prometheus = egress.upstream(self.layout, self.ports)
            self.node = real_node.join(self.spec, self.layout, self.server, prometheus, self.kubernetes)
            api = self.kubernetes()
            for path, body in monitoring.scraper_role():
                api.create(path, body)

    def _start_prometheus(self) -> None:
        """Only once the API server knows its roles: a component remembers for 10 s that a scraper was refused."""
        with self.steps.step("prometheus"):
            private_folder(self.layout.tsdb)
            config = self._write_scrape_config(monitoring.WARM_UP)
            web = monitoring.write_web_config(self.layout)
            self._fleet.start(components.prometheus(self.layout, self.ports, config, web))

    def _write_scrape_config(self, interval: int) -> Path:
        return monitoring.write_config(self.layout, self.ports, self._real_name(), interval)

    def _real_name(self) -> str | None:
        pool = self.spec.real_pool
        return pool.node_names()[0] if pool else None

    def _prometheus(self) -> Api:
        return self._api("prometheus", "prometheus-ca", "prometheus-client")

    def _wait_for_metrics(self) -> None:
        """Wait for a first scrape of everything at the quick pace, then set the pace of the measurement."""
        if not self.spec.real_pool:  # else the node's keeper is the door
            self._fleet.start(egress.door(self.layout, self.ports))
        with self.steps.step("targets-up"):
            self._wait_for_targets("every metrics target up", monitoring.WARM_UP)
            self._write_scrape_config(monitoring.INTERVAL)
            self._fleet.running["prometheus"].send_signal(signal.SIGHUP)
            self._wait_for_targets("the new scrape interval", monitoring.INTERVAL, health=False)

    def _wait_for_targets(self, what: str, interval: int, *, health: bool = True) -> None:
        prometheus = self._prometheus()
        expected = monitoring.targets(self._real_name())

        def match() -> bool:
            try:
                answer = prometheus.get("/api/v1/targets?state=active")
            except (OSError, ProvisionError):  # it answers 503 until it is ready
                return False
            return monitoring.all_scraped(answer, expected, interval, health=health)

        self._fleet.wait(what, match, poll=0.05)

    def _write_facts(self, seconds: float) -> dict[str, Any]:
        facts = {
            **component_facts(
                self.kubernetes(),
                self._api("etcd", "etcd-ca", "etcd-client"),
                self._prometheus(),
                self._resolve("kwok"),
            ),
            **machine_facts(),
            **pool_facts(self.spec),
            **(real_node_facts(self.node.facts) if self.node else {}),
            "seconds-to-ready": round(seconds, 3),
        }
        document = {
            "facts": facts,
            "nodes": sorted(name for pool in self.spec.pools for name in pool.node_names()),
            "ports": self.ports,
            "real_node": self._real_name(),
            "steps": self.steps.seconds,
            "targets": monitoring.targets(self._real_name()),
            "logs": [str(path) for path in (self.node.logs if self.node else ())],
        }
        write_private(self.layout.facts, json.dumps(document, indent=2, sort_keys=True))
        return document
