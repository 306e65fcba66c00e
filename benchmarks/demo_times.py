"""How long the demo's releases take, over many seeds, with the whole engine in fake time.

The plan and the analysis are the demo's own (`analyzer/cli/demo/shop.yaml`). Prints medians and 99th percentiles, and
how often a release ended as it should not. Run `python -m benchmarks demo`: one seed per ten runs that are asked for.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from analyzer.config import load
from analyzer.model.metric import HistogramMetric, Metric
from analyzer.model.phase import Phase
from analyzer.model.target import Side, Target
from benchmarks.size import Size, progress
from benchmarks.tables import share_of, show
from tests.fakes.metrics import BOUNDS, Traffic
from tests.scenarios.stage import Stage

LIMIT = 240.0
"""Seconds after which a release counts as unfinished."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of release: its failed requests and slow ones as shares, how it should end, and within how long.

    `goals` are seconds at the median and the 99th percentile (None: none is set) of the `whole` release, or else of
    the time from its first ready pod to the decision.
    """

    errors: float
    slow: float
    end: Phase
    goals: tuple[float | None, float | None]
    whole: bool = True


KINDS = {
    "good": Kind(0.04, 0.05, Phase.SUCCEEDED, (None, 110.0)),
    "bad": Kind(0.12, 0.05, Phase.ABORTED, (None, 45.0)),
    "slow": Kind(0.04, 0.9, Phase.ABORTED, (None, None)),
    "broken": Kind(0.8, 0.05, Phase.ABORTED, (8.0, 12.0), whole=False),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One release: its end, the seconds from the new template to its end, and from its first ready pod to an abort."""

    phase: Phase
    seconds: float
    decided: float
    reason: str


def demo_target() -> Target:
    """The demo's target; its latency objective is moved to the boundary that the simulated histogram has."""
    text = (files("analyzer.cli.demo") / "shop.yaml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.yaml"
        path.write_text(
            text.replace("PROMETHEUS_URL", "http://p").replace("RECEIVER_URL", "http://r"), encoding="utf-8"
        )
        (target,) = load([path]).targets
    metrics = tuple(_simulated(metric) for metric in target.analysis.metrics)
    return replace(target, analysis=replace(target.analysis, metrics=metrics))


def _simulated(metric: Metric) -> Metric:
    return replace(metric, objective=BOUNDS[-2]) if isinstance(metric, HistogramMetric) else metric


def play(target: Target, kind: Kind, seed: int) -> Run:
    """Play one release to its end, or to the limit."""
    stage = Stage(target, Traffic(seed=seed, slow_rates={"v2": kind.slow}))
    stage.release("v2", errors=kind.errors)
    seconds = 0.0
    while seconds < LIMIT and (stage.phase not in (Phase.SUCCEEDED, Phase.ABORTED) or stage.state.release is None):
        stage.run(1)
        seconds += 1
    release = stage.current
    ready = min((entry.ready_at for entry in release.roster if entry.side is Side.CANARY), default=release.started_at)
    decided = (release.aborted_at - ready).total_seconds() if release.aborted_at else LIMIT
    return Run(stage.phase, seconds, decided, stage.state.reason)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def report(size: Size) -> None:
    """Print the table."""
    seeds = max(10, size.runs // 10)
    target = demo_target()
    rows, wrong = [], Counter[str]()
    for name, kind in KINDS.items():
        progress(f"demo: {seeds} seeds of the {name} release")
        runs = [play(target, kind, seed) for seed in range(size.seed, size.seed + seeds)]
        times = [run.seconds if kind.whole else run.decided for run in runs]
        shown = [f"{percentile(times, share):.0f} s" for share in (0.5, 0.99, 1.0)]
        goals = ", ".join("-" if goal is None else f"{goal:.0f} s" for goal in kind.goals)
        right = sum(run.phase is kind.end for run in runs)
        span = "template to end" if kind.whole else "first ready pod to decision"
        rows.append([name, span, share_of(right, seeds), *shown, goals])
        wrong.update(f"{name}: {run.phase}: {run.reason}" for run in runs if run.phase is not kind.end)
    note = (
        f"{seeds} seeds from {size.seed}, the whole engine in simulated time; 95 % confidence intervals "
        "(Clopper-Pearson)."
    )
    ends = "".join(f"\n- {count} x {reason}" for reason, count in wrong.most_common(5))
    header = ["release", "time", "ended as expected", "median", "99th percentile", "longest", "goals (median, 99th)"]
    show("The demo's releases", header, rows, note + ends)
