"""How often a release's pods are scraped, and how late their samples arrive. Called by `source.measure`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from analyzer.model.block import NoData
from analyzer.model.errors import ObservationError
from analyzer.model.metric import Metric, SeriesLabels
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import PodKey
from analyzer.observation.queries import ANSWER_POINTS, START_TIME, pod_matchers
from analyzer.observation.response import Series
from analyzer.promql import Matcher, Selector, one_of, parse_selector, with_matchers

LOOKED_BACK = "10m"
"""Raw samples of this long are looked at: enough for two scrapes at any usual interval."""

RAW_SAMPLES = 600
"""Samples that one series has in that time, at most."""

MIN_SAMPLES = 2
"""Samples that make one interval."""

PORTION = 100
"""Scrape targets whose scrape durations go into one query."""


class Measurement:
    """One use measures one namespace's pods. Every method raises ObservationError."""

    def __init__(self, connection: PrometheusConnection, labels: SeriesLabels, pods: Iterable[PodKey]) -> None:
        self._connection = connection
        self._labels = labels
        self._pods = frozenset(pods)

    def series(self, metrics: Sequence[Metric]) -> tuple[Series, ...]:
        """Raw samples of all pods: of the process' start time, for pods without it of the first metric's series."""
        found = self._raw(Selector((Matcher.named(START_TIME),)))
        series = [metric.series for metric in metrics if metric.series is not None]
        if self.without_interval(found) and series:
            try:
                selector = parse_selector(series[0])
            except ValueError as error:
                raise ObservationError(str(error)) from error
            found += self._raw(selector)
        return found

    def without_interval(self, found: Iterable[Series]) -> NoData | None:
        """Why the interval cannot be told, if some pod has too few samples."""
        most = dict.fromkeys((key.pod for key in self._pods), 0)
        for series in found:
            pod = series.labels.get(self._labels.pod, "")
            if pod in most:
                most[pod] = max(most[pod], len(series.samples))
        few = sorted(pod for pod, samples in most.items() if samples < MIN_SAMPLES)
        if not few:
            return None
        if not any(most.values()):
            return NoData(
                f"waiting for Prometheus to scrape {_some(few)}: no series has the labels "
                f"{self._labels.namespace} and {self._labels.pod} with their names (see prometheus.labels)"
            )
        return NoData(f"waiting for two scrapes of {_some(few)}")

    def interval(self, found: Iterable[Series]) -> float:
        """The longest scrape interval of any of these series, in seconds; there is at least one."""
        intervals = [
            median(after - before for (before, _), (after, _) in zip(series.samples, series.samples[1:], strict=False))
            for series in found
            if len(series.samples) >= MIN_SAMPLES
        ]
        return rounded_interval(max(intervals))

    def longest_scrape(self, found: Iterable[Series]) -> float | None:
        """The longest scrape of these series' targets, in seconds; None when Prometheus does not tell."""
        targets = sorted({(series.labels.get("job", ""), series.labels.get("instance", "")) for series in found})
        longest: list[float] = []
        for begin in range(0, len(targets), PORTION):
            part = targets[begin : begin + PORTION]
            selector = Selector(
                (
                    Matcher.named("scrape_duration_seconds"),
                    one_of("job", {job for job, _ in part}),
                    one_of("instance", {instance for _, instance in part}),
                )
            )
            answer = self._connection.instant(f"max(max_over_time({selector}[{LOOKED_BACK}]))")
            longest += [value for series in answer for _, value in series.samples if math.isfinite(value)]
        return max(longest, default=None)

    def _raw(self, selector: Selector) -> tuple[Series, ...]:
        return tuple(
            series
            for matchers in pod_matchers(self._labels, self._pods, ANSWER_POINTS // RAW_SAMPLES)
            for series in self._connection.instant(f"{with_matchers(selector, matchers)}[{LOOKED_BACK}]")
        )


def rounded_interval(measured: float) -> float:
    """The interval that was configured, from one that was measured with some jitter: whole seconds from 10 s on,
    tenths below; what is more than 2 % away from those is rounded up to a tenth."""
    unit = 1.0 if measured >= 10 else 0.1  # noqa: PLR2004 - as the docstring says
    nearest = round(measured / unit) * unit
    found = nearest if abs(nearest - measured) <= 0.02 * measured else math.ceil(measured * 10) / 10
    return round(found, 1)


def _some(pods: Sequence[str]) -> str:
    shown = ", ".join(pods[:3])
    return shown if len(pods) <= 3 else f"{shown} and {len(pods) - 3} more"  # noqa: PLR2004 - enough to see the pattern
