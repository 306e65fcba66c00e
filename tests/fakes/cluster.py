"""Deployments, pods and their mishaps in fake time: a `Workloads` for tests and benchmarks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from analyzer.model.errors import ActuationError, ConflictError
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Pod, Scale, Snapshot, Template, Workload, template_of
from analyzer.ports import Clock
from analyzer.sandbox.rollout import PodView, pod_changes

OURSELVES = "canary-analyzer"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How pods of a version live. Seconds; `crash_after` counts from readiness, None: never."""

    start_delay: float = 1.0
    crash_after: float | None = None
    never_ready: bool = False
    last_words: str = "Error (exit code 1)"


@dataclass(slots=True)
class FakePod:
    """One pod; `ups` are its spans of readiness (until None: it lasts)."""

    name: str
    deployment: str
    template: Template
    created: float
    behaviour: Behaviour
    next_ready: float | None
    next_crash: float | None = None
    ups: list[tuple[float, float | None]] = field(default_factory=list)
    restarts: int = 0
    gone: float | None = None
    revision: str = ""
    images: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        return str(self.template.content["spec"]["version"])

    @property
    def ready_since(self) -> float | None:
        return self.ups[-1][0] if self.ups and self.ups[-1][1] is None else None

    def close(self, when: float) -> None:
        if self.ready_since is not None:
            self.ups[-1] = (self.ups[-1][0], when)

    def was_up(self, start: float, end: float) -> bool:
        """Was it ready, without a restart, for the whole of this stretch?"""
        return any(since <= start and (until is None or until >= end) for since, until in self.ups)


@dataclass(slots=True)
class FakeDeployment:
    """What is asked for, by whom."""

    uid: str
    template: Template
    replicas: int
    selector: Mapping[str, str]
    writers: dict[str, str]
    paused: bool = False
    restarts: int = 0

    @property
    def revision(self) -> str:
        """What makes a new ReplicaSet: another template, or a restart of the same."""
        return f"{self.template.hash}/{self.restarts}"


def template_named(version: str, deployment: str) -> dict[str, object]:
    """A pod template of a version, with the Deployment's selector label."""
    return {"metadata": {"labels": {"app": "shop", "role": deployment}}, "spec": {"version": version}}


