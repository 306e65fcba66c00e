"""With as many looks as blocks, an abort is confirmed whatever the moment in a block at which the daemon looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzer.model.phase import Phase
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import DEMO_ANALYSIS, DEMO_PLAN, DEMO_TARGET, Stage


@pytest.mark.parametrize("phase", [0.5, 4, 6, 9, 14])
@pytest.mark.parametrize(("interval", "scrape"), [(15, 5), (15, 7), (30, 15), (60, 30), (15, 15)])
def test_a_bad_version_is_aborted_by_the_main_test(interval: int, scrape: int, phase: float) -> None:
    every = timedelta(seconds=interval)
    # Few errors: the fast lane, which is confirmed in its own way, is off.
    analysis = replace(DEMO_ANALYSIS, interval=every, fast_lane=None)
    plan = replace(DEMO_PLAN, deadline=timedelta(hours=5))
    target = replace(DEMO_TARGET, analysis=analysis, plan=plan)
    stage = Stage(target, Traffic(scrape=scrape))
    since = stage.clock.now().timestamp() % interval
    stage.clock.advance((phase - since) % interval)
    stage.release("v2", errors=0.12)
    for _ in range(3600 // interval):
        stage.look()
        if stage.phase is Phase.ABORTED:
            break
        stage.clock.advance(interval)
    assert stage.phase is Phase.ABORTED
    assert stage.current.cause is not None
    assert stage.current.cause.culprit == "errors"
