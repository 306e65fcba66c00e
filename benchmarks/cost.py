"""What judging costs: time per evidence update, a daemon's sweep over 500 releases, memory per release.

Run `python -m benchmarks cost`. Times are of this machine; counts are simulated.
"""

from __future__ import annotations

import gc
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.judge import Evidence, begin, enter, fold, judge, judge_after, prove_from
from analyzer.model.block import Block, Buckets, Counts, PodLevel, Restarts, Sample, SideBlock, Timing
from analyzer.model.metric import Analysis, GaugeMetric, HistogramMetric, RatioMetric, RestartsMetric, TestedMetric
from analyzer.model.noise import BoundNoise, Noise
from benchmarks.size import Size, progress
from benchmarks.tables import show

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))
METRICS: tuple[TestedMetric, ...] = (
    RatioMetric("errors", "errors_total", "requests_total"),
    HistogramMetric("latency", "latency_bucket", objective=0.25),
    GaugeMetric("memory", "memory_bytes"),
    RestartsMetric("restarts"),
)
RELEASES, PODS, STEPS, ROUNDS = 500, 5, 3, 5
PER_BOUND = (BoundNoise(1.3, 0.07),) * (len(BOUNDS) - 1)
NOISE = {metric.name: Noise(1.3, 0.07, bounds=PER_BOUND if metric.kind == "histogram" else ()) for metric in METRICS}
BLOCKS, CASES, CASE_BLOCKS = 300, 1000, 240


@dataclass(frozen=True, slots=True)
class Swept:
    """Seconds of a sweep in which every metric has a new block, of one with nothing new, and bytes per release."""

    busy: float
    idle: float
    memory: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds per call."""

    fold: float
    judge: float


def report(size: Size) -> None:
    """Print the tables."""
    rng = size.rng("cost")
    progress("cost: one metric")
    rows = []
    for metric in METRICS:
        spent = _one(metric, rng)
        rows.append([metric.kind, f"{spent.fold * 1e9:,.0f} ns", f"{spent.judge * 1e9:,.0f} ns"])
    machine = f"{platform.machine()}, Python {platform.python_version()}; CPU seconds of one core; seed {size.seed}."
    note = f"{machine} {PODS} + {PODS} pods, {len(BOUNDS)} buckets; the median of {BLOCKS} blocks."
    show("Cost of one metric", ["kind", "one evidence update", "one verdict"], rows, note)
    progress(f"cost: a sweep of {RELEASES} releases")
    swept = _sweep(rng)
    row = [
        str(RELEASES),
        str(len(METRICS)),
        f"{swept.busy:.2f} s",
        f"{swept.idle * 1000:.1f} ms",
        f"{swept.memory / 1024:.0f} KiB",
    ]
    header = ["releases", "metrics each", "in the judge, per sweep", "with nothing new", "memory per release"]
    note = f"{machine} A sweep adds one new block of every metric and judges every release. Best of {ROUNDS - 2}."
    show("A sweep", header, [row], note)
    progress(f"cost: {CASES} recorded cases")
    seconds = _recorded(rng)
    note = (
        f"{machine} `canary-analyzer judge FILE`, ratio cases with stated noise, 2 + 8 pods, with the program's start."
    )
    show("Recorded cases", ["cases", "blocks each", "time"], [[str(CASES), str(CASE_BLOCKS), f"{seconds:.1f} s"]], note)


def _one(metric: TestedMetric, rng: np.random.Generator) -> Spent:
    """The median over blocks."""
    evidence = _begun((metric,))
    fresh = [_block(metric, index, rng) for index in range(BLOCKS)]
    folds, judges = [], []
    for block in fresh:
        start = time.process_time()
        evidence = fold(evidence, metric.name, [block])
        folded = time.process_time()
        judge(evidence)
        folds.append(folded - start)
        judges.append(time.process_time() - folded)
    return Spent(float(np.median(folds)), float(np.median(judges)))


def _sweep(rng: np.random.Generator) -> Swept:
    rounds = [
        {metric.name: [_block(metric, index, rng) for _ in range(8)] for metric in METRICS} for index in range(ROUNDS)
    ]
    gc.collect()
    tracemalloc.start()
    releases = [_begun(METRICS) for _ in range(RELEASES)]
    for blocks in rounds[:2]:
        releases = [_advanced(release, place, blocks) for place, release in enumerate(releases)]
    gc.collect()
    memory = tracemalloc.get_traced_memory()[0] / RELEASES
    tracemalloc.stop()
    spent = []
    for blocks in rounds[2:]:
        start = time.process_time()
        releases = [_advanced(release, place, blocks) for place, release in enumerate(releases)]
        spent.append(time.process_time() - start)
    judged = [judge_after(release, None) for release in releases]
    start = time.process_time()
    for one in judged:
        judge_after(one.evidence, one)
    return Swept(min(spent), time.process_time() - start, memory)


def _recorded(rng: np.random.Generator) -> float:
    """Seconds of work of the command, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for case in range(CASES):
                lines.write(json.dumps(_case(case, rng)) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "analyzer", "judge", str(file)]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _case(number: int, rng: np.random.Generator) -> dict[str, object]:
    ratio = rng.choice([1.0, 1.0, 1.5, 3.0])

    def side(pods: int, share: float) -> dict[str, object]:
        events = rng.binomial(120, share, pods).tolist()
        return {"pods": {f"p-{pod}": {"events": count, "total": 120} for pod, count in enumerate(events)}}

    blocks = [{"canary": side(2, 0.01 * ratio), "stable": side(8, 0.01)} for _ in range(CASE_BLOCKS)]
    noise = {"dispersion": 1.2, "podSpread": 0.05}
    return {"id": f"case-{number}", "kind": "ratio", "steps": [0, 80, 160], "noise": noise, "blocks": blocks}


def _advanced(evidence: Evidence, place: int, blocks: dict[str, list[Block[Any]]]) -> Evidence:
    for name, choices in blocks.items():
        evidence = fold(evidence, name, [choices[place % len(choices)]])
    judge(evidence)
    return evidence


def _begun(metrics: Sequence[TestedMetric]) -> Evidence:
    evidence = begin(Analysis(tuple(metrics)), STEPS, Timing(15, 15, 1), NOISE)
    return prove_from(enter(evidence, 0, abort_from=0, fast_from=0), 0)


def _block(metric: TestedMetric, index: int, rng: np.random.Generator) -> Block[Any]:
    sample = _SAMPLES[metric.kind]
    sides = [
        SideBlock(
            {f"{side}-{pod}": sample(rng) for pod in range(PODS)}, bounds=BOUNDS if metric.kind == "histogram" else ()
        )
        for side in ("c", "s")
    ]
    return Block(index, sides[0], sides[1], sides[1])


def _buckets(rng: np.random.Generator) -> Buckets:
    slow = np.sort(0.1 * np.exp(0.6 * rng.standard_normal(100)))
    return Buckets(tuple(float(count) for count in np.searchsorted(slow, BOUNDS, side="right")))


_SAMPLES: dict[str, Callable[[np.random.Generator], Sample]] = {
    "ratio": lambda rng: Counts(float(rng.binomial(100, 0.01)), 100.0),
    "histogram": _buckets,
    "gauge": lambda rng: PodLevel(float(np.exp(0.1 * rng.standard_normal()))),
    "restarts": lambda rng: Restarts(float(rng.random() < 1e-4), 15 / 3600),
}
