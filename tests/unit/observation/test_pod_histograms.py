from __future__ import annotations

from collections.abc import Mapping
from math import inf

from analyzer.model.block import Buckets, NoData
from analyzer.observation.edges import ScrapeTarget
from analyzer.observation.histograms import Bucketed, PodHistograms, alike
from analyzer.observation.sides import RawBlock
from tests.unit.observation.counter_stories import POD, Points, at_edges, scrapes, target

A = target()


def histograms(
    *by_bound: tuple[float, Mapping[ScrapeTarget, Points]], refused: frozenset[ScrapeTarget] = frozenset()
) -> PodHistograms:
    """Buckets of targets that are scraped a second before each edge."""
    targets = {place: list(points) for _, values in by_bound for place, points in values.items()}
    known = scrapes({place: [-1000.0] * len(points) for place, points in targets.items()})
    return PodHistograms("d_bucket", {bound: at_edges(values) for bound, values in by_bound}, known, refused)


def counted(found: PodHistograms) -> Bucketed | NoData:
    return found.between(POD, 0, 10_000)


def reason(found: PodHistograms) -> str:
    answer = counted(found)
    assert isinstance(answer, NoData)
    return answer.reason


def test_counts_are_cumulative_differences_in_the_order_of_their_bounds() -> None:
    found = histograms((inf, {A: [10, 40]}), (0.5, {A: [8, 28]}), (0.1, {A: [5, 15]}))
    assert counted(found) == Bucketed((0.1, 0.5, inf), (10, 20, 30))


def test_a_histogram_that_is_new_on_a_target_already_scraped_counts_from_zero() -> None:
    found = histograms((inf, {A: [None, 4]}), (0.1, {A: [None, 3]}))
    assert counted(found) == Bucketed((0.1, inf), (3, 4))


def test_containers_of_one_pod_are_added_up_when_their_bounds_are_the_same() -> None:
    other = target(container="side", instance="10.0.0.1:81")
    same = histograms((0.1, {A: [0, 5], other: [0, 1]}), (inf, {A: [0, 10], other: [0, 2]}))
    assert counted(same) == Bucketed((0.1, inf), (6, 12))
    unlike = histograms((0.1, {A: [0, 5]}), (inf, {A: [0, 10], other: [0, 2]}))
    assert "different bucket bounds" in reason(unlike)


def test_without_the_infinite_bucket_the_pod_is_absent() -> None:
    assert '"+Inf"' in reason(histograms((0.1, {A: [0, 5]}), (0.5, {A: [0, 6]})))


def test_a_bucket_that_fell_makes_the_pod_absent() -> None:
    told = reason(histograms((0.1, {A: [9, 5]}), (inf, {A: [9, 12]})))
    assert told == "its bucket le=0.1 fell from 9 to 5 without a restart: a series ended"


def test_a_negative_bucket_makes_the_pod_absent() -> None:
    assert "negative" in reason(histograms((0.1, {A: [None, -5]}), (inf, {A: [None, 12]})))


def test_a_bucket_that_vanished_makes_the_pod_absent() -> None:
    assert "le=0.1 ended in this block" in reason(histograms((0.1, {A: [9, None]}), (inf, {A: [9, 12]})))


def test_buckets_that_are_not_cumulative_make_the_pod_absent() -> None:
    assert "cumulative" in reason(histograms((0.1, {A: [0, 7]}), (inf, {A: [0, 5]})))


def test_rounding_of_fractions_is_not_taken_for_a_mistake() -> None:
    assert isinstance(counted(histograms((0.1, {A: [0, 5 + 1e-9]}), (inf, {A: [0, 5]}))), Bucketed)


def test_native_histograms_are_named_as_the_reason() -> None:
    only = histograms(refused=frozenset({A}))
    assert "native histograms are not supported" in reason(only)
    assert only.only_native({POD})
    assert not histograms((inf, {A: [0, 5]}), refused=frozenset({A})).only_native({POD})
    assert not histograms().only_native({POD})


LOW, HIGH = Bucketed((1, inf), (1, 2)), Bucketed((5, inf), (3, 4))


def test_pods_with_the_bounds_of_most_stand_in_the_block_and_the_odd_ones_say_why_not() -> None:
    block = alike(RawBlock(3, {"c": LOW}, {"s1": LOW, "s2": HIGH, "s3": NoData("gone")}))
    assert (block.canary.bounds, block.stable.bounds) == ((1, inf), (1, inf))
    assert (block.canary.pods, block.stable.pods) == ({"c": Buckets((1, 2))}, {"s1": Buckets((1, 2))})
    assert block.stable.absent["s3"] == "gone"
    assert "bounds are 5, inf, those of other pods 1, inf" in block.stable.absent["s2"]


def test_a_new_version_with_other_bounds_is_absent_and_not_stable() -> None:
    block = alike(RawBlock(3, {"c": HIGH}, {"s": LOW}, {"s": LOW}))
    assert set(block.canary.absent) == {"c"}
    assert set(block.stable.pods) == {"s"}
    assert block.stable_later == block.stable


def test_a_block_without_any_pod_has_no_bounds() -> None:
    block = alike(RawBlock(3, {}, {"s": NoData("gone")}))
    assert block.stable.bounds == ()
    assert block.stable.absent == {"s": "gone"}
