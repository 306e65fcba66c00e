"""Whatever the counts: the judge stays finite, keeps its word, and depends on nothing but the blocks."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.judge import begin, enter, fold, judge, prove_from
from analyzer.judge.sequential.design import abort_grid, proof_grid
from analyzer.judge.sequential.profile import increment, log_evidence
from analyzer.model.block import Block, Counts, SideBlock, Timing
from analyzer.model.metric import Analysis, Margin, RatioMetric
from analyzer.model.verdict import Classification, Outcome

TIMING = Timing(block=30.0, slot=15.0, delay=2.0)
RELEASE = enter(begin(Analysis((RatioMetric("errors", "e", "t"),)), 2, TIMING), 1, abort_from=0)

totals = st.one_of(st.just(0), st.integers(0, 500), st.integers(0, 10**9))
counts = totals.flatmap(lambda total: st.builds(Counts, st.integers(0, total), st.just(total)))
wild = st.builds(Counts, st.floats(), st.floats())
reasons = st.sampled_from(["no series", "reset"])
names = st.sampled_from("abc")


def sides(of: st.SearchStrategy[Counts]) -> st.SearchStrategy[SideBlock]:
    return st.builds(SideBlock, st.dictionaries(names, of, max_size=3), st.dictionaries(names, reasons, max_size=1))


def histories(of: st.SearchStrategy[Counts]) -> st.SearchStrategy[list[Block]]:
    later = st.none() | sides(of)
    content = st.lists(st.tuples(sides(of), sides(of), later), max_size=8)
    return content.map(lambda rows: [Block(index, *row) for index, row in enumerate(rows)])


@given(histories(counts | wild), st.none() | st.integers(0, 8))
@settings(max_examples=80, deadline=None)
def test_any_blocks_give_finite_evidence_and_a_reason(blocks: list[Block], settled: int | None) -> None:
    evidence = RELEASE if settled is None else prove_from(RELEASE, settled)
    verdict = judge(fold(evidence, "errors", blocks))
    (metric,) = verdict.metrics
    assert metric.evidence is not None
    assert all(map(math.isfinite, (metric.evidence.abort, metric.evidence.promote, metric.evidence.advance)))
    assert metric.reason
    assert verdict.reason
    assert "nanx" not in verdict.reason
    assert "nan %" not in verdict.reason
    assert 0 <= metric.canary.events <= metric.canary.total
    if metric.interval is not None and metric.ratio is not None:
        assert metric.interval[0] <= metric.ratio <= metric.interval[1]
    if metric.canary.total == 0 or settled is None:
        assert verdict.outcome is not Outcome.PASS
        assert not verdict.advance


@given(histories(counts), st.integers(0, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_portions_and_repeats_do_not_change_the_evidence(
    blocks: list[Block], settled: int, data: st.DataObject
) -> None:
    straight = fold(prove_from(RELEASE, settled), "errors", blocks)
    evidence = prove_from(RELEASE, settled)
    for block in blocks:
        early = data.draw(st.sampled_from([None, Block(block.index, block.canary, block.stable)]))
        evidence = fold(evidence, "errors", [block] if early is None else [early, block])
    assert evidence == straight


@given(counts, counts, st.integers(1, 50))
def test_more_canary_errors_never_speak_for_the_canary(canary: Counts, stable: Counts, more: int) -> None:
    if canary.total + stable.total == 0:
        return
    worse = min(canary.total, canary.events + more)
    for grid, sign in ((abort_grid(Margin(1.25, 0.0005)), 1), (proof_grid(Margin(1.5, 0.001)), -1)):
        before = increment(grid.on, canary.events, canary.total, stable.events, stable.total)
        after = increment(grid.on, worse, canary.total, stable.events, stable.total)
        gained = log_evidence(grid.log_weights, after) - log_evidence(grid.log_weights, before)
        assert sign * float(gained) >= -1e-6


@given(histories(counts))
@settings(max_examples=50, deadline=None)
def test_nothing_is_high_without_confirmation(blocks: list[Block]) -> None:
    unconfirmed = [Block(block.index, block.canary, block.stable) for block in blocks]
    verdict = judge(fold(RELEASE, "errors", unconfirmed))
    assert verdict.metrics[0].classification is not Classification.HIGH
