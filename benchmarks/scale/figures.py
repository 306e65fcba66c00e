"""What the lines of a measured process say, as figures. Pure; called by the program that ran it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.scale.plan import INTERVAL, PODS, Standing

Line = Mapping[str, Any]
SWEEP_GOAL, MEMORY_GOAL, QUERY_GOAL = 5.0, 400.0, 10.0
"""Seconds, MiB, and queries of one sweep."""

GROWTH_GOAL = 0.02
"""Part by which memory may grow from the 200th to the 2,000th sweep and still is flat."""

EARLY, LATE = 200, 2000


@dataclass(frozen=True, slots=True)
class Case:
    """One run: what stood there and what the measured process said, line by line."""

    standing: Standing
    objects: int
    lines: Sequence[Line]

    @property
    def start(self) -> Line:
        """How the process came up."""
        return next(line for line in self.lines if "start" in line)

    @property
    def sweeps(self) -> list[Line]:
        """All sweeps, in order."""
        return [line for line in self.lines if "sweep" in line]

    @property
    def steady(self) -> list[Line]:
        """Those after every target was looked at again for the first time, and all releases were caught up with."""
        return self.sweeps[self.take_over :]

    @property
    def take_over(self) -> int:
        """Sweeps until then."""
        whole = (number for number, line in enumerate(self.sweeps, start=1) if is_whole(self.standing, line))
        return next(whole, len(self.sweeps))


def is_whole(standing: Standing, line: Line) -> bool:
    """Did this sweep look at every target, and judge every release on all that there is?"""
    ticks = line["ticks"]
    done = (ticks.get("ticks", 0), ticks.get("judged", 0)) == (standing.targets, standing.in_release)
    return done and not line["requests"].get("patch Deployment") and not ticks.get("verdict ERROR")


def figures(case: Case) -> dict[str, Any]:
    """All figures of one run, by name: seconds, MiB, counts."""
    steady, standing = case.steady, case.standing
    sweeps = len(steady)
    if not sweeps:
        raise SystemExit(f"{standing.targets} targets: no sweep looked at all of them; last: {case.sweeps[-1]}")
    wall, cpu = ([line[name] for line in steady] for name in ("seconds", "cpu"))
    per_minute = 60 / INTERVAL / sweeps
    requests = _summed(steady)
    quiet = next(line for line in case.lines if "quiet" in line)
    end = next(line for line in case.lines if "end" in line)
    share = float(np.mean([line["cpu"] + line["chores"] for line in steady])) / INTERVAL + quiet["cpu"] / quiet["quiet"]
    ours = {name: count for name, count in requests.items() if _of_release(name)}
    return {
        "targets": standing.targets,
        "inRelease": standing.in_release,
        "podsInRelease": standing.in_release * PODS,
        "objects": case.objects,
        "sweeps": sweeps,
        "sweepSecondsP50": _rounded(np.percentile(wall, 50)),
        "sweepSecondsP99": _rounded(np.percentile(wall, 99)),
        "sweepCpuSecondsP50": _rounded(np.percentile(cpu, 50)),
        "sweepCpuSecondsP99": _rounded(np.percentile(cpu, 99)),
        "cpuShare": _rounded(share),
        "rssMiB": round(steady[-1]["rss"]),
        "rssAtStartMiB": round(case.start["rss"]),
        "rssPeakMiB": round(end["peak"]),
        "requestsPerMinute": _rounded(sum(ours.values()) * per_minute),
        "writesPerMinute": {
            name: _rounded(requests.get(f"patch {name}", 0) * per_minute) for name in ("state", "status", "Deployment")
        },
        "requestsForIdleTargets": requests.get("for idle targets", 0),
        "quietRequestsPerMinute": _quiet(quiet),
        "queriesPerSweep": _rounded(np.mean([line["queries"] for line in steady])),
        "queriesPerSweepMost": max(line["queries"] for line in steady),
        "bytesPerSweep": round(float(np.mean([line["bytes"] for line in steady]))),
        "startSeconds": {name: _rounded(seconds) for name, seconds in case.start["start"].items()},
        "takeOverSweeps": case.take_over,
        "takeOverSeconds": _rounded(sum(line["seconds"] + line["pause"] for line in case.sweeps[: case.take_over])),
        "errors": sum(line["ticks"].get("errors", 0) for line in steady),
        "verdicts": _verdicts(steady),
        "loadAverage": round(float(np.mean([line["load"] for line in steady])), 1),
    }


def flatness(case: Case) -> dict[str, Any]:
    """Memory after many sweeps beside that after some (the last third stands for what was not run)."""
    late = min(LATE, len(case.sweeps))
    early = min(EARLY, late // 3)
    before, after = case.sweeps[early - 1]["rss"], case.sweeps[late - 1]["rss"]
    return {
        "targets": case.standing.targets,
        "inRelease": case.standing.in_release,
        "earlySweep": early,
        "lateSweep": late,
        "rssEarlyMiB": _rounded(before),
        "rssLateMiB": _rounded(after),
        "growth": _rounded(after / before - 1),
    }


def goals(cases: Sequence[Mapping[str, Any]], flat: Mapping[str, Any] | None) -> dict[str, bool]:
    """Which of the goals were met by the largest run, and by the long one."""
    met = {} if flat is None else {"RSS flat": flat["growth"] <= GROWTH_GOAL}
    if not cases:
        return met
    largest = max(cases, key=lambda case: int(case["targets"]))
    return {
        "p99 of a sweep <= 5 s": largest["sweepSecondsP99"] <= SWEEP_GOAL,
        "RSS <= 400 MiB": largest["rssPeakMiB"] <= MEMORY_GOAL,
        "<= 10 queries a sweep": largest["queriesPerSweepMost"] <= QUERY_GOAL,
        "no request for idle targets": largest["requestsForIdleTargets"] == 0,
        **met,
    }


def _summed(lines: Sequence[Line]) -> dict[str, int]:
    names = {name for line in lines for name in line["requests"]}
    return {name: sum(line["requests"].get(name, 0) for line in lines) for name in names}


def _of_release(name: str) -> bool:
    """A request of its own; watches and the Lease go by real time, which runs slower here."""
    verb, _, what = name.partition(" ")
    return what in ("state", "status", "history", "Deployment", "Event") and verb != "watch"


def _quiet(line: Line) -> dict[str, float]:
    found: dict[str, float] = {"watches": 0, "Lease": 0, "others": 0}
    for name, count in line["requests"].items():
        if " " in name and name != "for idle targets":
            kind = "watches" if name.startswith("watch ") else "Lease" if name.endswith(" Lease") else "others"
            found[kind] += count * 60 / line["quiet"]
    return {name: _rounded(rate) for name, rate in found.items()}


def _verdicts(lines: Sequence[Line]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        for name, count in line["ticks"].items():
            if name.startswith("verdict "):
                found[name.removeprefix("verdict ")] = found.get(name.removeprefix("verdict "), 0) + count
    return found


def _rounded(value: float | np.floating[Any]) -> float:
    return float(f"{float(value):.3g}")
