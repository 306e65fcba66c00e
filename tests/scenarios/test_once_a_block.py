"""With as few looks as blocks, or few pods, an abort is confirmed all the same, and nobody waits for it in vain."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.block import Counts
from analyzer.model.metric import Analysis, Gating, HistogramMetric, Margin
from analyzer.model.phase import Phase
from analyzer.model.plan import Step
from tests.fakes.cluster import FakePod
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_ANALYSIS, DEMO_PLAN, DEMO_TARGET, ERRORS, Stage

LATENCY = HistogramMetric("latency", "latency_bucket", objective=0.25)
LONG = replace(DEMO_PLAN, deadline=timedelta(hours=5), ready_within=timedelta(minutes=5))


def stage_of(analysis: Analysis, traffic: Traffic, *weights: float, phase: float = 4, replicas: int = 10) -> Stage:
    """One that is looked at each `interval`, `phase` seconds after its multiples; steps last half an hour."""
    steps = tuple(Step(weight, timedelta(minutes=30)) for weight in weights)
    plan = replace(LONG, steps=steps) if steps else LONG
    stage = Stage(replace(DEMO_TARGET, analysis=analysis, plan=plan), traffic, replicas)
    interval = analysis.interval.total_seconds()
    stage.clock.advance((phase - stage.clock.now().timestamp()) % interval)
    return stage


def look_on(stage: Stage, seconds: float) -> None:
    """Look once an interval, until the release is given up or this time is over."""
    interval = stage.target.analysis.interval.total_seconds()
    for _ in range(round(seconds / interval)):
        stage.look()
        if stage.phase is Phase.ABORTED:
            return
        stage.clock.advance(interval)


@pytest.mark.parametrize("phase", [0.5, 4, 6, 9, 14])
@pytest.mark.parametrize(("interval", "scrape"), [(15, 5), (15, 7), (30, 15), (60, 30), (15, 15)])
def test_a_bad_version_is_aborted_by_the_main_test(interval: int, scrape: int, phase: float) -> None:
    # Few errors: the fast lane, which is confirmed in its own way, is off.
    analysis = replace(DEMO_ANALYSIS, interval=timedelta(seconds=interval), fast_lane=None)
    stage = stage_of(analysis, Traffic(scrape=scrape), phase=phase)
    stage.release("v2", errors=0.12)
    look_on(stage, 3600)
    assert stage.phase is Phase.ABORTED
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "errors"


@pytest.mark.parametrize("onset", range(15, 180, 15))
def test_a_version_that_turns_bad_beside_one_stable_pod_is_aborted(onset: int) -> None:
    analysis = replace(DEMO_ANALYSIS, interval=timedelta(seconds=15), warmup=timedelta(seconds=60))
    stage = stage_of(analysis, Traffic(scrape=15, rps=30, usual_errors=0.001), 33, 67, phase=11, replicas=3)
    stage.release("v2", errors=0.001)
    while Phase.PROGRESSING not in stage.phases or stage.current.step < 1:
        look_on(stage, 15)
    look_on(stage, onset)
    stage.metrics.traffic.error_rates = {"v2": 1.0}
    look_on(stage, 600)
    assert stage.phase is Phase.ABORTED


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("ago", [1, 2])
@pytest.mark.parametrize("phase", [0.5, 4, 9, 14])
def test_a_block_without_requests_after_an_outage_keeps_no_abort_waiting(
    phase: float, ago: int, *, restarted: bool
) -> None:
    analysis = replace(DEMO_ANALYSIS, interval=timedelta(seconds=15), fast_lane=None)
    stage = stage_of(analysis, Traffic(scrape=5), 10, phase=phase)
    served, quiet = stage.metrics._slot, set[int]()

    def slot(pod: FakePod, number: int, seconds: float) -> Counts:
        nobody = pod.version == "v2" and number * seconds // 15 in quiet
        return Counts(0, 0) if nobody else served(pod, number, seconds)

    stage.metrics._slot = slot  # type: ignore[method-assign, assignment]
    stage.release("v2")
    look_on(stage, 150)
    stage.metrics.down = True
    stage.metrics.traffic.error_rates = {"v2": 0.3}
    look_on(stage, 60)
    stage.metrics.down = False
    quiet.add(math.floor((stage.clock.now().timestamp() - 2) / 15) - ago)
    if restarted:
        stage.restart()
    look_on(stage, 600)
    assert stage.phase is Phase.ABORTED


@pytest.mark.parametrize("gating", [Gating.NONE, Gating.ABORT])
def test_a_metric_that_can_t_be_measured_any_more_keeps_the_others_from_nothing(gating: Gating) -> None:
    latency = replace(LATENCY, gating=gating)
    analysis = replace(DEMO_ANALYSIS, metrics=(ERRORS, latency), interval=timedelta(seconds=15))
    stage = stage_of(analysis, Traffic(scrape=5), 10)
    stage.metrics.traffic.slow_rates = {"v2": 0.3}
    stage.release("v2")
    while not (stage.last.verdict and any(metric.pending for metric in stage.last.verdict.metrics)):
        look_on(stage, 15)
    stage.metrics.refused = {"latency": "too many samples"}
    stage.metrics.traffic.error_rates = {"v2": 0.9}
    look_on(stage, 300)
    assert stage.phase is Phase.ABORTED
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "errors"


def test_nothing_is_promoted_on_evidence_from_before_an_outage() -> None:
    latency = replace(LATENCY, gating=Gating.NONE, tolerance=Margin(1.25, 0.001))
    analysis = replace(DEMO_ANALYSIS, metrics=(ERRORS, latency), interval=timedelta(seconds=15), fast_lane=None)
    stage = stage_of(analysis, Traffic(scrape=5), 10)
    stage.metrics.traffic.slow_rates = {"v2": 0.3}
    stage.release("v2")
    look_on(stage, 1200)
    assert stage.phases[-1] is Phase.PROGRESSING
    stage.metrics.down = True
    stage.metrics.traffic.error_rates = {"v2": 0.5}
    look_on(stage, 1200)
    stage.metrics.down = False
    look_on(stage, 300)
    assert Phase.PROMOTING not in stage.phases
    assert stage.phase is Phase.ABORTED
