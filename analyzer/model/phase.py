"""The phases of a release, and the transitions that are allowed between them."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What a canary target is doing."""

    IDLE = "IDLE"
    PENDING = "PENDING"
    PROGRESSING = "PROGRESSING"
    PAUSED = "PAUSED"
    PROMOTING = "PROMOTING"
    BAKING = "BAKING"
    SUCCEEDED = "SUCCEEDED"
    ROLLING_BACK = "ROLLING_BACK"
    ABORTED = "ABORTED"
    GONE = "GONE"

    @property
    def resting(self) -> bool:
        """No release is pending or in progress: IDLE, SUCCEEDED, ABORTED or GONE."""
        return self in _RESTING

    @property
    def active(self) -> bool:
        """A release is in progress and holds a slot (limits.maxConcurrent)."""
        return not self.resting and self is not Phase.PENDING


_RESTING = frozenset({Phase.IDLE, Phase.SUCCEEDED, Phase.ABORTED, Phase.GONE})

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
