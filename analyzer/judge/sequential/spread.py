"""The fuzzy null: pods differ, so a canary's pods may be worse than stable's by mere luck. Called by `strength`.

With a spread of tau between pods (on the log scale), the log ratio of a canary that is no worse than tolerated is
normal about log R0 with the standard deviation tau_step = tau sqrt(1/J_c + 1/J_s). The evidence compares the
likelihood under that prior with the one under the same prior moved by an excess:
e = sum_g w1(g) exp l(g) / sum_g w0(g) exp l(g), w1 = w0 convolved with the excess prior. The guarantee is over
which pods the canary happened to get. As the prior of the null is a guess from history, and l has been divided by
an estimated dispersion, this is simulated, not proved.

The luck of the pods multiplies the whole of what is tolerated, the absolute part too: the canary's share may be
e^g (R0 p_s + D0). Against each such bound, g known, the factor of `profile` with the bet h > g is an e-value:
log F(h | g) = l(h) - l(g) - (D0 / R0) (e^h - e^g) C(h), C(h) = n_c n_s / (n_c e^h + n_s) (here g and h are log ratios,
g about log R0). E(g) = sum_h w1(h) F(h | g), and e is the harmonic mean of all E(g), weighted by w0; without an
absolute part that is the quotient above. C is concave in the counts, so that of a step's totals is at least the sum
over its blocks: totals are enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analyzer.judge.sequential.design import EFFECT_POINTS, effect_grid, excess_density
from analyzer.judge.sequential.profile import Floats, log_evidence

VISIBLE = 3.5
"""At any traffic, an excess is seen only where it is so many standard deviations of pod luck above R0."""

_FINEST = 1 / 8
_REACH = 9.0
_GROWTH = 1.06
_ROUNDING = 1.02
_LIMIT = 6.95
_AT_ONCE = 8
_FAR = -50.0

_JUST = 3.0
_JUST_PART = 2.5
_MOST_JUST = 0.5


@dataclass(frozen=True, slots=True)
class Slack:
    """What the absolute tolerance needs to know: `relief` is D0 / R0, and both sides' totals so far, shape (...), over
    the dispersion."""

    relief: float
    canary: Floats
    stable: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FuzzyNull:
    """Both priors on one grid of log ratios, and how to read l there from its values on the effect's grid.

    `g`, `log_null`, `log_excess`: shape (points,). `nodes` and `parts`, shape (points, 4): a cubic through four points.
    """

    g: Floats
    log_null: Floats
    log_excess: Floats
    nodes: np.typing.NDArray[np.intp]
    parts: Floats

    def nats(self, profile: Floats, slack: Slack | None = None) -> Floats:
        """log e, shape (...), of effect profiles of shape (..., EFFECT_POINTS).

        With an absolute tolerance it is the smaller one of with and without; that is left out where without says
        nothing.
        """
        likelihood = (profile[..., self.nodes] * self.parts).sum(axis=-1)
        plain = np.asarray(log_evidence(self.log_excess, likelihood) - log_evidence(self.log_null, likelihood))
        asked = plain > 0
        if slack is None or slack.relief == 0 or not asked.any():
            return plain
        found = plain.copy()
        canary, stable = (np.broadcast_to(side, plain.shape)[asked] for side in (slack.canary, slack.stable))
        rows = likelihood[asked]
        several = [slice(first, first + _AT_ONCE) for first in range(0, len(rows), _AT_ONCE)]
        tolerant = [self._tolerant(rows[some], Slack(slack.relief, canary[some], stable[some])) for some in several]
        found[asked] = np.minimum(plain[asked], np.concatenate(tolerant))
        return found

    def _tolerant(self, likelihood: Floats, slack: Slack) -> Floats:
        """log e with the absolute tolerance, shape (rows,), of likelihoods of shape (rows, points)."""
        grown = np.exp(self.g)
        canary, stable = slack.canary[:, None], slack.stable[:, None]
        reach = slack.relief * canary * stable / (canary * grown + stable)
        null = np.flatnonzero(self.log_null > _FAR)
        bets = self.log_excess + likelihood - reach * grown
        against = log_evidence(np.zeros_like(grown), bets[:, None, :] + grown[null, None] * reach[:, None, :])
        return -log_evidence(self.log_null[null], likelihood[:, null] - against)


def step_spread(pod_spread: float, canary_pods: float, stable_pods: float) -> float:
    """tau_step: how far the ratio of the sides' means may be off because pods differ."""
    return pod_spread * math.sqrt(1 / max(1.0, canary_pods) + 1 / max(1.0, stable_pods))


