"""Two requests make one answer: what is now, beside what was before the promotion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from analyzer.engine.collect import collect
from analyzer.model.block import Block, Counts, GuardReading, NoData, SideBlock, Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Analysis, Gating, Metric, QueryMetric, RatioMetric, TestedMetric
from analyzer.model.phase import Phase
from analyzer.model.state import DeadlineClock, Release, TargetState
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry, Template
from analyzer.release.bake import (
    Answer,
    BakeComparison,
    bake_comparison,
    compared_analysis,
    shift_of,
)
from tests.fakes.clock import START
from tests.scenarios.stage import DEMO_TARGET

TIMING = Timing(block=2, slot=1, delay=2)
PROMOTED, BAKING = START + timedelta(seconds=100), START + timedelta(seconds=120)
ERRORS, GUARD = RatioMetric("errors", "bad", "all"), QueryMetric("slo", "x", max=1)
SHOWN = RatioMetric("shown", "odd", "all", gating=Gating.NONE)
OLD = RosterEntry("old", Side.STABLE, START - timedelta(hours=1), PROMOTED + timedelta(seconds=9))
CANARY = RosterEntry("canary", Side.CANARY, START, BAKING)
NEW = RosterEntry("new", Side.STABLE, PROMOTED + timedelta(seconds=10))
FOREIGN = RosterEntry("foreign", Side.CANARY, BAKING + timedelta(seconds=1))
FIRST = TIMING.first_full_block(BAKING)


def released(*metrics: Metric | TestedMetric, promoting_at: datetime | None = PROMOTED, **changes: object) -> Release:
    found = Release(
        id="r1",
        canary=Template("new", {}),
        stable=Template("old", {}),
        plan=replace(DEMO_TARGET.plan, bake=timedelta(seconds=61)),
        analysis=Analysis(metrics=metrics or (ERRORS, GUARD)),
        mode=DEMO_TARGET.mode,
        total=10,
        timing=TIMING,
        started_at=START,
        clock=DeadlineClock(timedelta(0), START),
        steps=(),
        promoting_at=promoting_at,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def question(until: datetime | None = None) -> BakeComparison:
    roster = (OLD, CANARY, NEW, FOREIGN)
    request = BlockRequest("shop", "default", (ERRORS, GUARD), roster, TIMING, FIRST - 1, 60.0, until=until)
    state = TargetState("shop", DEMO_TARGET.roles, Phase.BAKING, BAKING, "baking", release=released())
    return bake_comparison(request, state, 41)


def counted(index: int, side: Side, events: int) -> Block:
    pods = SideBlock({side.value: Counts(events, 100)})
    return Block(index, pods, SideBlock()) if side is Side.CANARY else Block(index, SideBlock(), pods)


NOW = Collected(
    FIRST + 1,
    {
        "errors": [counted(FIRST, Side.CANARY, 1), counted(FIRST + 1, Side.CANARY, 2)],
        "slo": [GuardReading(FIRST, 0.5), GuardReading(FIRST + 1, NoData("nothing"))],
    },
)
EARLIER = Collected(FIRST - 40, {"errors": [counted(FIRST - 41, Side.STABLE, 3), counted(FIRST - 40, Side.STABLE, 4)]})


class Laid:
    """A source with one answer laid ready for each target; remembers what it was asked."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.asked: list[BlockRequest] = []

    def collect(self, requests: Sequence[BlockRequest]) -> Iterator[tuple[str, Answer]]:
        self.asked += requests
        return ((request.target, self.answers[request.target]) for request in requests)


def joined(now: Answer = NOW, earlier: Answer = EARLIER) -> Collected:
    answer = question().joined(now, earlier)
    assert isinstance(answer, Collected)
    return answer


def test_the_bake_is_compared_with_as_long_a_time_that_ended_when_the_promotion_began() -> None:
    shift = shift_of(released(), BAKING)
    assert shift is not None
    blocks_of_bake = 31
    assert FIRST + blocks_of_bake - shift == TIMING.index(PROMOTED)


@pytest.mark.parametrize(
    "release",
    [
        released(promoting_at=None),
        released(known_good=True),
        released(GUARD, SHOWN),
        released(plan=replace(DEMO_TARGET.plan, bake=timedelta(0))),
    ],
)
def test_where_there_is_nothing_to_compare_nothing_is(release: Release) -> None:
    assert shift_of(release, BAKING) is None


def test_only_what_may_act_is_measured() -> None:
    analysis = compared_analysis(Analysis(metrics=(ERRORS, SHOWN, GUARD)))
    assert [metric.name for metric in analysis.metrics] == ["errors", "slo"]
    assert analysis.fast_lane is None


def test_each_version_is_asked_for_by_its_own_pods_in_its_own_time() -> None:
    asked = question(until=BAKING + timedelta(seconds=30))
    now, earlier = asked.now, asked.earlier
    assert [(entry.pod, entry.side) for entry in now.roster] == [("canary", Side.CANARY), ("new", Side.CANARY)]
    assert [(entry.pod, entry.side) for entry in earlier.roster] == [("old", Side.STABLE)]
    assert [metric.name for metric in earlier.metrics] == ["errors"]
    assert (now.after, earlier.after) == (FIRST - 1, FIRST - 42)
    assert earlier.until == BAKING + timedelta(seconds=30 - 82)


def test_stables_blocks_of_before_stand_beside_those_of_now() -> None:
    answer = joined()
    first, second = answer.metrics["errors"]  # type: ignore[misc]
    assert isinstance(first, Block)
    assert isinstance(second, Block)
    assert (first.index, first.canary.pods, first.stable.pods) == (
        FIRST,
        {"canary": Counts(1, 100)},
        {"stable": Counts(3, 100)},
    )
    assert second.stable.pods == {"stable": Counts(4, 100)}
    assert second.stable_later == second.stable
    assert answer.metrics["slo"] == NOW.metrics["slo"]
    assert answer.upto == FIRST + 1


def test_guards_are_read_though_the_time_before_is_not() -> None:
    error = ObservationError("too long ago")
    answer = joined(earlier=error)
    assert answer.metrics["errors"] is error
    assert answer.metrics["slo"] == NOW.metrics["slo"]


@pytest.mark.parametrize("broken", [NOW, EARLIER])
def test_a_metric_with_an_error_on_one_side_has_that_error(broken: Collected) -> None:
    error = ObservationError("refused")
    failed = replace(broken, metrics={**broken.metrics, "errors": error})
    answer = joined(now=failed) if broken is NOW else joined(earlier=failed)
    assert answer.metrics["errors"] is error


def test_one_question_to_the_source_has_both_parts_and_those_of_others() -> None:
    plain = replace(question().now, target="cart")
    source = Laid({"shop": NOW, "shop (before)": EARLIER, "cart": NOW})
    answers = dict(collect(source, [question(), plain]))  # type: ignore[arg-type]
    assert {request.target for request in source.asked} == {"shop", "shop (before)", "cart"}
    assert answers == {"shop": joined(), "cart": NOW}
