"""The two Deployments and their pods as observed, and the writes that may be made to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from analyzer.model.block import Timing
from analyzer.model.noise import Noise
from analyzer.model.target import Side, Target

IGNORED_ANNOTATIONS = ("kubectl.kubernetes.io/restartedAt",)
"""Annotations of a pod template that do not make a new version: a restart is not a release."""


@dataclass(frozen=True, slots=True)
class Template:
    """A pod template and the identity of the version in it.

    `hash` leaves out the selector labels and ignored annotations, so the same version has the same hash in
    both Deployments. `content` is the template as the API server defaulted it; what was only seen may be kept packed.
    """

    hash: str
    content: Mapping[str, Any] = field(hash=False, compare=False)

    @property
    def unpacked(self) -> Template:
        """The same as a document holds it."""
        return Template(self.hash, dict(self.content))


def template_of(
    content: Mapping[str, Any], selector: Iterable[str], ignored: Iterable[str] = IGNORED_ANNOTATIONS
) -> Template:
    """Identify the version in a pod template; `selector` names the label keys of the Deployment's selector."""
    metadata = dict(content.get("metadata") or {})
    labels = _without(metadata.get("labels"), selector)
    annotations = _without(metadata.get("annotations"), ignored)
    identity = {"labels": labels, "annotations": annotations, "spec": content.get("spec")}
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return Template(hash=hashlib.sha256(text.encode()).hexdigest()[:12], content=content)


def _without(entries: Mapping[str, Any] | None, dropped: Iterable[str]) -> dict[str, Any]:
    drop = set(dropped)
    return {key: value for key, value in (entries or {}).items() if key not in drop}


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of a side. `waiting` is the container's waiting reason (CrashLoopBackOff, ImagePullBackOff, ...).

    `last_termination` is what the container's last termination said: reason, exit code and termination message.
    `images` has the digest (`sha256:...`, without the image's name) that each container really runs, by its name;
    containers without a known digest are left out.
    """

    name: str
    created_at: datetime
    ready: bool = False
    available: bool = False
    ready_at: datetime | None = None
    deleted: bool = False
    restarts: int = 0
    out_of_memory: int = 0
    waiting: str | None = None
    unschedulable: str | None = None
    last_termination: str | None = None
    images: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A pod that took part in a release: from when it was ready until when it was gone."""

    pod: str
    side: Side
    ready_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """One Deployment with its pods.

    `replicas` is what its spec asks for; `current` how many pods it has (terminating ones excepted),
    `updated` how many of them run the present template, `available` how many are steadily ready.
    `writers` names who last wrote "replicas" and "template", where that is known. `observed`: the Deployment controller
    has seen the latest spec; until then the pods may be those of an older one. `replica_set` is the pod-template-hash
    of the present template (None: not known); a restart gives another one, a new default in the template does not.
    """

    name: str
    uid: str
    replicas: int
    current: int
    updated: int
    available: int
    template: Template
    selector: Mapping[str, str]
    pods: tuple[Pod, ...] = ()
    progress_deadline_exceeded: bool = False
    replica_failure: str | None = None
    paused: bool = False
    writers: Mapping[str, str] = field(default_factory=dict)
    change_cause: str | None = None
    observed: bool = True
    replica_set: str | None = None

    @property
    def settled(self) -> bool:
        """Every pod that the latest spec asks for is there, runs the present template and is available."""
        return self.observed and self.current == self.updated == self.available == self.replicas

    @property
    def serving(self) -> int:
        """Available pods that stay: those above what the spec asks for are about to go."""
        return min(self.available, self.replicas)

    @property
    def rolling(self) -> bool:
        """Pods are being replaced, by a new template or by a restart."""
        return self.updated != self.current

    def template_for(self, version: Template) -> Template:
        """`version` as this Deployment can carry it: with this Deployment's own selector labels."""
        metadata = dict(version.content.get("metadata") or {})
        foreign = {key: value for key, value in (metadata.get("labels") or {}).items() if key not in self.selector}
        content = {**version.content, "metadata": {**metadata, "labels": {**foreign, **self.selector}}}
        return Template(hash=version.hash, content=content)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a release may begin: `obstacle` says why not; `timing` and `noise` (by metric) are measured for it.

    `frozen`: the configuration says that nothing starts and nothing moves forward; rollbacks still happen. `held` is
    any other reason for the same, in this tick.
    """

    obstacle: str | None = None
    timing: Timing | None = None
    warnings: tuple[str, ...] = ()
    frozen: bool = False
    noise: Mapping[str, Noise] = field(default_factory=dict, hash=False)
    held: str | None = None

    @property
    def freeze_reason(self) -> str | None:
        """Why nothing starts and nothing moves forward; None where that is allowed."""
        return "frozen by the configuration (freeze: true)" if self.frozen else self.held


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one tick works on: the target as configured now, and its Deployments (None: does not exist).

    It reflects every write that the adapter has reported as done.
    """

    target: Target
    stable: Workload | None
    canary: Workload | None
    admission: Admission = Admission()

    def side(self, side: Side) -> Workload | None:
        """The workload that plays this side."""
        return self.stable if side is Side.STABLE else self.canary


@dataclass(frozen=True, slots=True)
class Replicas:
    """Requested replicas of both sides."""

    stable: int
    canary: int

    def of(self, side: Side) -> int:
        """The replicas of one side."""
        return self.stable if side is Side.STABLE else self.canary

    def with_side(self, side: Side, count: int) -> Replicas:
        """The same with one side changed."""
        return Replicas(count, self.canary) if side is Side.STABLE else Replicas(self.stable, count)

    @property
    def share(self) -> float:
        """The canary's part of all pods, 0 to 1."""
        both = self.stable + self.canary
        return self.canary / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Scale:
    """Set a side's replicas from `before` to `after`; refused when its replicas are no longer `before`."""

    side: Side
    deployment: str
    uid: str
    before: int
    after: int
    kind: Literal["scale"] = "scale"

    @property
    def doing(self) -> str:
        """The write as a reason names it."""
        return f"scaling {self.deployment} ({self.side}) from {self.before} to {self.after}"

    def __str__(self) -> str:
        return f"scale {self.deployment} ({self.side}) from {self.before} to {self.after}"


@dataclass(frozen=True, slots=True)
class WriteTemplate:
    """Write a pod template to a side; refused when its template is no longer the one with hash `before`."""

    side: Side
    deployment: str
    uid: str
    before: str
    template: Template
    kind: Literal["template"] = "template"

    @property
    def doing(self) -> str:
        """The write as a reason names it."""
        return f"writing version {self.template.hash} to {self.deployment} ({self.side})"

    def __str__(self) -> str:
        return f"write version {self.template.hash} to {self.deployment} ({self.side})"


Move = Scale | WriteTemplate
