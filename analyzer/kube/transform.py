"""What the cache keeps of an object: the fields in use, with strings and small parts shared where many have the same.

Called by the cache for everything that it takes in. Three things differ from what the API server writes:
`metadata.managedFields` becomes `metadata.writers` (who last wrote "replicas", "template" or "data"); of a
ReplicaSet's template only `spec.revision` stays (the hash of `revision_of`), because a cluster holds ten old ones per
Deployment; the annotation with the manifest last applied is dropped. A Deployment's template and status and a pod's
status are `Packed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from analyzer.kube.compressed_json import CompressedJson
from analyzer.kube.objects import AUTOSCALERS, CONFIG_MAPS, DEPLOYMENTS, PODS, REPLICA_SETS, Json, Kind
from analyzer.model.workload import template_of

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TEMPLATE_HASH = "pod-template-hash"
IDENTITY = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "generation")
WRITTEN = {"replicas": ("f:spec", "f:replicas"), "template": ("f:spec", "f:template"), "data": ("f:data",)}
CONDITION = ("type", "status", "reason", "message", "lastTransitionTime")
POD_CONDITIONS = ("Ready", "PodScheduled")
CONTAINER = ("name", "ready", "started", "restartCount", "image", "imageID")
RUN = ("reason", "message", "exitCode", "signal", "startedAt", "finishedAt")
ALONE = ("lastTransitionTime", "startTime", "startedAt", "finishedAt")
"""Fields whose text hardly any two objects have in common."""
SHARED_LENGTH = 80
"""Longer strings are rarely the same in two objects."""
MOST_SHARED = 20_000
"""So many strings are known for sharing; then it begins anew. (Interned ones would stay for as long as the program.)"""
MOST_PARTS = 2_000
"""So many parts are: pods that have one in common come one after the other in a list."""

_known: dict[str, str] = {}
_parts: dict[str, Any] = {}


def transformed(kind: Kind, found: Json) -> Json:
    """The part of an object that is in use; of a kind that is not followed, all but `managedFields`."""
    trim = TRANSFORMS.get(kind)
    if trim is not None:
        return {"kind": kind.kind, "metadata": _metadata(found["metadata"]), **trim(found)}
    metadata = {key: value for key, value in found["metadata"].items() if key != "managedFields"}
    return {**found, "metadata": metadata}


def revision_of(template: Json) -> str:
    """Equal for a Deployment's template and that of the ReplicaSet made from it. Other than the version of
    `analyzer.model.workload` it changes with a restart and with every label."""
    return template_of(template, (TEMPLATE_HASH,), ignored=()).hash


def writers_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Who last wrote the fields that matter, by field. Of equal times (whole seconds) the later entry counts."""
    latest: dict[str, tuple[str, str]] = {}
    for entry in entries:
        for name, path in WRITTEN.items():
            if _has(entry.get("fieldsV1"), path) and str(entry.get("time", "")) >= latest.get(name, ("", ""))[0]:
                latest[name] = (str(entry.get("time", "")), _one(str(entry.get("manager", "unknown"))))
    return {name: manager for name, (_, manager) in latest.items()}


def _has(fields: Mapping[str, Any] | None, path: tuple[str, ...]) -> bool:
    for key in path:
        if not fields or key not in fields:
            return False
        fields = fields[key]
    return True


def _metadata(metadata: Json) -> dict[str, Any]:
    kept = {name: metadata[name] for name in IDENTITY if name in metadata}
    if "namespace" in kept:
        kept["namespace"] = _one(kept["namespace"])
    for name in ("labels", "annotations"):
        entries = {key: value for key, value in (metadata.get(name) or {}).items() if key != LAST_APPLIED}
        if entries:
            kept[name] = _alike(_shared(entries))
    if owners := metadata.get("ownerReferences"):
        kept["ownerReferences"] = _alike([_only(owner, ("kind", "name", "uid", "controller")) for owner in owners])
    if writers := writers_of(metadata.get("managedFields") or ()):
        kept["writers"] = writers
    return kept


def _deployment(found: Json) -> dict[str, Any]:
    spec = found.get("spec") or {}
    kept = {_one(key): _alike(_shared(value)) for key, value in spec.items() if key != "template"}
    if "template" in spec:
        kept["template"] = CompressedJson(spec["template"])
    return {"spec": kept, "status": CompressedJson(_status(found))}


def _replica_set(found: Json) -> dict[str, Any]:
    spec = found.get("spec") or {}
    revision = _one(revision_of(spec.get("template") or {}))
    return {"spec": {"replicas": spec.get("replicas", 1), "revision": revision}, "status": _alike(_status(found))}


def _pod(found: Json) -> dict[str, Any]:
    status = found.get("status") or {}
    kept = _only(status, ("phase", "reason", "message", "startTime")) | _conditions(status, POD_CONDITIONS)
    for name in ("initContainerStatuses", "containerStatuses"):
        if containers := status.get(name):
            kept[name] = [_container(container) for container in containers]
    return {"status": CompressedJson(kept)}


def _container(container: Json) -> dict[str, Any]:
    kept = _only(container, CONTAINER)
    for name in ("state", "lastState"):
        kept[name] = {of: _only(run or {}, RUN) for of, run in (container.get(name) or {}).items()}
    return kept


def _autoscaler(found: Json) -> dict[str, Any]:
    spec = _only(found.get("spec") or {}, ("scaleTargetRef", "minReplicas", "maxReplicas"))
    return {"spec": spec, "status": _status(found)}


def _config_map(found: Json) -> dict[str, Any]:
    return {"data": found.get("data") or {}}


def _status(found: Json) -> dict[str, Any]:
    """Counts and conditions."""
    status = found.get("status") or {}
    return {key: value for key, value in status.items() if isinstance(value, int)} | _conditions(status)


def _conditions(status: Json, types: tuple[str, ...] | None = None) -> dict[str, Any]:
    found = status.get("conditions") or ()
    conditions = [_only(condition, CONDITION) for condition in found if types is None or condition["type"] in types]
    return {"conditions": conditions} if conditions else {}


def _only(found: Json, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] if name in ALONE else _shared(found[name]) for name in names if name in found}


def _shared(value: Any) -> Any:
    """A copy whose keys and short strings are the same objects wherever they occur."""
    if isinstance(value, str):
        return _one(value) if len(value) <= SHARED_LENGTH else value
    if isinstance(value, Mapping):
        return {_one(key): _shared(inner) for key, inner in value.items()}
    return [_shared(inner) for inner in value] if isinstance(value, list) else value


def _alike(part: Any) -> Any:
    """The one of all equal parts that is kept, as for strings: what is kept is never changed."""
    if not isinstance(part, dict | list):
        return part
    if len(_parts) >= MOST_PARTS:
        _parts.clear()
    return _parts.setdefault(repr(part), part)


def _one(text: str) -> str:
    """The one of all equal strings that is kept. Called by many threads: two may go on with one each, no more."""
    if len(_known) >= MOST_SHARED:
        _known.clear()
    return _known.setdefault(text, text)


TRANSFORMS: Mapping[Kind, Callable[[Json], dict[str, Any]]] = {
    DEPLOYMENTS: _deployment,
    REPLICA_SETS: _replica_set,
    PODS: _pod,
    AUTOSCALERS: _autoscaler,
    CONFIG_MAPS: _config_map,
}
