"""What the engine needs from the world, as small Protocols, each with the errors it may raise.

The data that goes through them stands in `model`.
Adapters: `sandbox` (processes on this machine), `observation` (Prometheus), `record` (documents), `alerting`.
Fakes stand in `tests/fakes`; one contract suite per port runs on the fake and on the real adapter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from analyzer.model.alert import Alert
from analyzer.model.block import History, NoData, Sample, Timing
from analyzer.model.collection import BlockRequest, Collected, Sighting
from analyzer.model.errors import ObservationError
from analyzer.model.finding import Finding
from analyzer.model.metric import Metric, TestedMetric
from analyzer.model.report import Report
from analyzer.model.state import Command, Stored, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move, Snapshot


class Clock(Protocol):
    """Time, as an argument to everything else."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        ...


class MetricSource(Protocol):
    """Prometheus, seen as blocks."""

    def collect(self, requests: Sequence[BlockRequest]) -> Iterator[tuple[str, Collected | ObservationError]]:
        """Answer all requests of a sweep with few queries: each target once, as soon as its own are answered.

        Ends in bounded time; what is not answered by then is an error. Never raises for one target's failure.
        """
        ...

    def measure(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric], interval: float
    ) -> Timing | NoData:
        """Find scrape interval and delay from these pods' live series and cut time for a release.

        Raises ObservationError when Prometheus can't be asked.
        """
        ...


class HistorySource(Protocol):
    """What stable was like before the release."""

    def history(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[TestedMetric], back: timedelta
    ) -> Mapping[str, History[Sample] | NoData]:
        """What these stable pods measured in batches of 5 minutes before now, by metric, as far `back` as there is.

        Raises ObservationError when Prometheus can't be asked.
        """
        ...


class Measurements(MetricSource, HistorySource, Protocol):
    """All that the engine asks of one Prometheus."""


class Workloads(Protocol):
    """The two Deployments of a target."""

    def snapshot(self, target: Target, roles: Roles) -> Snapshot:
        """See both sides. Reflects every write that `apply` has returned from. Raises ActuationError."""
        ...

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        """Make one absolute write, fenced by `epoch`. Raises ConflictError when the old value does not match or a
        newer epoch has claimed the Deployment, ActuationError otherwise."""
        ...

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        """Refuse every write under an epoch before this one from now on; a Deployment that is missing is left out.

        Done before the first decision under a new epoch; done again, it changes nothing. Raises ConflictError when a
        newer epoch has claimed a Deployment, ActuationError otherwise.
        """
        ...


class Sightings(Protocol):
    """Which pods Prometheus sees."""

    def sight(self, namespace: str, pods: Sequence[str], metrics: Sequence[Metric]) -> Sighting:
        """Look for live series of these pods. Raises ObservationError."""
        ...


class Preflight(Protocol):
    """Looks at what a release needs around it, before it begins."""

    def check(self, target: Target, roles: Roles, snapshot: Snapshot) -> Sequence[Finding]:
        """What is not as it should be. May ask the API server and Prometheus; raises AnalyzerError when it can't."""
        ...


class ReleaseStore(Protocol):
    """The documents of each target."""

    def targets(self) -> Sequence[str]:
        """Every target that has a state document, by name. Raises RecordError."""
        ...

    def load(self, target: str) -> Stored | None:
        """The state document, or None when there is none. Raises RecordError (corrupt, newer schema, unreadable)."""
        ...

    def save(self, state: TargetState, version: str | None) -> str:
        """Write the state document if it still has `version` (None: must not exist); gives the new version.

        Raises StaleStateError, RecordError.
        """
        ...

    def publish(self, target: str, status: StatusDocument) -> None:
        """Write the status document. Raises RecordError."""
        ...

    def append_history(self, target: str, entry: HistoryEntry) -> None:
        """Add to the bounded history. Entries with an `id` already there are not added twice. Raises RecordError."""
        ...

    def commands(self, target: str) -> Sequence[Command]:
        """The operators' commands that are on file, oldest first. Raises RecordError."""
        ...


class AlertSink(Protocol):
    """One receiver."""

    @property
    def name(self) -> str:
        """The receiver's name in the configuration."""
        ...

    def deliver(self, alert: Alert) -> None:
        """Deliver once; a repeated id must not bother people twice. Raises AlertError."""
        ...


class Lease(Protocol):
    """The right to write."""

    def held(self) -> int | None:
        """The epoch under which this process may write now, or None."""
        ...


class Reporter(Protocol):
    """Anyone who wants to see every tick: the log, the live view, Events."""

    def report(self, report: Report) -> None:
        """Take note. Must not raise and must not block."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A reporter that remembers targets, and is told when one is gone for good."""

    def forget(self, target: str) -> None:
        """Drop all that is known of a target that is not configured any more. Must not raise and must not block."""
        ...
