"""Runs the checks on one target; implements the port `Preflight`. Made by the composition root."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.actuation.preflight.checks import CHECKS, Check
from analyzer.actuation.preflight.context import Followed, Pair, PreflightContext
from analyzer.kube.errors import ForbiddenError, NotFoundError
from analyzer.kube.objects import DEPLOYMENTS, Api
from analyzer.model.finding import Finding, FindingLevel
from analyzer.model.target import Roles, Side, Target
from analyzer.model.workload import Snapshot
from analyzer.ports import Clock, Sightings


class ClusterPreflight:
    """Looks at the API server and Prometheus; nothing is kept between two calls. Thread-safe."""

    def __init__(
        self, api: Api, followed: Followed, sightings: Sightings, clock: Clock, checks: Sequence[Check] = CHECKS
    ) -> None:
        self._api = api
        self._followed = followed
        self._sightings = sightings
        self._clock = clock
        self._checks = checks

    def check(self, target: Target, roles: Roles, snapshot: Snapshot) -> Sequence[Finding]:
        """Errors first. Raises KubeError and ObservationError when the API server or Prometheus cannot be reached."""
        sides = tuple(self._pair(target, side, snapshot) for side in Side)
        missing = [roles.name(side) for side, pair in zip(Side, sides, strict=True) if pair is None]
        if missing:
            way_out = "create it or correct its name in the configuration"
            return [
                Finding("deployments", FindingLevel.ERROR, f"Deployment {name} does not exist", way_out)
                for name in missing
            ]
        stable, canary = (pair for pair in sides if pair is not None)
        context = PreflightContext(target, (stable, canary), self._api, self._sightings, self._clock.now())
        checks = [check for check in self._checks if context.acting or not check.acting]
        findings = [finding for check in checks for finding in _run(check, context)]
        return sorted(findings, key=lambda finding: finding.level is not FindingLevel.ERROR)

    def _pair(self, target: Target, side: Side, snapshot: Snapshot) -> Pair | None:
        workload = snapshot.side(side)
        found = self._followed.get(DEPLOYMENTS, target.namespace, workload.name) if workload else None
        return None if workload is None or found is None else Pair(side, workload, found)


def _run(check: Check, context: PreflightContext) -> Iterator[Finding]:
    try:
        for message, way_out, level in check.run(context):
            yield Finding(check.name, level or check.level, message, way_out)
    except (ForbiddenError, NotFoundError) as error:
        way_out = "grant this permission so that the check can run"
        yield Finding(check.name, FindingLevel.WARNING, f"not checked: {error}", way_out)
