"""The rules that others decide by, written from their documentation and source, for thousands of releases at once.

Each rule looks once a minute and says at which minute (from 1) it ends each release; 0: never, so it is promoted
when the last minute is over. Called by `against_peers` and `operating_curves`.

- Kayenta's way: the classification of Kayenta's NetflixACAJudge, re-run each minute on all minutes so far. High when
  the 98 % confidence interval of the Hodges-Lehmann shift (normal approximation, ties averaged, continuity corrected,
  as in its MannWhitney.scala) lies above 25 % of the estimated shift, and the means' ratio is at least 1.
- Mann-Whitney: one-sided p < .01, the same statistic.
- Pooled z: one-sided p < .01 of the difference between two shares, over all counts so far.
- Failed checks: the canary's value of the last minute is over a limit; the release ends with the fifth such minute
  (Flagger's `threshold: 5`, Argo Rollouts' `failureLimit: 4`; both count all failures, not only consecutive ones).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.worlds import Counts, Floats

Minutes = NDArray[np.int64]

CHECKS = 5
"""Failed checks that end a release."""

KAYENTA_Z = float(stats.norm.ppf(0.99))
"""Two-sided confidence of 98 %."""

KAYENTA_TOLERANCE = 0.25

ONE_PERCENT_Z = float(stats.norm.ppf(0.99))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """What a dashboard shows: one value a minute per side, (runs, minutes); larger is worse."""

    canary: Floats
    stable: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """The Mann-Whitney statistic after each minute, standardised, (runs, minutes); above 0: the canary is worse."""

    z: Floats


def standing(series: Series) -> Ranks:
    """The statistic on all minutes so far, minute by minute: wins and ties are counted as values arrive."""
    runs, minutes = series.canary.shape
    wins, ties = np.zeros(runs), np.zeros(runs)
    z = np.zeros((runs, minutes))
    for minute in range(minutes):
        canary, stable = series.canary[:, minute, None], series.stable[:, minute, None]
        earlier_c, earlier_s = series.canary[:, :minute], series.stable[:, :minute]
        against = np.concatenate([earlier_s, stable], axis=1)
        wins += _halves(canary, against) + (minute - _halves(stable, earlier_c))
        for new, seen in ((canary, np.concatenate([earlier_c, earlier_s], axis=1)),):
            ties += _tie_growth(new, seen)
        ties += _tie_growth(stable, np.concatenate([earlier_c, canary, earlier_s], axis=1))
        z[:, minute] = _standardised(wins, ties, minute + 1)
    return Ranks(z)


def mann_whitney(ranks: Ranks) -> Minutes:
    """Ends at the first minute with one-sided p < .01."""
    return first(ranks.z > ONE_PERCENT_Z)


def kayenta(series: Series, ranks: Ranks) -> Minutes:
    """Ends at the first minute at which the metric is High.

    The interval lies above a quarter of the estimated shift exactly when the statistic, with the canary's values
    lowered by that quarter, is still beyond the quantile; only minutes that are significant without it can be.
    """
    ended = np.zeros(len(series.canary), dtype=np.int64)
    for minute in range(series.canary.shape[1]):
        asked = np.flatnonzero((ended == 0) & (ranks.z[:, minute] > KAYENTA_Z))
        if len(asked):
            high = _high(series.canary[asked, : minute + 1], series.stable[asked, : minute + 1])
            ended[asked[high]] = minute + 1
    return ended


def pooled_z(counts: Counts) -> Minutes:
    """Ends at the first minute with one-sided p < .01, on all counts so far (`counts` per minute)."""
    x_c, n_c, x_s, n_s = (np.cumsum(each, axis=1) for each in counts.all)
    share = (x_c + x_s) / np.maximum(n_c + n_s, 1)
    spread = np.sqrt(share * (1 - np.minimum(share, 1)) * (1 / np.maximum(n_c, 1) + 1 / np.maximum(n_s, 1)))
    difference = x_c / np.maximum(n_c, 1) - x_s / np.maximum(n_s, 1)
    return first(difference > ONE_PERCENT_Z * np.maximum(spread, 1e-300))


def failed_checks(series: Series, limit: float, checks: int = CHECKS) -> Minutes:
    """Ends with the fifth minute at which the canary's value is over `limit`."""
    return first(np.cumsum(series.canary > limit, axis=1) >= checks)


def tuned_limit(series: Series, target: float = 0.01, checks: int = CHECKS) -> float:
    """The limit an oracle would set: on these healthy releases, `target` of them would fail too many checks."""
    worst = np.sort(series.canary, axis=1)[:, -checks]
    return float(np.quantile(worst, 1 - target, method="higher"))


def first(true: NDArray[np.bool_]) -> Minutes:
    """The first minute (from 1) at which it holds, 0 where it never does."""
    return np.where(true.any(axis=1), true.argmax(axis=1) + 1, 0)


def _high(canary: Floats, stable: Floats) -> NDArray[np.bool_]:
    shift = np.median((canary[:, :, None] - stable[:, None, :]).reshape(len(canary), -1), axis=1)
    lowered = canary - KAYENTA_TOLERANCE * np.abs(shift)[:, None]
    minutes = canary.shape[1]
    wins = _halves(lowered.reshape(-1, 1), np.repeat(stable, minutes, axis=0)).reshape(-1, minutes).sum(axis=1)
    both = np.sort(np.concatenate([lowered, stable], axis=1), axis=1)
    z = _standardised(wins, _ties(both), minutes)
    return np.asarray((z > KAYENTA_Z) & (canary.mean(axis=1) >= stable.mean(axis=1)))


def _halves(one: Floats, others: Floats) -> Floats:
    """How many of the others it exceeds, a tie as a half: (runs,) from (runs, 1) and (runs, others)."""
    return np.asarray((one > others).sum(axis=1) + 0.5 * (one == others).sum(axis=1))


def _tie_growth(new: Floats, seen: Floats) -> Floats:
    """By how much the sum of t^3 - t over groups of equal values grows with one more value."""
    equal = (new == seen).sum(axis=1)
    return np.asarray(3.0 * equal**2 + 3.0 * equal)


def _ties(ordered: Floats) -> Floats:
    """The sum of t^3 - t over groups of equal values, of rows in order."""
    total, run = np.zeros(len(ordered)), np.ones(len(ordered))
    for column in range(1, ordered.shape[1]):
        same = ordered[:, column] == ordered[:, column - 1]
        total += np.where(same, 3 * run**2 + 3 * run, 0.0)
        run = np.where(same, run + 1, 1.0)
    return total


def _standardised(wins: Floats, ties: Floats, each: int) -> Floats:
    """(U - mean -+ 1/2) / deviation, for `each` values per side."""
    excess = wins - each**2 / 2
    variance = each**2 / 12 * (2 * each + 1 - ties / (2 * each * (2 * each - 1)))
    deviation = np.sqrt(np.maximum(variance, 1e-12))
    return np.asarray(np.where(variance > 1e-9, (excess - np.sign(excess) / 2) / deviation, 0.0))
