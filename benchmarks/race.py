"""Simulated releases, thousands at once, on the judge's own arithmetic. Used by the programs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.judge.sequential.design import Grid
from analyzer.judge.sequential.profile import Floats, increment, joined, log_evidence

UNDECIDED = -1


@dataclass(frozen=True, slots=True)
class Traffic:
    """Both sides' true shares of events, the canary's share of requests, and all requests in a block.

    `exact`: each request errs by itself, and goes to a side by chance. Otherwise the sides' requests are fixed,
    fractions allowed, and events come as Poisson: the model of the Poisson limit, for blocks of any size.
    """

    canary: float
    stable: float
    weight: float
    requests: float
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Finish:
    """Evidence that decides: its grid, and the nats at which it does."""

    grid: Grid
    nats: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Per run: which finish was first (its place in the race, -1 for none), and after how many blocks.

    `high` is the share of looks at which the first finish's evidence stood at 1 nat or more.
    """

    winner: NDArray[np.int64]
    blocks: NDArray[np.int64]
    high: float

    def share(self, finish: int) -> float:
        """The share of runs that this finish decided."""
        return float((self.winner == finish).mean())


def race(traffic: Traffic, finishes: Sequence[Finish], *, runs: int, blocks: int, rng: np.random.Generator) -> Outcomes:
    """Run releases until a finish is reached, looking at every block; earlier finishes win ties."""
    bets = joined(*(finish.grid.on for finish in finishes))
    live = np.arange(runs)
    winner, at = np.full(runs, UNDECIDED), np.full(runs, blocks)
    profile = np.zeros((runs, len(bets.u)))
    looks = high = 0
    for block in range(1, blocks + 1):
        profile += increment(bets, *_block(traffic, len(live), rng))
        evidence = _evidence(finishes, profile)
        looks, high = looks + len(live), high + int((evidence[0] >= 1).sum())
        reached = np.stack([row >= finish.nats for row, finish in zip(evidence, finishes, strict=True)])
        done = reached.any(axis=0)
        winner[live[done]], at[live[done]] = reached.argmax(axis=0)[done], block
        live, profile = live[~done], profile[~done]
        if not len(live):
            break
    return Outcomes(winner, at, high / looks)


def _block(traffic: Traffic, runs: int, rng: np.random.Generator) -> tuple[ArrayLike, ...]:
    if not traffic.exact:
        n_c, n_s = traffic.requests * traffic.weight, traffic.requests * (1 - traffic.weight)
        return rng.poisson(n_c * traffic.canary, runs), n_c, rng.poisson(n_s * traffic.stable, runs), n_s
    canary = rng.binomial(int(traffic.requests), traffic.weight, runs)
    stable = int(traffic.requests) - canary
    return rng.binomial(canary, traffic.canary), canary, rng.binomial(stable, traffic.stable), stable


def _evidence(finishes: Sequence[Finish], profile: Floats) -> list[Floats]:
    rows, start = [], 0
    for finish in finishes:
        end = start + len(finish.grid.log_weights)
        rows.append(log_evidence(finish.grid.log_weights, profile[:, start:end]))
        start = end
    return rows
