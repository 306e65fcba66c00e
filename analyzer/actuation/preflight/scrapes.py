"""What Prometheus sees of the pods, and when; and whether all clocks agree."""

from __future__ import annotations

from analyzer.actuation.preflight.context import Findings, Found, PreflightContext
from analyzer.model.duration import show_duration

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
            "see that it scrapes these pods, and that `prometheus.labels` names the labels with namespace and pod",
        )


def clock_skew(context: PreflightContext) -> Findings:
    """Prometheus' clock, the API server's and ours agree."""
    clocks = {"Prometheus'": context.sighting.clock, "The API server's": context.server_clock.timestamp()}
    for whose, clock in clocks.items():
        ahead = clock - context.now.timestamp()
        if abs(ahead) > SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            yield Found(
                f"{whose} clock is {abs(ahead):.0f} s {way} ours: warm-ups and the ends of pods are cut wrong by that",
                "let both hosts follow one time server",
            )


def scrape_interval(context: PreflightContext) -> Findings:
    """Looking more often than Prometheus scrapes gives nothing new."""
    scraped, looked = context.sighting.interval, context.target.analysis.interval.total_seconds()
    if scraped is not None and scraped > looked:
        yield Found(
            f"pods are scraped every {show_duration(scraped)}, and `analysis.interval` is {show_duration(looked)}: "
            f"evidence comes in blocks of at least {show_duration(2 * scraped)}",
            f"scrape more often, or set `interval` to {show_duration(scraped)}",
        )
