"""Which changes of phase have happened. Used by the reporters that tell people of them."""

from __future__ import annotations

from analyzer.model.decision import Transition
from analyzer.ports import Report


def made(report: Report) -> tuple[Transition, ...]:
    """The transitions of a tick that stand in the state document.

    A tick may fail after that was written (the write to a Deployment was refused, say): the phase has changed then,
    and no later tick tells of it. A tick that failed before has changed nothing.
    """
    transitions = report.decision.transitions
    if not transitions or (report.error is not None and report.decision.state.phase is not transitions[-1].after):
        return ()
    return transitions
