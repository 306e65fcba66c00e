"""Two pairs of Deployments made by the real controllers, and thousands of copies of them.

Pods of the two pairs are marked Ready by the lab's kubelet without a process (HOLLOW). The copies differ in names,
labels, uids and times only. Called by `standing`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.scale.etcd import Stored
from benchmarks.scale.plan import IDLE_PODS, PODS, Pair
from tests.e2e.lab.api import LabApi, path_of
from tests.e2e.lab.lab import wait_until

SAMPLES = "samples"
"""The namespace of the two pairs, and the text that stands for every namespace in the copies."""

KINDS = ("deployments", "replicasets", "pods")
API_VERSIONS = {
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "pods": ("v1", "Pod"),
}
_TIME = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"')
_UID = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sample:
    """All objects of one pair as the API server holds them: (kind, JSON); the pair is called `name`."""

    name: str
    objects: tuple[tuple[str, str], ...]

    def copy(self, pair: Pair, since: float) -> Iterator[tuple[str, Any]]:
        """(kind, object) of another pair, all of whose times are `since`."""
        moment = f'"{datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}"'
        for kind, text in self.objects:
            renamed = text.replace(self.name, pair.name).replace(SAMPLES, pair.namespace)
            renamed = _UID.sub(lambda found: f"{found[1]}{pair.number:012x}", renamed)
            yield kind, json.loads(_TIME.sub(moment, renamed))


def stored(kind: str, found: Mapping[str, Any]) -> Stored:
    """The object with its key in etcd."""
    metadata = found["metadata"]
    return f"{kind}/{metadata['namespace']}/{metadata['name']}", found


def make_samples(api: LabApi) -> tuple[Sample, Sample]:
    """A pair in release (9 + 1 pods, another version in the canary) and an idle one (2 + 0, the same version)."""
    api.create(path_of("namespaces"), {"metadata": {"name": SAMPLES}})
    return _sample(api, "busypair", (PODS - 1, 1), "2.0"), _sample(api, "idlepair", (IDLE_PODS, 0), "1.0")


def _sample(api: LabApi, name: str, replicas: tuple[int, int], canary_version: str) -> Sample:
    for side, count, version in zip(("v1", "v2"), replicas, ("1.0", canary_version), strict=True):
        api.create(path_of("deployments", SAMPLES), _deployment(name, side, count, version))
    selector = f"app={name}"

    def settled() -> bool:
        return all(map(_rolled_out, api.items(path_of("deployments", SAMPLES), labelSelector=selector)))

    wait_until(settled, 60, f"the pods of {name}")
    objects = [
        (kind, _text(kind, found))
        for kind in KINDS
        for found in api.items(path_of(kind, SAMPLES), labelSelector=selector)
    ]
    return Sample(name, tuple(objects))


def _rolled_out(deployment: dict[str, Any]) -> bool:
    """In the controller's eyes too: an old copy of one that still progresses would be past its deadline at once."""
    status = deployment.get("status") or {}
    reasons = {one["type"]: one["reason"] for one in status.get("conditions") or ()}
    counted = status.get("availableReplicas", 0) == deployment["spec"]["replicas"]
    return counted and reasons.get("Progressing") == "NewReplicaSetAvailable"


def _text(kind: str, found: dict[str, Any]) -> str:
    metadata = {key: value for key, value in found["metadata"].items() if key != "resourceVersion"}
    version, name = API_VERSIONS[kind]
    return json.dumps({**found, "apiVersion": version, "kind": name, "metadata": metadata})


def _deployment(name: str, side: str, replicas: int, version: str) -> dict[str, Any]:
    labels = {"app": name, "version": side}
    return {
        "metadata": {"name": f"{name}-{side}", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels, "annotations": _ANNOTATIONS}, "spec": _pod_spec(name, version)},
        },
    }


_ANNOTATIONS = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080", "prometheus.io/path": "/metrics"}


def _pod_spec(name: str, version: str) -> dict[str, Any]:
    """A container as services have it: some environment, probes, resources, a mounted configuration."""
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10}
    environment = [{"name": f"SETTING_{number}", "value": f"a value of usual length, {number}"} for number in range(12)]
    container = {
        "name": "app",
        "image": f"registry.example.com/{name}:{version}",
        "env": [*environment, {"name": "HOLLOW", "value": "1"}],
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "512Mi"}},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}],
    }
    return {"containers": [container], "volumes": [{"name": "settings", "configMap": {"name": f"{name}-settings"}}]}
