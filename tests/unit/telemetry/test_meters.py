"""The daemon's own metrics tell what it did and whether its configuration is the one on disk."""

from __future__ import annotations

import math

from analyzer.model.phase import Phase
from analyzer.telemetry import OwnMetrics
from tests.unit.telemetry.sample_reports import NOW, tick


def value(meters: OwnMetrics, name: str, **labels: str) -> float | None:
    return meters.registry.get_sample_value(f"canary_analyzer_{name}", labels)


def test_counts_ticks_by_how_they_ended() -> None:
    meters = OwnMetrics("1.2.3")
    assert value(meters, "ticks_total", result="failed") == 0
    meters.report(tick())
    meters.report(tick())
    meters.report(tick(error="no answer"))
    assert value(meters, "ticks_total", result="ok") == 2
    assert value(meters, "ticks_total", result="failed") == 1


def test_counts_the_phases_that_were_entered() -> None:
    meters = OwnMetrics("1.2.3")
    meters.report(tick(Phase.ROLLING_BACK, Phase.ABORTED))
    meters.report(tick(Phase.PENDING, error="not saved", saved=Phase.IDLE))
    assert value(meters, "transitions_total", phase="ABORTED") == 1
    assert value(meters, "transitions_total", phase="PENDING") is None


def test_tells_whether_the_configuration_on_disk_is_in_use() -> None:
    meters = OwnMetrics("1.2.3")
    meters.accepted(3, NOW)
    assert value(meters, "targets") == 3
    assert value(meters, "config_last_reload_successful") == 1
    assert value(meters, "config_last_reload_success_timestamp_seconds") == NOW.timestamp()
    meters.refused()
    assert value(meters, "config_last_reload_successful") == 0
    assert value(meters, "targets") == 3


def test_says_whether_this_daemon_leads_when_it_is_read() -> None:
    meters = OwnMetrics("1.2.3")
    leads = [False]
    meters.ask(lambda: leads[0])
    assert value(meters, "leading") == 0
    leads[0] = True
    assert value(meters, "leading") == 1


def test_dropped_events_are_a_counter() -> None:
    meters = OwnMetrics("1.2.3")
    assert value(meters, "events_dropped_total") == 0
    meters.event_dropped()
    meters.event_dropped()
    assert value(meters, "events_dropped_total") == 2
    (family,) = (one for one in meters.registry.collect() if one.name == "canary_analyzer_events_dropped")
    assert family.type == "counter"


def test_says_how_old_the_oldest_cache_is() -> None:
    meters = OwnMetrics("1.2.3")
    ages: list[float | None] = [7.5, None]
    meters.follow(lambda: ages.pop(0))
    assert value(meters, "cache_age_seconds") == 7.5
    assert math.isnan(value(meters, "cache_age_seconds") or 0)


def test_says_which_version_runs() -> None:
    assert value(OwnMetrics("1.2.3"), "build_info", version="1.2.3") == 1
