"""The next safe move: up before down, inside the bounds, never more than one write."""

from __future__ import annotations

import pytest

from analyzer.decision.moves import drain, next_move
from analyzer.decision.replicas import Bounds
from analyzer.model.target import Side
from analyzer.model.workload import Replicas, Template, Workload


def having(name: str, replicas: int, available: int | None = None, current: int | None = None) -> Workload:
    """A side with that many pods asked for, available and there."""
    there = replicas if current is None else current
    return Workload(
        name=name,
        uid=f"uid-{name}",
        replicas=replicas,
        current=there,
        updated=there,
        available=replicas if available is None else available,
        template=Template("v1", {}),
        selector={},
    )


def moved(stable: Workload, canary: Workload, goal: tuple[int, int], bounds: Bounds) -> str | None:
    move = next_move(stable, canary, Replicas(*goal), bounds)
    return None if move is None else f"{move.side.value} {move.before} to {move.after}"


def test_adds_the_canary_before_it_takes_from_stable() -> None:
    assert moved(having("s", 10), having("c", 0), (7, 3), Bounds(10, 13)) == "canary 0 to 3"
    assert moved(having("s", 10), having("c", 3, available=0), (7, 3), Bounds(10, 13)) is None
    assert moved(having("s", 10), having("c", 3, available=2), (7, 3), Bounds(10, 13)) == "stable 10 to 8"
    assert moved(having("s", 10), having("c", 3), (7, 3), Bounds(10, 13)) == "stable 10 to 7"


def test_goes_in_batches_that_the_ceiling_allows() -> None:
    assert moved(having("s", 10), having("c", 0), (0, 10), Bounds(10, 13)) == "canary 0 to 3"
    assert moved(having("s", 7), having("c", 3), (0, 10), Bounds(10, 13)) == "canary 3 to 6"


def test_waits_for_pods_that_are_still_there() -> None:
    assert moved(having("s", 7, current=10), having("c", 3), (0, 10), Bounds(10, 13)) is None


def test_takes_first_where_nothing_may_be_added() -> None:
    assert moved(having("s", 4), having("c", 0), (2, 2), Bounds(3, 4)) == "stable 4 to 3"
    assert moved(having("s", 3), having("c", 0), (2, 2), Bounds(3, 4)) == "canary 0 to 1"
    assert moved(having("s", 3), having("c", 1, available=0), (2, 2), Bounds(3, 4)) is None


def test_pods_that_do_not_serve_may_go_at_once() -> None:
    assert moved(having("s", 7), having("c", 3, available=0), (10, 0), Bounds(10, 10)) == "canary 3 to 0"
    assert moved(having("s", 7), having("c", 3, available=1), (10, 0), Bounds(10, 10)) == "canary 3 to 1"


def test_does_not_count_pods_that_are_about_to_go() -> None:
    leaving = having("s", 5, available=10, current=10)
    assert moved(leaving, having("c", 5), (5, 0), Bounds(10, 13)) is None


def test_with_a_total_of_one_the_canary_is_added_and_stable_keeps_its_pod() -> None:
    assert moved(having("s", 1), having("c", 0), (1, 1), Bounds(1, 2)) == "canary 0 to 1"
    assert moved(having("s", 1), having("c", 1, available=0), (0, 1), Bounds(1, 2)) is None
    assert moved(having("s", 1), having("c", 1), (0, 1), Bounds(1, 2)) == "stable 1 to 0"


@pytest.mark.parametrize("bounds", [Bounds(10, 13), Bounds(8, 10), Bounds(0, 10)])
def test_there_is_nothing_to_do_at_the_goal(bounds: Bounds) -> None:
    assert moved(having("s", 7), having("c", 3), (7, 3), bounds) is None


def test_draining_takes_out_what_does_not_serve_and_then_goes_in_batches_under_cover() -> None:
    assert drain(having("c", 5, available=3), batch=2, covered=False) == drain(
        having("c", 5, available=3), batch=2, covered=True
    )
    move = drain(having("c", 5, available=3), batch=2, covered=False)
    assert move is not None
    assert (move.side, move.after) == (Side.CANARY, 3)
    assert drain(having("c", 3), batch=2, covered=False) is None
    covered = drain(having("c", 3), batch=2, covered=True)
    assert covered is not None
    assert covered.after == 1
    assert drain(having("c", 0), batch=2, covered=True) is None
