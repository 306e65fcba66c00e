"""What is asked of Prometheus follows from the document alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.judge import Judged
from analyzer.judge.guards.evidence import GuardEvidence
from analyzer.model.block import Block, Counts, SideBlock, Timing
from analyzer.model.collection import Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import QueryMetric
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from analyzer.model.state import DeadlineClock, Release, StepRecord, TargetState
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Template
from analyzer.release.course import Course, course_of
from analyzer.release.evidence import KeptEvidence, Look, folded, keep, look
from tests.fakes.clock import START
from tests.scenarios.stage import DEMO_ANALYSIS, DEMO_TARGET

TIMING = Timing(block=2, slot=1, delay=2)
FIRST = TIMING.first_full_block(START)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _state(*steps: StepRecord, phase: Phase = Phase.PROGRESSING) -> TargetState:
    release = Release(
        id="r1",
        canary=Template("new", {}),
        stable=Template("old", {}),
        plan=DEMO_TARGET.plan,
        analysis=DEMO_ANALYSIS,
        mode=DEMO_TARGET.mode,
        total=10,
        timing=TIMING,
        started_at=START,
        clock=DeadlineClock(timedelta(0), START),
        steps=steps,
        step=len(steps) - 1,
    )
    return replace(TargetState("shop", DEMO_TARGET.roles, phase, START, "test"), release=release)


def _block(index: int, events: int = 4) -> Block:
    stable = {pod: Counts(4, 100) for pod in ("s1", "s2", "s3")}
    return Block(index, SideBlock({"c": Counts(events, 100)}), SideBlock(stable))


def _answer(*indices: int) -> Collected:
    return Collected(max(indices), {"errors": [_block(index) for index in indices]})


class Memory:
    """What one tick leaves for the next."""

    def __init__(self) -> None:
        self.kept: KeptEvidence | None = None

    def keep(self, course: Course, judged: Judged) -> None:
        self.kept = keep(course, judged)


def _look(memory: Memory, state: TargetState) -> Look:
    found = look(memory.kept, DEMO_TARGET, state, _at(600))
    assert found is not None
    return found


def test_asks_from_the_first_full_block_of_the_present_step() -> None:
    state = _state(StepRecord(_at(0), _at(3)), StepRecord(_at(21)))
    assert _look(Memory(), state).request.after == FIRST + 11 - 1


def test_asks_for_what_comes_after_the_latest_block() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    asked = _look(memory, state)
    memory.keep(asked.course, folded(asked, _answer(FIRST, FIRST + 1)))
    assert _look(memory, state).request.after == FIRST + 1


def test_asks_for_the_latest_block_again_while_an_abort_waits_to_be_confirmed_by_it() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    asked = _look(memory, state)
    bad = Collected(FIRST + 1, {"errors": [_block(FIRST, 90), _block(FIRST + 1, 90)]})
    memory.keep(asked.course, folded(asked, bad))
    assert _look(memory, state).judged.verdict.outcome is Outcome.INCONCLUSIVE
    again = _look(memory, state)
    assert again.request.after == FIRST
    confirmed = replace(_block(FIRST + 1, 90), stable_later=_block(FIRST + 1).stable)
    found = folded(again, Collected(FIRST + 1, {"errors": [confirmed]}))
    assert found.verdict.outcome is Outcome.FAIL


def test_asks_for_the_latest_block_again_where_a_pod_was_not_measured_in_it() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    asked = _look(memory, state)
    block = _block(FIRST + 1)
    hurt = replace(block, stable=replace(block.stable, absent={"s4": "no sample"}))
    memory.keep(asked.course, folded(asked, Collected(FIRST + 1, {"errors": [_block(FIRST), hurt]})))
    assert _look(memory, state).request.after == FIRST
    memory.keep(asked.course, folded(_look(memory, state), _answer(FIRST + 1)))
    assert _look(memory, state).request.after == FIRST + 1


def test_next_step_begins_with_nothing_and_asks_for_none_of_the_old_blocks() -> None:
    memory, first = Memory(), StepRecord(_at(0), _at(1))
    asked = _look(memory, _state(first))
    memory.keep(asked.course, folded(asked, _answer(FIRST)))
    following = _look(memory, _state(first, StepRecord(_at(60))))
    assert following.request.after == FIRST + 29
    assert following.judged.verdict.metrics[0].canary == Counts(0, 0)


def test_failure_of_prometheus_is_an_error_of_every_metric_and_loses_nothing() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    asked = _look(memory, state)
    memory.keep(asked.course, folded(asked, _answer(FIRST)))
    down = folded(_look(memory, state), ObservationError("connection refused"))
    assert down.verdict.outcome is Outcome.ERROR
    memory.keep(asked.course, down)
    after = folded(_look(memory, state), _answer(FIRST, FIRST + 1))
    assert after.verdict.metrics[0].canary == Counts(8, 200)


def test_proof_that_begins_in_a_folded_block_starts_over_from_all_blocks_of_the_step() -> None:
    memory = Memory()
    asked = _look(memory, _state(StepRecord(_at(0))))
    memory.keep(asked.course, folded(asked, _answer(FIRST, FIRST + 1, FIRST + 2)))
    again = _look(memory, _state(StepRecord(_at(0), _at(2))))
    assert again.request.after == FIRST - 1


def test_bake_is_judged_by_guards_only() -> None:
    state = _state(StepRecord(_at(0), _at(1)), phase=Phase.BAKING)
    assert course_of(state) is None
    assert state.release is not None
    guard = QueryMetric("slo", "x", max=1)
    analysis = replace(DEMO_ANALYSIS, metrics=(*DEMO_ANALYSIS.metrics, guard))
    course = course_of(state.with_release(replace(state.release, analysis=analysis)))
    assert course is not None
    assert course.analysis.metrics == (guard,)


def test_nothing_is_judged_in_a_rollback_or_while_idle() -> None:
    for phase in (Phase.ROLLING_BACK, Phase.ABORTED, Phase.PENDING, Phase.SUCCEEDED):
        assert look(None, DEMO_TARGET, _state(StepRecord(_at(0)), phase=phase), _at(9)) is None


def _slots(*indices: int) -> list[Block]:
    return [_block(index, events=60) for index in indices]


def _fast(asked: Look, *indices: int) -> Judged:
    return folded(asked, Collected(FIRST - 1, {"errors": []}, {"errors": _slots(*indices)}))


FIRST_SLOT = TIMING.first_full_slot(START)


def test_asks_for_slots_from_the_first_full_one_of_the_present_step() -> None:
    state = _state(StepRecord(_at(0), _at(3)), StepRecord(_at(21)))
    assert _look(Memory(), state).request.fast_after == FIRST_SLOT + 21 - 1


def test_asks_for_the_latest_slot_again() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    asked = _look(memory, state)
    memory.keep(asked.course, _fast(asked, FIRST_SLOT, FIRST_SLOT + 1))
    assert _look(memory, state).request.fast_after == FIRST_SLOT


def test_asks_for_no_slots_where_the_fast_lane_is_off_or_nothing_has_one() -> None:
    state = _state(StepRecord(_at(0)))
    assert state.release is not None
    for analysis in (replace(DEMO_ANALYSIS, fast_lane=None), replace(DEMO_ANALYSIS, metrics=(QueryMetric("g", "x"),))):
        changed = state.with_release(replace(state.release, analysis=analysis))
        assert _look(Memory(), changed).request.fast_after is None


def test_slots_that_come_one_by_one_and_again_leave_what_all_at_once_leave() -> None:
    memory, state = Memory(), _state(StepRecord(_at(0)))
    for upto in range(1, 6):
        asked = _look(memory, state)
        assert asked.request.fast_after is not None
        memory.keep(asked.course, _fast(asked, *range(asked.request.fast_after + 1, FIRST_SLOT + upto)))
    at_once = _fast(_look(Memory(), state), *range(FIRST_SLOT, FIRST_SLOT + 5))
    assert _look(memory, state).judged.evidence.metrics == at_once.evidence.metrics
    assert at_once.verdict.outcome is Outcome.FAIL


def test_release_is_judged_with_its_own_noise() -> None:
    state = _state(StepRecord(_at(0)))
    assert state.release is not None
    noisy = state.with_release(replace(state.release, noise={"errors": Noise(4.0, 0.2)}))
    evidence = _look(Memory(), noisy).judged.evidence.metrics[0]
    assert not isinstance(evidence, GuardEvidence)
    assert evidence.noise == Noise(4.0, 0.2)
