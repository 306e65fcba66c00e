"""The list of checks. Preflight runs all of them before a release begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analyzer.actuation.preflight.access import access
from analyzer.actuation.preflight.capacity import autoscaler, disruption_budget, quota
from analyzer.actuation.preflight.context import Findings, PreflightContext
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
from analyzer.model.finding import FindingLevel


@dataclass(frozen=True, slots=True)
class Check:
    """One question. `run` gives what is not so, and the way out; it may raise KubeError and ObservationError.

    `acting`: it matters only where workloads will be written.
    """

    name: str
    level: FindingLevel
    run: Callable[[PreflightContext], Findings]
    acting: bool = False


CHECKS: tuple[Check, ...] = (
    Check("access", FindingLevel.ERROR, access),
    Check("service", FindingLevel.ERROR, selects_both_sides),
    Check("any-service", FindingLevel.WARNING, some_service),
    Check("session-affinity", FindingLevel.WARNING, session_affinity),
    Check("selectors", FindingLevel.ERROR, disjoint_selectors),
    Check("autoscaler", FindingLevel.ERROR, autoscaler, acting=True),
    Check("quota", FindingLevel.ERROR, quota, acting=True),
    Check("disruption-budget", FindingLevel.WARNING, disruption_budget, acting=True),
    Check("readiness-probe", FindingLevel.WARNING, readiness_probe),
    Check("min-ready-seconds", FindingLevel.WARNING, min_ready_seconds),
    Check("revision-history", FindingLevel.ERROR, revision_history, acting=True),
    Check("progress-deadline", FindingLevel.WARNING, progress_deadline, acting=True),
    Check("strategy", FindingLevel.ERROR, recreated_under_load, acting=True),
    Check("rollback-strategy", FindingLevel.WARNING, recreated_by_rollback, acting=True),
    Check("replicas-in-manifest", FindingLevel.WARNING, replicas_in_manifest, acting=True),
    Check("live-series", FindingLevel.ERROR, live_series),
    Check("clock-skew", FindingLevel.WARNING, clock_skew),
    Check("scrape-interval", FindingLevel.WARNING, scrape_interval),
)