class FakeCluster:
    """Deployment semantics up to the clock's present moment; all that happened stays on record for the metrics.

    `behaviours` by version. `moves` lists every write of ours that was made, `claims` every target and epoch that was
    claimed. `fail_with` makes all port methods raise, `refuse_next` one write; targets in `forbidden` can't be seen.
    Pods are available `min_ready` seconds after they are ready, and are gone as soon as they are deleted.
    """

    def __init__(self, clock: Clock, min_ready: float = 0.5) -> None:
        self._clock = clock
        self._min_ready = min_ready
        self.behaviours: dict[str, Behaviour] = {}
        self.moves: list[str] = []
        self.claims: list[tuple[str, int]] = []
        self.fail_with: Exception | None = None
        self.forbidden: set[str] = set()
        self.refuse_next: ConflictError | None = None
        self.pods: list[FakePod] = []
        self._deployments: dict[str, FakeDeployment] = {}
        self._epochs: dict[str, int] = {}
        self._made = 0
        self._at = clock.now().timestamp()
        self._ready_changes: list[tuple[float, int]] = [(0.0, 0)]

    # The user's side

    def create(self, name: str, version: str, replicas: int, *, ready: bool = True) -> None:
        """Create a Deployment; with `ready` its first pods have been there for a minute."""
        self._made += 1
        selector = {"role": name}
        template = template_of(template_named(version, name), selector)
        writers = {"replicas": "kubectl", "template": "kubectl"}
        self._deployments[name] = FakeDeployment(f"uid-{self._made}", template, replicas, selector, writers)
        if not ready:
            return
        for _ in range(replicas):
            pod = self._new_pod(name, self._at - 60.0)
            pod.next_ready = None
            pod.ups.append((self._at - 59.0, None))
        self._note_ready(self._at - 59.0)

    def deploy(self, name: str, version: str, by: str = "kubectl") -> Template:
        """Write another version into a Deployment's template."""
        self.run()
        deployment = self._deployments[name]
        deployment.template = template_of(template_named(version, name), deployment.selector)
        deployment.writers["template"] = by
        return deployment.template

    def scale(self, name: str, replicas: int, by: str = "kubectl") -> None:
        """Ask for another number of pods."""
        self.run()
        self._deployments[name].replicas = replicas
        self._deployments[name].writers["replicas"] = by

    def restart(self, name: str) -> None:
        """`kubectl rollout restart`: the same version in new pods."""
        self.run()
        self._deployments[name].restarts += 1

    def pause(self, name: str, *, paused: bool = True) -> None:
        """`kubectl rollout pause`, or `resume`."""
        self.run()
        self._deployments[name].paused = paused

    def push_again(self, name: str, digests: Sequence[str]) -> None:
        """The tag of the image was pushed again: the pods that run now have these digests, in turn."""
        for number, pod in enumerate(self._present(name)):
            pod.images = {"app": digests[number % len(digests)]}

    def delete(self, name: str) -> None:
        """Delete a Deployment and its pods."""
        self.run()
        del self._deployments[name]
        for pod in self._present(name):
            self._remove(pod, self._at)
        self._note_ready(self._at)

    def replicas(self, name: str) -> int:
        """What a Deployment asks for."""
        return self._deployments[name].replicas

    def version(self, name: str) -> str:
        """The version in a Deployment's template."""
        return str(self._deployments[name].template.content["spec"]["version"])

    # The engine's side

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        self._fail()
        if target.name in self.forbidden:
            raise ActuationError(f"Deployments of {target.name} cannot be read: forbidden")
        self.run()
        return Snapshot(target, self._workload(roles.stable), self._workload(roles.canary))

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        self._fail()
        self.run()
        if self.refuse_next is not None:
            error, self.refuse_next = self.refuse_next, None
            raise error
        self._fence(target, epoch)
        deployment = self._deployments.get(move.deployment)
        if deployment is None or deployment.uid != move.uid:
            raise ConflictError(f"{move}: that Deployment does not exist any more")
        found = deployment.replicas if isinstance(move, Scale) else deployment.template.hash
        if found != move.before:
            raise ConflictError(f"{move}: refused: expected {move.before}, found {found}")
        if isinstance(move, Scale):
            deployment.replicas = move.after
        else:
            deployment.template = template_of(move.template.content, deployment.selector)
        deployment.writers["replicas" if isinstance(move, Scale) else "template"] = OURSELVES
        self.moves.append(str(move))

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        self._fail()
        self._fence(target, epoch)
        self.claims.append((target.name, epoch))

    def _fence(self, target: Target, epoch: int) -> None:
        highest = self._epochs.get(target.name, epoch)
        if epoch < highest:
            raise ConflictError(f"{target.name}: refused for epoch {epoch}, epoch {highest} has claimed it")
        self._epochs[target.name] = epoch

    # Time

    def run(self) -> None:
        """Let everything happen up to the clock's present moment."""
        until = self._clock.now().timestamp()
        self._reconcile()
        while True:
            moments = [moment for pod in self.pods if pod.gone is None for moment in self._moments(pod)]
            due = [moment for moment in moments if self._at < moment <= until]
            if not due:
                break
            self._at = min(due)
            for pod in self.pods:
                if pod.gone is None:
                    self._live(pod)
            self._note_ready(self._at)
            self._reconcile()
        self._at = until

    def requests_per_rps(self, pod: FakePod, start: float, end: float) -> float:
        """Requests that this pod gets in a stretch, per request per second of all users: they choose at random."""
        total = 0.0
        for since, until in pod.ups:
            low, high = max(since, start), min(end if until is None else until, end)
            total += self._share(low, high) if high > low else 0.0
        return total

    def _share(self, low: float, high: float) -> float:
        place = bisect_right(self._ready_changes, low, key=lambda change: change[0]) - 1
        total = 0.0
        while low < high:
            after = self._ready_changes[place + 1][0] if place + 1 < len(self._ready_changes) else high
            total += (min(after, high) - low) / max(1, self._ready_changes[place][1])
            low, place = min(after, high), place + 1
        return total

    def _moments(self, pod: FakePod) -> list[float]:
        available = [] if pod.ready_since is None else [pod.ready_since + self._min_ready]
        return [moment for moment in (pod.next_ready, pod.next_crash, *available) if moment is not None]

    def _live(self, pod: FakePod) -> None:
        if pod.next_ready is not None and pod.next_ready <= self._at:
            pod.ups.append((self._at, None))
            pod.next_ready = None
            after = pod.behaviour.crash_after
            pod.next_crash = None if after is None else self._at + after
        elif pod.next_crash is not None and pod.next_crash <= self._at:
            pod.close(self._at)
            pod.restarts += 1
            pod.next_crash = None
            pod.next_ready = self._at + 2.0**pod.restarts + pod.behaviour.start_delay

    def _reconcile(self) -> None:
        for name, deployment in self._deployments.items():
            present = {pod.name: pod for pod in self._present(name)}
            views = [self._view(pod) for pod in present.values()]
            changes = pod_changes(deployment.replicas, deployment.revision, views)
            for gone in changes.delete:
                self._remove(present[gone], self._at)
            for _ in range(changes.create):
                self._new_pod(name, self._at)
            if changes.delete:
                self._note_ready(self._at)

    def _new_pod(self, deployment: str, when: float) -> FakePod:
        self._made += 1
        template = self._deployments[deployment].template
        behaviour = self.behaviours.get(str(template.content["spec"]["version"]), Behaviour())
        ready = None if behaviour.never_ready else when + behaviour.start_delay
        pod = FakePod(f"{deployment}-{template.hash[:5]}-{self._made}", deployment, template, when, behaviour, ready)
        pod.revision = self._deployments[deployment].revision
        self.pods.append(pod)
        return pod

    def _remove(self, pod: FakePod, when: float) -> None:
        pod.close(when)
        pod.gone = when

    def _note_ready(self, when: float) -> None:
        ready = sum(1 for pod in self.pods if pod.gone is None and pod.ready_since is not None)
        self._ready_changes.append((when, ready))

    def _present(self, deployment: str) -> list[FakePod]:
        return [pod for pod in self.pods if pod.deployment == deployment and pod.gone is None]

    def _available(self, pod: FakePod) -> bool:
        return pod.ready_since is not None and pod.ready_since + self._min_ready <= self._at

    def _view(self, pod: FakePod) -> PodView:
        ready = pod.ready_since is not None
        return PodView(pod.name, pod.revision, _moment(pod.created), ready, self._available(pod))

    def _workload(self, name: str) -> Workload | None:
        deployment = self._deployments.get(name)
        if deployment is None:
            return None
        pods = self._present(name)
        return Workload(
            name=name,
            uid=deployment.uid,
            replicas=deployment.replicas,
            current=len(pods),
            updated=sum(1 for pod in pods if pod.revision == deployment.revision),
            available=sum(1 for pod in pods if self._available(pod)),
            template=deployment.template,
            selector=deployment.selector,
            pods=tuple(self._shown(pod) for pod in pods),
            paused=deployment.paused,
            writers=dict(deployment.writers),
        )

    def _shown(self, pod: FakePod) -> Pod:
        since = pod.ready_since
        crashing = pod.restarts > 0 and since is None
        return Pod(
            name=pod.name,
            created_at=_moment(pod.created),
            ready=since is not None,
            available=self._available(pod),
            ready_at=None if since is None else _moment(since),
            restarts=pod.restarts,
            waiting="CrashLoopBackOff" if crashing else None,
            last_termination=pod.behaviour.last_words if pod.restarts else None,
            images=dict(pod.images),
        )

    def _fail(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
