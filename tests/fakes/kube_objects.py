"""Bodies of Kubernetes objects, as small as the adapters allow: what tests put into a `FakeApi`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.kube.objects import DEPLOYMENTS, PODS, REPLICA_SETS, Json
from tests.fakes.kube_api import CONTROLLER, FakeApi

NAMESPACE = "default"


def template(labels: Mapping[str, str], image: str = "shop:1") -> dict[str, Any]:
    """A pod template with one container, with some of the server's defaults."""
    container = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent", "resources": {}}
    spec = {"containers": [container], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": dict(labels)}, "spec": spec}


def deployment(name: str, replicas: int = 1, *, image: str = "shop:1", namespace: str = NAMESPACE) -> dict[str, Any]:
    """A Deployment whose selector is `app: NAME`."""
    labels = {"app": name}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template(labels, image)}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def autoscaler(name: str, deployment_name: str, *, namespace: str = NAMESPACE) -> dict[str, Any]:
    """A HorizontalPodAutoscaler (2 to 10 replicas) of a Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 10}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def add_replica_set(api: FakeApi, owner: Json, digest: str = "aaaa", *, replicas: int | None = None) -> Json:
    """Make the ReplicaSet `OWNER-DIGEST` of a Deployment (as stored), with the Deployment's present template."""
    labels = {**owner["spec"]["template"]["metadata"]["labels"], "pod-template-hash": digest}
    pods = template(labels, owner["spec"]["template"]["spec"]["containers"][0]["image"])
    count = owner["spec"]["replicas"] if replicas is None else replicas
    spec = {"replicas": count, "selector": {"matchLabels": labels}, "template": pods}
    metadata = _owned_metadata(owner, f"{owner['metadata']['name']}-{digest}", labels)
    metadata["annotations"] = {"deployment.kubernetes.io/revision": "1"}
    return api.put(REPLICA_SETS, {"metadata": metadata, "spec": spec}, manager=CONTROLLER)


def add_pod(
    api: FakeApi, owner: Json, suffix: str, *, ready: bool = True, since: str | None = None, restarts: int = 0
) -> Json:
    """Make the pod `OWNER-SUFFIX` of a ReplicaSet (as stored); ready `since` (default: now) or waiting for it."""
    labels = owner["spec"]["template"]["metadata"]["labels"]
    image = owner["spec"]["template"]["spec"]["containers"][0]["image"]
    metadata = _owned_metadata(owner, f"{owner['metadata']['name']}-{suffix}", labels)
    body = {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image}], "nodeName": "node-1"}}
    pod = api.put(PODS, body, manager=CONTROLLER)
    moment = since or api.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {
        "phase": "Running",
        "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": moment}],
        "containerStatuses": [
            {
                "name": "app",
                "ready": ready,
                "restartCount": restarts,
                "image": image,
                "imageID": f"registry.example/{image}@sha256:{image}",
                "state": {"running": {"startedAt": moment}},
            }
        ],
    }
    return api.set_status(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"], status)


def settle(api: FakeApi, name: str, *, namespace: str = NAMESPACE, digest: str | None = None) -> Json:
    """Do what the controllers would: exactly `spec.replicas` ready pods of the present template, and the status.

    The ReplicaSet is named by `digest`, or by one made from the image.
    """
    owner = api.see(DEPLOYMENTS, namespace, name)
    image = owner["spec"]["template"]["spec"]["containers"][0]["image"]
    wanted, count = digest or f"rs{sum(image.encode()) % 10_000:04d}", owner["spec"]["replicas"]
    for old in _owned(api, owner, namespace):
        pods = [pod for pod in api.all(PODS, namespace) if _belongs(pod, old)]
        current = old["metadata"]["labels"]["pod-template-hash"] == wanted
        for pod in pods[count if current else 0 :]:
            api.remove(PODS, namespace, pod["metadata"]["name"])
        if not current:
            api.edit(REPLICA_SETS, namespace, old["metadata"]["name"], {"spec": {"replicas": 0}}, manager=CONTROLLER)
    present = next(
        (old for old in _owned(api, owner, namespace) if old["metadata"]["name"] == f"{name}-{wanted}"), None
    )
    replica_set = present or add_replica_set(api, owner, wanted)
    api.edit(REPLICA_SETS, namespace, f"{name}-{wanted}", {"spec": {"replicas": count}}, manager=CONTROLLER)
    taken = {pod["metadata"]["name"] for pod in api.all(PODS, namespace) if _belongs(pod, replica_set)}
    for index in range(count):
        if len(taken) < count and f"{name}-{wanted}-p{index:04d}" not in taken:
            taken.add(add_pod(api, replica_set, f"p{index:04d}")["metadata"]["name"])
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas") if count else ()
    status = {"observedGeneration": owner["metadata"]["generation"], **dict.fromkeys(counts, count)}
    return api.set_status(DEPLOYMENTS, namespace, name, status)


def _owned(api: FakeApi, owner: Json, namespace: str) -> list[Json]:
    return [found for found in api.all(REPLICA_SETS, namespace) if _belongs(found, owner)]


def _belongs(found: Json, owner: Json) -> bool:
    owners = found["metadata"].get("ownerReferences") or ()
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in owners)


def _owned_metadata(owner: Json, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    kind = "Deployment" if owner["kind"] == "Deployment" else "ReplicaSet"
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": owner["metadata"]["name"], "controller": True}
    return {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": dict(labels),
        "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}],
    }
