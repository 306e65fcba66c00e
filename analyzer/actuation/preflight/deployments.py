"""What the two Deployments say about themselves."""

from __future__ import annotations

from analyzer.actuation.preflight.context import Findings, Found, PreflightContext
from analyzer.actuation.preflight.labels import matches
from analyzer.model.duration import show_duration
from analyzer.model.plan import CapacityMode, Promotion

OURSELVES = "canary-analyzer"
_PROGRESS_SECONDS = 600


def disjoint_selectors(context: PreflightContext) -> Findings:
    """Neither Deployment takes the other's pods for its own."""
    for side, other in ((context.stable, context.canary), (context.canary, context.stable)):
        if matches(side.spec.get("selector"), other.pod_labels):
            yield Found(
                f"the selector of {side.name} also matches the pods of {other.name}",
                f"recreate {side.name} with a label of its own in selector and template (a selector is immutable)",
            )


def readiness_probe(context: PreflightContext) -> Findings:
    """Pods without a readiness probe are ready as soon as they run."""
    for side in context.sides:
        if not any("readinessProbe" in container for container in side.pod_spec.get("containers") or ()):
            yield Found(
                f"no container of {side.name} has a readiness probe: its pods are ready, and get traffic, before they "
                "can serve",
                "add a readinessProbe",
            )


def min_ready_seconds(context: PreflightContext) -> Findings:
    """A pod that fails a moment after it got ready was available in between."""
    for side in context.sides:
        if not side.spec.get("minReadySeconds"):
            yield Found(
                f"{side.name} has minReadySeconds 0: a pod that fails right after it became ready counted as available",
                "set minReadySeconds, for example to 10",
            )


def revision_history(context: PreflightContext) -> Findings:
    """Without old ReplicaSets there is no `rollout undo`."""
    for side in context.sides:
        if side.spec.get("revisionHistoryLimit") == 0:
            yield Found(
                f"{side.name} has revisionHistoryLimit 0: no old version is kept for `kubectl rollout undo`",
                "set revisionHistoryLimit to 2 or more, or leave it out (default 10)",
            )


def progress_deadline(context: PreflightContext) -> Findings:
    """The Deployment's patience ends before the plan's."""
    within = context.target.plan.ready_within.total_seconds()
    seconds = context.canary.spec.get("progressDeadlineSeconds", _PROGRESS_SECONDS)
    if seconds < within:
        yield Found(
            f"{context.canary.name} has progressDeadlineSeconds {seconds}, less than `readyWithin` "
            f"({show_duration(within)}): its rollout is reported as failed before the release stops waiting",
            "raise progressDeadlineSeconds or lower `readyWithin`",
        )


def recreated_under_load(context: PreflightContext) -> Findings:
    """In `surge` the promotion is stable's own roll, which must not take all pods down first."""
    plan = context.target.plan
    rolls = plan.capacity.mode is CapacityMode.SURGE and plan.promote is not Promotion.SWAP
    if rolls and _recreates(context):
        yield Found(
            f"{context.stable.name} has strategy Recreate; with `capacity: {{mode: surge}}` promotion is its own "
            "rolling update, which would take all its pods down at once",
            "set its strategy to RollingUpdate, or use `capacity: {mode: preserve}`",
        )


def recreated_by_rollback(context: PreflightContext) -> Findings:
    """After `copyTemplate` a rollback is stable's own roll."""
    plan = context.target.plan
    preserving = plan.capacity.mode is CapacityMode.PRESERVE and plan.promote is Promotion.COPY_TEMPLATE
    if preserving and _recreates(context):
        yield Found(
            f"{context.stable.name} has strategy Recreate: a rollback after promotion would take all its pods down at "
            "once",
            "set its strategy to RollingUpdate, or use `promote: swap`",
        )


def replicas_in_manifest(context: PreflightContext) -> Findings:
    """Whoever applies a manifest with `replicas` scales a canary in mid-release."""
    writer = context.canary.workload.writers.get("replicas")
    if writer is not None and writer != OURSELVES:
        yield Found(
            f"the replicas of {context.canary.name} were last set by {writer}; if a manifest sets them, applying it "
            "during a release is drift",
            "remove `replicas` from the manifest of the canary",
        )


def _recreates(context: PreflightContext) -> bool:
    return (context.stable.spec.get("strategy") or {}).get("type") == "Recreate"
