"""The offline judge says what the ordinary loop of folding and judging block by block would have said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.judge.offline.replay import OfflineVerdict, Recorded, judge_case
from analyzer.model.block import (
    Arrivals,
    Block,
    Buckets,
    Counts,
    GuardReading,
    NoData,
    PodLevel,
    Restarts,
    Sample,
    SideBlock,
    Timing,
)
from analyzer.model.metric import (
    Analysis,
    Gating,
    GaugeMetric,
    HistogramMetric,
    Metric,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    Scope,
)
from analyzer.model.noise import BoundNoise, Noise
from analyzer.model.verdict import Outcome, Verdict

BOUNDS = (0.1, 0.25, 1.0, math.inf)
TIMING = Timing(15.0, 15.0, 0.0)


def looped(
    analysis: Analysis, steps: Sequence[int], blocks: dict[str, list[Any]], noise: dict[str, Noise]
) -> tuple[int | None, Verdict]:
    """One block at a time, as the daemon does it."""
    evidence = begin(replace(analysis, fast_lane=None), len(steps), TIMING, noise)
    length = max(len(some) for some in blocks.values())
    evidence = prove_from(enter(evidence, 0, steps[0]), steps[0])
    for index in range(length):
        if index in steps[1:]:
            evidence = prove_from(enter(evidence, steps.index(index), index), index)
        if index < steps[0]:
            continue
        for name, some in blocks.items():
            if index < len(some):
                one = some[index]
                at_once = replace(one, stable_later=one.stable) if isinstance(one, Block) else one
                evidence = fold(evidence, name, [at_once])
        verdict = judge(evidence)
        silent = any(metric.silent_pods for metric in verdict.metrics)
        promotes = verdict.outcome is Outcome.PASS and verdict.covered and verdict.holds is None and not silent
        if promotes or verdict.outcome is Outcome.FAIL:
            return index, verdict
    return None, judge(evidence)


def same(found: OfflineVerdict, expected: tuple[int | None, Verdict]) -> None:
    at, verdict = expected
    assert found.decided_at == at
    assert (found.verdict.outcome, found.verdict.culprit) == (verdict.outcome, verdict.culprit)
    for one, other in zip(found.verdict.metrics, verdict.metrics, strict=True):
        assert (one.classification, one.canary, one.stable) == (other.classification, other.canary, other.stable)
        assert one.reason == other.reason
        if one.evidence is not None and other.evidence is not None:
            assert one.evidence.abort == pytest.approx(other.evidence.abort, abs=1e-6)
            assert one.evidence.promote == pytest.approx(other.evidence.promote, abs=1e-6)


def counts(least: int, most: int) -> st.SearchStrategy[Counts]:
    return st.integers(0, 400).flatmap(
        lambda total: st.builds(Counts, st.integers(total * least // 100, total * most // 100), st.just(total))
    )


def buckets(weights: tuple[int, ...]) -> st.SearchStrategy[Buckets]:
    each = st.tuples(*(st.integers(0, weight) for weight in weights))
    return each.map(lambda row: Buckets(tuple(float(sum(row[: place + 1])) for place in range(len(row)))))


def sides(of: st.SearchStrategy[Any], names: str, bounds: tuple[float, ...] = ()) -> st.SearchStrategy[SideBlock[Any]]:
    pods = st.dictionaries(st.sampled_from(names), of, max_size=len(names))
    absent = st.dictionaries(st.just("gone"), st.just("no series"), max_size=1)
    return st.builds(lambda here, away: SideBlock(here, away, bounds), pods, absent)


def recordings(
    canary: st.SearchStrategy[Any], stable: st.SearchStrategy[Any], bounds: tuple[float, ...] = ()
) -> st.SearchStrategy[list[Any]]:
    pairs = st.lists(st.tuples(sides(canary, "ab", bounds), sides(stable, "stu", bounds)), min_size=40, max_size=90)
    return pairs.map(lambda rows: [Block(index, *row) for index, row in enumerate(rows)])


RATIO = RatioMetric("errors", "e", "t")
KINDS: dict[str, tuple[Metric, st.SearchStrategy[list[Any]]]] = {
    "healthy": (RATIO, recordings(counts(0, 4), counts(0, 4))),
    "bad": (RATIO, recordings(counts(0, 12), counts(0, 4))),
    "none": (RATIO, recordings(st.just(Counts(0, 300)), st.just(Counts(0, 300)))),
    "histogram": (
        HistogramMetric("latency", "b_bucket", objective=0.25),
        recordings(buckets((300, 80, 30, 5)), buckets((300, 80, 20, 5)), BOUNDS),
    ),
    "rate": (
        RateMetric("orders", "o"),
        recordings(
            st.builds(Arrivals, st.integers(0, 60), st.just(15)), st.builds(Arrivals, st.integers(0, 80), st.just(15))
        ),
    ),
    "restarts": (
        RestartsMetric("restarts"),
        recordings(
            st.builds(Restarts, st.sampled_from([0, 0, 0, 0, 1]), st.just(0.5)),
            st.builds(Restarts, st.sampled_from([0, 0, 0, 0, 1]), st.just(0.5)),
        ),
    ),
    "gauge": (
        GaugeMetric("memory", "m"),
        recordings(st.builds(PodLevel, st.floats(0.9, 1.5)), st.builds(PodLevel, st.floats(0.8, 1.2))),
    ),
}
NOISES = [
    Noise(),
    Noise(1.7, 0.0),
    Noise(1.3, 0.15),
    Noise(2.0, 0.1, bounds=(BoundNoise(1, 0.1), BoundNoise(2, 0), BoundNoise(1, 0))),
]
STEPS = st.sampled_from([(0,), (0, 20), (3, 10, 30), (0, 200)])


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(NOISES), STEPS, st.data())
@settings(max_examples=25, deadline=None)
def test_one_metric(kind: str, noise: Noise, steps: tuple[int, ...], data: st.DataObject) -> None:
    metric, recording = KINDS[kind]
    blocks = {metric.name: data.draw(recording)}
    analysis = Analysis((metric,), false_promote=0.2)
    given_noise = {metric.name: noise}
    same(judge_case(analysis, steps, blocks, given_noise, TIMING), looped(analysis, steps, blocks, given_noise))


@given(st.sampled_from(NOISES), STEPS, st.sampled_from(list(Scope)), st.data())
@settings(max_examples=12, deadline=None)
def test_a_whole_analysis(noise: Noise, steps: tuple[int, ...], scope: Scope, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(["healthy", "histogram", "rate", "gauge"]), unique=True, min_size=1))
    metrics: list[Metric] = []
    blocks: dict[str, list[Any]] = {}
    for kind in chosen:
        metric, recording = KINDS[kind]
        metrics.append(replace(metric, gating=data.draw(st.sampled_from(list(Gating)))))
        blocks[metric.name] = data.draw(recording)
    guard = QueryMetric("slo", "slo", max=1.0, scope=scope)
    values = data.draw(st.lists(st.sampled_from([0.5, 0.5, 2.0, math.nan]), min_size=10, max_size=40))
    blocks["slo"] = [GuardReading(index, NoData("x") if value < 0 else value) for index, value in enumerate(values)]
    analysis = Analysis((*metrics, guard), false_promote=0.2)
    noises = dict.fromkeys(blocks, noise)
    padded = max(len(some) for some in blocks.values())
    blocks["slo"] += [GuardReading(index, NoData("not recorded")) for index in range(len(values), padded)]
    same(judge_case(analysis, steps, blocks, noises, TIMING), looped(analysis, steps, blocks, noises))


wild: st.SearchStrategy[Sample] = st.one_of(
    st.builds(Counts, st.floats(), st.floats()),
    st.builds(Buckets, st.lists(st.floats(), max_size=5).map(tuple)),
    st.builds(Arrivals, st.floats(), st.floats()),
    st.builds(Restarts, st.floats(), st.floats()),
    st.just(PodLevel(1.0)),
    st.just(Counts(5 * 10**8, 10**9)),
    st.just(Buckets((1e9, 2e9, 3e9, 4e9))),
)
any_bounds = st.one_of(st.just(BOUNDS), st.lists(st.floats(), max_size=5).map(tuple))


@st.composite
def wild_blocks(draw: st.DrawFn, of: st.SearchStrategy[Sample]) -> list[Block[Sample]]:
    def side() -> SideBlock[Sample]:
        pods = draw(st.dictionaries(st.sampled_from("ab"), of, max_size=2))
        return SideBlock(pods, {}, draw(any_bounds), draw(st.none() | st.integers(-1, 9)))

    return [Block(index, side(), side()) for index in range(draw(st.integers(1, 6)))]


@given(st.sampled_from(sorted(KINDS)), st.data())
@settings(max_examples=80, deadline=None)
def test_whatever_is_recorded_there_is_a_verdict_and_never_a_wrong_number(kind: str, data: st.DataObject) -> None:
    metric, _ = KINDS[kind]
    levels: st.SearchStrategy[Sample] = st.builds(PodLevel, st.floats())
    recorded: Recorded = data.draw(wild_blocks(levels if isinstance(metric, GaugeMetric) else wild))
    found = judge_case(Analysis((metric,)), (0,), {metric.name: recorded}, {metric.name: Noise(1.5, 0.1)})
    (one,) = found.verdict.metrics
    assert one.reason
    if one.evidence is not None:
        assert all(map(math.isfinite, (one.evidence.abort, one.evidence.promote, one.evidence.advance)))
    assert 0 <= one.canary.events < math.inf
    assert 0 <= one.canary.total < math.inf
    if one.canary.total == 0 and not isinstance(metric, GaugeMetric):
        assert not one.proven
