"""The election on a Lease, step by step, on an API server in memory and a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.actuation.lease import LeaseAt, LeaseElector
from analyzer.kube.errors import KubeError, UnavailableError
from analyzer.kube.objects import LEASES
from tests.fakes.clock import FakeClock
from tests.fakes.earlier_version import earlier_version
from tests.fakes.kube_api import FakeApi

SPACE, NAME = "canary", "canary-analyzer"
NEW, OLD = "canary-analyzer.io/epoch", "canary-analyzer/epoch"


class Election:
    """Two daemons; time moves in steps of a second, in which both step when they are due."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.a = self.elector("a")
        self.b = self.elector("b")

    def elector(self, identity: str) -> LeaseElector:
        return LeaseElector(self.api, self.clock, LeaseAt(SPACE, NAME, identity), chance=lambda: 0.0)

    def run(self, seconds: float, *electors: LeaseElector) -> None:
        """Let these electors step every 2 seconds."""
        for _ in range(round(seconds / 2)):
            self.clock.advance(2)
            for elector in electors:
                elector.step()

    def seconds_until_held(self, elector: LeaseElector) -> float:
        begin = self.clock.monotonic()
        pause = elector.step()
        while elector.held() is None:
            assert self.clock.monotonic() - begin < 60
            self.clock.advance(pause)
            pause = elector.step()
        return self.clock.monotonic() - begin

    def lease(self) -> dict[str, object]:
        return dict(self.api.see(LEASES, SPACE, NAME)["spec"])

    def epochs(self) -> dict[str, str]:
        return dict(self.api.see(LEASES, SPACE, NAME)["metadata"]["annotations"])


@pytest.fixture
def election() -> Election:
    return Election()


def test_the_first_one_leads_at_once(election: Election) -> None:
    election.a.step()
    election.b.step()
    assert election.a.held() == int(election.clock.now().timestamp())
    assert election.b.held() is None
    spec = election.lease()
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("a", 15, 0)
    assert spec["renewTime"] == "2026-03-02T10:00:00.000000Z"


def test_a_holder_that_renews_keeps_its_epoch(election: Election) -> None:
    election.a.step()
    epoch = election.a.held()
    election.run(120, election.a, election.b)
    assert election.a.held() == epoch
    assert election.b.held() is None


def test_renewing_costs_one_request(election: Election) -> None:
    election.a.step()
    election.api.calls.clear()
    election.run(20, election.a)
    assert [call.verb for call in election.api.calls] == ["patch"] * 10


def test_the_right_ends_before_the_lease_does(election: Election) -> None:
    election.a.step()
    election.clock.advance(5.9)
    assert election.a.held() is not None
    election.clock.advance(0.1)
    assert election.a.held() is None


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_the_right_counts_from_the_request_not_from_its_answer(election: Election, verb: str) -> None:
    slow = LeaseElector(SlowApi(election, verb), election.clock, LeaseAt(SPACE, NAME, "a"), chance=lambda: 0.0)
    slow.step()
    if verb == "patch":
        slow.step()
    election.clock.advance(5)
    assert slow.held() is None


def test_a_standby_takes_over_within_20_seconds(election: Election) -> None:
    election.a.step()
    first = election.a.held()
    election.run(10, election.a, election.b)
    assert election.seconds_until_held(election.b) <= 17
    second = election.b.held()
    assert first is not None
    assert second is not None
    assert second > first
    assert election.lease()["leaseTransitions"] == 1


def test_a_lease_that_was_given_back_is_taken_at_the_next_look(election: Election) -> None:
    election.run(10, election.a, election.b)
    epoch = election.a.held()
    election.a.release()
    assert election.a.held() is None
    election.b.step()
    assert epoch is not None
    assert (election.b.held() or 0) > epoch


def test_a_process_that_was_stopped_finds_its_right_gone(election: Election) -> None:
    election.a.step()
    election.b.step()
    election.clock.advance(30)
    assert election.a.held() is None
    election.b.step()
    assert election.b.held() is not None
    election.a.step()
    assert election.a.held() is None
    election.run(20, election.a, election.b)
    assert (election.a.held(), election.b.held() is not None) == (None, True)


def test_a_stopped_holder_that_nobody_replaced_goes_on_under_its_epoch(election: Election) -> None:
    election.a.step()
    epoch = election.a.held()
    election.clock.advance(60)
    election.a.step()
    assert election.a.held() == epoch


