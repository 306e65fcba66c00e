"""Every kind of metric on a real Prometheus, scraping tiny pods whose numbers the test controls.

One story is played once (about 12 s) and then examined from several sides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from typing import cast

import pytest

from analyzer.model.block import Arrivals, Block, Buckets, Counts, NoData, PodLevel, Restarts, Sample, Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import (
    GaugeMetric,
    HistogramMetric,
    Metric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    TestedMetric,
)
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from analyzer.sandbox.prometheus import PrometheusServer

pytestmark = pytest.mark.integration

TIMING = Timing(block=2.0, slot=1.0, delay=0.5)
ERRORS = RatioMetric("errors", 'work_seconds_bucket{le="0.1"}', "work_seconds_count")
SECOND = RatioMetric("second", 'work_seconds_bucket{le="1"}', "work_seconds_count")
SECOND_TOO = RatioMetric("second, spelled otherwise", 'work_seconds_bucket{le="1.0"}', "work_seconds_count")
LATENCY = HistogramMetric("latency", "work_seconds_bucket")
QUEUE = GaugeMetric("queue", "queue_length")
CPU = GaugeMetric("cpu", "cpu_seconds_total", counter=True)
ORDERS = RateMetric("orders", "work_seconds_count")
CRASHES = RestartsMetric("restarts")
NO_HISTOGRAM = HistogramMetric("none", "queue_length")
METRICS: tuple[TestedMetric, ...] = (ERRORS, SECOND, SECOND_TOO, LATENCY, QUEUE, CPU, ORDERS, CRASHES, NO_HISTOGRAM)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
BLOCKS = 4


class BusyPod:
    """One pod: every scrape adds 10 requests, 4 of them within 0.1 s, and half a CPU second; two queues of 3 and 4."""

    def __init__(self, name: str, bounds: tuple[str, ...] = ("0.1", "1", "+Inf")) -> None:
        self.name = name
        self.bounds = bounds
        self.restart()
        self.server = ThreadingHTTPServer(ANY_PORT, self._handler())
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self._thread.start()

    def restart(self) -> None:
        """A new process: counters at 0, another start time."""
        self.started, self.scrapes = time.time(), 0

    @property
    def target(self) -> str:
        return f"{LOOPBACK}:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def page(self) -> str:
        self.scrapes += 1
        own = f'namespace="shop",pod="{self.name}"'
        shares = dict(zip(self.bounds, (4, 9, 10), strict=True))
        return "".join(
            [
                f"process_start_time_seconds{{{own}}} {self.started}\n",
                *(f'work_seconds_bucket{{le="{le}",{own}}} {n * self.scrapes}\n' for le, n in shares.items()),
                f"work_seconds_count{{{own}}} {10 * self.scrapes}\n",
                f'queue_length{{queue="in",{own}}} 3\nqueue_length{{queue="out",{own}}} 4\n',
                f"cpu_seconds_total{{{own}}} {0.5 * self.scrapes}\n",
            ]
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pod = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pod.page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler


@dataclass
class Story:
    source: PrometheusMetricSource
    pods: dict[str, Side]
    first: int
    told: Collected

    def blocks(self, metric: Metric) -> list[Block[Sample]]:
        found = self.told.metrics[metric.name]
        assert not isinstance(found, ObservationError), found
        return [cast("Block[Sample]", block) for block in found]

    def request(self, metrics: tuple[TestedMetric, ...] = METRICS) -> BlockRequest:
        roster = tuple(RosterEntry(name, side, EPOCH) for name, side in self.pods.items())
        first_slot = round(self.first * TIMING.block / TIMING.slot)
        return BlockRequest("shop", "shop", metrics, roster, TIMING, self.first - 1, 0.0, first_slot - 1)


@pytest.fixture(scope="module")
def story(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with ExitStack() as stack:
        made = {name: BusyPod(name) for name in ("canary", "stable", "crashes")}
        made["odd"] = BusyPod("odd", ("0.2", "1", "+Inf"))
        for pod in made.values():
            stack.callback(pod.close)
        folder = Path(tmp_path_factory.mktemp("prometheus"))
        server = PrometheusServer(program, folder, [pod.target for pod in made.values()], 1.0)
        stack.callback(server.stop)
        server.start()
        connection = PrometheusConnection(server.url, timeout=5.0)
        stack.callback(connection.close)
        source = PrometheusMetricSource(connection)
        while isinstance(source.measure("shop", list(made), [], interval=1.0), NoData):
            time.sleep(0.1)  # a new Prometheus begins to scrape up to 6 s after its start
        sides = {name: Side.CANARY if name == "canary" else Side.STABLE for name in made}
        first = TIMING.index(datetime.now(UTC)) + 1
        told = Story(source, sides, first, Collected(0, {}))
        time.sleep((first + 1) * TIMING.block + 1.0 - time.time())
        made["crashes"].restart()
        time.sleep((first + BLOCKS) * TIMING.block + TIMING.delay + 0.3 - time.time())
        answer = dict(source.collect([told.request()]))["shop"]
        assert isinstance(answer, Collected)
        told.told = answer
        yield told


def canary(story: Story, metric: Metric) -> list[Sample]:
    blocks = story.blocks(metric)
    assert [block.index for block in blocks[:BLOCKS]] == list(range(story.first, story.first + BLOCKS))
    return [block.canary.pods["canary"] for block in blocks]


def test_a_histogram_is_read_bound_by_bound(story: Story) -> None:
    for block, sample in zip(story.blocks(LATENCY), canary(story, LATENCY), strict=True):
        assert block.canary.bounds == block.stable.bounds == (0.1, 1.0, inf)
        assert isinstance(sample, Buckets)
        assert sample.counts[2] in (10, 20, 30)
        assert sample.counts == pytest.approx([0.4 * sample.counts[2], 0.9 * sample.counts[2], sample.counts[2]])


def test_a_bucket_is_found_however_its_bound_is_spelled(story: Story) -> None:
    for metric in (SECOND, SECOND_TOO):
        for sample in canary(story, metric):
            assert isinstance(sample, Counts)
            assert sample.events == pytest.approx(0.9 * sample.total)


def test_a_pod_with_other_bounds_is_absent(story: Story) -> None:
    for block in story.blocks(LATENCY):
        assert "0.2, 1, inf" in block.stable.absent["odd"]


def test_a_gauge_is_the_sum_of_the_pods_series(story: Story) -> None:
    assert canary(story, QUEUE) == [PodLevel(7.0)] * len(story.blocks(QUEUE))


def test_a_counter_as_a_gauge_is_its_speed(story: Story) -> None:
    levels = [sample.value for sample in canary(story, CPU) if isinstance(sample, PodLevel)]
    assert sum(levels) / len(levels) == pytest.approx(0.5, abs=0.15)


def test_a_rate_counts_events_and_seconds(story: Story) -> None:
    for sample in canary(story, ORDERS):
        assert isinstance(sample, Arrivals)
        assert (sample.events in (10, 20, 30), sample.exposure) == (True, 2.0)


def test_a_restart_is_data_of_one_block_and_of_that_pod_only(story: Story) -> None:
    seen = [block.stable.pods.get("crashes") for block in story.blocks(CRASHES)]
    assert [one for one in seen if isinstance(one, Restarts) and one.restarts > 0] == [Restarts(1, 2 / 3600)]
    assert canary(story, CRASHES) == [Restarts(0, 2 / 3600)] * len(seen)
    for metric in (LATENCY, QUEUE, ORDERS):
        assert story.blocks(metric)[1].stable.absent["crashes"] == "container restarted in this block"


def test_what_is_no_histogram_is_refused(story: Story) -> None:
    error = story.told.metrics["none"]
    assert isinstance(error, ObservationError)
    assert "native histograms are not supported" in str(error)


def test_slots_add_up_to_blocks_and_count_a_restarted_pod_from_its_first_sample(story: Story) -> None:
    slots = {slot.index: slot for slot in story.told.fast["errors"]}
    for block in story.blocks(ERRORS):
        halves = [slots[2 * block.index + half].stable.pods["stable"] for half in (0, 1)]
        whole = block.stable.pods["stable"]
        assert (sum(one.events for one in halves), sum(one.total for one in halves)) == (whole.events, whole.total)  # type: ignore[union-attr]
    assert all("crashes" not in slot.stable.absent for slot in slots.values())
    assert sorted(slots) == list(range(min(slots), max(slots) + 1))


def test_everything_is_the_same_when_it_is_read_again(story: Story) -> None:
    again = dict(story.source.collect([story.request()]))["shop"]
    assert isinstance(again, Collected)
    for metric in METRICS[:-1]:
        found = again.metrics[metric.name]
        assert not isinstance(found, ObservationError)
        for before, after in zip(story.blocks(metric), found, strict=False):
            assert replace(before, stable_later=None) == replace(cast("Block[Sample]", after), stable_later=None)


def test_there_is_no_history_before_the_first_five_minutes(story: Story) -> None:
    found = story.source.history("shop", ["stable"], METRICS, timedelta(hours=6))
    reasons = {name: one.reason for name, one in found.items() if isinstance(one, NoData)}
    assert sorted(reasons) == sorted(metric.name for metric in METRICS)
    assert "no history of 5m yet" in reasons["errors"]
