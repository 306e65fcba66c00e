"""Forecasts tell people how long to wait: they must come true for a canary that is like stable."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analyzer.judge.sequential.design import proof_grid
from analyzer.judge.sequential.forecast import requests_to_proof, seconds_to_proof
from analyzer.judge.sequential.profile import increment, log_evidence
from analyzer.model.block import Counts
from analyzer.model.metric import Margin, RatioMetric

GRID, TARGET = proof_grid(Margin(1.5, 0.001)), math.log(20)
NOTHING = np.zeros(len(GRID.log_weights))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02])
def test_evidence_reaches_its_target_when_foretold(share: float) -> None:
    canary, stable = Counts(share * 100, 100), Counts(share * 900, 900)
    seconds = seconds_to_proof(GRID, NOTHING, canary, stable, per_second=0.1, target=TARGET)
    assert seconds is not None
    then = 0.1 * seconds * increment(GRID.on, canary.events, 100, stable.events, 900)
    assert float(log_evidence(GRID.log_weights, then)) == pytest.approx(TARGET, rel=0.2)


def test_twice_the_traffic_takes_half_the_time() -> None:
    canary, stable = Counts(1, 100), Counts(9, 900)
    slow, fast = (
        seconds_to_proof(GRID, NOTHING, canary, stable, per_second=rate, target=TARGET) for rate in (0.1, 0.2)
    )
    assert slow is not None
    assert fast == pytest.approx(slow / 2, rel=0.05)


def test_what_is_proven_takes_no_time_and_what_takes_for_ever_none() -> None:
    proven = increment(GRID.on, 0, 10**5, 0, 10**5)
    one = Counts(0, 1)
    assert seconds_to_proof(GRID, proven, one, one, per_second=1, target=TARGET) == 0
    assert seconds_to_proof(GRID, NOTHING, one, one, per_second=1e-9, target=TARGET) is None


def test_requests_that_prove_an_errorless_canary() -> None:
    promote, advance = (
        requests_to_proof(GRID, TARGET),
        requests_to_proof(proof_grid(RatioMetric.advance_margin), TARGET),
    )
    assert promote == pytest.approx(4500, rel=0.1)
    assert advance == pytest.approx(900, rel=0.2)
    assert requests_to_proof(proof_grid(Margin(1.5)), TARGET) is None
