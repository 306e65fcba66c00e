"""What a write may cost holds for whatever is seen, also where the cluster lags far behind what it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.decision import decide, enroll, keep_invariants
from analyzer.decision.invariants import violation
from analyzer.decision.moves import drain, next_move
from analyzer.decision.replicas import bounds_of
from analyzer.model.plan import Amount, Capacity, CapacityMode, OnDrift, Promotion
from analyzer.model.verdict import Verdict
from analyzer.model.workload import Replicas, Workload
from tests.fakes.verdicts import FAIL, PASS, PROVEN_STEP, UNDECIDED
from tests.fakes.world import World
from tests.properties.decision_plans import amounts
from tests.unit.decision.given import baking, idle_world, pending, progressing, promoting, rolling_back, written

PLANS: dict[str, dict[str, Any]] = {
    "copy": {},
    "swap": {"promote": Promotion.SWAP, "holdback": 2},
    "external": {"promote": Promotion.EXTERNAL},
    "tight": {"capacity": Capacity(max_surge=Amount(0), max_unavailable=Amount(1))},
    "surge": {"capacity": Capacity(mode=CapacityMode.SURGE)},
}
PHASES: dict[str, Callable[..., World]] = {
    "idle": idle_world,
    "pending": pending,
    "progressing": progressing,
    "promoting": promoting,
    "written": written,
    "baking": baking,
    "rolling back": rolling_back,
}
NEVER = {("external", "written"), ("external", "baking")}
"""Where a plan comes only by the hand of somebody else."""

numbers = st.integers(0, 14)
Change = Callable[[Workload], Workload]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """What a Deployment may look like in place of what it is: replicas as they are or scaled, pods that lag behind."""
    scaled, current = draw(st.one_of(st.none(), numbers)), draw(numbers)
    seen: dict[str, Any] = {
        "current": current,
        "updated": draw(st.one_of(st.just(current), st.integers(0, current))),
        "available": draw(st.integers(0, current)),
        "observed": draw(st.booleans()),
    }
    asis = draw(st.booleans())
    return lambda real: replace(real, replicas=real.replicas if scaled is None else scaled, **({} if asis else seen))


@settings(deadline=None, derandomize=True)
@given(changes(), changes(), st.tuples(numbers, numbers), amounts, amounts, st.integers(1, 12))
def test_next_move_keeps_them(
    stable: Change, canary: Change, goal: tuple[int, int], surge: Amount, missing: Amount, total: int
) -> None:
    world, capacity = PRESERVED, Capacity(max_surge=surge, max_unavailable=missing)
    release = world.known.release
    assert release is not None
    state = world.known.with_release(replace(release, total=total, plan=replace(release.plan, capacity=capacity)))
    sides = stable(world.stable.seen()), canary(world.canary.seen())
    move = next_move(*sides, Replicas(*goal), bounds_of(capacity, total))
    seen = replace(world.snapshot(), stable=sides[0], canary=sides[1])
    assert move is None or violation(state, seen, move) is None


@settings(deadline=None, derandomize=True)
@given(changes(), changes(), st.integers(1, 5))
def test_drain_keeps_them(stable: Change, canary: Change, batch: int) -> None:
    sides = stable(SURGED.stable.seen()), canary(SURGED.canary.seen())
    move = drain(sides[1], batch=batch, covered=sides[0].settled)
    seen = replace(SURGED.snapshot(), stable=sides[0], canary=sides[1])
    assert move is None or violation(SURGED.known, seen, move) is None


@pytest.mark.parametrize(
    ("plan", "phase"), [(plan, phase) for plan in PLANS for phase in PHASES if (plan, phase) not in NEVER]
)
def test_no_decision_breaks_them_whatever_is_seen(plan: str, phase: str) -> None:
    world = PHASES[phase](**PLANS[plan])
    real = world.snapshot()
    assert real.stable is not None
    assert real.canary is not None
    sides = real.stable, real.canary

    @settings(max_examples=100, derandomize=True, deadline=None)
    @given(
        changes(),
        changes(),
        st.sampled_from([None, PASS, PROVEN_STEP, UNDECIDED, FAIL]),
        st.sampled_from(OnDrift),
        st.sampled_from([0, 15, 400, 10_000]),
    )
    def holds(stable: Change, canary: Change, verdict: Verdict | None, policy: OnDrift, passed: int) -> None:
        target, now = replace(world.target, on_drift=policy), world.now + timedelta(seconds=passed)
        seen = replace(real, target=target, stable=stable(sides[0]), canary=canary(sides[1]))
        choice = decide(enroll(world.known, seen, now), seen, verdict, (), now)
        assert keep_invariants(choice, seen, now) is choice

    holds()


PRESERVED = progressing()
SURGED = progressing(capacity_mode=CapacityMode.SURGE)
