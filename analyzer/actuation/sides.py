"""One side of a target from the API server's objects: a Deployment, its ReplicaSets, their pods. Pure.

Pods belong to a side by owner, never by name or label. The present ReplicaSet is the one with the Deployment's own
template: a restart makes a ReplicaSet of the same version. Where none has it letter by letter, it is the one that the
Deployment's controller counts as its own: the same quantity can be written in two ways (1Gi, 1073741824).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analyzer.actuation.pods import seen_pod
from analyzer.kube.compressed_json import decompressed
from analyzer.kube.objects import Json
from analyzer.kube.transform import TEMPLATE_HASH, revision_of
from analyzer.model.workload import Template, Workload, template_of

REVISION = "deployment.kubernetes.io/revision"
CHANGE_CAUSE = "kubernetes.io/change-cause"
CONTROLLERS = "kube-controller-manager"
"""As a writer of replicas this is an autoscaler: no other of Kubernetes' own controllers scales a Deployment."""
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True)
class RunningTemplate:
    """What a Deployment's template is; read once for each template. `revision` is that of the ReplicaSet made from
    it (see `kube.transform`)."""

    template: Template
    selector: Mapping[str, str]
    revision: str


def version_of(deployment: Json) -> RunningTemplate:
    """Read a Deployment's template."""
    kept = deployment["spec"]["template"]
    content, selector = dict(kept), selector_labels(deployment)
    return RunningTemplate(
        template=replace(template_of(content, selector), content=kept),
        selector=selector,
        revision=revision_of(content),
    )


def selector_labels(deployment: Json) -> Mapping[str, str]:
    """The labels that make a pod this Deployment's, with the values that its own template gives them."""
    selector = deployment["spec"].get("selector") or {}
    own = (deployment["spec"]["template"].get("metadata") or {}).get("labels") or {}
    keys = [str(rule["key"]) for rule in selector.get("matchExpressions") or ()]
    return {**{key: own[key] for key in keys if key in own}, **(selector.get("matchLabels") or {})}


@dataclass(frozen=True, slots=True)
class Owned:
    """A ReplicaSet with its pods."""

    replica_set: Json
    pods: Sequence[Json]


def workload_of(
    deployment: Json, version: RunningTemplate, owned: Sequence[Owned], scaler: str, now: datetime
) -> Workload:
    """The Deployment as the model has it; `scaler` names the autoscaler that may have written its replicas."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    status = decompressed(deployment.get("status"))
    observed = int(status.get("observedGeneration") or 0) >= int(metadata.get("generation") or 0)
    conditions = {str(one["type"]): one for one in status.get("conditions") or ()}
    progressing = conditions.get("Progressing") or {}
    min_ready = timedelta(seconds=spec.get("minReadySeconds") or 0)
    pods = {one.replica_set["metadata"]["uid"]: [seen_pod(pod, min_ready, now) for pod in one.pods] for one in owned}
    replica_set = _present(owned, version.revision) or (_counted(owned, deployment) if observed else None)
    present = replica_set["metadata"]["uid"] if replica_set else ""
    kept = [pod for found in pods.values() for pod in found if not pod.deleted]
    return Workload(
        name=metadata["name"],
        uid=metadata["uid"],
        replicas=int(spec.get("replicas", 1)),
        current=len(kept),
        updated=sum(not pod.deleted for pod in pods.get(present, ())),
        available=sum(pod.available for pod in kept),
        template=version.template,
        selector=version.selector,
        pods=tuple(sorted((pod for found in pods.values() for pod in found), key=lambda pod: pod.name)),
        # A condition of an older spec would condemn the new one.
        progress_deadline_exceeded=observed and progressing.get("reason") == DEADLINE_EXCEEDED,
        replica_failure=_failure(conditions.get("ReplicaFailure")),
        paused=bool(spec.get("paused")),
        writers=_writers(metadata.get("writers") or {}, scaler),
        change_cause=(metadata.get("annotations") or {}).get(CHANGE_CAUSE),
        observed=observed,
        replica_set=(replica_set["metadata"].get("labels") or {}).get(TEMPLATE_HASH) if replica_set else None,
    )


def _present(owned: Sequence[Owned], revision: str) -> Json | None:
    """The ReplicaSet with the present template; of several the oldest, as the Deployment's controller does."""
    same = [one.replica_set for one in owned if one.replica_set["spec"].get("revision") == revision]
    return min(same, key=_age, default=None)


def _age(replica_set: Json) -> tuple[str, str]:
    metadata = replica_set["metadata"]
    return str(metadata.get("creationTimestamp")), str(metadata["name"])


def _counted(owned: Sequence[Owned], deployment: Json) -> Json | None:
    """The ReplicaSet that the controller takes for the observed template's, by the revision that both have.

    Only where it counts pods of it: a new template that is paused, or scaled in the same write, is observed before it
    has a ReplicaSet, and the number is then still that of the old one.
    """
    number = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    if number is None or not decompressed(deployment.get("status")).get("updatedReplicas"):
        return None
    found = (one.replica_set for one in owned)
    return next((one for one in found if (one["metadata"].get("annotations") or {}).get(REVISION) == number), None)


def _failure(condition: Json | None) -> str | None:
    if condition is None or condition.get("status") != "True":
        return None
    return str(condition.get("message") or condition.get("reason") or "no reason given")


def _writers(found: Mapping[str, str], scaler: str) -> Mapping[str, str]:
    return {**found, "replicas": scaler} if found.get("replicas") == CONTROLLERS else found
