"""Restarts of a pod's containers between two edges. Made by `kinds`. Pure.

From Kubernetes' own count where kube-state-metrics is scraped, else from start times of processes. A restart is data
here: it makes no pod absent and asks for no new warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.model.block import NoData, Restarts
from analyzer.observation.counter import Counter
from analyzer.observation.edges import PodKey, ScrapeTarget
from analyzer.observation.queries import START_TIME
from analyzer.observation.scrapes import STALE_SLOTS, Scrapes, same_process

RESTARTS_TOTAL = "kube_pod_container_status_restarts_total"
"""Exported by kube-state-metrics, for every container of every pod."""


@dataclass(frozen=True, slots=True)
class PodRestarts:
    """`known` is Kubernetes' count; `ready` says since when each pod had its first process up (seconds)."""

    known: Counter
    ready: Mapping[PodKey, float]

    def between(self, pod: PodKey, begin: int, end: int) -> Restarts | NoData:
        """How often this pod's containers restarted between the edges, of so many pod-hours."""
        found = self._counted(pod, begin, end)
        if found is None:
            found = self._seen(pod, begin, end)
        return found if isinstance(found, NoData) else Restarts(found, (end - begin) / 3_600_000)

    def started(self, pod: PodKey, edge: int) -> float | None:  # noqa: ARG002 - what every meter is asked
        """A restarted container is not left out while it warms up: it is as if nobody knew."""
        return None

    def _counted(self, pod: PodKey, begin: int, end: int) -> float | NoData | None:
        """By Kubernetes; None where its count is not known at both edges."""
        values = self.known.values
        both = [target for target in self.known.chosen(pod, begin, end) if {begin, end} <= values[target].keys()]
        if not both:
            return None
        rises = [self.known.risen(target, begin, end) for target in both]
        return next((rise for rise in rises if isinstance(rise, NoData)), None) or sum(
            rise for rise in rises if not isinstance(rise, NoData)
        )

    def _seen(self, pod: PodKey, begin: int, end: int) -> float | NoData:
        """By start times. A target that is down at the end is absent; its restart counts once it is up again."""
        scrapes = self.known.scrapes
        targets = scrapes.of(pod)
        if not targets:
            return NoData(f"Prometheus has neither {RESTARTS_TOTAL} nor {START_TIME} of it")
        fresh = [target for target in targets if scrapes.fresh(target, end)]
        gone = [target for target in targets if target not in fresh and scrapes.fresh(target, begin)]
        if gone or not fresh:
            return NoData("not scraped shortly before the end of the block")
        return float(max(self._restarts(scrapes, pod, target, begin, end) for target in fresh))

    def _restarts(self, scrapes: Scrapes, pod: PodKey, target: ScrapeTarget, begin: int, end: int) -> int:
        """1 when the process at the end is a new one, as far as two samples tell."""
        after = scrapes.start(target, end)
        if after is None or after <= self.ready.get(pod, float("-inf")):
            return 0
        if scrapes.fresh(target, begin):
            before = scrapes.start(target, begin)
            return int(before is not None and not same_process(before, after))
        # Nothing was scraped before the edge: a process that started just before it was not seen until now.
        return int(after > begin / 1000 - STALE_SLOTS * scrapes.slot)
