"""Which pods Prometheus sees at all: the question of a preflight. Called by `source.sight`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.model.collection import Sighting
from analyzer.model.metric import Metric, SeriesLabels
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import PodKey
from analyzer.observation.measure import MIN_SAMPLES, Measurement
from analyzer.observation.response import Series

LIVE = 150.0
"""Seconds since its last sample after which a series is not live: two of the longest usual intervals, and a little."""


def find_live_series(
    connection: PrometheusConnection, labels: SeriesLabels, pods: Sequence[PodKey], metrics: Sequence[Metric]
) -> Sighting:
    """Look at the raw samples of the last minutes. Raises ObservationError."""
    clock = connection.server_time()
    if not pods:
        return Sighting(silent=(), interval=None, clock=clock)
    measurement = Measurement(connection, labels, pods)
    found = measurement.series(metrics)
    live = tuple(series for series in found if series.samples and clock - series.samples[-1][0] <= LIVE)
    seen = {series.labels.get(labels.pod) for series in live}
    silent = tuple(sorted(key.pod for key in pods if key.pod not in seen))
    return Sighting(silent, measurement.interval(live) if _timed(live) else None, clock)


def _timed(found: Iterable[Series]) -> bool:
    return any(len(series.samples) >= MIN_SAMPLES for series in found)