def test_a_standby_that_was_stopped_looks_before_it_takes(election: Election) -> None:
    election.run(4, election.a, election.b)
    election.run(30, election.a)
    election.b.step()
    assert election.b.held() is None


def test_others_time_stamps_do_not_count(election: Election) -> None:
    election.api.put(
        LEASES,
        {
            "metadata": {"name": NAME, "namespace": SPACE},
            "spec": {"holderIdentity": "old", "leaseDurationSeconds": 15, "renewTime": "2020-01-01T00:00:00.000000Z"},
        },
    )
    election.a.step()
    assert election.a.held() is None
    assert election.seconds_until_held(election.a) == 15


def test_a_longer_lease_of_another_is_waited_for(election: Election) -> None:
    spec = {"holderIdentity": "old", "leaseDurationSeconds": 40}
    election.api.put(LEASES, {"metadata": {"name": NAME, "namespace": SPACE}, "spec": spec})
    assert election.seconds_until_held(election.a) == 40


def test_a_conflict_ends_the_right_at_once(election: Election) -> None:
    election.a.step()
    election.api.edit(LEASES, SPACE, NAME, {"spec": {"holderIdentity": "intruder"}})
    election.a.step()
    assert election.a.held() is None


@pytest.mark.parametrize("done_first", [True, False])
def test_one_failed_renewal_costs_nothing(election: Election, *, done_first: bool) -> None:
    election.a.step()
    epoch = election.a.held()
    election.clock.advance(2)
    election.api.fail(1, UnavailableError("timed out"), verb="patch", done_first=done_first)
    assert election.a.step() < 1
    election.clock.advance(0.5)
    election.a.step()
    election.clock.advance(5)
    assert election.a.held() == epoch


def test_a_lease_that_was_won_without_an_answer_is_ours_at_the_next_step(election: Election) -> None:
    election.b.step()
    election.b.release()
    election.api.fail(1, UnavailableError("timed out"), verb="patch", done_first=True)
    election.a.step()
    assert election.a.held() is None
    election.a.step()
    assert election.a.held() is not None


def test_a_lease_that_was_made_without_an_answer_gives_no_right_at_once(election: Election) -> None:
    """The request may have arrived late, after others led and the Lease was deleted."""
    election.api.fail(1, UnavailableError("timed out"), verb="create", done_first=True)
    election.a.step()
    election.clock.advance(1)
    assert 15 <= election.seconds_until_held(election.a) <= 17


def test_a_lease_that_was_deleted_gives_nobody_the_right_for_its_duration(election: Election) -> None:
    election.run(4, election.a, election.b)
    epoch = election.a.held() or 0
    election.api.remove(LEASES, SPACE, NAME)
    election.b.step()
    election.a.step()
    assert (election.a.held(), election.b.held()) == (None, None)
    assert election.lease()["holderIdentity"] == "b"
    assert 15 <= election.seconds_until_held(election.b) <= 17
    assert (election.b.held() or 0) > epoch


def test_a_lease_without_a_right_yet_is_not_given_back(election: Election) -> None:
    """Whoever took it at once could meet the one who had the right before the Lease was deleted."""
    election.run(4, election.a, election.b)
    election.api.remove(LEASES, SPACE, NAME)
    election.b.step()
    election.b.release()
    assert election.lease()["holderIdentity"] == "b"


def test_epochs_rise_for_a_new_process_even_when_the_lease_was_deleted(election: Election) -> None:
    election.a.step()
    epoch = election.a.held() or 0
    election.api.remove(LEASES, SPACE, NAME)
    election.clock.advance(30)
    fresh = election.elector("c")
    fresh.step()
    assert (fresh.held() or 0) > epoch


def test_epochs_rise_when_the_clock_went_back(election: Election) -> None:
    election.a.step()
    epoch = election.a.held() or 0
    election.a.release()
    fresh = behind(election)
    fresh.step()
    assert fresh.held() == epoch + 1


def behind(election: Election) -> LeaseElector:
    """A daemon whose clock gives no epoch that is high enough: only the Lease tells it the last one."""
    return LeaseElector(election.api, FakeClock(datetime(2020, 1, 1, tzinfo=UTC)), LeaseAt(SPACE, NAME, "c"))


