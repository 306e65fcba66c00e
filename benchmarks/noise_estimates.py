"""How good the estimates of noise are, and what they cost: simulated histories with known noise.

Run `python -m benchmarks.noise_estimates`. Seeded; prints the tables of docs/noise.md; a minute or two for the
default runs.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analyzer.judge.gauges.tests import Normal, log_abort
from analyzer.judge.noise.dispersion import CAUTION, Cells, between_batches, between_pods, few_pods
from analyzer.judge.noise.estimate import estimate
from analyzer.judge.noise.levels import between_pods as between_levels
from analyzer.judge.noise.levels import within_pods
from analyzer.judge.noise.placebo import checked
from analyzer.judge.sequential.profile import Floats
from analyzer.model.block import Counts, History, Sample, SideBlock
from analyzer.model.metric import NoiseSetting, RatioMetric
from analyzer.model.noise import EXACT
from benchmarks.tables import share_of, show

METRIC = RatioMetric("errors", "errors_total", "requests_total")

ALPHA, TOLERATED = 0.01, 1.25
REQUESTS = 6000.0
SIZES = ((4, 72), (9, 72), (9, 12), (20, 12))
PRECISE = 1e-6


@dataclass(frozen=True, slots=True)
class Model:
    """One way in which counts are noisy, with the phi and tau that it has."""

    name: str
    phi: float
    tau: float
    drift: float = 0.0
    bursts: float = 0.0

    def events(self, rng: np.random.Generator, pods: int, batches: int, mean: float) -> Floats:
        """Events of shape (pods, batches). Drift and bursts are shared by all pods."""
        levels = np.exp(self.tau * rng.standard_normal((pods, 1)))
        shared = np.exp(self.drift * np.sin(np.arange(batches) / 6))
        shared = shared * np.where(rng.random(batches) < self.bursts, 10.0, 1.0)
        return np.asarray(rng.poisson(mean * levels * shared / self.phi) * self.phi, dtype=np.float64)


MODELS = (
    Model("independent", 1, 0),
    Model("drift", 1, 0, drift=0.7),
    Model("drift + bursts", 1, 0, drift=0.7, bursts=0.05),
    Model("pods tau .1", 1, 0.1),
    Model("pods tau .3", 1, 0.3),
    Model("batches phi 5", 5, 0),
    Model("both", 5, 0.3, drift=0.7, bursts=0.05),
)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400, help="simulated histories per cell")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print(f"{options.runs} histories per cell, seed {options.seed}")
    counts(rng, options.runs)
    gauges(rng, options.runs)
    placebo(rng, max(1, options.runs // 20))
    few(rng, 500 * options.runs)
    visible()


def counts(rng: np.random.Generator, runs: int) -> None:
    """phi and tau of counts, in every model and for several amounts of history."""
    rows = []
    for (pods, batches), mean, model in itertools.product(SIZES, (60.0, 3.0, 0.3), MODELS):
        phis, bounds, spreads = [], [], []
        for _ in range(runs):
            cells = Cells(model.events(rng, pods, batches, mean), np.full((pods, batches), REQUESTS))
            found = between_batches(cells)
            if found is not None:
                phis.append(found.value)
                bounds.append(found.upper)
                spreads.append(between_pods(cells, found.value))
        rows.append(
            [str(pods), f"{batches // 12} h", f"{mean:g}", model.name, *_summary(model, phis, bounds, spreads, runs)]
        )
    header = ["pods", "history", "events/cell", "model", "no estimate", "phi", "bound", "covers", "tau 10/50/90 %"]
    show(f"Counts: phi, its {CAUTION:.0%} bound, and tau", header, rows)


def _summary(model: Model, phis: list[float], bounds: list[float], spreads: list[float], runs: int) -> list[str]:
    if len(phis) < runs / 10:
        return [f"{1 - len(phis) / runs:.0%}", "-", "-", "-", "-"]
    covers = np.mean(np.array(bounds) >= model.phi)
    return [
        f"{1 - len(phis) / runs:.0%}",
        f"{np.median(phis):.2f}",
        f"{np.median(bounds):.2f}",
        f"{covers:.0%}",
        _quantiles(spreads),
    ]


def gauges(rng: np.random.Generator, runs: int) -> None:
    """The wander within pods and the spread between them, for levels that wander quickly or slowly."""
    rows = []
    for (pods, batches), rho, tau in itertools.product(SIZES, (0.0, 0.5, 0.9), (0.0, 0.1, 0.3)):
        withins, spreads = [], []
        for _ in range(max(1, runs // 4)):
            levels = 0.1 * _autoregressive(rng, (pods, batches), rho) + tau * rng.standard_normal((pods, 1))
            found = within_pods(levels)
            if found is not None:
                withins.append(math.sqrt(found.upper))
                spreads.append(between_levels(levels, found.value))
        hour = 0.1 * math.sqrt(_hourly(rho))
        rows.append(
            [
                str(pods),
                f"{batches // 12} h",
                f"{rho:g}",
                f"{tau:g}",
                f"{hour:.3f}",
                _quantiles(withins),
                _quantiles(spreads),
            ]
        )
    header = ["pods", "history", "rho", "tau", "true withinPod over an hour", "withinPod 10/50/90 %", "tau 10/50/90 %"]
    show("Gauges: within pods (.1 in one batch, correlated by rho with the next) and between them", header, rows)


def placebo(rng: np.random.Generator, runs: int) -> None:
    """How often the check on stable's own pods raises the noise: as it was estimated, and when it was left out."""
    rows = []
    for model in MODELS:
        raised, left_out = [], []
        for _ in range(runs):
            events = model.events(rng, 9, 48, 60.0)
            past = _history(events)
            noise = estimate(METRIC, past, NoiseSetting())
            raised.append(checked(METRIC, past, noise)[1].factor > 1)
            left_out.append(checked(METRIC, past, EXACT)[1].factor > 1)
        rows.append([model.name, share_of(sum(raised), runs), share_of(sum(left_out), runs)])
    show(
        "Placebo check, 9 pods and 4 h: histories whose noise is raised", ["model", "estimated", "taken as exact"], rows
    )


