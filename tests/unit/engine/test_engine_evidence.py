"""What is asked of Prometheus follows from the document alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analyzer.engine.evidence import EvidenceMemory, Look, course_of, folded
from analyzer.judge import judge
from analyzer.model.block import Block, Counts, SideBlock, Timing
from analyzer.model.errors import ObservationError
from analyzer.model.metric import QueryMetric
from analyzer.model.phase import Phase
from analyzer.model.state import DeadlineClock, Release, StepRecord, TargetState
from analyzer.model.verdict import Outcome
from analyzer.model.workload import Template
from analyzer.ports import Collected
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
    return Block(index, SideBlock({"c": Counts(events, 100)}), SideBlock({"s": Counts(4, 100)}))


def _answer(*indices: int) -> Collected:
    return Collected(max(indices), {"errors": [_block(index) for index in indices]})


def _look(memory: EvidenceMemory, state: TargetState) -> Look:
    look = memory.look(DEMO_TARGET, state)
    assert look is not None
    return look


def test_asks_from_the_first_full_block_of_the_present_step() -> None:
    state = _state(StepRecord(_at(0), _at(3)), StepRecord(_at(21)))
    assert _look(EvidenceMemory(), state).request.after == FIRST + 11 - 1


def test_asks_for_the_latest_block_again() -> None:
    memory, state = EvidenceMemory(), _state(StepRecord(_at(0)))
    look = _look(memory, state)
    memory.keep("shop", look.course, folded(look, _answer(FIRST, FIRST + 1)))
    assert _look(memory, state).request.after == FIRST


def test_next_step_begins_with_nothing_and_asks_for_none_of_the_old_blocks() -> None:
    memory, first = EvidenceMemory(), StepRecord(_at(0), _at(1))
    look = _look(memory, _state(first))
    memory.keep("shop", look.course, folded(look, _answer(FIRST)))
    following = _look(memory, _state(first, StepRecord(_at(60))))
    assert following.request.after == FIRST + 29
    assert judge(following.evidence).metrics[0].canary == Counts(0, 0)


def test_failure_of_prometheus_is_an_error_of_every_metric_and_loses_nothing() -> None:
    memory, state = EvidenceMemory(), _state(StepRecord(_at(0)))
    look = _look(memory, state)
    memory.keep("shop", look.course, folded(look, _answer(FIRST)))
    down = folded(_look(memory, state), ObservationError("connection refused"))
    assert judge(down).outcome is Outcome.ERROR
    memory.keep("shop", look.course, down)
    after = folded(_look(memory, state), _answer(FIRST, FIRST + 1))
    assert judge(after).metrics[0].canary == Counts(8, 200)


def test_proof_that_begins_in_a_folded_block_starts_over_from_all_blocks_of_the_step() -> None:
    memory = EvidenceMemory()
    look = _look(memory, _state(StepRecord(_at(0))))
    memory.keep("shop", look.course, folded(look, _answer(FIRST, FIRST + 1, FIRST + 2)))
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


def test_nothing_is_judged_in_a_rollback_or_at_rest() -> None:
    for phase in (Phase.ROLLING_BACK, Phase.ABORTED, Phase.PENDING, Phase.SUCCEEDED):
        assert EvidenceMemory().look(DEMO_TARGET, _state(StepRecord(_at(0)), phase=phase)) is None
