"""A tiny pure cluster for tests of the decision core: Deployments as values, and a tick as the engine makes one.

Nothing in it is random: whoever drives it says which pod becomes available, fails or goes, and where a tick is cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from analyzer.decision import decide, enroll
from analyzer.model.block import Timing
from analyzer.model.decision import Decision
from analyzer.model.errors import ConflictError
from analyzer.model.plan import OnDrift
from analyzer.model.state import Command, TargetState, Verb
from analyzer.model.target import Side, Target
from analyzer.model.verdict import Verdict
from analyzer.model.workload import (
    Admission,
    Move,
    Pod,
    Scale,
    Snapshot,
    Template,
    Workload,
    WriteTemplate,
    template_of,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADMITTED = Admission(timing=Timing(block=30.0, slot=15.0, delay=2.0))


class Crash(Enum):
    """Where the daemon is killed in a tick."""

    BEFORE_INTENT = "before the intent is saved"
    BEFORE_WRITE = "intent saved, write not made"
    AFTER_WRITE = "write made, not recorded"
    NO_ANSWER = "the write got no answer; it may be made later"


@dataclass(slots=True)
class Deployment:
    """A Deployment with its controller: what is asked for is there at once, but for the pods becoming available.

    Terminating pods stay in sight, as `deleted`, until they are reaped. A changed template rolls with one pod
    more and none fewer than asked for. Pods that are not available are removed first.
    """

    name: str
    track: str
    replicas: int
    image: str
    uid: str
    pods: list[Pod] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)
    stalled: bool = False
    refused: str | None = None
    content: Mapping[str, Any] | None = None
    created: int = 0
    paused: bool = False
    restarts: int = 0
    anchored: bool = False
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def selector(self) -> Mapping[str, str]:
        """The labels that this Deployment selects its pods by."""
        return {"app": "shop", "track": self.track}

    @property
    def template(self) -> Template:
        """The present template, with the defaults that the API server fills in."""
        bare = self._bare.content
        return template_of({**bare, "spec": {**bare["spec"], **self.defaults}}, self.selector)

    @property
    def _bare(self) -> Template:
        made = {"metadata": {"labels": dict(self.selector)}, "spec": {"containers": [{"image": self.image}]}}
        found: Mapping[str, Any] = self.content or made
        spec = {key: value for key, value in found["spec"].items() if key not in self.defaults}
        return template_of({**found, "spec": spec}, self.selector)

    def set_template(self, template: Template) -> None:
        """Write a template, as a patch of the API would."""
        self.content = template.content
        self.image = template.content["spec"]["containers"][0]["image"]

    def edit(self, image: str, by: str) -> None:
        """Somebody puts another version here."""
        self.image, self.content, self.writers["template"] = image, None, by

    @property
    def kept(self) -> list[Pod]:
        """The pods that are not terminating."""
        return [pod for pod in self.pods if not pod.deleted]

    def seen(self) -> Workload:
        """This Deployment as a snapshot shows it."""
        return Workload(
            name=self.name,
            uid=self.uid,
            replicas=self.replicas,
            current=len(self.kept),
            updated=sum(self._is_new(pod) for pod in self.kept),
            available=sum(pod.available for pod in self.kept),
            template=self.template,
            selector=self.selector,
            pods=tuple(self.pods),
            progress_deadline_exceeded=self.stalled,
            replica_failure=self.refused,
            paused=self.paused,
            writers=dict(self.writers),
            replica_set=self._revision if self.anchored else None,
        )

    def restart(self) -> None:
        """`kubectl rollout restart`: the same version in new pods."""
        self.restarts += 1

    def reconcile(self, now: datetime) -> None:
        """What the Deployment's controller does until it has to wait for a pod."""
        changed = True
        while changed:
            changed = self._shrink() or self._grow(now)

    def _shrink(self) -> bool:
        old = [pod for pod in self.kept if not self._is_new(pod)]
        surplus = len(self.kept) - self.replicas
        spare = sum(pod.available for pod in self.kept) - self.replicas
        if surplus > (1 if old else 0) or (surplus > 0 and not old):
            self._delete(
                min(self.kept, key=lambda pod: (pod.available, self._is_new(pod), -pod.created_at.timestamp()))
            )
            return True
        dispensable = [pod for pod in old if not pod.available or spare > 0]
        if dispensable and (surplus > 0 or not dispensable[0].available):
            self._delete(dispensable[0])
            return True
        return False

    def _grow(self, now: datetime) -> bool:
        new = sum(self._is_new(pod) for pod in self.kept)
        room = self.replicas + (1 if new < len(self.kept) else 0) - len(self.kept)
        if self.refused is not None or new >= self.replicas or room <= 0:
            return False
        self.created += 1
        name = f"{self.name}-{self.created}"
        self.pods.append(Pod(name, created_at=now))
        self.versions[name] = self._revision
        return True

    def change(self, name: str, **changes: Any) -> None:
        """Something happens to a pod."""
        self.pods = [replace(pod, **changes) if pod.name == name else pod for pod in self.pods]

    def _delete(self, pod: Pod) -> None:
        self.change(pod.name, deleted=True, ready=False, available=False)

    def _is_new(self, pod: Pod) -> bool:
        return self.versions[pod.name] == self._revision

    @property
    def _revision(self) -> str:
        return f"{self._bare.hash}/{self.restarts}"


