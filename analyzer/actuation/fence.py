"""The fence on a Deployment: an annotation that holds the epoch of the daemon that may write to it. Pure.

Kubernetes knows no fencing tokens, so every write of ours is a JSON patch that tests this annotation, the uid and the
old value: all of it is done, or nothing.
"""

from __future__ import annotations

from typing import Any, assert_never

from analyzer.actuation.sides import version_of
from analyzer.kube.objects import Json
from analyzer.model.errors import ConflictError
from analyzer.model.workload import Move, Scale, WriteTemplate

EPOCH = "canary-analyzer/epoch"
_EPOCH_PATH = "/metadata/annotations/canary-analyzer~1epoch"

Operations = list[dict[str, Any]]


def raised(deployment: Json) -> str | None:
    """The annotation as it stands; None where no daemon has claimed this Deployment yet."""
    found = (deployment["metadata"].get("annotations") or {}).get(EPOCH)
    return None if found is None else str(found)


def claiming(deployment: Json, epoch: int, doing: str) -> Operations:
    """Test that nobody has claimed the Deployment since it was read, and claim it where it is not ours yet.

    A Deployment without the annotation must be complete, as it was fetched: what is kept of it in a cache does not
    tell whether it has annotations. Raises ConflictError when a newer epoch has claimed it.
    """
    metadata = deployment["metadata"]
    found = raised(deployment)
    same = [_test("/metadata/uid", metadata["uid"])]
    if found is None:
        same.append(_test("/metadata/resourceVersion", metadata["resourceVersion"]))
        if not metadata.get("annotations"):
            return [*same, {"op": "add", "path": "/metadata/annotations", "value": {EPOCH: str(epoch)}}]
        return [*same, {"op": "add", "path": _EPOCH_PATH, "value": str(epoch)}]
    same.append(_test(_EPOCH_PATH, found))
    if not found.isdecimal() or int(found) < epoch:
        return [*same, _replace(_EPOCH_PATH, str(epoch))]
    if int(found) > epoch:
        raise ConflictError(
            f"{doing}: refused: Deployment {metadata['name']} is claimed by epoch {found}, this daemon has epoch "
            f"{epoch}; another daemon is the leader"
        )
    return same


def moving(deployment: Json, move: Move, epoch: int) -> Operations:
    """The whole patch for a move. Raises ConflictError where the Deployment is not as the move expects it."""
    metadata, spec = deployment["metadata"], deployment["spec"]
    if metadata["uid"] != move.uid or "deletionTimestamp" in metadata:
        found = "one that is being deleted" if metadata["uid"] == move.uid else f"uid {metadata['uid']}"
        raise ConflictError(
            f"{move}: refused: expected Deployment {move.deployment} with uid {move.uid}, found {found}"
        )
    fence = claiming(deployment, epoch, str(move))
    match move:
        case Scale(before=before, after=after):
            replicas = int(spec.get("replicas", 1))
            if replicas != before:
                raise ConflictError(f"{move}: refused: expected {before} replicas, found {replicas}")
            return [*fence, _test("/spec/replicas", before), _replace("/spec/replicas", after)]
        case WriteTemplate(before=before, template=template):
            version = version_of(deployment).template.hash
            if version != before:
                raise ConflictError(f"{move}: refused: expected version {before}, found {version}")
            same = _test("/spec/template", dict(spec["template"]))
            return [*fence, same, _replace("/spec/template", dict(template.content))]
        case _:
            assert_never(move)


def _test(path: str, value: object) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _replace(path: str, value: object) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}
