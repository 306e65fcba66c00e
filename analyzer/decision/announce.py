"""The alerts of a release: what is said, with numbers, under ids that a retry or a restart repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.decision.scene import Scene
from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.verdict import MetricVerdict

_SEVERITY = {
    AlertEvent.ABORTED: Severity.CRITICAL,
    AlertEvent.STUCK: Severity.WARNING,
    AlertEvent.DRIFT: Severity.WARNING,
    AlertEvent.GUARD: Severity.WARNING,
    AlertEvent.REGRESSION: Severity.WARNING,
    AlertEvent.PAUSED: Severity.WARNING,
    AlertEvent.GONE: Severity.WARNING,
}


def announce(scene: Scene, event: AlertEvent, summary: str, *, mark: str = "", **details: Any) -> Alert:
    """An alert about this target. `mark` tells apart several alerts of one event in one release."""
    state = scene.state
    release = state.release.id if state.release else None
    subject = release or f"{state.target}@{state.since:%Y%m%dT%H%M%SZ}"
    return Alert(
        id="/".join(filter(None, (scene.snapshot.target.namespace, subject, event.value, mark))),
        key="/".join((scene.snapshot.target.namespace, subject, event.value)),
        event=event,
        severity=_SEVERITY.get(event, Severity.INFO),
        target=state.target,
        namespace=scene.snapshot.target.namespace,
        release=release,
        summary=summary,
        at=scene.now,
        details={**_circumstances(scene), **details},
    )


def alert_once(scene: Scene, event: AlertEvent, summary: str, mark: str) -> Scene:
    """The same scene with an alert in its outbox, unless this release has told it under this mark before."""
    key = f"{event.value}/{mark}"
    if key in scene.release.alerted:
        return scene
    return scene.tell(announce(scene, event, summary, mark=mark)).update(alerted=(*scene.release.alerted, key))


def _circumstances(scene: Scene) -> dict[str, Any]:
    release = scene.state.release
    if release is None:
        return {"phase": scene.state.phase.value}
    pair = {side: _workload(scene, side) for side in ("stable", "canary")}
    return {
        "phase": scene.state.phase.value,
        "step": release.step + 1,
        "weight": release.current_step.weight,
        "version": release.canary.hash,
        **pair,
        "metrics": [_numbers(metric) for metric in (scene.verdict.metrics if scene.verdict else ())],
    }


def _workload(scene: Scene, side: str) -> Mapping[str, Any]:
    workload = scene.snapshot.stable if side == "stable" else scene.snapshot.canary
    if workload is None:
        return {"deployment": getattr(scene.state.roles, side)}
    return {
        "deployment": workload.name,
        "replicas": workload.replicas,
        "available": workload.available,
        "changeCause": workload.change_cause,
    }


def _numbers(metric: MetricVerdict) -> dict[str, Any]:
    return {
        "name": metric.name,
        "classification": metric.classification.value,
        "reason": metric.reason,
        "canary": {"events": metric.canary.events, "total": metric.canary.total},
        "stable": {"events": metric.stable.events, "total": metric.stable.total},
        "levels": None if metric.levels is None else dict(zip(("canary", "stable"), metric.levels, strict=True)),
        "ratio": metric.ratio,
        "interval": metric.finite_interval(),
    }
