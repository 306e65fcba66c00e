"""Makes pods match Deployments, as Kubernetes' own controllers do; `deployments` runs it, under a lock."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analyzer.model.workload import Pod, Template, Workload, template_of
from analyzer.sandbox.addresses import AddressPool, PodAddress
from analyzer.sandbox.counts import Endpoint
from analyzer.sandbox.kubelet import PodLife, PodStatus, PodTempo, Process
from analyzer.sandbox.rollout import PodView, pod_changes
from analyzer.sandbox.runner import PodSpec
from analyzer.sandbox.template import container_env

POD_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # those of Kubernetes: no words can come out
VERSION_LENGTH = 10


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """What a user asks for. `template` is a pod template as Kubernetes has it, with the selector's labels."""

    name: str
    replicas: int
    selector: Mapping[str, str]
    template: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds: for how long a pod must be ready to be available, and a rollout may go without progress."""

    pod: PodTempo = field(default_factory=PodTempo)
    min_ready: float = 0.5
    progress_deadline: float = 60.0


@dataclass(slots=True)
class OwnedPod:
    """A pod and what it was made from."""

    name: str
    version: str
    address: PodAddress
    env: Mapping[str, str]
    labels: Mapping[str, str]
    life: PodLife

    def endpoint(self, deployment: str) -> Endpoint:
        """As a Service sees it."""
        return Endpoint(self.name, deployment, self.env.get("VERSION", ""), self.address.host, self.address.port)


@dataclass(slots=True)
class Deployment:
    """One Deployment and its pods. `rolling` from a write until every pod asked for has been available."""

    spec: DeploymentSpec
    uid: str
    template: Template
    replicas: int
    writers: dict[str, str]
    pods: dict[str, OwnedPod] = field(default_factory=dict)
    failure: str | None = None
    deadline_exceeded: bool = False
    rolling: bool = True
    progressed_at: datetime | None = None
    progress: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def kept(self) -> list[OwnedPod]:
        """Its pods, but for those being deleted."""
        return [pod for pod in self.pods.values() if pod.life.status.deleted_at is None]

    def write_template(self, content: Mapping[str, Any], by: str) -> None:
        """Take another pod template."""
        self.template = template_of(content, self.spec.selector)
        self.writers["template"] = by
        self._expect_progress()

    def write_replicas(self, replicas: int, by: str) -> None:
        """Ask for another number of pods."""
        self.replicas = replicas
        self.writers["replicas"] = by
        self._expect_progress()

    def _expect_progress(self) -> None:
        self.rolling = True
        self.progressed_at = None
        self.progress = (0, 0, 0, 0)


class Controller:
    """Deployments, the pods that they own, and the pods of Deployments that were deleted. Not thread-safe.

    `reconcile` only decides, and is quick; whoever calls it then steps the pods, which takes longer.
    """

    def __init__(
        self,
        prepare: Callable[[PodSpec], Process],
        pool: AddressPool,
        namespace: str,
        tempo: Tempo,
        seed: int,
    ) -> None:
        self.deployments: dict[str, Deployment] = {}
        self._orphans: list[OwnedPod] = []
        self._prepare = prepare
        self._pool = pool
        self._namespace = namespace
        self._tempo = tempo
        self._random = random.Random(f"pods/{seed}")  # noqa: S311 - names, not secrets
        self._seen_at: datetime | None = None

    @property
    def pods(self) -> list[OwnedPod]:
        """Every pod there is, those being deleted included."""
        return [*self._orphans, *(pod for owner in self.deployments.values() for pod in owner.pods.values())]

    def delete(self, name: str) -> None:
        """Forget a Deployment; its pods are taken away in the following passes."""
        self._orphans.extend(self.deployments.pop(name).pods.values())

    def reconcile(self, now: datetime) -> None:
        """Remove pods that are gone, and decide which to add and which to delete."""
        self._seen_at = now
        for pod in self._orphans:
            pod.life.delete(now)
        self._orphans = [pod for pod in self._orphans if not self._reaped(pod)]
        for deployment in self.deployments.values():
            deployment.pods = {name: pod for name, pod in deployment.pods.items() if not self._reaped(pod)}
            self._change_pods(deployment, now)
            self._judge_progress(deployment, now)

    def delete_all(self) -> None:
        """Forget every Deployment."""
        for name in tuple(self.deployments):
            self.delete(name)

    def endpoints(self, selector: Mapping[str, str]) -> tuple[Endpoint, ...]:
        """The pods that a Service with this selector sends requests to, by name."""
        found = [
            pod.endpoint(deployment.spec.name)
            for deployment in self.deployments.values()
            for pod in deployment.pods.values()
            if pod.life.status.serving and selector.items() <= pod.labels.items()
        ]
        return tuple(sorted(found, key=lambda endpoint: endpoint.pod))

    def workload(self, name: str) -> Workload | None:
        """A Deployment as the engine sees it; None when there is none of this name."""
        deployment = self.deployments.get(name)
        if deployment is None:
            return None
        kept = deployment.kept
        return Workload(
            name=name,
            uid=deployment.uid,
            replicas=deployment.replicas,
            current=len(kept),
            updated=sum(pod.version == deployment.template.hash for pod in kept),
            available=sum(self._available(pod.life.status) for pod in kept),
            template=deployment.template,
            selector=deployment.spec.selector,
            pods=tuple(self._seen(pod) for pod in deployment.pods.values()),
            progress_deadline_exceeded=deployment.deadline_exceeded,
            replica_failure=deployment.failure,
            writers=dict(deployment.writers),
        )

    def _reaped(self, pod: OwnedPod) -> bool:
        if pod.life.status.gone:
            self._pool.give_back(pod.address)
        return pod.life.status.gone

    def _change_pods(self, deployment: Deployment, now: datetime) -> None:
        changes = pod_changes(deployment.replicas, deployment.template.hash, [self._view(p) for p in deployment.kept])
        for name in changes.delete:
            deployment.pods[name].life.delete(now)
        deployment.failure = None
        for _ in range(changes.create):
            address = self._pool.take()
            if address is None:
                deployment.failure = f"no free address: all {len(self._pool.addresses)} of the sandbox are in use"
                return
            pod = self._new_pod(deployment, address, now)
            deployment.pods[pod.name] = pod

    def _new_pod(self, deployment: Deployment, address: PodAddress, now: datetime) -> OwnedPod:
        version, content = deployment.template.hash, deployment.template.content
        suffix = "".join(self._random.choices(POD_NAME_LETTERS, k=5))
        name = f"{deployment.spec.name}-{version[:VERSION_LENGTH]}-{suffix}"
        env = container_env(content)
        process = self._prepare(PodSpec(name, self._namespace, address, env))
        labels = dict((content.get("metadata") or {}).get("labels") or {})
        return OwnedPod(name, version, address, env, labels, PodLife(process, self._tempo.pod, now))

    def _judge_progress(self, deployment: Deployment, now: datetime) -> None:
        """More updated, ready or available pods, or fewer former ones, are progress, as in Kubernetes.

        Unlike there, a scaling must make progress too. What has rolled out once may fail later, which is no rollout.
        """
        kept = deployment.kept
        updated = sum(pod.version == deployment.template.hash for pod in kept)
        ready = sum(pod.life.status.ready for pod in kept)
        available = sum(self._available(pod.life.status) for pod in kept)
        progress = (updated, ready, available, updated - len(kept))
        rose = any(new > old for new, old in zip(progress, deployment.progress, strict=True))
        if rose or deployment.progressed_at is None:
            deployment.progressed_at = now
        deployment.progress = progress
        if len(kept) == updated == available == deployment.replicas:
            deployment.rolling = False
        waited = (now - deployment.progressed_at).total_seconds()
        deployment.deadline_exceeded = deployment.rolling and waited > self._tempo.progress_deadline

    def _available(self, status: PodStatus) -> bool:
        if not status.ready or status.ready_at is None or self._seen_at is None:
            return False
        return (self._seen_at - status.ready_at).total_seconds() >= self._tempo.min_ready

    def _view(self, pod: OwnedPod) -> PodView:
        status = pod.life.status
        return PodView(pod.name, pod.version, status.created_at, status.ready, self._available(status))

    def _seen(self, pod: OwnedPod) -> Pod:
        status = pod.life.status
        return Pod(
            name=pod.name,
            created_at=status.created_at,
            ready=status.ready,
            available=self._available(status),
            ready_at=status.ready_at,
            deleted=status.deleted_at is not None,
            restarts=status.restarts,
            waiting=status.waiting,
            last_termination=status.last_termination,
        )
