"""A few pods of the old version stay for the bake, so that the new one is still compared with something.

Only with `promote: swap`: there the old version is still in a Deployment of its own. Which side a pod is counted on
stays as it was: the new version is the canary of the comparison, though its Deployment is called stable by now.
"""

from __future__ import annotations

from analyzer.decision.context import Context
from analyzer.decision.shift import withdrawal
from analyzer.model.decision import Decision
from analyzer.model.workload import Replicas


def goal_of_swap(context: Context) -> Replicas:
    """What both sides have when the roles are exchanged: the new version in full, as far as there is room for it
    beside the pods that are held back."""
    release = context.release
    kept = 0 if release.known_good else min(release.plan.holdback, release.total)
    return Replicas(stable=kept, canary=min(release.total, context.bounds.ceiling - kept))


def comparing(context: Context) -> bool:
    """Are both versions still compared, in a bake?"""
    return context.release.held_back > 0


def stop_comparing(context: Context) -> Decision | None:
    """A new version in the Deployment of the pods that are held back, or none of them left: the comparison is over."""
    release, old, expected = context.release, context.canary, context.state.expected
    if not comparing(context):
        return None
    if old.template.hash != release.stable.hash:
        reason = f"{old.name} has version {old.template.hash} now: no pods of the old version are held back any more"
    elif old.replicas == 0 and expected is not None and expected.canary != 0:
        by = old.writers.get("replicas", "someone else")
        reason = f"{old.name} was scaled to 0 by {by}: no pods of the old version are left to compare with"
    else:
        return None
    return context.update(held_back=0).hold(reason, reason)


def end_holdback(context: Context) -> Decision | None:
    """The bake is over: the new version gets all its pods, then the old one goes."""
    if not comparing(context):
        return None
    expected = context.state.expected
    untouched = expected is not None and context.stable.replicas == expected.stable
    wanted = max(context.release.total, context.stable.replicas) if untouched else context.stable.replicas
    move = withdrawal(context, wanted)
    if move is not None:
        return context.make(move, "baked, the pods that were held back leave")
    if context.canary.replicas or context.canary.current:
        return context.hold(f"baked, waiting until the {context.canary.current} pods that were held back are gone")
    return context.update(held_back=0).hold("baked, the pods that were held back are gone")