def smallest_visible(ratio: float, spread: float) -> float:
    """About the smallest ratio that can be told from luck at any traffic."""
    return ratio * math.exp(min(VISIBLE * spread, 50.0))


def fuzzy_null(ratio: float, spread: float) -> FuzzyNull:
    """The fuzzy null about `ratio`; a `spread` > 0 is rounded up by at most 2 %, so that few grids serve all."""
    return _made(ratio, math.ceil(math.log(min(max(spread, 1e-4), 2.0)) / math.log(_ROUNDING)))


@lru_cache(maxsize=512)
def _made(ratio: float, rounded: int) -> FuzzyNull:
    spread = _ROUNDING**rounded
    excess = _excesses(spread)
    g = math.log(ratio) + excess
    inside = np.abs(g) < _LIMIT
    g, excess = g[inside], excess[inside]
    width = np.gradient(excess)
    moved = _moved(excess, spread)
    nodes, parts = _cubic(g)
    return FuzzyNull(
        g=g,
        log_null=_log_share(-0.5 * (excess / spread) ** 2 + np.log(width)),
        log_excess=_log_share(np.log(np.maximum(moved * width, 1e-300))),
        nodes=nodes,
        parts=parts,
    )


def _moved(excess: Floats, spread: float) -> Floats:
    """The density w1 of log ratios relative to R0.

    Of endless traffic only pod luck is left, and then what is bet on an excess of 3 tau_step is seen soonest: the wider
    the luck, the more of the weight (up to half) is bet there, the rest on the usual excesses.
    """
    z = np.linspace(-4, 4, 33)
    normal = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    usual = excess_density(excess[:, None] - spread * z) @ normal
    just = np.exp(-0.5 * (excess / spread - _JUST) ** 2) / (spread * math.sqrt(2 * math.pi))
    part = min(_MOST_JUST, _JUST_PART * spread)
    return np.asarray((1 - part) * usual + part * just)


def _excesses(spread: float) -> Floats:
    """Log ratios relative to R0: dense on the null's scale (what the data resolve more finely cancels in the
    quotient), then growing up to the largest bet."""
    near = spread * np.arange(-_REACH, _REACH + _FINEST / 2, _FINEST)
    far = max(math.log(math.log(200) / near[-1]), 0.0) / math.log(_GROWTH)
    return np.concatenate([near, near[-1] * _GROWTH ** np.arange(1, far + 1)])


def _log_share(log_values: Floats) -> Floats:
    return np.asarray(log_values - log_evidence(np.zeros_like(log_values), log_values))


def _cubic(g: Floats) -> tuple[np.typing.NDArray[np.intp], Floats]:
    """Places and weights of four neighbours on the effect's grid, which is even in asinh."""
    places = np.arcsinh(effect_grid().on.u)
    at = (np.arcsinh(g) - places[0]) / (places[1] - places[0])
    start = np.clip(np.floor(at).astype(np.intp) - 1, 0, EFFECT_POINTS - 4)
    t = at - start
    columns = []
    for node in range(4):
        others = [other for other in range(4) if other != node]
        columns.append(np.prod([(t - other) / (node - other) for other in others], axis=0))
    return start[:, None] + np.arange(4), np.stack(columns, axis=1)
