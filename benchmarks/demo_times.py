"""How long the demo's two releases take, over many seeds, with the whole engine in fake time.

Prints the median and the 99th percentile of both, and how often a release ended as it should not.
Run: python -m benchmarks.demo_times [seeds] [first seed]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from analyzer.model.phase import Phase
from tests.fakes.metrics import Traffic
from tests.scenarios.stage import Stage

LIMIT = 240.0
"""Seconds after which a release counts as unfinished."""

GOALS = {"good": 110.0, "bad": 45.0}
RATES = {"good": 0.04, "bad": 0.12}
RIGHT = {"good": Phase.SUCCEEDED, "bad": Phase.ABORTED}


@dataclass(frozen=True, slots=True)
class Run:
    """One release: its end, and the seconds from the new template to its end."""

    phase: Phase
    seconds: float
    reason: str


def play(kind: str, seed: int) -> Run:
    """Play one release to its end, or to the limit."""
    stage = Stage(traffic=Traffic(seed=seed))
    stage.release("v2", errors=RATES[kind])
    seconds = 0.0
    while seconds < LIMIT and (stage.phase not in (Phase.SUCCEEDED, Phase.ABORTED) or stage.state.release is None):
        stage.run(1)
        seconds += 1
    return Run(stage.phase, seconds, stage.state.reason)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _both(seed: int) -> tuple[Run, Run]:
    return play("good", seed), play("bad", seed)


def main() -> None:
    """Print the table."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    began = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        runs = list(pool.map(_both, range(first, first + seeds), chunksize=5))
    print(f"{seeds} seeds from {first}, {time.perf_counter() - began:.0f} s")
    print(f"{'release':8} {'right':>6} {'p50':>6} {'p99':>6} {'max':>6} {'goal p99':>9}")
    for place, kind in enumerate(("good", "bad")):
        mine = [pair[place] for pair in runs]
        seconds = [run.seconds for run in mine]
        right = sum(run.phase is RIGHT[kind] for run in mine)
        shown = [percentile(seconds, share) for share in (0.5, 0.99, 1.0)]
        print(f"{kind:8} {right:6d} {shown[0]:6.0f} {shown[1]:6.0f} {shown[2]:6.0f} {GOALS[kind]:9.0f}")
        wrong = Counter(f"{run.phase}: {run.reason}" for run in mine if run.phase is not RIGHT[kind])
        for reason, count in wrong.most_common(5):
            print(f"         {count} x {reason}")


if __name__ == "__main__":
    main()
