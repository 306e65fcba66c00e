"""What is true in each phase. Rules, texts and documents ask for these facts, so a wrong one is wrong everywhere."""

from __future__ import annotations

import pickle

import pytest

from analyzer.model.phase import START, TRANSITIONS, Phase

FACTS = {
    "idle": {"IDLE", "SUCCEEDED", "ABORTED", "GONE"},
    "pending": {"PENDING"},
    "active": {"PROGRESSING", "PAUSED", "PROMOTING", "BAKING", "ROLLING_BACK"},
    "paused": {"PAUSED"},
    "promoting": {"PROMOTING"},
    "baking": {"BAKING"},
    "rolling_back": {"ROLLING_BACK"},
    "gone": {"GONE"},
    "stopped": {"ROLLING_BACK", "ABORTED"},
    "ended": {"SUCCEEDED", "ABORTED"},
    "in_steps": {"PROGRESSING", "PAUSED"},
    "clock_runs": {"PROGRESSING"},
    "judged": {"PROGRESSING", "PAUSED", "PROMOTING", "BAKING"},
    "serves_both": {"PROGRESSING", "PAUSED", "PROMOTING"},
    "steps_over": {"PROMOTING", "BAKING", "SUCCEEDED"},
    "usual": {"IDLE", "PENDING", "PROGRESSING", "PROMOTING", "BAKING", "SUCCEEDED"},
    "warns": {"PAUSED", "ROLLING_BACK", "ABORTED", "GONE"},
}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_true_in_these_phases(fact: str) -> None:
    assert {phase.value for phase in Phase if getattr(phase, fact)} == FACTS[fact]


def test_every_fact_that_a_phase_has_is_in_the_table_above() -> None:
    assert {name for phase in Phase for name, value in vars(phase).items() if isinstance(value, bool)} == set(FACTS)


def test_the_canary_has_all_of_the_weight_once_the_steps_are_over_and_none_once_it_is_out() -> None:
    weights = {phase.value: phase.weight for phase in Phase if phase.weight is not None}
    assert weights == {"PROMOTING": 100, "BAKING": 100, "SUCCEEDED": 100, "ROLLING_BACK": 0, "ABORTED": 0, "GONE": 0}


def test_a_phase_is_idle_or_pending_or_active() -> None:
    assert all([phase.idle, phase.pending, phase.active].count(True) == 1 for phase in Phase)


def test_only_an_active_phase_is_judged_and_only_a_judged_one_is_paused_or_on_the_clock() -> None:
    assert all(phase.active for phase in Phase if phase.judged)
    assert all(phase.judged for phase in Phase if phase.paused or phase.clock_runs or phase.serves_both)


def test_a_phase_that_is_judged_can_always_be_rolled_back() -> None:
    assert all(any(after.rolling_back for after in TRANSITIONS[phase]) for phase in Phase if phase.judged)


def test_a_target_begins_where_nothing_happens() -> None:
    assert START.idle
    assert not START.ended


def test_a_phase_is_the_same_after_it_was_written_and_read() -> None:
    for phase in Phase:
        assert Phase(phase.value) is phase
        assert pickle.loads(pickle.dumps(phase)) is phase  # noqa: S301 (our own)
        assert f"{phase}" == phase.value
