"""Status is written when there is something new to say, history once per release."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from analyzer.engine.publisher import Publisher
from analyzer.engine.target import TargetRuntime
from analyzer.engine.targets import Targets
from analyzer.model.decision import Action, Decision
from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.report import Report
from analyzer.model.state import ExecutedCommand, TargetState, Verb
from analyzer.model.status_document import StatusDocument
from tests.fakes.clock import START
from tests.fakes.reporter import Notebook
from tests.fakes.store import MemoryStore
from tests.scenarios.stage import DEMO_TARGET
from tests.unit.record.sample_states import a_status_document, an_entry

STATE = TargetState("shop", DEMO_TARGET.roles, Phase.PROGRESSING, START, "test")


def _status(report: Report, state: TargetState) -> StatusDocument:
    return a_status_document(reason=report.decision.reason, updated_at=report.at, phase=state.phase)


class Office:
    """A publisher that may write every 15 s."""

    def __init__(self) -> None:
        self.store, self.notebook = MemoryStore(), Notebook()
        self.targets = Targets()
        every = timedelta(seconds=15)
        self.publisher = Publisher(self.store, _status, lambda *_: an_entry(), (self.notebook,), every)

    def tell(self, second: int, reason: str, state: TargetState = STATE) -> dict[str, Any]:
        report = Report(DEMO_TARGET, START + timedelta(seconds=second), Decision(Action.HOLD, reason, state))
        self.publisher.tell(self.targets.of(state.target), report, state)
        return self.store.status("shop") or {}


def test_status_follows_a_change_after_the_interval() -> None:
    office = Office()
    assert office.tell(0, "one")["reason"] == "one"
    assert office.tell(5, "two")["reason"] == "one"
    assert office.tell(15, "three")["reason"] == "three"


def test_status_that_says_the_same_is_not_written_again() -> None:
    office = Office()
    first = office.tell(0, "same")
    assert office.tell(60, "same") == first


def test_new_phase_is_published_at_once() -> None:
    office = Office()
    office.tell(0, "one")
    assert office.tell(1, "baking", replace(STATE, phase=Phase.BAKING))["reason"] == "baking"


def test_answer_to_an_operator_is_published_at_once() -> None:
    office = Office()
    office.tell(0, "one")
    answered = replace(STATE, executed=(ExecutedCommand("c1", Verb.PAUSE, accepted=False, answer="not now"),))
    assert office.tell(1, "refused", answered)["reason"] == "refused"
    assert office.tell(2, "three", answered)["reason"] == "refused"


def test_unwritable_status_disturbs_nobody_and_is_tried_again() -> None:
    office = Office()
    office.store.fail_with = RecordError("no space left")
    office.tell(0, "one")
    office.store.fail_with = None
    assert office.tell(1, "two")["reason"] == "two"
    assert len(office.notebook.reports) == 2


class Broken:
    """A reporter with a bug."""

    def report(self, report: Report) -> None:
        raise KeyError(report.target.name)


def test_a_reporter_that_fails_is_logged_and_costs_neither_the_status_nor_other_reporters() -> None:
    store, notebook = MemoryStore(), Notebook()
    publisher = Publisher(store, _status, lambda *_: an_entry(), (Broken(), notebook), timedelta(seconds=15))
    report = Report(DEMO_TARGET, START, Decision(Action.HOLD, "one", STATE))
    with capture_logs() as logs:
        assert publisher.tell(TargetRuntime("shop"), report, STATE)
    assert (store.status("shop") or {})["reason"] == "one"
    assert notebook.reports == [report]
    assert [(log["event"], log["reporter"], log["target"]) for log in logs] == [("reporter_failed", "Broken", "shop")]


def test_many_releases_share_what_may_be_written() -> None:
    office = Office()
    names = [f"shop-{number}" for number in range(200)]
    for second in range(15, 15 * 41, 15):
        for name in names:
            office.tell(second, f"reason {second}", replace(STATE, target=name))
    latest = [(office.store.status(name) or {})["reason"] for name in names]
    assert {f"reason {second}" for second in (570, 585, 600)} == set(latest)


def test_a_release_that_another_daemon_led_waits_for_its_turn() -> None:
    office = Office()
    for number in range(100):
        office.tell(60, "led by others", replace(STATE, target=f"shop-{number}"))
    assert sum(office.store.status(f"shop-{number}") is not None for number in range(100)) == 75


def test_idle_targets_that_another_daemon_led_do_not_hold_up_those_in_release() -> None:
    office = Office()
    names = [f"idle-{number}" for number in range(200)]
    for name in names:
        office.tell(60, "at rest", replace(STATE, target=name, phase=Phase.IDLE))
    assert sum(office.store.status(name) is not None for name in names) == 75
    assert office.tell(60, "led by others")["reason"] == "led by others"


def test_a_target_that_is_gone_is_published_again_when_it_is_back() -> None:
    office = Office()
    office.tell(0, "same")
    office.publisher.forget("shop")
    office.targets.configure([])
    assert office.targets.drop_finished() == ["shop"]
    assert office.notebook.forgotten == ["shop"]
    assert office.tell(60, "same")["updatedAt"] == plain_json(START + timedelta(seconds=60))
