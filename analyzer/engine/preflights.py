"""Runs the preflight of a pending release, and keeps its findings for a while. The release checks call it."""

from __future__ import annotations

from analyzer.engine.target import Checks, PreflightOutcome
from analyzer.model.errors import AnalyzerError
from analyzer.model.finding import FindingLevel
from analyzer.model.state import TargetState
from analyzer.model.workload import Snapshot
from analyzer.ports import Clock, Preflight

TRIED_AGAIN = 10.0
"""Seconds after which a preflight that failed to run is repeated."""


def recent_preflight(
    preflight: Preflight | None, clock: Clock, checks: Checks, state: TargetState, snapshot: Snapshot
) -> PreflightOutcome:
    """What was found a short while ago for these versions of both Deployments; else what is found now."""
    if preflight is None:
        return PreflightOutcome()
    about = (preflight, state.since, snapshot.target, _versions(snapshot))
    now, kept = clock.monotonic(), checks.preflight
    if kept is not None and kept[0] == about and now - kept[1] < kept[2].seconds:
        return kept[2]
    outcome = _run(preflight, state, snapshot)
    checks.preflight = (about, now, outcome)
    return outcome


def _run(preflight: Preflight, state: TargetState, snapshot: Snapshot) -> PreflightOutcome:
    try:
        findings = preflight.check(snapshot.target, state.roles, snapshot)
    except AnalyzerError as error:
        return PreflightOutcome(f"preflight could not run: {error}", seconds=TRIED_AGAIN)
    errors = [str(finding) for finding in findings if finding.level is FindingLevel.ERROR]
    warnings = tuple(str(finding) for finding in findings if finding.level is FindingLevel.WARNING)
    return PreflightOutcome(f"preflight failed: {' | '.join(errors)}" if errors else None, warnings)


def _versions(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    sides = (snapshot.stable, snapshot.canary)
    return tuple((side.uid, side.template.hash) for side in sides if side is not None)