def _history(events: Floats) -> History[Sample]:
    pods, batches = events.shape
    return History(
        300.0,
        tuple(
            SideBlock({f"s-{pod}": Counts(float(events[pod, batch]), REQUESTS) for pod in range(pods)})
            for batch in range(batches)
        ),
    )


def few(rng: np.random.Generator, draws: int) -> None:
    """What the correction for few pods costs and saves, in the limit of endless traffic."""
    rules: tuple[tuple[str, Callable[[int], float]], ...] = (
        ("as estimated", lambda _: 1.0),
        ("Student (used)", few_pods),
        (f"{CAUTION:.0%} bound", lambda pods: (pods - 1) / float(stats.chi2.ppf(1 - CAUTION, pods - 1))),
    )
    rows = []
    for tau, pods, canary, (name, rule) in itertools.product((0.1, 0.3), (4, 5, 9, 20), (1, 4), rules):
        step = math.sqrt(1 / canary + 1 / pods)
        spread = tau * np.sqrt(rule(pods) * rng.chisquare(pods - 1, draws) / (pods - 1))
        deviation = tau * step * rng.standard_normal(draws)
        aborted = [
            f"{_aborted(math.log(ratio) + deviation, spread * step):.2%}" for ratio in (1.0, TOLERATED, 2.0, 3.0)
        ]
        rows.append([f"{tau:g}", str(pods), str(canary), name, *aborted])
    header = ["tau", "stable pods", "canary pods", "tau is taken", "1x", f"{TOLERATED}x", "2x", "3x"]
    show(
        f"Aborted at level {ALPHA} with endless traffic, by true ratio, one step, tolerance {TOLERATED}x", header, rows
    )


def _aborted(estimates: Floats, steps: Floats) -> float:
    """The share that is aborted. log e grows with the estimate, so one threshold per spread is enough."""
    grid = np.geomspace(1e-3, 20, 60)
    thresholds = np.interp(steps, grid, [_threshold(float(step)) for step in grid])
    return float((estimates >= thresholds).mean())


def _threshold(step: float) -> float:
    """The log ratio from which on a canary is aborted, when the pods' spread tau_step is all that is unknown."""
    low, high = math.log(TOLERATED), math.log(TOLERATED) + 8 * step + 1
    for _ in range(50):
        middle = (low + high) / 2
        crosses = log_abort(Normal(middle, PRECISE), math.log(TOLERATED), step**2) >= math.log(1 / ALPHA)
        low, high = (low, middle) if crosses else (middle, high)
    return high


def visible() -> None:
    """The smallest excess that can be seen at any traffic, by tau and pods."""
    rows = []
    for tau in (0.03, 0.05, 0.1, 0.2, 0.3):
        cells = [
            f"{math.exp(_threshold(tau * math.sqrt(1 / canary + 1 / (10 - canary)))):.2f}x" for canary in (1, 2, 3, 5)
        ]
        rows.append([f"{tau:g}", *cells])
    header = ["tau", "1 canary pod", "2", "3", "5"]
    show(f"Smallest visible excess with 10 pods, one step, tolerance {TOLERATED}x, level {ALPHA}", header, rows)


def _autoregressive(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> Floats:
    shocks = rng.standard_normal(shape)
    levels = np.empty(shape)
    levels[:, 0] = shocks[:, 0]
    for batch in range(1, shape[1]):
        levels[:, batch] = rho * levels[:, batch - 1] + math.sqrt(1 - rho**2) * shocks[:, batch]
    return levels


def _hourly(rho: float, batches: int = 12) -> float:
    """Variance of an hour's mean times its batches, in units of one batch's variance."""
    lags = np.arange(1, batches)
    return float(1 + 2 * ((1 - lags / batches) * rho**lags).sum())


def _quantiles(values: list[float]) -> str:
    return " / ".join(f"{each:.3f}" for each in np.quantile(values, [0.1, 0.5, 0.9]))


if __name__ == "__main__":
    main()
