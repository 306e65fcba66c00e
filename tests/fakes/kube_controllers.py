"""What Kubernetes' own controllers and a node do, on a `FakeApi`: Deployments become ReplicaSets become pods."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from analyzer.kube.objects import DEPLOYMENTS, PODS, REPLICA_SETS, Json
from analyzer.sandbox.rollout import PodView, pod_changes
from tests.fakes.kube_api import CONTROLLER, FakeApi

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
CREATED = "canary-test/created"


@dataclass(slots=True)
class FakeControllers:
    """One `step` is one pass of every controller, at the api's clock. Seconds; `broken` images never get ready.

    A pod that is deleted is there, terminating, until `grace` has passed.
    """

    api: FakeApi
    start_delay: float = 1.0
    grace: float = 1.0
    broken: set[str] = field(default_factory=set)
    _made: int = 0

    def step(self) -> None:
        for pod in self.api.all(PODS):
            self._live(pod)
        for deployment in self.api.all(DEPLOYMENTS):
            self._reconcile(deployment)

    def _live(self, pod: Json) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" in metadata:
            if self._now >= _moment(metadata["deletionTimestamp"]) + timedelta(seconds=self.grace):
                self.api.remove(PODS, metadata["namespace"], metadata["name"])
            return
        due = _moment(metadata["annotations"][CREATED]) + timedelta(seconds=self.start_delay)
        ready = self._now >= due and pod["spec"]["containers"][0]["image"] not in self.broken
        if ready and not _ready(pod):
            self._report(pod, ready=True)

    def _reconcile(self, deployment: Json) -> None:
        space, name = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        owned = [one for one in self.api.all(REPLICA_SETS, space) if _owns(deployment, one)]
        present = next((one for one in owned if _bare(one) == _template(deployment)), None)
        if present is None and not deployment["spec"].get("paused"):
            present = self._new_replica_set(deployment, revision=len(owned) + 1)
            owned.append(present)
        if present is not None:
            self._change_pods(deployment, present, owned)
        pods = [pod for one in owned for pod in self._pods(one)]
        ready = sum(map(_ready, pods))
        counts = {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
        counts["updatedReplicas"] = len(self._pods(present)) if present else 0
        status = {"observedGeneration": deployment["metadata"]["generation"], **counts}
        if (deployment.get("status") or {}) != status:
            self.api.set_status(DEPLOYMENTS, space, name, status)

    def _change_pods(self, deployment: Json, present: Json, owned: Sequence[Json]) -> None:
        pods = {pod["metadata"]["name"]: pod for one in owned for pod in self._pods(one)}
        views = [self._view(pod, deployment) for pod in pods.values()]
        changes = pod_changes(deployment["spec"]["replicas"], present["metadata"]["uid"], views)
        for gone in changes.delete:
            stamp = {"metadata": {"deletionTimestamp": self._stamp()}}
            self.api.edit(PODS, deployment["metadata"]["namespace"], gone, stamp, manager=CONTROLLER)
        for _ in range(changes.create):
            self._new_pod(present)

    def _view(self, pod: Json, deployment: Json) -> PodView:
        metadata = pod["metadata"]
        made = _moment(metadata["annotations"][CREATED])
        waits = timedelta(seconds=deployment["spec"].get("minReadySeconds") or 0)
        available = _ready(pod) and self._now - _moment(pod["status"]["conditions"][0]["lastTransitionTime"]) >= waits
        return PodView(metadata["name"], metadata["ownerReferences"][0]["uid"], made, _ready(pod), available)

    def _new_replica_set(self, deployment: Json, revision: int) -> Json:
        template = _template(deployment)
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        labels = {**template["metadata"]["labels"], HASH: digest}
        template = {**template, "metadata": {**template["metadata"], "labels": labels}}
        metadata = _owned_by(deployment, f"{deployment['metadata']['name']}-{digest}", labels)
        metadata["annotations"] = {REVISION: str(revision)}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        return self.api.put(REPLICA_SETS, {"metadata": metadata, "spec": spec}, manager=CONTROLLER)

    def _new_pod(self, replica_set: Json) -> None:
        self._made += 1
        labels = replica_set["spec"]["template"]["metadata"]["labels"]
        metadata = _owned_by(replica_set, f"{replica_set['metadata']['name']}-p{self._made:04d}", labels)
        metadata["annotations"] = {CREATED: self._now.isoformat()}
        body = {"metadata": metadata, "spec": replica_set["spec"]["template"]["spec"]}
        self._report(self.api.put(PODS, body, manager=CONTROLLER), ready=False)

    def _report(self, pod: Json, *, ready: bool) -> None:
        """A node writes a pod's status."""
        container = pod["spec"]["containers"][0]
        started = (pod.get("status") or {}).get("startTime") or self._stamp()
        status = {
            "phase": "Running",
            "startTime": started,
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": self._stamp()}],
            "containerStatuses": [
                {
                    "name": container["name"],
                    "ready": ready,
                    "restartCount": 0,
                    "image": container["image"],
                    "imageID": f"registry.example/{container['image']}@sha256:{_digest(container['image'])}",
                    "state": {"running": {"startedAt": started}},
                }
            ],
        }
        self.api.set_status(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], status)

    def _pods(self, owner: Json) -> list[Json]:
        pods = self.api.all(PODS, owner["metadata"]["namespace"])
        return [pod for pod in pods if _owns(owner, pod) and "deletionTimestamp" not in pod["metadata"]]

    @property
    def _now(self) -> datetime:
        return self.api.clock.now()

    def _stamp(self) -> str:
        return self._now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _digest(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def _ready(pod: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in (pod.get("status") or {})["conditions"])


def _owns(owner: Json, found: Json) -> bool:
    return any(one["uid"] == owner["metadata"]["uid"] for one in found["metadata"].get("ownerReferences") or ())


def _template(deployment: Json) -> dict[str, Any]:
    return dict(deployment["spec"]["template"])


def _bare(replica_set: Json) -> dict[str, Any]:
    template = dict(replica_set["spec"]["template"])
    labels = {key: value for key, value in template["metadata"]["labels"].items() if key != HASH}
    return {**template, "metadata": {**template["metadata"], "labels": labels}}


def _owned_by(owner: Json, name: str, labels: Any) -> dict[str, Any]:
    of = owner["metadata"]
    reference = {"apiVersion": "apps/v1", "kind": owner["kind"], "name": of["name"], "uid": of["uid"]}
    return {
        "name": name,
        "namespace": of["namespace"],
        "labels": dict(labels),
        "ownerReferences": [{**reference, "controller": True}],
    }
