"""Where a recorded stretch of one step may be decided, all blocks at once. Called by `offline`.

A screen marks every block at which a metric fails or is proven; for metrics that count events it may mark too many
(what it finds is judged again in the ordinary way), never too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.judge.counts.evidence import CountEvidence, Weighed
from analyzer.judge.counts.restart_rule import RestartRule
from analyzer.judge.counts.strength import (
    combined,
    dispersions,
    nats,
    proof_places,
    relief,
    resolved,
    slack,
    spreads,
)
from analyzer.judge.observations.bands import OPEN
from analyzer.judge.observations.observation import Observation
from analyzer.judge.observations.sums import SideSum
from analyzer.judge.sequential.design import Whole
from analyzer.judge.sequential.profile import Floats
from analyzer.judge.sequential.spread import FuzzyNull, fuzzy_null
from analyzer.judge.thresholds import MISSING, Thresholds
from analyzer.model.metric import HistogramMetric, RestartsMetric

Flags = NDArray[np.bool_]

_SLACK = 1e-6
"""Nats by which sums in another order may differ."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Per block: does the metric fail, is it proven?"""

    fails: Flags
    proven: Flags


def screen_counts(
    one: CountEvidence, observed: Sequence[Observation], weighed: Weighed, at: Thresholds, *, proving: bool
) -> Screen:
    """Screen the blocks that come next, as they were weighed. Without `proving`, proof is not looked for."""
    counted = np.array([seen.counted for seen in observed], dtype=np.bool_)
    fails, proven = np.zeros(len(observed), dtype=np.bool_), np.zeros(len(observed), dtype=np.bool_)
    used = [seen for seen in observed if seen.counted]
    if used:
        one = replace(one, state=replace(one.state, boundaries=used[0].boundaries))
        latest, any_yet = np.maximum(np.cumsum(counted) - 1, 0), np.cumsum(counted) > 0
        scaled = np.cumsum(weighed.profiles, axis=0)
        scaled += one.state.abort.profile.values
        scaled /= dispersions(one)
        fails = _failing(one, used, scaled, weighed.bands, at.abort)[latest] & any_yet
        if proving:
            proven = _proven(one, used, scaled, at.promote)[latest] & any_yet & ~_missing(one, observed)
    if isinstance(one.metric, RestartsMetric):
        fails = fails | _struck(one.state.rule, observed, at.block)
    return Screen(fails, proven)


def _failing(
    one: CountEvidence, used: Sequence[Observation], scaled: Floats, bands: Whole | None, threshold: float
) -> Flags:
    each = nats(one.design.abort[0], scaled[..., one.design.abort_part])
    crossed = np.flatnonzero(combined(one, each) >= threshold - _SLACK)
    if len(crossed):
        _soften(one, used, scaled, bands, each, crossed)
    return np.asarray(combined(one, each) >= threshold - _SLACK)


def _soften(
    one: CountEvidence, used: Sequence[Observation], scaled: Floats, bands: Whole | None, each: Floats, rows: Whole
) -> None:
    """Where the exact test has crossed, put in the evidence against the fuzzy null if that is less."""
    widest = None
    if bands is not None:
        widest = np.maximum.accumulate(np.maximum(bands, one.state.widest or OPEN), axis=0)
    canary, stable = one.state.abort.canary, one.state.abort.stable
    wanted = set(rows.tolist())
    alike: dict[tuple[int, FuzzyNull, float], list[int]] = {}
    totals = np.zeros((2, len(used)))
    for row, seen in enumerate(used):
        canary, stable = canary.plus([seen.canary]), stable.plus([seen.stable])
        if row not in wanted:
            continue
        totals[:, row] = canary.total, stable.total
        for place, spread in enumerate(spreads(one, canary, stable)):
            if spread > 0:
                null = one.design.margins.tolerance[OPEN if widest is None else int(widest[row, place])]
                alike.setdefault((place, fuzzy_null(null.ratio, spread), relief(null)), []).append(row)
    phi = dispersions(one)
    for (place, fuzzy, absolute), same in alike.items():
        sides = slack(one.metric, absolute, (totals[0, same], totals[1, same]), phi[place, 0])
        against = fuzzy.nats(scaled[same, place, one.design.effect_part], sides)
        each[same, place] = np.minimum(each[same, place], against)


def _proven(one: CountEvidence, used: Sequence[Observation], scaled: Floats, threshold: float) -> Flags:
    proof = nats(one.design.promote[0], scaled[..., one.design.promote_part])
    window = one.state.proof
    before, sides = (window.canary, window.stable), _sides(used)
    events = [
        np.cumsum([side.events for side in some], axis=0) + np.array(served.events or 0.0)
        for served, some in zip(before, sides, strict=True)
    ]
    totals = [
        np.cumsum([side.total for side in some]) + served.total for served, some in zip(before, sides, strict=True)
    ]
    needed = proof_places(one.state.boundaries, events[1], totals[1])
    enough = np.where(needed, proof, np.inf).min(axis=-1) >= threshold - _SLACK
    if isinstance(one.metric, HistogramMetric):
        enough &= resolved(events[0], events[1], totals[0] + totals[1])
    return np.asarray(enough)


def _sides(used: Sequence[Observation]) -> tuple[list[SideSum], list[SideSum]]:
    return [seen.canary for seen in used], [seen.stable for seen in used]


def _missing(one: CountEvidence, observed: Sequence[Observation]) -> Flags:
    proof = one.state.proof
    present = proof.present + np.cumsum([len(seen.canary.pods) + len(seen.stable.pods) for seen in observed])
    absent = proof.absent + np.cumsum([len(seen.canary.absent) + len(seen.stable.absent) for seen in observed])
    return np.asarray(absent > MISSING * (present + absent) + _SLACK)


def _struck(rule: RestartRule, observed: Sequence[Observation], seconds: float) -> Flags:
    found = []
    for seen in observed:
        rule = rule.after([seen], seconds)
        found.append(rule.struck is not None)
    return np.array(found, dtype=np.bool_)
