"""How long the demo's two releases take, over many seeds, with the whole engine in fake time.

Prints the median and the 99th percentile of both, and how often a release ended as it should not.
Run `python -m benchmarks demo`: one seed per ten runs that are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.model.phase import Phase
from benchmarks.size import Size, progress
from benchmarks.tables import share_of, show
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


def report(size: Size) -> None:
    """Print the table."""
    seeds = max(10, size.runs // 10)
    progress(f"demo: {seeds} seeds")
    pairs = [_both(seed) for seed in range(size.seed, size.seed + seeds)]
    rows, wrong = [], Counter[str]()
    for place, kind in enumerate(GOALS):
        mine = [pair[place] for pair in pairs]
        right = sum(run.phase is RIGHT[kind] for run in mine)
        shown = [f"{percentile([run.seconds for run in mine], share):.0f} s" for share in (0.5, 0.99, 1.0)]
        rows.append([kind, share_of(right, seeds), *shown, f"{GOALS[kind]:.0f} s"])
        wrong.update(f"{kind}: {run.phase}: {run.reason}" for run in mine if run.phase is not RIGHT[kind])
    note = f"{seeds} seeds from {size.seed}, the whole engine in fake time; 95 % Clopper-Pearson intervals."
    ends = "".join(f"\n- {count} x {reason}" for reason, count in wrong.most_common(5))
    header = ["release", "ended as it should", "median", "99th percentile", "longest", "goal"]
    show("The demo's two releases", header, rows, note + ends)
