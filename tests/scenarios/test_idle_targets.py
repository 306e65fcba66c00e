"""An idle target at which nothing changes costs no decision, and whatever changes wakes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from analyzer.model.errors import ActuationError
from analyzer.model.phase import Phase
from analyzer.model.state import Command, Stored, Verb
from analyzer.model.workload import Snapshot
from tests.scenarios.stage import CANARY, STABLE, Stage


class CountingStage(Stage):
    """Counts how often the document was loaded: once in each tick that decides."""

    loads = 0

    def __init__(self) -> None:
        super().__init__()
        load = self.store.load

        def counted(target: str) -> Stored | None:
            self.loads += 1
            return load(target)

        self.store.load = counted  # type: ignore[method-assign]
        self.run(20)  # its status is published by then

    def ticks_in(self, seconds: float) -> int:
        """So many ticks decided while time passed."""
        before = self.loads
        self.run(seconds)
        return self.loads - before


def test_decides_nothing_while_nothing_changes_and_is_reported_all_the_same() -> None:
    stage = CountingStage()
    reports = len(stage.notebook.reports)
    assert stage.ticks_in(20) == 0
    assert len(stage.notebook.reports) == reports + 20


def test_rests_again_after_a_release() -> None:
    stage = CountingStage()
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    stage.run(30)
    assert stage.ticks_in(20) == 0


def _new_template(stage: CountingStage) -> None:
    stage.release("v2")


def _scaled(stage: CountingStage) -> None:
    stage.cluster.scale(STABLE, 7)


def _commanded(stage: CountingStage) -> None:
    stage.store.submit("shop", Command("c1", Verb.START, "another version", "ann", stage.clock.now()))


def _frozen(stage: CountingStage) -> None:
    stage.freeze = True
    stage.reconfigure(stage.target)


def _configured(stage: CountingStage) -> None:
    stage.reconfigure(replace(stage.target))


def _won_again(stage: CountingStage) -> None:
    stage.lease.win(2)


@pytest.mark.parametrize("change", [_new_template, _scaled, _commanded, _frozen, _configured, _won_again])
def test_any_change_wakes_it(change: Callable[[CountingStage], None]) -> None:
    stage = CountingStage()
    change(stage)
    assert stage.ticks_in(1) >= 1


def test_a_change_of_the_canary_while_the_cluster_can_t_be_seen_is_found_afterwards() -> None:
    stage = CountingStage()
    seen = stage.cluster.snapshot

    def unseen(*_: object) -> Snapshot:
        raise ActuationError("Pod cache for namespace default is stale: 1m10s old, limit 1m")

    stage.cluster.snapshot = unseen  # type: ignore[method-assign, assignment]
    stage.release("v2")
    stage.run(2)
    assert stage.last.error == "Pod cache for namespace default is stale: 1m10s old, limit 1m"
    stage.cluster.snapshot = seen  # type: ignore[method-assign]
    stage.run(2)
    assert stage.phase is Phase.PROGRESSING


def test_a_bug_at_the_look_whether_anything_changed_is_this_target_s_alone() -> None:
    stage = CountingStage()

    def broken(_: str) -> Sequence[Command]:
        raise KeyError("oops")

    stage.store.commands = broken  # type: ignore[method-assign, assignment]
    stage.run(2)
    assert "KeyError: 'oops' (a bug" in (stage.last.error or "")


def test_a_canary_scaled_outside_a_release_is_taken_back_to_0() -> None:
    stage = CountingStage()
    stage.release("v2")
    stage.run_to(Phase.SUCCEEDED)
    stage.run(30)
    stage.cluster.scale(CANARY, 2)
    stage.run(2)
    assert stage.sides == (10, 0)
