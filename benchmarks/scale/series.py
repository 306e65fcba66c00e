"""The series of all pods in release, sent to Prometheus at once instead of scraped over hours. Called by `standing`.

Prometheus has afterwards what it would have from scraping every pod each 15 s: the same series, samples and times.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import requests

from benchmarks.scale.plan import INTERVAL, Standing

BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
SHARES = (0.02, 0.08, 0.2, 0.25, 0.25, 0.15, 0.03, 0.01, 0.005, 0.003, 0.0015, 0.0005)
"""Part of the requests between a bound and the one before it."""

REQUESTS = 300
"""Of one pod between two scrapes."""
ERRORS = 0.001
OFFSET = 5.0
"""Seconds after the whole interval at which pods are scraped."""

PODS_AT_ONCE = 100
SCRAPES_AT_ONCE = 100
HEADERS = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
_SECONDS = 120.0

Values = npt.NDArray[np.float64]
"""By pod, scrape and series."""


def send(url: str, pods: Sequence[tuple[str, str]], standing: Standing) -> None:
    """Have Prometheus take in all samples. Raises requests.RequestException."""
    session = requests.Session()
    session.trust_env = False
    began = np.floor(standing.series_from / INTERVAL) * INTERVAL + OFFSET
    counters = [_Counters(part, began) for part in _parts(pods)]
    for first in range(0, standing.scrapes, SCRAPES_AT_ONCE):
        count = min(SCRAPES_AT_ONCE, standing.scrapes - first)
        times = [round((began + (first + one) * INTERVAL) * 1000) for one in range(count)]
        for part in counters:
            body = b"".join(_message(labels, times, row) for labels, row in part.following(count))
            answer = session.post(f"{url}/api/v1/write", _snappy(body), headers=HEADERS, timeout=_SECONDS)
            answer.raise_for_status()
    session.close()


def _parts(pods: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for first in range(0, len(pods), PODS_AT_ONCE):
        yield pods[first : first + PODS_AT_ONCE]


class _Counters:
    """The counters of some pods, which go on from one window to the next."""

    def __init__(self, pods: Sequence[tuple[str, str]], began: float) -> None:
        self._labels = [_series_of(namespace, pod) for namespace, pod in pods]
        self._rng = np.random.default_rng(zlib.crc32(pods[0][1].encode()))
        self._started = began - 3600.0
        self._last = np.zeros((len(pods), SERIES_OF_POD - 1))

    def following(self, scrapes: int) -> Iterator[tuple[bytes, Values]]:
        """The labels and the next values of each series."""
        shape = (len(self._labels), scrapes)
        served = self._rng.poisson(REQUESTS, shape)
        failed = self._rng.binomial(served, ERRORS)
        below = self._rng.multinomial(served, SHARES).cumsum(axis=2)
        grown = np.concatenate(((served - failed)[..., None], failed[..., None], below, served[..., None]), axis=2)
        counted = self._last[:, None, :] + grown.cumsum(axis=1)
        self._last = counted[:, -1, :]
        started = np.full((*shape, 1), self._started)
        values = np.concatenate((started, counted), axis=2)
        for pod, names in enumerate(self._labels):
            for number, labels in enumerate(names):
                yield labels, values[pod, :, number]


def _series_of(namespace: str, pod: str) -> list[bytes]:
    """The labels of each series of a pod; the histogram's sum is left out, nobody reads it."""
    own = {"namespace": namespace, "pod": pod, "container": "app", "job": "pods", "instance": f"{pod}:8080"}
    duration = "http_request_duration_seconds"
    return [
        _labels("process_start_time_seconds", own),
        *(_labels("http_requests_total", {**own, "code": code}) for code in ("200", "500")),
        *(_labels(f"{duration}_bucket", {**own, "le": bound}) for bound in BOUNDS),
        _labels(f"{duration}_count", own),
    ]


def _labels(name: str, labels: dict[str, str]) -> bytes:
    every = sorted({"__name__": name, **labels}.items())
    return b"".join(_field(1, _field(1, key.encode()) + _field(2, value.encode())) for key, value in every)


SERIES_OF_POD = 4 + len(BOUNDS)


def _message(labels: bytes, times: Sequence[int], values: Values) -> bytes:
    """One `TimeSeries` of a remote write request."""
    samples = (
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at))
        for at, value in zip(times, values.tolist(), strict=True)
    )
    return _field(1, labels + b"".join(samples))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _snappy(body: bytes) -> bytes:
    """As one literal: snappy's format without compressing anything."""
    return _varint(len(body)) + b"\xfc" + struct.pack("<I", len(body) - 1) + body
