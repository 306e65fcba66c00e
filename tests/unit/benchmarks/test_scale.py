"""The bench of many targets: who is in release, what is sent to Prometheus, what the figures are made of."""

from __future__ import annotations

from typing import Any

from benchmarks.scale.figures import Case, figures, flatness, goals
from benchmarks.scale.plan import Standing
from benchmarks.scale.series import _snappy, _varint

STANDING = Standing(targets=50, in_release=5, sweeps=3, begin=1_800_000_000.0)


def sweep(number: int, **changes: Any) -> dict[str, Any]:
    whole = {
        "sweep": number,
        "seconds": 2.0,
        "cpu": 1.0,
        "chores": 0.5,
        "rss": 150.0,
        "requests": {"patch state": 1, "patch status": 5, "watch Pod": 1, "writes": 6, "requests": 7},
        "ticks": {"ticks": 50, "judged": 5, "verdict PASS": 5},
        "pause": 0.0,
        "load": 1.0,
        "queries": 5.0,
        "bytes": 1000.0,
    }
    return {**whole, **changes}


def case(*sweeps: dict[str, Any]) -> Case:
    start = {"start": {"configuration": 0.1, "lists": 0.2, "lease": 0.1, "documents": 0.1}, "rss": 140.0}
    quiet = {"quiet": 30.0, "cpu": 0.3, "requests": {"watch Pod": 1, "patch Lease": 15, "requests": 16}}
    return Case(STANDING, 345, [start, *sweeps, quiet, {"end": True, "peak": 160.0}])


def test_targets_in_release_are_spread_among_the_others() -> None:
    busy = [pair.number for pair in STANDING.pairs if pair.in_release]
    assert busy == [9, 19, 29, 39, 49]
    assert STANDING.namespaces == ["team-000"]


def test_sweeps_before_all_is_looked_at_are_not_measured() -> None:
    begun = sweep(1, ticks={"ticks": 20, "judged": 1}, seconds=15.0)
    found = figures(case(begun, sweep(2), sweep(3), sweep(4)))
    assert found["sweeps"] == 2
    assert found["sweepSecondsP99"] == 2.0
    assert found["takeOverSweeps"] == 2
    assert found["takeOverSeconds"] == 17.0


def test_share_of_a_core_holds_chores_and_quiet_times_too() -> None:
    assert figures(case(sweep(1), sweep(2)))["cpuShare"] == 0.11  # 1.5 of 15 s, and 0.3 of 30 s


def test_requests_are_counted_by_what_they_are_for() -> None:
    found = figures(case(sweep(1), sweep(2)))
    assert found["writesPerMinute"] == {"state": 4.0, "status": 20.0, "Deployment": 0.0}
    assert found["requestsPerMinute"] == 24.0
    assert found["quietRequestsPerMinute"] == {"watches": 2.0, "Lease": 30.0, "others": 0.0}


def test_goals_are_those_of_the_largest_run() -> None:
    found = figures(case(sweep(1), sweep(2), sweep(3)))
    slow = {**found, "targets": 5000, "sweepSecondsP99": 5.1}
    met = goals([found, slow], flatness(case(*[sweep(number, rss=150.0 + number) for number in range(1, 10)])))
    assert met == {
        "p99 of a sweep <= 5 s": False,
        "RSS <= 400 MiB": True,
        "<= 10 queries a sweep": True,
        "no request for idle targets": True,
        "RSS flat": False,
    }


def test_remote_write_is_framed_as_prometheus_reads_it() -> None:
    assert _varint(300) == b"\xac\x02"
    assert _snappy(b"abc") == b"\x03\xfc\x02\x00\x00\x00abc"
