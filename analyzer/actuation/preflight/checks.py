"""The list of checks. Preflight runs all of them before a release begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analyzer.actuation.preflight.access import access
from analyzer.actuation.preflight.capacity import autoscaler, disruption_budget, quota
from analyzer.actuation.preflight.context import Context, Findings
from analyzer.actuation.preflight.deployments import (
    disjoint_selectors,
    min_ready_seconds,
    progress_deadline,
    readiness_probe,
    recreated_by_rollback,
    recreated_under_load,
    replicas_in_manifest,
    revision_history,
)
from analyzer.actuation.preflight.scrapes import clock_skew, live_series, scrape_interval
from analyzer.actuation.preflight.services import selects_both_sides, session_affinity, some_service
from analyzer.model.finding import Level


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `run` gives what is not so, and the way out; it may raise KubeError and ObservationError.

    `acting`: it matters only where workloads will be written.
    """

    name: str
    level: Level
    run: Callable[[Context], Findings]
    acting: bool = False


CHECKS: tuple[Check, ...] = (
    Check("access", Level.ERROR, access),
    Check("service", Level.ERROR, selects_both_sides),
    Check("any-service", Level.WARNING, some_service),
    Check("session-affinity", Level.WARNING, session_affinity),
    Check("selectors", Level.ERROR, disjoint_selectors),
    Check("autoscaler", Level.ERROR, autoscaler, acting=True),
    Check("quota", Level.ERROR, quota, acting=True),
    Check("disruption-budget", Level.WARNING, disruption_budget, acting=True),
    Check("readiness-probe", Level.WARNING, readiness_probe),
    Check("min-ready-seconds", Level.WARNING, min_ready_seconds),
    Check("revision-history", Level.ERROR, revision_history, acting=True),
    Check("progress-deadline", Level.WARNING, progress_deadline, acting=True),
    Check("strategy", Level.ERROR, recreated_under_load, acting=True),
    Check("rollback-strategy", Level.WARNING, recreated_by_rollback, acting=True),
    Check("replicas-in-manifest", Level.WARNING, replicas_in_manifest, acting=True),
    Check("live-series", Level.ERROR, live_series),
    Check("clock-skew", Level.WARNING, clock_skew),
    Check("scrape-interval", Level.WARNING, scrape_interval),
)
