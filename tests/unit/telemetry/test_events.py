"""Events tell of each change of phase on both Deployments, never in a flood, and never at the engine's cost."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from analyzer.kube.errors import ForbiddenError, UnavailableError
from analyzer.kube.objects import EVENTS, Json, Kind
from analyzer.model.phase import Phase
from analyzer.telemetry import EventReporter
from analyzer.telemetry.event_series import BURST, REFILL, REPEAT_WITHIN, EventSeries
from analyzer.telemetry.events import happenings
from tests.fakes.kube_api import FakeApi
from tests.unit.telemetry.sample_reports import BOTH, NOW, SECOND, TARGET, tick


class Drops:
    """Counts Events that were not written."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@contextmanager
def writing(api: FakeApi, drops: Drops | None = None) -> Iterator[EventReporter]:
    """A reporter at work; at the end of the block everything has been written."""
    reporter = EventReporter(api, "analyzer-0", drops or Drops())
    reporter.start()
    yield reporter
    reporter.stop()


def events(api: FakeApi) -> Sequence[Json]:
    return api.all(EVENTS, "shop")


def of(api: FakeApi, deployment: str) -> list[tuple[str, int]]:
    """Reason and count of each Event on a Deployment, oldest first."""
    return [(one["reason"], one["count"]) for one in events(api) if one["involvedObject"]["name"] == deployment]


def test_a_change_of_phase_is_told_on_both_deployments() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.PENDING, reason="new version"))
    assert of(api, "v1") == of(api, "v2") == [("CanaryPending", 1)]
    event = events(api)[0]
    assert event["message"] == "my-app: IDLE -> PENDING: new version"
    assert event["type"] == "Normal"
    assert event["involvedObject"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "v1",
        "uid": "uid-v1",
    }
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2026-03-01T12:00:00Z"
    assert (event["source"]["component"], event["reportingInstance"]) == ("canary-analyzer", "analyzer-0")


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_reason_of_its_own(phase: Phase) -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(phase))
    assert of(api, "v1") == [(phase.event_reason, 1)]


def test_the_reasons_of_all_phases_and_no_others_are_promised_to_users() -> None:
    page = (Path(__file__).parents[3] / "docs" / "running.md").read_text(encoding="utf-8")
    promised = set(re.findall(r"`(Canary[A-Z][A-Za-z]*)`", page))
    assert promised == {phase.event_reason for phase in Phase} | {"CanaryNote"}


def test_what_people_should_look_at_is_a_warning() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.ROLLING_BACK, Phase.ABORTED))
    assert [one["type"] for one in events(api)] == ["Warning"] * 4


def test_a_tick_without_news_writes_nothing() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick())
        reporter.report(tick(error="no answer"))
    assert api.calls == []


def test_notes_are_told_too() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(notes=("stable runs another version now",)))
    assert of(api, "v1") == [("CanaryNote", 1)]


def test_repeats_raise_the_count_and_show_the_latest_words() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        for second in range(3):
            reporter.report(tick(Phase.PENDING, reason=f"look {second}", at=NOW + second * SECOND))
    assert of(api, "v1") == [("CanaryPending", 3)]
    event = events(api)[0]
    assert event["message"].endswith("look 2")
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:02Z")


def test_the_same_much_later_is_an_event_of_its_own() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.PENDING))
        reporter.report(tick(Phase.PENDING, at=NOW + REPEAT_WITHIN + SECOND))
    assert of(api, "v1") == [("CanaryPending", 1), ("CanaryPending", 1)]


def test_an_event_that_the_api_server_has_forgotten_is_written_anew() -> None:
    api = FakeApi()
    series = EventSeries(api, "analyzer-0")
    pending = next(iter(happenings(tick(Phase.PENDING))))
    assert series.write(pending)
    api.remove(EVENTS, "shop", events(api)[0]["metadata"]["name"])
    assert series.write(replace(pending, at=NOW + SECOND))
    assert of(api, "v1") == [("CanaryPending", 1)]


def test_a_deployment_gets_no_more_than_a_burst_and_then_one_at_a_time() -> None:
    api, drops = FakeApi(), Drops()
    with writing(api, drops) as reporter:
        for _ in range(BURST + 5):
            reporter.report(tick(Phase.PENDING))
        reporter.report(tick(Phase.ABORTED, at=NOW + REFILL))
    assert of(api, "v1") == [("CanaryPending", BURST), ("CanaryAborted", 1)]
    assert drops.count == 2 * 5


def test_a_deployment_that_does_not_exist_gets_none() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.GONE, snapshot=replace(BOTH, canary=None)))
        reporter.report(tick(Phase.GONE, snapshot=None))
    assert of(api, "v1") == [("CanaryGone", 1)]
    assert of(api, "v2") == []


def test_what_was_decided_and_not_saved_has_not_happened() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.PENDING, error="the document is newer", saved=Phase.IDLE))
    assert events(api) == []


def test_what_was_saved_before_the_tick_failed_has_happened() -> None:
    api = FakeApi()
    with writing(api) as reporter:
        reporter.report(tick(Phase.ROLLING_BACK, error="the write was refused", saved=Phase.ROLLING_BACK))
    assert of(api, "v2") == [("CanaryRollingBack", 1)]


def test_an_api_server_that_is_down_costs_the_event_and_nothing_else() -> None:
    api, drops = FakeApi(), Drops()
    api.fail(2, UnavailableError("connection refused"), kind=EVENTS)
    with capture_logs() as log, writing(api, drops) as reporter:
        reporter.report(tick(Phase.PENDING))
        reporter.report(tick(Phase.PROGRESSING))
    assert of(api, "v1") == [("CanaryProgressing", 1)]
    assert drops.count == 2
    assert [(one["event"], one["deployment"]) for one in log] == [
        ("event_write_failed", "v1"),
        ("event_write_failed", "v2"),
    ]


def test_a_missing_permission_is_logged_once() -> None:
    api, drops = FakeApi(), Drops()
    api.fail(100, ForbiddenError("may not create events"), kind=EVENTS)
    with capture_logs() as log, writing(api, drops) as reporter:
        reporter.report(tick(Phase.PENDING))
        reporter.report(tick(Phase.PROGRESSING))
    assert [one["event"] for one in log] == ["events_forbidden"]
    assert drops.count == 4


class Stuck(FakeApi):
    """An API server that does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = threading.Event()
        self.asked = threading.Event()

    def create(self, kind: Kind, namespace: str | None, body: Json, **given: Any) -> Json:
        self.asked.set()
        self.answering.wait(10)
        return super().create(kind, namespace, body, **given)


def test_reporting_never_waits_and_drops_what_does_not_fit() -> None:
    api, drops = Stuck(), Drops()
    reporter = EventReporter(api, "analyzer-0", drops)
    reporter.start()
    reporter.report(tick(Phase.PENDING))
    assert api.asked.wait(5)
    for number in range(1000):
        other = workload_report(number)
        reporter.report(other)
    assert drops.count > 0
    api.answering.set()
    reporter.stop()


def workload_report(number: int) -> Any:
    """A change of phase in another target."""
    return replace(tick(Phase.PENDING), target=replace(TARGET, name=f"app-{number}"))


def test_a_reporter_that_never_started_can_be_stopped() -> None:
    EventReporter(FakeApi(), "analyzer-0").stop()
