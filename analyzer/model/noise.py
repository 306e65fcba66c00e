"""How noisy a metric is by itself, as a release found it at its start: not every difference is the new version's."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.model.numbers import count

USUAL_SPREAD = 0.1
"""`pod_spread` without history."""

USUAL_WITHIN = 0.1
"""`within_pod` without history."""


@dataclass(frozen=True, slots=True)
class BoundNoise:
    """`dispersion` and `pod_spread` of the requests above one bound of a histogram."""

    dispersion: float
    pod_spread: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of one metric, frozen for a release.

    `dispersion` (phi, at least 1): how many times more the counts vary than independent requests would.
    `pod_spread` (tau): standard deviation between pods that lasts, on the log scale. `within_pod`: standard
    deviation of the log of a pod's 5-minute means, for gauges. `source` says where the numbers come from, in words
    for people: "from 6h of 9 pods", "stated", "default: 20m of 3 pods are too little history". `bounds` has a
    histogram's numbers for each bound but the last, in order (empty: the same for all); `dispersion` and
    `pod_spread` are then the largest of them.
    """

    dispersion: float = 1.0
    pod_spread: float = 0.0
    within_pod: float = USUAL_WITHIN
    source: str = "stated"
    bounds: tuple[BoundNoise, ...] = ()


EXACT = Noise()
"""Independent requests and pods that are alike."""


def hidden_kind(*, down: bool) -> str:
    """Which differences a visible ratio is the limit of: larger ones, or `down`, smaller ones."""
    return "drops to more than" if down else "differences below"


def hidden_by_noise(pods: int, differences: str) -> str:
    """Which `differences` this many canary pods cannot show, in words that follow "with"."""
    many = f"{count(pods)} canary pod{'' if pods == 1 else 's'}"
    return f"{many}, {differences} cannot be told from normal variation between pods"
