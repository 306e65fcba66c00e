"""What the checks look at. Each kind of object is asked for once, when the first check needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from analyzer.kube.objects import AUTOSCALERS, DISRUPTION_BUDGETS, QUOTAS, SERVICES, Api, Json, Kind
from analyzer.model.collection import Sighting
from analyzer.model.finding import FindingLevel
from analyzer.model.plan import Mode
from analyzer.model.target import Side, Target
from analyzer.model.workload import Workload
from analyzer.ports import Sightings


class Found(NamedTuple):
    """What is not as it should be, and what to do about it. `level`: where it is not that of the check."""

    message: str
    way_out: str
    level: FindingLevel | None = None


Findings = Iterator[Found]


class Followed(Protocol):
    """Objects that are followed by watches, without a request. Both methods raise KubeError when they are stale."""

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """One object, None where there is none."""
        ...

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        """All objects of a kind in a namespace."""
        ...


@dataclass(frozen=True, slots=True)
class Pair:
    """One Deployment of the target: as it is seen by the rules, and as the API server writes it."""

    side: Side
    workload: Workload
    object: Json

    @property
    def name(self) -> str:
        """The Deployment's name."""
        return self.workload.name

    @property
    def spec(self) -> Mapping[str, Any]:
        """The Deployment's spec."""
        spec: Mapping[str, Any] = self.object["spec"]
        return spec

    @property
    def pod_labels(self) -> Mapping[str, str]:
        """Labels of the pods that it makes."""
        return (self.spec["template"].get("metadata") or {}).get("labels") or {}

    @property
    def pod_spec(self) -> Mapping[str, Any]:
        """What its pods are made of."""
        return self.spec["template"].get("spec") or {}


class PreflightContext:
    """One look at a target's surroundings, at one moment."""

    def __init__(self, target: Target, sides: tuple[Pair, Pair], api: Api, sightings: Sightings, now: datetime) -> None:
        self.target = target
        self.stable, self.canary = sides
        self.now = now
        self.api = api
        self._sightings = sightings

    @property
    def sides(self) -> tuple[Pair, Pair]:
        """Stable and canary."""
        return self.stable, self.canary

    @property
    def acting(self) -> bool:
        """Workloads will be written."""
        return self.target.mode is Mode.ACT

    @cached_property
    def services(self) -> tuple[Json, ...]:
        """The Services of the namespace."""
        return self._all(SERVICES)

    @cached_property
    def autoscalers(self) -> tuple[Json, ...]:
        """The HorizontalPodAutoscalers of the namespace."""
        return self._all(AUTOSCALERS)

    @cached_property
    def budgets(self) -> tuple[Json, ...]:
        """The PodDisruptionBudgets of the namespace."""
        return self._all(DISRUPTION_BUDGETS)

    @cached_property
    def quotas(self) -> tuple[Json, ...]:
        """The ResourceQuotas of the namespace."""
        return self._all(QUOTAS)

    @cached_property
    def sighting(self) -> Sighting:
        """What Prometheus has of the pods that have been ready long enough. Raises ObservationError."""
        return self._sightings.sight(self.target.namespace, self.pods, self.target.analysis.metrics)

    @cached_property
    def server_clock(self) -> datetime:
        """The API server's time."""
        return self.api.server_clock()

    @cached_property
    def pods(self) -> tuple[str, ...]:
        """Pods of both sides that Prometheus should have seen by now."""
        return tuple(
            pod.name
            for side in self.sides
            for pod in side.workload.pods
            if pod.ready
            and not pod.deleted
            and pod.ready_at
            and (self.now - pod.ready_at).total_seconds() >= SEEN_AFTER
        )

    def _all(self, kind: Kind) -> tuple[Json, ...]:
        return self.api.list(kind, self.target.namespace).items


SEEN_AFTER = 150.0
"""Seconds after which a ready pod should have been scraped: two of the longest usual intervals, and a little."""
