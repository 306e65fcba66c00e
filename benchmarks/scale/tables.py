"""The figures as Markdown. Called by the program; `benchmarks.tables` aligns the columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.tables import show

Figures = Mapping[str, Any]

INTRODUCTION = """# Scale

Every number here was printed by `make bench-scale{options}`. The setting:

- **Control plane.** A real etcd, kube-apiserver, controller-manager and scheduler ({version}). Two pairs of
  Deployments were created through the API; the others are copies of them in etcd with other names, labels and uids.
  A target in release has 9 + 1 pods, an idle one 2 + 0. All pods are marked Ready; no process runs behind them.
- **Releases.** State documents as the daemon itself writes them, in a step that lasts a day: each sweep judges errors
  and a latency histogram of 12 buckets, and moves nothing. The deadline is 48 h. With the usual 2 h, each release
  writes its state every 75 s to advance the deadline's clock; for 500 of them that is 400 writes a minute.
- **Prometheus.** A real one, with {series} series per pod in release and one sample every 15 s, filled by remote write
  beforehand.
- **Daemon.** Its own code (all but the schedule), in a process of its own, bound to one core, as the chart's user. Its
  clock advances by 15 s from sweep to sweep, so sweeps run back to back; the client-side rate limit is credited with
  the time that was skipped. Lease and watches run in real time.

Control plane and Prometheus had the remaining core(s) of {cores}. *Load* is the machine's load average, all of them
together. CPU time is what the daemon needs; wall time is what it took on this machine.
"""

_ROWS: Sequence[tuple[str, Callable[[Figures], str]]] = (
    ("sweep, p50 / p99", lambda one: f"{one['sweepSecondsP50']:.2f} / {one['sweepSecondsP99']:.2f} s"),
    (
        "CPU time of a sweep, p50 / p99",
        lambda one: f"{one['sweepCpuSecondsP50']:.2f} / {one['sweepCpuSecondsP99']:.2f} s",
    ),
    ("share of one core at 15 s", lambda one: f"{100 * one['cpuShare']:.1f} %"),
    ("RSS before the first sweep", lambda one: f"{one['rssAtStartMiB']} MiB"),
    ("RSS at the end (peak)", lambda one: f"{one['rssMiB']} ({one['rssPeakMiB']}) MiB"),
    (
        "Prometheus queries a sweep, mean (max)",
        lambda one: f"{one['queriesPerSweep']:.1f} ({one['queriesPerSweepMost']:.0f})",
    ),
    ("bytes of responses a sweep", lambda one: f"{one['bytesPerSweep'] / 1e6:.2f} MB"),
    ("API requests a minute for releases", lambda one: f"{one['requestsPerMinute']:.0f}"),
    ("of these, writes of state", lambda one: f"{one['writesPerMinute']['state']:.0f}"),
    ("of these, writes of status", lambda one: f"{one['writesPerMinute']['status']:.0f}"),
    ("API requests for idle targets, all sweeps", lambda one: f"{one['requestsForIdleTargets']}"),
    ("watches opened a minute", lambda one: f"{one['quietRequestsPerMinute']['watches']:.0f}"),
    ("Lease requests a minute", lambda one: f"{one['quietRequestsPerMinute']['Lease']:.0f}"),
    ("other requests a minute between sweeps", lambda one: f"{one['quietRequestsPerMinute']['others']:.0f}"),
    ("start: read the configuration", lambda one: f"{one['startSeconds']['configuration']:.1f} s"),
    ("start: first lists", lambda one: f"{one['startSeconds']['lists']:.1f} s"),
    (
        "take-over: until every target was ticked and judged",
        lambda one: f"{one['takeOverSeconds']:.0f} s, {one['takeOverSweeps']} sweeps",
    ),
    ("ticks with an error", lambda one: f"{one['errors']}"),
    ("sweeps measured", lambda one: f"{one['sweeps']}"),
    ("load", lambda one: f"{one['loadAverage']}"),
)


def show_cases(cases: Sequence[Figures]) -> None:
    """One column for each run."""
    header = ["", *(f"{one['targets']:,} targets, {one['inRelease']:,} in release" for one in cases)]
    rows = [[name, *(cell(one) for one in cases)] for name, cell in _ROWS]
    show("Growth", header, rows)


def show_flat(flat: Figures) -> None:
    """Memory over time."""
    row = [
        f"{flat['targets']:,}",
        f"{flat['inRelease']:,}",
        f"{flat['rssEarlyMiB']:.1f} MiB",
        f"{flat['rssLateMiB']:.1f} MiB",
        f"{100 * flat['growth']:+.1f} %",
    ]
    header = [
        "targets",
        "in release",
        f"RSS after {flat['earlySweep']:,} sweeps",
        f"after {flat['lateSweep']:,}",
        "growth",
    ]
    show("Memory over time", header, [row])


def show_goals(goals: Mapping[str, bool]) -> None:
    """The goals, and whether they were met."""
    show("Goals", ["goal", "met"], [[name, "yes" if met else "no"] for name, met in goals.items()])
