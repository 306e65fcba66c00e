"""Writes one Event after another: repeats raise a count, and no Deployment gets more than a few at a time.

Used by `events`, from one thread. The rules are those of Kubernetes' own clients.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from analyzer.kube.errors import NotFoundError
from analyzer.kube.objects import DEPLOYMENTS, EVENTS, Api, Json, PatchType

COMPONENT = "canary-analyzer"

REPEAT_WITHIN = timedelta(minutes=10)
"""The same reason on the same Deployment within this time is one Event with a count."""

BURST = 25
"""Writes for one Deployment at once; after that one each `REFILL`."""

REFILL = timedelta(seconds=30)

_REMEMBERED = 4096
_LONGEST = 1024  # characters of a message that the API server takes
_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Involved:
    """The Deployment that an Event is about."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to tell about a Deployment; `reason` is one word."""

    involved: Involved
    reason: str
    message: str
    at: datetime
    warning: bool = False


@dataclass(frozen=True, slots=True)
class _Written:
    name: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True)
class _Allowance:
    left: float
    at: datetime


class EventSeries:
    """The Events of one daemon; remembers which it wrote."""

    def __init__(self, api: Api, instance: str) -> None:
        self._api = api
        self._instance = instance
        self._written: OrderedDict[tuple[str, str], _Written] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def write(self, happening: Happening) -> bool:
        """Write an Event or count it to the last one; False when the Deployment had too many. Raises KubeError."""
        if not self._allowed(happening):
            return False
        key = happening.involved.uid, happening.reason
        last = self._written.get(key)
        if last is None or happening.at - last.last > REPEAT_WITHIN or not self._counted(happening, last):
            self._remember(key, self._created(happening))
        return True

    def _allowed(self, happening: Happening) -> bool:
        """A bucket of tokens per Deployment."""
        uid = happening.involved.uid
        allowance = self._allowances.pop(uid, _Allowance(float(BURST), happening.at))
        gained = max((happening.at - allowance.at) / REFILL, 0.0)
        left = min(allowance.left + gained, float(BURST))
        allowed = left >= 1
        self._allowances[uid] = _Allowance(left - allowed, max(happening.at, allowance.at))
        if len(self._allowances) > _REMEMBERED:
            self._allowances.popitem(last=False)
        return allowed

    def _counted(self, happening: Happening, last: _Written) -> bool:
        """Whether the last Event of this kind still exists and now says this."""
        count = last.count + 1
        body = {"count": count, "lastTimestamp": _time(happening.at), "message": happening.message[:_LONGEST]}
        namespace = happening.involved.namespace
        try:
            self._api.patch(EVENTS, namespace, last.name, body, PatchType.MERGE, timeout=_TIMEOUT)
        except NotFoundError:  # the API server keeps Events for an hour
            return False
        key = happening.involved.uid, happening.reason
        self._remember(key, replace(last, count=count, last=happening.at))
        return True

    def _created(self, happening: Happening) -> _Written:
        involved = happening.involved
        created = self._api.create(EVENTS, involved.namespace, self._body(happening), timeout=_TIMEOUT)
        return _Written(created["metadata"]["name"], 1, happening.at)

    def _body(self, happening: Happening) -> Json:
        involved, at = happening.involved, _time(happening.at)
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"generateName": f"{involved.name[:200]}.", "namespace": involved.namespace},
            "involvedObject": {
                "apiVersion": DEPLOYMENTS.api_version,
                "kind": DEPLOYMENTS.kind,
                "namespace": involved.namespace,
                "name": involved.name,
                "uid": involved.uid,
            },
            "type": "Warning" if happening.warning else "Normal",
            "reason": happening.reason,
            "message": happening.message[:_LONGEST],
            "count": 1,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }

    def _remember(self, key: tuple[str, str], written: _Written) -> None:
        self._written[key] = written
        self._written.move_to_end(key)
        if len(self._written) > _REMEMBERED:
            self._written.popitem(last=False)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
