"""The one numerical engine: log-likelihood profiles of canary against stable on a grid of bets.

A profile has one value per grid point, the log of a factor whose expectation is at most 1 as long as the
null hypothesis of that point holds. Profiles of blocks add up. Everything that is tested or estimated is
read from such sums: by `count_evidence` for releases, by the benchmarks for thousands of simulated ones at once,
with the same code.

Why the expectation is at most 1, for independent requests with any probabilities: with the stake z = pi
(e^u - 1), pi = n_c R / (n_c R + n_s), and b = log(1 + z), the log of the expected factor is at most (a
Bernoulli sum's moments are below the Poisson ones) n_c p_c (e^(u-b) - 1) - n_s p_s (1 - e^-b) - (D n_s / R)
(1 - e^-b). By the choice of b, n_s (1 - e^-b) = R n_c (e^(u-b) - 1), so this is n_c (e^(u-b) - 1) (p_c - R
p_s - D): at most 0 where the null holds, for u > 0 with the null p_c <= R p_s + D and for u < 0 with p_c >=
R p_s + D. The product over blocks is then a supermartingale, and by Ville's inequality it ever reaches
1/alpha with probability at most alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A sum of block profiles, shape (points,), in nats. Equal only when equal to the last bit."""

    values: Floats

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and self.values.tobytes() == other.values.tobytes()

    def __hash__(self) -> int:
        return hash(self.values.tobytes())


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """Grid points `u` (not 0), each with its null about the shares of events. All of shape (points,).

    u > 0 wins against `p_canary <= ratio * p_stable + absolute`, u < 0 against the same with >=.
    `growth` is e^u - 1 and `relief` is absolute / ratio.
    """

    u: Floats
    growth: Floats
    ratio: Floats
    relief: Floats


def bets(u: Floats, ratio: ArrayLike, absolute: ArrayLike) -> Bets:
    """Grid points against the null(s) `ratio`, `absolute` (scalars or one value per point)."""
    each_ratio = np.broadcast_to(np.asarray(ratio, dtype=np.float64), u.shape).copy()
    return Bets(u=u, growth=np.expm1(u), ratio=each_ratio, relief=np.asarray(absolute, np.float64) / each_ratio)


def joined(*parts: Bets) -> Bets:
    """Several grids as one, so that one pass of arithmetic updates them all."""
    return Bets(
        u=np.concatenate([part.u for part in parts]),
        growth=np.concatenate([part.growth for part in parts]),
        ratio=np.concatenate([part.ratio for part in parts]),
        relief=np.concatenate([np.broadcast_to(part.relief, part.u.shape) for part in parts]),
    )


def increment(
    on: Bets,
    canary_events: ArrayLike,
    canary_total: ArrayLike,
    stable_events: ArrayLike,
    stable_total: ArrayLike,
) -> Floats:
    """The profile of one block: shape (..., points) for counts of shape (...). Needs a total > 0 on some
    side.

    Linear in the counts while the canary's share of them stays the same, so rates may be given as counts.
    """
    x_c, n_c, x_s, n_s = (
        np.asarray(value, dtype=np.float64)[..., None]
        for value in (canary_events, canary_total, stable_events, stable_total)
    )
    weighted = n_c * on.ratio
    stake = weighted / (weighted + n_s) * on.growth
    profile = x_c * on.u
    profile -= (x_c + x_s) * np.log1p(stake)
    profile -= n_s * on.relief * (stake / (1.0 + stake))
    return np.asarray(profile)


def log_evidence(log_weights: Floats, profile: Floats) -> Floats:
    """log e of the mixture of all points, in nats: shape (...) for profiles of shape (..., points)."""
    terms = log_weights + profile
    top = np.maximum.reduce(terms, axis=-1, keepdims=True)
    terms -= top
    np.exp(terms, out=terms)
    return np.asarray(np.log(np.add.reduce(terms, axis=-1)) + top[..., 0])
