"""The successful end of a release."""

from __future__ import annotations

from dataclasses import replace

from analyzer.decision.alerts import alert_of
from analyzer.decision.context import Context
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.state import Result


def succeed(context: Context, reason: str, event: AlertEvent = AlertEvent.PROMOTED) -> Decision:
    """Enter SUCCEEDED and record which version is stable now and which one was before."""
    release = context.release
    context = context.update(ended_at=context.now, result=Result.PROMOTED)
    if context.acting:
        edited = release.stable.hash == release.canary.hash
        before = context.state.stable_hash if edited else release.stable.hash
        known = replace(context.state, stable_hash=release.canary.hash, previous=before)
        context = replace(context, state=known)
    what = "promoted" if event is AlertEvent.PROMOTED else "ready to promote"
    alert = alert_of(context, event, f"{context.state.target}: {what}, {reason}")
    return context.go(Phase.SUCCEEDED, reason, Action.PROMOTE, alert)
