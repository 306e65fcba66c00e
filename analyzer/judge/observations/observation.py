"""A block as the arithmetic sees it, whatever the kind of metric. Called by the evidence and the offline judge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from analyzer.judge.observations.boundaries import Boundaries, bounds_mistake, choose
from analyzer.judge.observations.sums import (
    READERS,
    Reader,
    SideSum,
    bucket_reader,
    refused,
    side_sum,
    taken_later,
)
from analyzer.model.block import Block, Sample, SideBlock
from analyzer.model.metric import CountMetric, HistogramMetric
from analyzer.model.noise import BoundNoise, Noise


@dataclass(frozen=True, slots=True)
class Observation:
    """Both sides' sums in one block; `later` is stable's with end counters taken one slot later, not summed up yet.

    `boundaries` are what the events are counted above and their noise; None while no histogram was seen.
    """

    index: int
    canary: SideSum
    stable: SideSum
    later: SideBlock[Sample] | None
    boundaries: Boundaries | None

    @property
    def counted(self) -> bool:
        """Did both sides have requests (exposure, pod-hours), so that this is evidence?"""
        return self.canary.total > 0 and self.stable.total > 0


def observe(
    metric: CountMetric, noise: Noise, block: Block[Sample], boundaries: Boundaries | None = None
) -> Observation:
    """Sum up a block. `boundaries` are those of the step so far; without any this block may choose them."""
    if isinstance(metric, HistogramMetric) and boundaries is None:
        boundaries = choose(metric, noise, block.canary.bounds, block.stable.bounds)
    elif not isinstance(metric, HistogramMetric):
        boundaries = boundaries or Boundaries((), (BoundNoise(noise.dispersion, noise.pod_spread),))
    return Observation(
        index=block.index,
        canary=side_sum(block.canary, _reader(metric, block.canary, boundaries)),
        stable=side_sum(block.stable, _reader(metric, block.stable, boundaries)),
        later=block.stable_later,
        boundaries=boundaries,
    )


def later_sum(
    metric: CountMetric, stable: SideSum, later: SideBlock[Sample] | None, boundaries: Boundaries | None
) -> SideSum | None:
    """Stable's sum with end counters taken one slot later; None while they are not all known.

    Needed only for the block at which a metric would abort, so it is made when it is asked for.
    """
    return None if later is None else taken_later(stable, side_sum(later, _reader(metric, later, boundaries)))


def _reader(metric: CountMetric, side: SideBlock[Sample], boundaries: Boundaries | None) -> Reader:
    if isinstance(metric, HistogramMetric):
        return _buckets(side.bounds, boundaries)
    return READERS[metric.sample]


def _buckets(bounds: tuple[float, ...], boundaries: Boundaries | None) -> Reader:
    mistake = bounds_mistake(bounds)
    if mistake is not None:
        return refused(mistake)
    if boundaries is None:
        return refused("the two sides have no bound in common yet")
    if not set(boundaries.bounds).issubset(bounds):
        missing = [bound for bound in boundaries.bounds if bound not in bounds]
        shown = ", ".join(f"{bound:g}" for bound in missing)
        return refused(f"its buckets have no bound {shown}, which the step began with")
    return bucket_reader(_places(bounds, boundaries.bounds), len(bounds))


@lru_cache(maxsize=1024)
def _places(bounds: tuple[float, ...], chosen: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(bounds.index(bound) for bound in chosen)
