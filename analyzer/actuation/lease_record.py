"""The Lease object as the election reads and writes it. Pure; called by `lease`.

The epoch is an annotation under two keys, for the same reason as on a Deployment (see `fence`): both are written, and
the higher one counts, because a daemon of an earlier version raises only the legacy one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzer.actuation.fence import EPOCH
from analyzer.kube.objects import Json
from analyzer.model.metadata_keys import entries, values_of

_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_RELEASED_SECONDS = 1
"""The API server refuses a duration of 0."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """What the Lease says. `holder` is empty when it was released; `version` changes with every write to it."""

    version: str
    holder: str
    seconds: float
    epoch: int
    transitions: int


def lease_record(found: Json) -> LeaseRecord:
    """Read a Lease; what other programs may have left out or spoiled counts as empty."""
    metadata, spec = found["metadata"], found.get("spec") or {}
    epochs = map(str, values_of(metadata.get("annotations") or {}, EPOCH))
    return LeaseRecord(
        version=str(metadata["resourceVersion"]),
        holder=str(spec.get("holderIdentity") or ""),
        seconds=float(spec.get("leaseDurationSeconds") or 0),
        epoch=max((int(one) for one in epochs if one.isdecimal()), default=0),
        transitions=int(spec.get("leaseTransitions") or 0),
    )


def taken(before: LeaseRecord | None, holder: str, epoch: int, seconds: float, now: datetime) -> dict[str, Any]:
    """The body that makes `holder` the holder: to create the Lease, or to change it if it still is as it was."""
    transitions = 0 if before is None else before.transitions + 1
    spec = {
        "holderIdentity": holder,
        "leaseDurationSeconds": round(seconds),
        "acquireTime": now.strftime(_TIME),
        "renewTime": now.strftime(_TIME),
        "leaseTransitions": transitions,
    }
    return {"metadata": {"annotations": entries(EPOCH, str(epoch)), **_unchanged(before)}, "spec": spec}


def renewed(before: LeaseRecord, now: datetime) -> dict[str, Any]:
    """The body that renews."""
    return {"metadata": _unchanged(before), "spec": {"renewTime": now.strftime(_TIME)}}


def released(before: LeaseRecord, now: datetime) -> dict[str, Any]:
    """The body that gives the Lease back, so that another may take it at once; the epoch stays."""
    spec = {"holderIdentity": "", "leaseDurationSeconds": _RELEASED_SECONDS, "renewTime": now.strftime(_TIME)}
    return {"metadata": _unchanged(before), "spec": spec}


def _unchanged(before: LeaseRecord | None) -> dict[str, str]:
    return {} if before is None else {"resourceVersion": before.version}
