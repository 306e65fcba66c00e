"""Why nothing may move forward now, whatever the metrics say: what the Deployments themselves show.

A paused Deployment runs pods of an older template when it is scaled; during a rollout it is not known what a move would
cost; pods of one template with different images are two versions that metrics cannot distinguish.
"""

from __future__ import annotations

from collections import Counter

from analyzer.decision.context import Context
from analyzer.model.decision import Decision
from analyzer.model.workload import Workload

_DIGEST_SHOWN = len("sha256:") + 12


def hold_while_blocked(context: Context) -> Decision | None:
    """The rule: hold while anything blocks moves forward."""
    reason = blocker(context)
    return context.hold(reason) if reason else None


def blocker(context: Context) -> str | None:
    """What blocks every move forward. Different images do not where an operator has promoted in spite of them, and not
    once both sides run the new version."""
    sides = (context.canary, context.stable)
    found = [_paused(side) for side in sides] if context.acting else []
    if not context.release.written:
        found += [_rolling_out(context)] if context.acting else []
        found += [] if context.release.forced else [mixed_images(side) for side in sides]
    return next(filter(None, found), None)


def idle_blocker(stable: Workload, canary: Workload) -> str | None:
    """What keeps a release from beginning; the canary has no pods yet."""
    return _paused(stable) or _paused(canary) or mixed_images(stable)


def mixed_images(workload: Workload) -> str | None:
    """Pods of one template that run different images: the tag was pushed again, and some nodes cache the old one."""
    if workload.rolling:
        return None
    pods = [pod for pod in workload.pods if not pod.deleted]
    for container in sorted({name for pod in pods for name in pod.images}):
        digests = Counter(pod.images[container] for pod in pods if container in pod.images)
        if len(digests) > 1:
            shown = ", ".join(f"{digest[:_DIGEST_SHOWN]} in {count}" for digest, count in digests.most_common())
            return (
                f"pods of {workload.name} run different images in container {container} ({shown}); pin the image by "
                f"its digest, or run `kubectl rollout restart deployment/{workload.name}`"
            )
    return None


def _paused(workload: Workload) -> str | None:
    if not workload.paused:
        return None
    return (
        f"{workload.name} is paused (spec.paused), so its pods do not follow its template; "
        f"run `kubectl rollout resume deployment/{workload.name}`"
    )


def _rolling_out(context: Context) -> str | None:
    """A side is restarted. Another template on stable is the business of drift and promotion."""
    same = context.stable.template.hash == context.release.stable.hash
    for side in (context.canary, context.stable) if same else (context.canary,):
        if side.rolling:
            return f"waiting for the rollout of {side.name} to finish: {side.updated} of {side.current} pods updated"
    return None
