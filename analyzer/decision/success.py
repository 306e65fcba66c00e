"""The good end of a release."""

from __future__ import annotations

from dataclasses import replace

from analyzer.decision.announce import announce
from analyzer.decision.scene import Scene
from analyzer.model.alert import AlertEvent
from analyzer.model.decision import Action, Decision
from analyzer.model.phase import Phase
from analyzer.model.state import Result


def succeed(scene: Scene, reason: str, event: AlertEvent = AlertEvent.PROMOTED) -> Decision:
    """Enter SUCCEEDED and remember which version is stable now and which one was before."""
    release = scene.release
    scene = scene.update(ended_at=scene.now, result=Result.PROMOTED)
    if scene.acting:
        edited = release.stable.hash == release.canary.hash
        before = scene.state.stable_hash if edited else release.stable.hash
        known = replace(scene.state, stable_hash=release.canary.hash, previous=before)
        scene = replace(scene, state=known)
    alert = announce(scene, event, f"{scene.state.target}: {event.value}, {reason}")
    return scene.go(Phase.SUCCEEDED, reason, Action.PROMOTE, alert)
