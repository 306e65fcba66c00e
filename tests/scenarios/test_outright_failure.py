"""A version that fails outright does not live until the warm-up is over, and noise is found out at the start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analyzer.model.block import Counts, History, SideBlock
from analyzer.model.metric import NoiseSetting
from analyzer.model.noise import Noise
from analyzer.model.phase import Phase
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_ANALYSIS, DEMO_TARGET, Stage

SLOW_START = replace(DEMO_TARGET, analysis=replace(DEMO_ANALYSIS, warmup=timedelta(seconds=60)))


def test_version_that_fails_outright_is_aborted_while_it_warms_up() -> None:
    stage = Stage(target=SLOW_START, traffic=Traffic(seed=1))
    stage.release("v2", errors=0.8)
    stage.run(12)
    assert stage.phase in (Phase.ROLLING_BACK, Phase.ABORTED)
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "errors"


def test_it_is_aborted_with_two_stable_pods_too_once_the_next_sample_confirms_it() -> None:
    stage = Stage(target=SLOW_START, traffic=Traffic(seed=1), replicas=2)
    stage.release("v2", errors=0.8)
    stage.run(14)
    assert stage.phase in (Phase.ROLLING_BACK, Phase.ABORTED)


def test_version_that_is_only_worse_is_left_to_the_main_test() -> None:
    stage = Stage(target=SLOW_START, traffic=Traffic(seed=1))
    stage.release("v2", errors=0.12)
    stage.run(20)
    assert stage.phase is Phase.PROGRESSING


def test_without_the_fast_lane_the_warm_up_protects_every_version() -> None:
    patient = replace(SLOW_START, analysis=replace(SLOW_START.analysis, fast_lane=None))
    stage = Stage(target=patient, traffic=Traffic(seed=1))
    stage.release("v2", errors=0.8)
    stage.run(20)
    assert stage.phase is Phase.PROGRESSING


def test_noise_of_a_release_comes_from_the_history_of_stable_and_is_frozen_with_it() -> None:
    unstated = replace(DEMO_TARGET, analysis=replace(DEMO_ANALYSIS, noise=NoiseSetting()))
    stage = Stage(target=unstated, traffic=Traffic(seed=1))
    batches = tuple(
        SideBlock({f"p{pod}": Counts(40 + (7 * number + 3 * pod) % 9, 1_000) for pod in range(9)})
        for number in range(24)
    )
    stage.metrics.pasts["errors"] = History(300.0, batches)
    stage.release("v2", errors=0.04)
    stage.run(5)
    noise = stage.current.noise["errors"]
    assert "2h of 9 pods" in noise.source
    stage.metrics.pasts.clear()
    stage.run(5)
    assert stage.current.noise["errors"] == noise


def test_stated_noise_needs_no_history() -> None:
    stage = Stage(traffic=Traffic(seed=1))
    stage.release("v2", errors=0.04)
    stage.run(5)
    assert stage.current.noise == {"errors": Noise(1.0, 0.0, 0.1, "stated")}
