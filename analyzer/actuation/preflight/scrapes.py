"""What Prometheus sees of the pods, and when; and whether all clocks agree."""

from __future__ import annotations

from analyzer.actuation.preflight.context import Findings, Found, PreflightContext
from analyzer.model.duration import show_duration
from analyzer.model.numbers import seconds

SKEW = 5.0
"""Seconds that two clocks may differ: a pod's warm-up is counted on ours, blocks on Prometheus'."""

_SHOWN = 3


def live_series(context: PreflightContext) -> Findings:
    """Every pod that is ready for long enough has live series."""
    if not context.pods:
        return
    silent = context.sighting.silent
    if silent:
        more = f" and {len(silent) - _SHOWN} more" if len(silent) > _SHOWN else ""
        yield Found(
            f"Prometheus has no live series of {', '.join(silent[:_SHOWN])}{more}",
            "check that it scrapes these pods and that `prometheus.labels` has the labels for namespace and pod",
        )


def clock_skew(context: PreflightContext) -> Findings:
    """Prometheus' clock, the API server's and ours agree."""
    clocks = {"Prometheus": context.sighting.clock, "the API server": context.server_clock.timestamp()}
    for whose, clock in clocks.items():
        ahead = clock - context.now.timestamp()
        if abs(ahead) > SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            yield Found(
                f"the clock of {whose} is {seconds(abs(ahead))} {way} the clock here: pod warm-up is off by as much",
                "synchronise both hosts with NTP",
            )


def scrape_interval(context: PreflightContext) -> Findings:
    """Ticks more often than Prometheus scrapes find nothing new."""
    scraped, looked = context.sighting.interval, context.target.analysis.interval.total_seconds()
    if scraped is not None and scraped > looked:
        yield Found(
            f"pods are scraped every {show_duration(scraped)}, `analysis.interval` is {show_duration(looked)}: there "
            f"is new evidence only every {show_duration(2 * scraped)}",
            f"scrape more often or set `interval` to {show_duration(scraped)}",
        )
