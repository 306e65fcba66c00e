"""Whatever happens to a target, in whatever order: the decision core keeps its promises, and every path ends."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from analyzer.decision import decide
from analyzer.model.decision import Decision
from analyzer.model.phase import Phase
from analyzer.model.plan import (
    Mode,
    OnDrift,
    Plan,
    Promotion,
)
from analyzer.model.state import Result, Verb
from analyzer.model.target import Roles, Side, Target
from analyzer.model.verdict import Verdict
from tests.fakes.verdicts import (
    ADVERSE,
    ANALYSIS,
    ERROR,
    FAIL,
    GUARD_FAIL,
    HELD,
    NO_DATA,
    PASS,
    PROVEN_STEP,
    SILENT,
    UNCOVERED,
    UNDECIDED,
)
from tests.fakes.world import Crash, World
from tests.properties.decision_plans import plans
from tests.properties.decision_promises import Moment, check, check_capacity

VERDICTS: dict[str, Verdict | None] = {
    "none": None,
    "pass": PASS,
    "fail": FAIL,
    "guard": GUARD_FAIL,
    "proven step": PROVEN_STEP,
    "undecided": UNDECIDED,
    "adverse": ADVERSE,
    "no data": NO_DATA,
    "error": ERROR,
    "uncovered": UNCOVERED,
    "silent pods": SILENT,
    "held by a guard": HELD,
}
NOT_BAD = sorted(VERDICTS.keys() - {"fail", "guard"})
GOALS = ((Phase.PROGRESSING, False), (Phase.PROMOTING, False), (Phase.PROMOTING, True), (Phase.BAKING, True))
LONG_ENOUGH = 400
"""Ticks within which a fair world brings any release to an end; what it takes is far less."""

PASSED = (timedelta(0), timedelta(days=400))

sides = st.sampled_from(Side)
images = st.sampled_from(["shop:1", "shop:2", "shop:3", "shop:4"])
policies = st.sampled_from(OnDrift)
seconds = st.sampled_from([0, 5, 15, 15, 15, 30, 300, 1200])


class DecisionMachine(RuleBasedStateMachine):
    """One target in a small world; every tick is checked against the promises."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.told: set[str] = set()

    @initialize(
        plan=plans(),
        total=st.integers(1, 12),
        canary=st.integers(0, 2),
        policy=policies,
        mode=st.sampled_from([Mode.ACT] * 5 + [Mode.OBSERVE]),
        first=st.booleans(),
    )
    def begin(self, plan: Plan, total: int, canary: int, policy: OnDrift, mode: Mode, *, first: bool) -> None:
        target = Target("shop", "default", Roles("shop-stable", "shop-canary"), plan, ANALYSIS, mode, policy)
        self.world = World(target, stable=total, canary=canary)
        if not first:
            self._tick(None, None)
            self.world.edit(Side.CANARY, "shop:2")
            self._tick(None, None)

    # What we do

    @rule(
        verdict=st.sampled_from([*NOT_BAD, "pass", "pass"]),
        crash=st.sampled_from([None, None, None, *Crash]),
        passed=seconds,
        run=st.booleans(),
        deliver=st.booleans(),
    )
    def tick(self, verdict: str, crash: Crash | None, passed: int, *, run: bool, deliver: bool) -> None:
        if run:
            self.world.run_pods()
        if deliver and self.world.state is not None:
            self.world.state = replace(self.world.state, outbox=())
        self.world.wait(passed)
        self._tick(VERDICTS[verdict], crash)

    @rule(verdict=st.sampled_from(["fail", "guard"]))
    def tick_while_bad(self, verdict: str) -> None:
        self._tick(VERDICTS[verdict], None)

    @rule(goal=st.sampled_from(GOALS), verdict=st.sampled_from(["pass", "pass", "proven step", "undecided"]))
    def go_on_well(self, goal: tuple[Phase, bool], verdict: str) -> None:
        """Nothing bad happens until a phase is reached, with stable's pods gone or not, or nothing moves any more."""
        for _ in range(60):
            self.world.run_pods()
            self.world.wait(15)
            choice = self._tick(VERDICTS[verdict], None)
            release = choice.state.release
            written = release is not None and release.written
            if choice.state.phase.idle or (choice.state.phase, written) == goal:
                return

    # What happens to pods

    @rule(side=sides, which=st.integers(0, 11), what=st.sampled_from(["ready", "ready", "unready", "crashes"]))
    def something_happens_to_a_pod(self, side: Side, which: int, what: str) -> None:
        if not self._exists(side):
            return
        deployment = self.world.side(side)
        fitting = [pod.name for pod in deployment.kept if pod.available != (what == "ready")]
        if not fitting:
            return
        name = fitting[which % len(fitting)]
        match what:
            case "ready":
                self.world.become_available(deployment, name)
            case "unready":
                self.world.fall_ill(deployment, name)
            case _:
                self.world.fall_ill(deployment, name, waiting="CrashLoopBackOff", restarts=3)

    @rule(side=sides, what=st.sampled_from(["reap", "reap", "quota", "room", "pause", "resume", "restart"]))
    def something_happens_to_a_side(self, side: Side, what: str) -> None:
        if not self._exists(side):
            return
        deployment = self.world.side(side)
        match what:
            case "reap":
                self.world.reap(deployment)
            case "quota" | "room":
                deployment.refused = "exceeded quota: pods" if what == "quota" else None
            case "pause" | "resume":
                deployment.paused = what == "pause"
            case _:
                deployment.restart()
                deployment.reconcile(self.world.now)

    @rule()
    def late_writes_are_made(self) -> None:
        self.world.answer()

    # What people do

    @rule(
        verb=st.sampled_from(Verb),
        stale=st.sampled_from([False, False, False, True]),
        extend=st.sampled_from([None, timedelta(0), timedelta(hours=1)]),
    )
    def command(self, verb: Verb, extend: timedelta | None, *, stale: bool) -> None:
        if self.world.state is not None and self._exists(Side.CANARY):
            self.world.ask(verb, "stale" if stale else None, extend)

    @rule(side=sides, replicas=st.integers(0, 14), image=images, what=st.sampled_from(["scale", "edit"]))
    def somebody_meddles(self, side: Side, replicas: int, image: str, what: str) -> None:
        if not self._exists(side):
            return
        if what == "scale":
            self.world.scale(side, replicas)
        else:
            self.world.edit(side, image)

    @rule(policy=policies, frozen=st.sampled_from([False, False, True]))
    def the_configuration_changes(self, policy: OnDrift, *, frozen: bool) -> None:
        self.world.policy(policy)
        self.world.freeze(frozen=frozen)

    @rule(side=sides, rarely=st.integers(0, 5), replicas=st.integers(0, 12), image=images, unseen=st.booleans())
    def somebody_deletes_or_makes_again(
        self, side: Side, rarely: int, replicas: int, image: str, *, unseen: bool
    ) -> None:
        if len(self.world.deployments) == 2 and rarely == 0:
            self.world.delete(side)
        if unseen or rarely > 0:
            for name, track in (("shop-stable", "stable"), ("shop-canary", "canary")):
                if name not in self.world.deployments:
                    self.world.recreate(name, track, replicas, image)

    # Every path ends

    @rule(verdict=st.sampled_from(["pass", "fail"]))
    def every_path_ends(self, verdict: str) -> None:
        """A fair world: pods become available, the judge makes up its mind, nobody edits, operators answer."""
        real = (self.world, self.told)
        self.world, self.told = copy.deepcopy(self.world), set(self.told)
        try:
            self._play_fair(VERDICTS[verdict])
        finally:
            self.world, self.told = real

    def _play_fair(self, verdict: Verdict | None) -> None:
        world = self.world
        world.freeze(frozen=False)
        world.unanswered.clear()
        for deployment in world.deployments.values():
            deployment.refused, deployment.paused = None, False
        self._to_rest(verdict)
        if len(world.deployments) < 2 or world.target.mode is Mode.OBSERVE:
            return
        if world.stable.replicas == 0:
            world.scale(Side.STABLE, 3)
        world.edit(Side.CANARY, "shop:next")
        self._to_rest(verdict)
        self._ended_right(verdict)

    def _to_rest(self, verdict: Verdict | None) -> None:
        reasons: list[str] = []
        for _ in range(LONG_ENOUGH):
            self.world.run_pods()
            self.world.wait(30)
            self._answer_for_people()
            before = self.world.state
            choice = self._tick(verdict, None)
            reasons.append(choice.reason)
            if choice.state.phase.idle and choice.move is None and before == self.world.state:
                return
        raise AssertionError(f"no end: {self.world.known.phase}, {reasons[-2:]}")

    def _ended_right(self, verdict: Verdict | None) -> None:
        """A release that nothing disturbed: promoted and alone, or aborted and as it was before."""
        world, state = self.world, self.world.known
        release = state.release
        assert release is not None
        good = verdict is PASS
        assert state.phase is (Phase.SUCCEEDED if good else Phase.ABORTED)
        assert release.result is (Result.PROMOTED if good else Result.ABORTED)
        assert (world.stable.image == "shop:next") is good
        assert world.stable.replicas == release.total
        assert world.canary.replicas == 0
        assert good or release.safe_at is not None

    def _answer_for_people(self) -> None:
        world, state = self.world, self.world.state
        if state is None or len(world.deployments) < 2:
            return
        if state.phase is Phase.PENDING and world.stable.replicas == 0:
            world.scale(Side.STABLE, 3)  # what production needs is for people to say
        if state.release is None or not state.phase.active:
            return
        plan, release = state.release.plan, state.release
        if release.mode is Mode.OBSERVE and world.canary.replicas == 0:
            world.scale(Side.CANARY, 1)  # who only observes, leaves the replicas to people
        if state.phase is Phase.PAUSED:
            world.ask(Verb.RESUME, extend=timedelta(hours=1))
        if state.phase is Phase.PROMOTING and plan.promote is Promotion.EXTERNAL and not release.written:
            world.edit(Side.STABLE, world.canary.image, by="gitops")
        if state.phase is Phase.PROMOTING and release.written and release.canary.hash != world.stable.template.hash:
            world.ask(Verb.ABORT)  # somebody put a third version on stable after ours: no other way is left

    # The tick itself

    def _tick(self, verdict: Verdict | None, crash: Crash | None) -> Decision:
        world = self.world
        before, snapshot = world.state, world.snapshot()
        known = {command.id for command in before.executed} if before else set()
        assert world.decide(verdict) == world.decide(verdict)
        self._time_alone_wakes_nobody()
        saved = len(before.outbox) if before else 0
        choice = world.tick(verdict, crash)
        accepted = {one.verb for one in choice.state.executed if one.id not in known and one.accepted}
        moment = Moment(before, snapshot, verdict, choice, frozenset(accepted), world.now)
        check(moment)
        if crash is not Crash.BEFORE_INTENT:
            new = [entry.alert.id for entry in choice.state.outbox[saved:]]
            assert len(set(new)) == len(new)
            assert not self.told & set(new)
            self.told |= set(new)
        if choice.move is not None and crash in (None, Crash.AFTER_WRITE):
            check_capacity(moment, world.snapshot())
        return choice

    def _time_alone_wakes_nobody(self) -> None:
        """The engine decides on an idle target again only once something has changed (`engine.target.IdleSnapshot`)."""
        world, state, snapshot = self.world, self.world.state, self.world.snapshot()
        if state is None or not state.phase.idle:
            return
        now, later = (decide(state, snapshot, None, world.commands, world.now + passed) for passed in PASSED)
        if now.next_state == state and not (now.move or now.transitions or now.notes):
            assert later == now

    def _exists(self, side: Side) -> bool:
        roles = self.world.state.roles if self.world.state else self.world.target.roles
        return roles.name(side) in self.world.deployments


DecisionMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestDecisionMachine = DecisionMachine.TestCase