class World:
    """Both Deployments, the state document, the operators' commands and the time; `tick` is the engine in small."""

    def __init__(self, target: Target, stable: int = 10, canary: int = 0) -> None:
        self.target = target
        self.now = START
        self.state: TargetState | None = None
        self.commands: list[Command] = []
        self.unanswered: list[Move] = []
        self.admission = ADMITTED
        self.deployments = {
            target.roles.stable: Deployment(target.roles.stable, "stable", stable, "shop:1", "uid-stable"),
            target.roles.canary: Deployment(target.roles.canary, "canary", canary, "shop:1", "uid-canary"),
        }
        self.run_pods()

    @property
    def known(self) -> TargetState:
        """The state document, which must be there."""
        assert self.state is not None
        return self.state

    def side(self, side: Side) -> Deployment:
        """The Deployment that plays this side now."""
        roles = self.state.roles if self.state else self.target.roles
        return self.deployments[roles.name(side)]

    @property
    def stable(self) -> Deployment:
        """The serving side."""
        return self.side(Side.STABLE)

    @property
    def canary(self) -> Deployment:
        """The new side."""
        return self.side(Side.CANARY)

    def snapshot(self) -> Snapshot:
        """Both sides as they are."""
        roles = self.state.roles if self.state else self.target.roles
        stable, canary = (self.deployments.get(roles.name(side)) for side in (Side.STABLE, Side.CANARY))
        return Snapshot(
            self.target,
            stable.seen() if stable else None,
            canary.seen() if canary else None,
            self.admission,
        )

    def decide(self, verdict: Verdict | None = None) -> Decision:
        """What would be decided now; nothing is done."""
        snapshot = self.snapshot()
        state = enroll(self.state, snapshot, self.now) if self.state else None
        return decide(state, snapshot, verdict, self.commands, self.now)

    def tick(self, verdict: Verdict | None = None, crash: Crash | None = None, seconds: float = 0) -> Decision:
        """Let `seconds` pass, then decide, save, write and save again, or die in between."""
        self.wait(seconds)
        choice = self.decide(verdict)
        if crash is Crash.BEFORE_INTENT:
            return choice
        self.state = choice.intent
        if crash is Crash.BEFORE_WRITE:
            return choice
        if crash is Crash.NO_ANSWER:
            self.unanswered += [choice.move] if choice.move is not None else []
            return choice
        if choice.move is not None:
            self.apply(choice.move)
        if crash is not Crash.AFTER_WRITE:
            self.state = choice.next_state
        return choice

    def apply(self, move: Move) -> None:
        """Make one absolute write, with the adapter's checks. Raises ConflictError."""
        deployment = self.deployments[move.deployment]
        match move:
            case Scale():
                if (deployment.uid, deployment.replicas) != (move.uid, move.before):
                    raise ConflictError(f"expected {move.before} replicas, found {deployment.replicas}")
                deployment.replicas = move.after
                deployment.writers["replicas"] = "canary-analyzer"
            case WriteTemplate():
                if (deployment.uid, deployment.template.hash) != (move.uid, move.before):
                    raise ConflictError(f"expected template {move.before}, found {deployment.template.hash}")
                deployment.set_template(move.template)
                deployment.writers["template"] = "canary-analyzer"
        deployment.reconcile(self.now)

    def answer(self) -> None:
        """Requests that got no answer reach the API server at last; it refuses those whose old value is gone."""
        late, self.unanswered = self.unanswered, []
        for move in late:
            if move.deployment in self.deployments:
                with suppress(ConflictError):
                    self.apply(move)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def run_pods(self) -> None:
        """Let every pod become available and every terminating one vanish, until nothing changes."""
        for deployment in self.deployments.values():
            self.reap(deployment)
            deployment.reconcile(self.now)
            while waiting := [pod for pod in deployment.kept if not pod.available]:
                for pod in waiting:
                    self.become_available(deployment, pod.name)
            self.reap(deployment)

    def become_available(self, deployment: Deployment, name: str) -> None:
        """One pod is steadily ready, whatever was wrong with it."""
        deployment.change(name, ready=True, available=True, ready_at=self.now, waiting=None, restarts=0)
        deployment.reconcile(self.now)

    def fall_ill(self, deployment: Deployment, name: str, **symptoms: Any) -> None:
        """One pod is not ready any more, with these symptoms."""
        deployment.change(name, **{"ready": False, "available": False, **symptoms})
        deployment.reconcile(self.now)

    def reap(self, deployment: Deployment) -> None:
        """Terminating pods are gone at last."""
        deployment.pods = deployment.kept

    def scale(self, side: Side, replicas: int, by: str = "kubectl-scale") -> None:
        """Somebody scales a Deployment by hand."""
        deployment = self.side(side)
        deployment.replicas, deployment.writers["replicas"] = replicas, by
        deployment.reconcile(self.now)

    def edit(self, side: Side, image: str, by: str = "kubectl-edit") -> None:
        """Somebody puts another version into a Deployment."""
        self.side(side).edit(image, by)
        self.side(side).reconcile(self.now)

    def delete(self, side: Side) -> None:
        """Somebody deletes a Deployment."""
        roles = self.state.roles if self.state else self.target.roles
        del self.deployments[roles.name(side)]

    def recreate(self, name: str, track: str, replicas: int, image: str) -> None:
        """Somebody makes a Deployment again, under another uid."""
        made = Deployment(name, track, replicas, image, f"uid-{track}-{self.now:%H%M%S}")
        self.deployments[name] = made
        made.reconcile(self.now)

    def ask(self, verb: Verb, subject: str | None = None, extend: timedelta | None = None) -> Command:
        """An operator asks for something, for the release in progress (start, retry: for the canary's version)."""
        by_version = verb in (Verb.START, Verb.RETRY) or self.known.release is None
        right = self.canary.template.hash if by_version else self.known.release.id if self.known.release else ""
        command = Command(f"c{len(self.commands)}", verb, subject or right, "ada", self.now, extend)
        self.commands.append(command)
        return command

    def tell_replica_sets(self) -> None:
        """From now on the cluster tells which ReplicaSet has the present template."""
        for deployment in self.deployments.values():
            deployment.anchored = True

    def upgrade(self) -> None:
        """The API server fills another default into every template; no pod is replaced for that."""
        for deployment in self.deployments.values():
            deployment.defaults["newDefault"] = True

    def policy(self, on_drift: OnDrift) -> None:
        """The configuration changes what happens on drift."""
        self.target = replace(self.target, on_drift=on_drift)

    def freeze(self, *, frozen: bool) -> None:
        """The configuration is frozen or not."""
        self.admission = replace(self.admission, frozen=frozen)
