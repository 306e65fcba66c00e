"""Stand-ins for what a preflight asks, and for the preflight itself."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.kube.errors import NotFoundError
from analyzer.kube.objects import Json, Kind
from analyzer.model.collection import Sighting
from analyzer.model.errors import ObservationError
from analyzer.model.finding import Finding
from analyzer.model.metric import Metric
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Snapshot
from tests.fakes.kube_api import FakeApi


class Followed:
    """The objects of a `FakeApi`, as a cache would give them: without a request."""

    def __init__(self, api: FakeApi) -> None:
        self._api = api

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        try:
            return self._api.see(kind, namespace, name)
        except NotFoundError:
            return None

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        return self._api.all(kind, namespace)


class FakeSightings:
    """Says what it was told to say; `asked` are the pods of each question."""

    def __init__(self, clock: float) -> None:
        self.silent: tuple[str, ...] = ()
        self.interval: float | None = 15.0
        self.clock = clock
        self.down = False
        self.asked: list[Sequence[str]] = []

    def sight(self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric]) -> Sighting:
        self.asked.append(pods)
        if self.down:
            raise ObservationError("connection refused")
        return Sighting(self.silent, self.interval, self.clock)


class FakePreflight:
    """A preflight with these findings; `times` is how often it was asked, by target."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        self.fail_with: Exception | None = None
        self.times: dict[str, int] = {}

    def check(self, target: Target, roles: Roles, snapshot: Snapshot) -> Sequence[Finding]:
        self.times[target.name] = self.times.get(target.name, 0) + 1
        if self.fail_with is not None:
            raise self.fail_with
        return self.findings
