"""Reads the state documents of all targets, so that slots are counted and releases go on: of those configured, and of
those that were removed in mid-release or with alerts to deliver. The daemon calls it when it begins to lead.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from analyzer.engine import hints
from analyzer.engine.targets import Targets
from analyzer.model.errors import RecordError
from analyzer.model.state import TargetState
from analyzer.model.target import Target
from analyzer.ports import ReleaseStore

_log = structlog.get_logger(__name__)


def read_states(store: ReleaseStore, targets: Targets, configured: Sequence[Target]) -> None:
    """Read what is not known yet. A document that cannot be read is logged. Raises RecordError when none can."""
    names = store.targets()
    for target in configured:
        runtime = targets.of(target.name)
        if runtime.state is None:
            runtime.state = _read(store, target.name)
    known = {one.name for one in targets.all() if one.configured is not None or one.state is not None}
    for name in names:
        if name not in known:
            _resume_removed(store, targets, name)


def _resume_removed(store: ReleaseStore, targets: Targets, name: str) -> None:
    """A target that no configuration of this process had: its state has all that is needed to finish a release."""
    state = _read(store, name)
    if state is None or not (state.phase.active or state.outbox):
        return
    runtime = targets.of(name)
    runtime.removed, runtime.state, runtime.configured = True, state, _target_of(state)
    if runtime.configured is None and state.phase.active:
        _log.error(
            "release_abandoned",
            target=name,
            reason="its state document does not have its namespace",
            hint="configure the target again so that its release is finished",
        )
    else:
        _log.info("removed_target_resumed", target=name, phase=state.phase.value)


def _read(store: ReleaseStore, name: str) -> TargetState | None:
    try:
        stored = store.load(name)
    except RecordError as error:
        _log.warning("state_read_failed", target=name, reason=str(error), hint=hints.UNREADABLE)
        return None
    return stored.state if stored is not None else None


def _target_of(state: TargetState) -> Target | None:
    """The target as it was when its release began; None where the document does not have it."""
    release = state.release
    if release is None or not release.namespace:
        return None
    return Target(
        name=state.target,
        namespace=release.namespace,
        roles=state.roles,
        plan=release.plan,
        analysis=release.analysis,
        mode=release.mode,
        on_drift=release.on_drift,
    )
