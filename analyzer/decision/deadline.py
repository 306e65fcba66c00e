"""The deadline's clock: how much of a release's time counts."""

from __future__ import annotations

from datetime import timedelta

from analyzer.decision.context import Context
from analyzer.model.state import DeadlineClock
from analyzer.model.verdict import Classification, Outcome, Verdict

_SHORTEST_GRAIN = timedelta(seconds=15)
_PRECISION = 100
"""The clock is written to the state document this many times until the deadline, at most every 15 s. Written at each
tick it would be most of what the daemon writes."""

_LONGEST_TICK = timedelta(seconds=60)
"""The daemon was down where the clock was not written for longer than this, and for two intervals beyond its grain."""


def keep_time(context: Context) -> Context:
    """Count time towards the deadline: only in phases where it runs, while the daemon runs and Prometheus responds.

    Exact to within a hundredth of the deadline, and 15 s.
    """
    clock = context.release.clock
    if context.now - clock.at < _grain(context):
        return context
    return context.update(clock=DeadlineClock(spent=time_spent(context), at=context.now))


def time_spent(context: Context) -> timedelta:
    """Time that counts towards the deadline until now."""
    clock = context.release.clock
    return clock.spent + (context.now - clock.at if _counts(context) else timedelta(0))


def time_limit(context: Context) -> timedelta:
    """The deadline, with what operators have added to it."""
    return context.release.plan.deadline + context.release.extended


def unanswered(verdict: Verdict | None) -> bool:
    """Did every request to Prometheus fail? A single query that it refuses does not stop the clock."""
    if verdict is None or verdict.outcome is not Outcome.ERROR:
        return False
    return all(metric.classification is Classification.ERROR for metric in verdict.metrics)


def _grain(context: Context) -> timedelta:
    return max(_SHORTEST_GRAIN, context.release.plan.deadline / _PRECISION)


def _counts(context: Context) -> bool:
    intervals = 2 * context.release.analysis.interval
    longest = max(_LONGEST_TICK, intervals, _grain(context) + intervals)
    running = timedelta(0) <= context.now - context.release.clock.at <= longest
    moving = context.state.phase.clock_runs and not context.snapshot.admission.freeze_reason
    return running and moving and not unanswered(context.verdict)
