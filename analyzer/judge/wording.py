"""The sentences of verdicts: one shape for every kind of metric. Called by the verdicts of counts, gauges and guards.

First the numbers of both sides, then what follows from them:
"errors: canary 10.5 % (43 of 410), stable 3.4 % (125 of 3,662): 3.1x (95 % interval 1.6x to 5.4x); limit
1.25x + 0.05 pp. Failed, false alarm chance below 0.15 %"
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from analyzer.judge.sequential.effect import LEVEL, Effect
from analyzer.model.block import Counts
from analyzer.model.metric import GaugeMetric, Margin
from analyzer.model.moments import short_duration
from analyzer.model.noise import hidden_by_noise, hidden_kind
from analyzer.model.numbers import count, percent, points, times
from analyzer.model.verdict import Classification, LogEvidence, Unit

NO_BLOCK = "the first block of this step is not complete yet"
NOT_SETTLED = "evidence for the canary starts when the step's replicas are available"
OUT_OF_REACH = "not reachable"

_SURE = f"{100 * (1 - LEVEL):g} % interval"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of one metric in words, the ratio of the two ("" without any), and the limit beyond which it fails."""

    name: str
    canary: str
    stable: str
    ratio: str
    limit: str

    def __str__(self) -> str:
        ratio = f": {self.ratio}" if self.ratio else ""
        return f"{self.name}: {self.canary}, {self.stable}{ratio}; limit {self.limit}"


@dataclass(frozen=True, slots=True)
class Said:
    """The class of a metric, the sentence about it, and what is missing for a pass (None: nothing)."""

    classification: Classification
    reason: str
    waiting: str | None = None


def failed(compared: Comparison, chance: float | None, how: str = "Failed") -> str:
    """An abort; `chance` is the chance of an abort this sure of a canary that is within its limit (None: there is no
    such guarantee)."""
    return f"{compared}. {how}" + ("" if chance is None else f", false alarm chance below {percent(chance)}")


def passed(compared: Comparison, excluded: str, chance: float) -> str:
    """A proof: what is ruled out, and the chance of such a proof of a canary that bad."""
    return f"{compared}. Passed: {excluded} or worse is ruled out, error chance below {percent(chance)}"


def undecided(compared: Comparison, waiting: str, against: float) -> str:
    """What is missing, and how far the evidence against the canary has come (0 to 1)."""
    return f"{compared}. Undecided: {waiting}; abort evidence {progress(against)}"


def towards_proof(evidence: LogEvidence, wait: float | None, *, last_step: bool, where: str = "", at: str = "") -> str:
    """How far the proof has come that this step needs, and the seconds that it is expected to take (None: it will not
    come): promotion evidence 70 %, about 3m more."""
    if last_step:
        have = f"promotion evidence {progress(evidence.promote_progress)}{where}"
    elif evidence.advance >= evidence.promote_at:
        return "enough evidence to advance"
    else:
        have = f"evidence to advance {progress(evidence.advance_progress)}{where}"
    if wait is None:
        return f"{have}, {OUT_OF_REACH}{at}"
    return f"{have}, about {short_duration(timedelta(seconds=max(1.0, wait)))} more{at}"


def unmeasured(blocks: int, absence: str | None) -> str:
    """Why a metric has no data at all in this step."""
    if blocks == 0:
        return NO_BLOCK
    why = absence or "one side had no pods to measure"
    return f"no data from both sides in {_blocks(blocks)} ({why})"


def incomplete(absent: int, present: int, limit: float, absence: str | None) -> str:
    """Too many measurements are missing for a proof."""
    example = f"; for example {absence}" if absence else ""
    return (
        f"{absent} of {absent + present} pod measurements are missing, more than {percent(limit)}: "
        f"no promotion on this data{example}"
    )


def without_traffic(blocks: int, requests: float | None) -> str:
    """Nobody sent requests to both sides."""
    needed = "" if requests is None else f"; promotion needs about {count(requests)} more canary requests"
    lately = "block" if blocks == 1 else _blocks(blocks)
    return f"no traffic on both sides in the last {lately}{needed}"


def normal_variation(pods: float, ratio: float, *, down: bool) -> str:
    """What the noise hides, with this many canary pods."""
    return f"with {hidden_by_noise(round(pods), f'{hidden_kind(down=down)} {times(ratio)}')}"


def progress(share: float) -> str:
    """Evidence over its threshold as whole percent; 100 % only where it is reached."""
    return "100 %" if share >= 1 else f"{min(99, round(100 * share))} %"


def share_of(counts: Counts, over: str = "") -> str:
    """Events of a total: 3.4 % (41 of 1,204); with the bound that they are `over`: 3.4 % over 250 ms (41 of 1,204)."""
    if not counts.total:
        return "no requests"
    return f"{percent(counts.events / counts.total)}{over} ({count(counts.events)} of {count(counts.total)})"


@lru_cache(maxsize=1024)
def unit_of(metric: GaugeMetric) -> Unit | None:
    """What a gauge is measured in, by Prometheus' naming: base units stand at the end of the name."""
    if metric.counter:  # a level per second: CPU seconds a second are no time
        return None
    name = metric.value.partition("{")[0]
    return next((unit for unit in Unit if name.endswith(f"_{unit.value}")), None)


@lru_cache(maxsize=1024)
def allowance(margin: Margin) -> str:
    """A margin: 1.25x + 0.05 pp."""
    return f"{margin.ratio:g}x" + (f" + {points(margin.absolute)}" if margin.absolute else "")


def span(effect: Effect) -> str:
    """The ratio with its interval, as far as the data bound them."""
    bounded = effect.low > 0, effect.high < math.inf
    match bounded:
        case (True, True):
            reach = f"{times(effect.low)} to {times(effect.high)}"
        case (True, False):
            reach = f"{times(effect.low)} or more"
        case (False, True):
            reach = f"up to {times(effect.high)}"
        case _:
            return ""
    return f"{_SURE} {reach}" if effect.ratio is None else f"{times(effect.ratio)} ({_SURE} {reach})"


def _blocks(number: int) -> str:
    return "1 block" if number == 1 else f"{count(number)} blocks"
