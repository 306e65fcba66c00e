"""Where the tests of the decision core begin: a target, and worlds brought to a phase."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import Capacity, Plan, Step
from analyzer.model.state import Verb
from analyzer.model.target import Roles, Side, Target
from analyzer.model.verdict import Verdict
from tests.fakes.verdicts import ANALYSIS, PASS, PROVEN_STEP
from tests.fakes.world import World

STEPS = (Step(30, timedelta(minutes=1)), Step(50, timedelta(minutes=1)))
TICK = 15.0


def a_target(**changes: Any) -> Target:
    """A target named shop; changes that it does not know are the plan's."""
    own = {key: changes.pop(key) for key in ("mode", "on_drift", "analysis") if key in changes}
    values: dict[str, Any] = {"steps": STEPS, "bake": timedelta(minutes=5), "deadline": timedelta(minutes=30)}
    if "capacity_mode" in changes:
        changes["capacity"] = Capacity(mode=changes.pop("capacity_mode"))
    frozen = Plan(**{**values, **changes})
    target = Target("shop", "default", Roles("shop-stable", "shop-canary"), frozen, ANALYSIS)
    return replace(target, **own)


def idle_world(*, stable: int = 10, canary: int = 0, **changes: Any) -> World:
    """A target that was seen once, with nothing to do."""
    world = World(a_target(**changes), stable, canary)
    world.tick()
    return world


def pending(**changes: Any) -> World:
    """A new version was noticed."""
    world = idle_world(**changes)
    world.admission = replace(world.admission, obstacle="no slot is free")
    world.edit(Side.CANARY, "shop:2")
    world.tick()
    world.admission = replace(world.admission, obstacle=None)
    return world


def progressing(**changes: Any) -> World:
    """The first step's weight is reached, and its pods are measured."""
    world = pending(**changes)
    run(world, PROVEN_STEP, until=_settled)
    return world


def promoting(**changes: Any) -> World:
    """The new version was proven; nothing has moved since."""
    world = progressing(**changes)
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.PROMOTING)
    return world


def written(**changes: Any) -> World:
    """The new template is on stable, which has yet to come up."""
    world = promoting(**changes)
    run(world, PASS, until=lambda choice: choice.next_state.release is not None and choice.next_state.release.written)
    return world


def baking(**changes: Any) -> World:
    """The new version serves alone."""
    world = promoting(**changes)
    run(world, PASS, until=lambda choice: choice.state.phase is Phase.BAKING)
    return world


def rolling_back(**changes: Any) -> World:
    """The release was given up and its canary still serves."""
    world = progressing(**changes)
    world.ask(Verb.ABORT)
    world.tick(PASS)
    return world


def run(world: World, verdict: Verdict | None, *, until: Any, ticks: int = 80, seconds: float = TICK) -> Decision:
    """Tick while all goes well for the pods, until a decision is as wished."""
    reasons = []
    for _ in range(ticks):
        world.run_pods()
        choice = world.tick(verdict, seconds=seconds)
        reasons.append(choice.reason)
        if until(choice):
            return choice
    raise AssertionError(f"not reached: {world.known.phase}, {reasons[-3:]}")


def to_rest(world: World, verdict: Verdict | None = PASS) -> Decision:
    """Tick until nothing moves any more."""
    return run(world, verdict, until=lambda choice: choice.state.phase.idle and choice.move is None)


def _settled(choice: Decision) -> bool:
    release = choice.state.release
    return release is not None and release.record.settled_at is not None


def events(world: World) -> list[str]:
    """What was told so far, oldest first."""
    return [entry.alert.event.value for entry in world.known.outbox]


def replicas(world: World) -> tuple[int, int]:
    """What is asked for: stable, canary."""
    return world.stable.replicas, world.canary.replicas