@pytest.mark.parametrize(
    "found", [{OLD: "2000000000"}, {NEW: "2000000000"}, {NEW: "7", OLD: "2000000000"}, {NEW: "2000000000", OLD: "?"}]
)
def test_the_higher_epoch_under_the_two_keys_counts_and_the_next_is_under_both(
    election: Election, found: dict[str, str]
) -> None:
    spec = {"holderIdentity": "", "leaseDurationSeconds": 1}
    election.api.put(LEASES, {"metadata": {"name": NAME, "namespace": SPACE, "annotations": found}, "spec": spec})
    election.a.step()
    assert election.a.held() == 2_000_000_001
    assert election.epochs() == {NEW: "2000000001", OLD: "2000000001"}


def test_epochs_rise_from_a_daemon_of_one_version_to_the_next_of_the_other(election: Election) -> None:
    election.a.step()
    epoch = election.a.held() or 0
    election.a.release()
    earlier, later = behind(election), behind(election)
    with earlier_version():
        earlier.step()
        assert earlier.held() == epoch + 1
        assert election.epochs() == {NEW: str(epoch), OLD: str(epoch + 1)}
        earlier.release()
    later.step()
    assert later.held() == epoch + 2
    assert election.epochs() == {NEW: str(epoch + 2), OLD: str(epoch + 2)}


def test_outages_raise_nothing_and_are_retried_soon(election: Election) -> None:
    election.api.fail(3, KubeError("no route to host"))
    assert [election.a.step() for _ in range(3)] == [0.5] * 3
    election.a.step()
    assert election.a.held() is not None


def test_release_survives_an_outage(election: Election) -> None:
    election.a.step()
    election.api.fail(1)
    election.a.release()
    assert election.a.held() is None
    assert election.seconds_until_held(election.b) == 15


def test_runs_until_told_to_stop_with_pauses_that_vary(election: Election) -> None:
    chances = iter([0.0, 0.5, 1.0])
    at = LeaseAt(SPACE, NAME, "a")
    elector = LeaseElector(election.api, election.clock, at, chance=lambda: next(chances))
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        pauses.append(round(seconds, 3))
        return len(pauses) == 3

    elector.run(wait)
    assert pauses == [2.0, 2.1, 2.2]


def test_a_started_elector_gives_the_lease_back_when_it_is_stopped(election: Election) -> None:
    election.a.start()
    election.a.stop()
    assert election.a.held() is None
    assert election.lease()["holderIdentity"] == ""


def test_an_answer_that_is_no_lease_ends_no_election_and_gives_no_right(election: Election) -> None:
    odd = OddApi(election)
    elector = LeaseElector(odd, election.clock, LeaseAt(SPACE, NAME, "a"), chance=lambda: 0.0)
    elector.step()
    epoch = elector.held()
    odd.broken = True
    assert elector.step() == 0.5
    election.clock.advance(6)
    assert elector.held() is None
    odd.broken = False
    elector.step()
    assert elector.held() == epoch


def test_an_election_that_stands_still_is_told(election: Election) -> None:
    slack, api = timedelta(seconds=10), HangingApi(election)
    elector = LeaseElector(api, election.clock, LeaseAt(SPACE, NAME, "a"))
    assert elector.overdue(slack) == ()
    elector.start()
    assert api.entered.wait(10)
    assert elector.overdue(slack) == ()
    election.clock.advance(60)
    assert elector.overdue(slack) == ("leader election",)
    api.answers.set()
    elector.stop()
    assert elector.overdue(slack) == ()


def test_every_process_has_an_identity_of_its_own() -> None:
    assert LeaseAt(SPACE).identity != LeaseAt(SPACE).identity


class OddApi:
    """A `FakeApi` whose every answer, while it is `broken`, is an empty object."""

    def __init__(self, election: Election) -> None:
        self.broken = False
        self._api = election.api

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            answer = getattr(self._api, verb)(*arguments, **options)
            return {} if self.broken else answer

        return call


class HangingApi:
    """A `FakeApi` that gives no answer before `answers` is set."""

    def __init__(self, election: Election) -> None:
        self.entered, self.answers = threading.Event(), threading.Event()
        self._api = election.api

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.entered.set()
            assert self.answers.wait(10)
            return getattr(self._api, verb)(*arguments, **options)

        return call


class SlowApi:
    """A `FakeApi` whose answers to one verb take 2 seconds."""

    def __init__(self, election: Election, verb: str) -> None:
        self._election = election
        self._verb = verb

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            answer = getattr(self._election.api, verb)(*arguments, **options)
            self._election.clock.advance(2 if verb == self._verb else 0)
            return answer

        return call
