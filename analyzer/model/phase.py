"""The phases of a release, what is true in each, and the transitions that are allowed between them.

Code that needs to know something about a phase asks the phase; only a rule that enters a phase names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """The row of one phase; `Phase` says what each of them means."""

    words: str
    until: str = ""
    idle: bool = False
    pending: bool = False
    paused: bool = False
    promoting: bool = False
    baking: bool = False
    rolling_back: bool = False
    gone: bool = False
    stopped: bool = False
    ended: bool = False
    in_steps: bool = False
    clock_runs: bool = False
    judged: bool = False
    serves_both: bool = False
    weight: int | None = None
    usual: bool = False
    warns: bool = False


class Phase(StrEnum):
    """What a canary target is doing. All that is true meanwhile stands in the phase's row, as plain attributes:
    thousands of targets ask for them at every tick.
    """

    IDLE = "IDLE", _Facts(words="idle", idle=True, usual=True)
    PENDING = "PENDING", _Facts(words="pending", pending=True, usual=True)
    PROGRESSING = (
        "PROGRESSING",
        _Facts(words="in progress", in_steps=True, clock_runs=True, judged=True, serves_both=True, usual=True),
    )
    PAUSED = "PAUSED", _Facts(words="paused", paused=True, in_steps=True, judged=True, serves_both=True, warns=True)
    PROMOTING = (
        "PROMOTING",
        _Facts(
            words="promoting",
            until="the bake, once stable runs the new version",
            promoting=True,
            judged=True,
            serves_both=True,
            weight=WHOLE,
            usual=True,
        ),
    )
    BAKING = "BAKING", _Facts(words="baking", baking=True, judged=True, weight=WHOLE, usual=True)
    SUCCEEDED = "SUCCEEDED", _Facts(words="promoted", idle=True, ended=True, weight=WHOLE, usual=True)
    ROLLING_BACK = (
        "ROLLING_BACK",
        _Facts(
            words="rolling back",
            until="aborted, once the canary has no pods and stable has all of its pods",
            rolling_back=True,
            stopped=True,
            weight=0,
            warns=True,
        ),
    )
    ABORTED = "ABORTED", _Facts(words="aborted", idle=True, stopped=True, ended=True, weight=0, warns=True)
    GONE = "GONE", _Facts(words="a Deployment is gone", idle=True, gone=True, weight=0, warns=True)

    words: str
    """The phase as people say it."""

    until: str
    """The phase that follows and what it waits for, as people say it; "" where that depends on the release."""

    idle: bool
    """No release is pending or in progress."""

    pending: bool
    """A release waits to begin."""

    active: bool
    """A release is in progress and holds a slot (limits.maxConcurrent)."""

    paused: bool
    """Nothing moves forward until an operator resumes the release; judging and rollback go on."""

    promoting: bool
    """The new version takes over from the old one."""

    baking: bool
    """The new version is stable, and watched for the time of the bake."""

    rolling_back: bool
    """The canary is taken out of service; nothing stops that."""

    gone: bool
    """A Deployment was deleted; nothing is recreated."""

    stopped: bool
    """The release is rolled back, or was."""

    ended: bool
    """A release has ended, and its end is what the status is about."""

    in_steps: bool
    """The release is in a step of its plan."""

    clock_runs: bool
    """Time counts towards the release's deadline."""

    judged: bool
    """Metrics are read and judged."""

    serves_both: bool
    """Both versions may serve side by side, each in its own Deployment."""

    steps_over: bool
    """Every step was passed: the new version is to have all replicas."""

    weight: int | None
    """The canary's weight in percent where the phase determines it; None: the step does."""

    usual: bool
    """A release that goes well passes through it."""

    warns: bool
    """The Kubernetes Event about entering it is a warning."""

    event_reason: str
    """The reason of that Event: `CanaryRollingBack` for ROLLING_BACK."""

    def __new__(cls, value: str, facts: _Facts | None = None) -> Self:
        """A phase with its row, and what follows from that. (A look-up by value, `Phase("IDLE")`, has no row.)"""
        if facts is None:
            raise TypeError(f"phase {value} has no row of facts")
        phase = str.__new__(cls, value)
        phase._value_ = value
        for name in _Facts.__slots__:
            setattr(phase, name, getattr(facts, name))
        phase.active = not (facts.idle or facts.pending)
        phase.steps_over = facts.weight == WHOLE
        phase.event_reason = "Canary" + "".join(word.capitalize() for word in value.split("_"))
        return phase


START = Phase.IDLE
"""Where a target begins."""

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.IDLE: frozenset({Phase.PENDING, Phase.GONE}),
    Phase.PENDING: frozenset({Phase.PROGRESSING, Phase.IDLE, Phase.GONE}),
    Phase.PROGRESSING: frozenset({Phase.PAUSED, Phase.PROMOTING, Phase.SUCCEEDED, Phase.ROLLING_BACK, Phase.GONE}),
    Phase.PAUSED: frozenset({Phase.PROGRESSING, Phase.PROMOTING, Phase.ROLLING_BACK, Phase.GONE}),
    Phase.PROMOTING: frozenset({Phase.PAUSED, Phase.BAKING, Phase.ROLLING_BACK, Phase.GONE}),
    Phase.BAKING: frozenset({Phase.SUCCEEDED, Phase.ROLLING_BACK, Phase.GONE}),
    Phase.SUCCEEDED: frozenset({Phase.PENDING, Phase.GONE}),
    Phase.ROLLING_BACK: frozenset({Phase.ABORTED, Phase.PENDING, Phase.GONE}),
    Phase.ABORTED: frozenset({Phase.PENDING, Phase.GONE}),
    Phase.GONE: frozenset({Phase.IDLE}),
}
"""Every change of phase that `decide` may make. PROGRESSING reaches SUCCEEDED directly only in `mode: observe`,
where nothing is ever written and so nothing has to be promoted."""
