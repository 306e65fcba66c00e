"""Deployments on this machine: the port `Workloads` for the engine, and what `kubectl` would do for a user.

A thread runs the controller about ten times a second. Nothing of it is kept on disk: pods live as long as the
process that runs this; the daemon beside it may be stopped and started again meanwhile.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import assert_never

from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Scale, Snapshot, Workload, WriteTemplate, template_of
from analyzer.sandbox.addresses import AddressPool
from analyzer.sandbox.controller import Controller, Deployment, DeploymentSpec, Tempo
from analyzer.sandbox.counts import Endpoint
from analyzer.sandbox.kubelet import Process
from analyzer.sandbox.runner import PodSpec
from analyzer.sandbox.template import with_env

NAMESPACE = "default"
OURSELVES = "canary-analyzer"
USER = "kubectl"
PASS_EVERY = 0.1  # seconds between two passes of the controller
_STOP_PASS = 0.02


class SandboxWorkloads:
    """All Deployments of one namespace, and one Service in front of them. Thread-safe.

    `prepare` makes a pod's process without starting it (`PodRunner.prepare`); `service` is the Service's
    selector; `route` is told, from the controller's thread, which pods are ready whenever that changes.
    """

    def __init__(
        self,
        prepare: Callable[[PodSpec], Process],
        pool: AddressPool,
        *,
        service: Mapping[str, str],
        route: Callable[[Sequence[Endpoint]], None] = lambda _: None,
        tempo: Tempo | None = None,
        seed: int = 0,
    ) -> None:
        self._controller = Controller(prepare, pool, NAMESPACE, tempo or Tempo(), seed)
        self._service = dict(service)
        self._route = route
        self._routed: tuple[Endpoint, ...] = ()
        self._epochs: dict[str, int] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run the controller in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="deployments", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the controller and every pod, and wait until all are gone. May be called at any time."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._controller.delete_all()
        waited = threading.Event()
        while self._controller.pods:
            self.run_pass(datetime.now(UTC))
            waited.wait(_STOP_PASS)

    def run_pass(self, now: datetime) -> None:
        """One pass of the controller; the thread does this, and tests without one."""
        with self._lock:
            self._controller.reconcile(now)
            endpoints = self._controller.endpoints(self._service)
            pods = self._controller.pods
        if endpoints != self._routed:
            self._routed = endpoints
            self._route(endpoints)
        for pod in pods:
            pod.life.step(now)

    # The engine's side

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        """See both sides; a side is None when its Deployment does not exist. Raises ActuationError."""
        if self._thread is not None and not self._thread.is_alive():
            raise ActuationError("the controller of the sandbox has stopped; start a new sandbox")
        with self._lock:
            sides = self._controller.workload(roles.stable), self._controller.workload(roles.canary)
        return Snapshot(target, *sides)

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        """Compare and swap. Raises ConflictError for an old epoch, another uid or another old value."""
        with self._lock:
            self._fence(target, epoch)
            deployment = self._controller.deployments.get(move.deployment)
            if deployment is None or deployment.uid != move.uid:
                found = "none" if deployment is None else f"uid {deployment.uid}"
                raise ConflictError(
                    f"{move}: refused: expected Deployment {move.deployment} with uid {move.uid}, found {found}"
                )
            _write(deployment, move)
            self._epochs[target.name] = epoch

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:  # noqa: ARG002 - kept by target here
        """Refuse older epochs from now on. Raises ConflictError when a newer one has claimed this target."""
        with self._lock:
            self._fence(target, epoch)
            self._epochs[target.name] = epoch

    # The user's side

    def create(self, spec: DeploymentSpec, by: str = USER) -> None:
        """Create a Deployment. Raises ActuationError when it exists or its selector does not match."""
        labels = (spec.template.get("metadata") or {}).get("labels") or {}
        if not spec.selector.items() <= labels.items():
            raise ActuationError(f"the selector of {spec.name} does not match its template's labels {labels}")
        with self._lock:
            if spec.name in self._controller.deployments:
                raise ActuationError(f"Deployment {spec.name} exists; delete it first or change its template")
            self._controller.deployments[spec.name] = Deployment(
                spec=spec,
                uid=str(uuid.uuid4()),
                template=template_of(spec.template, spec.selector),
                replicas=spec.replicas,
                writers={"replicas": by, "template": by},
            )

    def set_template(self, name: str, changes: Mapping[str, str | None], by: str = USER) -> None:
        """Change the environment in a Deployment's template; None removes an entry. Raises ActuationError."""
        with self._lock:
            deployment = self._named(name)
            deployment.write_template(with_env(deployment.template.content, changes), by)

    def scale(self, name: str, replicas: int, by: str = USER) -> None:
        """Change a Deployment's replicas. Raises ActuationError."""
        with self._lock:
            self._named(name).write_replicas(replicas, by)

    def delete(self, name: str) -> None:
        """Delete a Deployment and its pods. Raises ActuationError."""
        with self._lock:
            self._named(name)
            self._controller.delete(name)

    def workload(self, name: str) -> Workload | None:
        """One Deployment, or None when there is none of this name."""
        with self._lock:
            return self._controller.workload(name)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The ready pods behind the Service."""
        with self._lock:
            return self._controller.endpoints(self._service)

    def _fence(self, target: Target, epoch: int) -> None:
        highest = self._epochs.get(target.name, epoch)
        if epoch < highest:
            raise ConflictError(f"{target.name}: refused: claimed by epoch {highest}, this daemon has epoch {epoch}")

    def _named(self, name: str) -> Deployment:
        deployment = self._controller.deployments.get(name)
        if deployment is None:
            known = ", ".join(sorted(self._controller.deployments)) or "none"
            raise ActuationError(f"Deployment {name} does not exist in the sandbox; found: {known}")
        return deployment

    def _run(self) -> None:
        while not self._stopping.wait(PASS_EVERY):
            self.run_pass(datetime.now(UTC))


def _write(deployment: Deployment, move: Move) -> None:
    match move:
        case Scale(before=before, after=after):
            if deployment.replicas != before:
                raise ConflictError(f"{move}: refused: expected {before} replicas, found {deployment.replicas}")
            deployment.write_replicas(after, OURSELVES)
        case WriteTemplate(before=before, template=template):
            if deployment.template.hash != before:
                raise ConflictError(f"{move}: refused: expected version {before}, found {deployment.template.hash}")
            deployment.write_template(template.content, OURSELVES)
        case _:
            assert_never(move)
