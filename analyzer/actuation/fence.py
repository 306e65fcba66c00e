"""The fence on a Deployment: an annotation that holds the epoch of the daemon that may write to it. Pure.

Kubernetes knows no fencing tokens, so every write of ours is a JSON patch that tests this annotation, the uid and the
old value: all of it is done, or nothing.

The annotation has two keys (see `model.metadata_keys`). A daemon of an earlier version knows only the legacy one: it
would take a Deployment without it as unclaimed and write, and it raises no other. So a claim raises both in one patch,
every patch tests both as they were found, and the higher epoch of the two is the one that has claimed the Deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from analyzer.actuation.sides import version_of
from analyzer.kube.objects import Json
from analyzer.model.errors import ConflictError
from analyzer.model.metadata_keys import entries, keys_of
from analyzer.model.workload import Move, Scale, WriteTemplate

EPOCH = "epoch"
"""The annotation's name under each prefix; the Lease has it too."""

Operations = list[dict[str, Any]]


def epochs(deployment: Json) -> Mapping[str, str | None]:
    """The annotation as it is under each of its keys; None where it is missing."""
    found = deployment["metadata"].get("annotations") or {}
    return {key: None if found.get(key) is None else str(found[key]) for key in keys_of(EPOCH)}


def fenced(deployment: Json) -> bool:
    """Is the annotation there under every key, so that a patch can test it? Else the Deployment has to be fetched."""
    return None not in epochs(deployment).values()


def claimed(deployment: Json, epoch: int) -> bool:
    """Does the Deployment carry this epoch under every key?"""
    return set(epochs(deployment).values()) == {str(epoch)}


def claiming(deployment: Json, epoch: int, doing: str) -> Operations:
    """Test that no other daemon has claimed the Deployment since it was read, and claim it where it is not ours yet.

    A patch cannot test that a key is missing. Where one is, the patch tests the resourceVersion too, and the
    Deployment must be complete, as it was fetched: what a cache keeps of it does not show whether it has annotations.
    Raises ConflictError when a newer epoch has claimed it.
    """
    metadata, found = deployment["metadata"], epochs(deployment)
    highest = max((int(one) for one in found.values() if one is not None and one.isdecimal()), default=0)
    if highest > epoch:
        raise ConflictError(
            f"{doing}: refused: Deployment {metadata['name']} is claimed by epoch {highest}, this daemon has epoch "
            f"{epoch}; another daemon is the leader"
        )
    tests = [_test("/metadata/uid", metadata["uid"])]
    if not fenced(deployment):
        tests.append(_test("/metadata/resourceVersion", metadata["resourceVersion"]))
    tests += [_test(_path(key), value) for key, value in found.items() if value is not None]
    if not metadata.get("annotations"):
        return [*tests, {"op": "add", "path": "/metadata/annotations", "value": entries(EPOCH, str(epoch))}]
    return [*tests, *(_raise(key, value, epoch) for key, value in found.items() if value != str(epoch))]


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


def _path(key: str) -> str:
    """An annotation as a JSON pointer."""
    return f"/metadata/annotations/{key.replace('~', '~0').replace('/', '~1')}"


def _raise(key: str, found: str | None, epoch: int) -> dict[str, Any]:
    if found is None:
        return {"op": "add", "path": _path(key), "value": str(epoch)}
    return _replace(_path(key), str(epoch))


def _test(path: str, value: object) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _replace(path: str, value: object) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}
