"""A few pods of the old version are kept during the bake, so that both versions are still compared side by side.

Only with `promote: swap`: there the old version still has a Deployment of its own. The sides of the comparison stay as
they were: the new version is the canary, though its Deployment is called stable by now.
"""

from __future__ import annotations

from analyzer.decision.context import Context
from analyzer.decision.shift import withdrawal
from analyzer.decision.wording import counted, writer_of
from analyzer.model.decision import Decision
from analyzer.model.workload import Replicas


def goal_of_swap(context: Context) -> Replicas:
    """The replicas when the roles are exchanged: the new version in full, as far as the bounds allow beside the pods
    that are held back."""
    release = context.release
    kept = 0 if release.known_good else min(release.plan.holdback, release.total)
    return Replicas(stable=kept, canary=min(release.total, context.bounds.ceiling - kept))


def comparing(context: Context) -> bool:
    """Are both versions still compared, in a bake?"""
    return context.release.held_back > 0


def stop_comparing(context: Context) -> Decision | None:
    """The Deployment of the held-back pods gets another version, or is scaled to 0: the comparison ends."""
    release, old, expected = context.release, context.canary, context.state.expected
    if not comparing(context):
        return None
    if old.template.hash != release.stable.hash:
        reason = f"{old.name} now has version {old.template.hash}; no pod of the old version is left to compare with"
    elif old.replicas == 0 and expected is not None and expected.canary != 0:
        by = writer_of(old, "replicas")
        reason = f"{old.name} was scaled to 0 by {by}; no pod of the old version is left to compare with"
    else:
        return None
    return context.update(held_back=0).hold(reason, reason)


def end_holdback(context: Context) -> Decision | None:
    """The bake is over: the new version gets all its pods, then the held-back pods are removed."""
    if not comparing(context):
        return None
    expected = context.state.expected
    untouched = expected is not None and context.stable.replicas == expected.stable
    wanted = max(context.release.total, context.stable.replicas) if untouched else context.stable.replicas
    move = withdrawal(context, wanted)
    if move is not None:
        return context.write(move, "bake finished, removing held-back pods")
    if context.canary.replicas or context.canary.current:
        left = counted(context.canary.current, "held-back pod")
        return context.hold(f"bake finished, waiting for {left} to terminate")
    return context.update(held_back=0).hold("bake finished, held-back pods removed")
