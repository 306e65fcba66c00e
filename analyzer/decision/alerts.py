"""The alerts of a release: summary and details, under ids that a retry or a restart repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.decision.context import Context
from analyzer.model.alert import Alert, AlertEvent, Severity
from analyzer.model.plain_json import plain_json
from analyzer.model.verdict_document import metric_documents

_SEVERITY = {
    AlertEvent.ABORTED: Severity.CRITICAL,
    AlertEvent.STUCK: Severity.WARNING,
    AlertEvent.DRIFT: Severity.WARNING,
    AlertEvent.GUARD: Severity.WARNING,
    AlertEvent.REGRESSION: Severity.WARNING,
    AlertEvent.PAUSED: Severity.WARNING,
    AlertEvent.GONE: Severity.WARNING,
}

_NUMBERS = ("name", "classification", "reason", "canary", "stable", "levels", "ratio", "interval")
"""What an alert has of each metric in the status."""


def alert_of(context: Context, event: AlertEvent, summary: str, *, mark: str = "", **details: Any) -> Alert:
    """An alert about this target. `mark` distinguishes several alerts of one event in one release."""
    state = context.state
    release = state.release.id if state.release else None
    subject = release or f"{state.target}@{state.since:%Y%m%dT%H%M%SZ}"
    return Alert(
        id="/".join(filter(None, (context.snapshot.target.namespace, subject, event.value, mark))),
        key="/".join((context.snapshot.target.namespace, subject, event.value)),
        event=event,
        severity=_SEVERITY.get(event, Severity.INFO),
        target=state.target,
        namespace=context.snapshot.target.namespace,
        release=release,
        summary=summary,
        at=context.now,
        details={**_details(context), **details},
    )


def alert_once(context: Context, event: AlertEvent, summary: str, mark: str) -> Context:
    """The same context with an alert in its outbox, unless this release has sent it under this mark before."""
    key = f"{event.value}/{mark}"
    if key in context.release.alerted:
        return context
    return context.enqueue(alert_of(context, event, summary, mark=mark)).update(alerted=(*context.release.alerted, key))


def _details(context: Context) -> dict[str, Any]:
    release = context.state.release
    if release is None:
        return {"phase": context.state.phase.value}
    pair = {side: _workload(context, side) for side in ("stable", "canary")}
    return {
        "phase": context.state.phase.value,
        "step": release.step + 1,
        "steps": len(release.plan.steps),
        "weight": release.current_step.weight,
        "version": release.canary.hash,
        **pair,
        "metrics": [{key: found[key] for key in _NUMBERS} for found in plain_json(metric_documents(context.verdict))],
    }


def _workload(context: Context, side: str) -> Mapping[str, Any]:
    workload = context.snapshot.stable if side == "stable" else context.snapshot.canary
    if workload is None:
        return {"deployment": getattr(context.state.roles, side)}
    return {
        "deployment": workload.name,
        "replicas": workload.replicas,
        "available": workload.available,
        "changeCause": workload.change_cause,
    }
