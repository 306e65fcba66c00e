"""Two electors, one Lease, and whatever can come in between: they never both have the right, and epochs only rise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from analyzer.actuation.lease import LeaseAt, LeaseElector
from analyzer.kube.errors import NotFoundError, PreconditionError, UnavailableError
from analyzer.kube.objects import LEASES, Json
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import FakeApi

SPACE, NAME = "canary", "canary-analyzer"
PAUSES = st.one_of(st.floats(0, 3), st.floats(0, 30))
TROUBLE = st.sampled_from(["none", "refused", "answer lost", "made later"])
RETRY = 2.0
WRITES = ("create", "patch")


class Line:
    """One daemon's way to the API server; on it requests take time, others act meanwhile, and writes arrive late."""

    def __init__(self, machine: LeaseMachine) -> None:
        self._machine = machine
        self.plan: list[tuple[str, float, float, bool]] = []

    def __getattr__(self, verb: str) -> Callable[..., Json]:
        def call(*arguments: Any, **options: Any) -> Json:
            trouble, before, after, interrupted = self.plan.pop(0) if self.plan else ("none", 0.0, 0.0, False)
            machine = self._machine
            machine.let_pass(before, self if interrupted else None)
            request: Callable[[], Json] = partial(getattr(machine.api, verb), *arguments, **options)
            if trouble == "refused" or (trouble == "made later" and verb not in WRITES):
                raise UnavailableError("connection refused")
            if trouble == "made later":
                machine.late.append(request)
                raise UnavailableError("timed out")
            try:
                return self._answered(request(), trouble)
            finally:
                machine.let_pass(after, self if interrupted else None)

        return call

    def _answered(self, found: Json, trouble: str) -> Json:
        if trouble == "answer lost":
            raise UnavailableError("timed out")
        return found


class LeaseMachine(RuleBasedStateMachine):
    """Both processes' clocks run at the same pace; a paused process simply makes no step."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.api = FakeApi(self.clock)
        self.late: list[Callable[[], Json]] = []
        self.lines = (Line(self), Line(self))
        self.electors = tuple(
            LeaseElector(line, self.clock, LeaseAt(SPACE, NAME, f"d{number}"))  # type: ignore[arg-type]
            for number, line in enumerate(self.lines)
        )
        self.busy: set[int] = set()
        self.held: tuple[int, int] | None = None

    @initialize()
    def both_have_seen_the_lease(self) -> None:
        """Otherwise a daemon that starts just when the Lease is deleted can't know that there was one."""
        for elector in self.electors:
            elector.step()

    @rule(
        who=st.integers(0, 1),
        plan=st.lists(st.tuples(TROUBLE, PAUSES, PAUSES, st.booleans()), max_size=3),
        other=st.lists(st.tuples(TROUBLE, PAUSES, PAUSES, st.just(value=False)), max_size=3),
    )
    def step(
        self,
        who: int,
        plan: list[tuple[str, float, float, bool]],
        other: list[tuple[str, float, float, bool]],
    ) -> None:
        self.lines[who].plan, self.lines[1 - who].plan = plan, other
        self.busy = {who}
        self.electors[who].step()
        self.busy = set()

    def let_pass(self, seconds: float, line: Line | None) -> None:
        """Time in which one waits on its line; the other one goes on meanwhile, if it doesn't wait itself."""
        other = None if line is None else 1 - self.lines.index(line)
        while seconds > 0:
            self.clock.advance(min(seconds, RETRY))
            seconds -= RETRY
            if other is not None and other not in self.busy:
                self.busy.add(other)
                self.electors[other].step()
                self.busy.discard(other)
            self.check()

    @rule(seconds=PAUSES)
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(rounds=st.integers(1, 12))
    def run_well(self, rounds: int) -> None:
        for line in self.lines:
            line.plan = []
        for _ in range(rounds):
            self.clock.advance(2)
            for elector in self.electors:
                elector.step()
                self.check()

    @rule(which=st.integers(0, 5))
    def arrive_late(self, which: int) -> None:
        if which < len(self.late):
            try:
                self.late.pop(which)()
            except (PreconditionError, NotFoundError):
                return

    @rule(who=st.integers(0, 1), trouble=TROUBLE)
    def give_back(self, who: int, trouble: str) -> None:
        self.lines[who].plan = [(trouble, 0.0, 0.0, False)]
        self.electors[who].release()

    @rule()
    def delete_lease(self) -> None:
        try:
            self.api.remove(LEASES, SPACE, NAME)
        except NotFoundError:
            return

    @invariant()
    def check(self) -> None:
        """Never two; and whoever has the right has a higher epoch than everybody before."""
        epochs = [(elector.held(), number) for number, elector in enumerate(self.electors)]
        having = [(epoch, number) for epoch, number in epochs if epoch is not None]
        assert len(having) <= 1, f"both hold: {having}"
        for now in having:
            assert self.held is None or now == self.held or now[0] > self.held[0], f"{now} after {self.held}"
            self.held = now


LeaseMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLeaseMachine = LeaseMachine.TestCase
