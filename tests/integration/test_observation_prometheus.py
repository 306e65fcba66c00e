"""The real adapter on a real Prometheus, scraping tiny pods whose counters the test controls.

One story is played once (about 18 s) and then examined from several sides.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from analyzer.engine.collect import collect
from analyzer.model.block import Block, Counts, GuardReading, NoData, Timing
from analyzer.model.collection import BlockRequest, Collected
from analyzer.model.errors import ObservationError
from analyzer.model.metric import QueryMetric, RatioMetric
from analyzer.model.target import Side
from analyzer.model.workload import RosterEntry
from analyzer.observation import PrometheusConnection, PrometheusMetricSource
from analyzer.release.bake import BakeComparison
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from analyzer.sandbox.prometheus import PrometheusServer

pytestmark = pytest.mark.integration

TIMING = Timing(block=2.0, slot=1.0, delay=0.5)
ERRORS = RatioMetric("errors", 'hits_total{code=~"5.."}', "hits_total")
SERVED = QueryMetric("served", "sum(hits_total)")
BROKEN = QueryMetric("broken", "sum(rate(hits_total[5m])) by by")
TYPO = RatioMetric("typo", "no_such_total", "no_such_total")
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class TinyPod:
    """One pod: every scrape of its first port adds 10 requests, 2 of them errors when `failing`."""

    def __init__(self, name: str, *, ports: int = 1, silent: bool = False, failing: bool = True) -> None:
        self.name = name
        self.silent = silent
        self.failing = failing
        self.restart()
        self._servers = [ThreadingHTTPServer(ANY_PORT, self._handler(port == 0)) for port in range(ports)]
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in self._servers]
        for thread in self._threads:
            thread.start()

    def restart(self) -> None:
        """A new process: counters at 0, another start time."""
        self.started = time.time()
        self.good = 0
        self.bad: int | None = None

    @property
    def targets(self) -> list[str]:
        return [f"{LOOPBACK}:{server.server_port}" for server in self._servers]

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._servers, self._threads = [], []

    def page(self, *, counts: bool) -> str:
        if counts and not self.silent:
            self.good += 8
            if self.failing:
                self.bad = (self.bad or 0) + 2
        own = f'namespace="shop",pod="{self.name}"'
        lines = [f"process_start_time_seconds{{{own}}} {self.started}"]
        if not self.silent:
            lines.append(f'hits_total{{code="200",{own}}} {self.good}')
        if self.bad is not None:
            lines.append(f'hits_total{{code="500",{own}}} {self.bad}')
        return "\n".join(lines) + "\n"

    def _handler(self, counts: bool) -> type[BaseHTTPRequestHandler]:  # noqa: FBT001 - chosen in one place
        pod = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = pod.page(counts=counts).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler


def request(pods: dict[str, Side], after: int, target: str = "shop") -> BlockRequest:
    return BlockRequest(
        target=target,
        namespace="shop",
        metrics=(ERRORS, SERVED, BROKEN, TYPO),
        roster=tuple(RosterEntry(name, side, EPOCH) for name, side in pods.items()),
        timing=TIMING,
        after=after,
        warmup=0.0,
    )


def errors(answer: Collected | ObservationError) -> Sequence[Block]:
    """The blocks of the ratio metric."""
    assert isinstance(answer, Collected)
    found = answer.metrics["errors"]
    assert not isinstance(found, ObservationError)
    return cast("Sequence[Block]", found)


@dataclass
class Story:
    server: PrometheusServer
    source: PrometheusMetricSource
    connection: PrometheusConnection
    pods: dict[str, Side]
    first: int
    one_by_one: dict[int, Block] = field(default_factory=dict)
    all_at_once: Collected | None = None

    @property
    def blocks(self) -> dict[int, Block]:
        assert self.all_at_once is not None
        return {block.index: block for block in errors(self.all_at_once)}

    def truth(self, pod: str, block: int) -> Counts:
        """Differences of the raw samples, taken without the adapter."""
        value = {code: self._standing(pod, code, block) for code in ("200", "500")}
        good, bad = (after - before for before, after in value.values())
        return Counts(bad, good + bad)

    def _standing(self, pod: str, code: str, block: int) -> tuple[float, float]:
        found = self.connection.instant(f'hits_total{{pod="{pod}",code="{code}"}}[5m]')
        samples = min(found, key=lambda series: series.labels["instance"]).samples if found else ()
        edges = [index * TIMING.block for index in (block, block + 1)]
        before, after = ([value for when, value in samples if when <= edge] or [0.0] for edge in edges)
        return before[-1], after[-1]


def wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))


@pytest.fixture(scope="module")
def story(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with ExitStack() as stack:
        made = {
            "canary": TinyPod("canary"),
            "stable": TinyPod("stable"),
            "twice": TinyPod("twice", ports=2),
            "quiet": TinyPod("quiet", failing=False),
            "sleeper": TinyPod("sleeper", silent=True),
            "restarts": TinyPod("restarts"),
            "leaves": TinyPod("leaves"),
        }
        for pod in made.values():
            stack.callback(pod.close)
        targets = [target for pod in made.values() for target in pod.targets]
        folder = tmp_path_factory.mktemp("prometheus")
        server = PrometheusServer(program, Path(folder), targets, 1.0)
        stack.callback(server.stop)
        server.start()
        connection = PrometheusConnection(server.url, timeout=5.0)
        stack.callback(connection.close)
        source = PrometheusMetricSource(connection)
        sides = {name: Side.CANARY if name == "canary" else Side.STABLE for name in made}
        while isinstance(source.measure("shop", list(made), [], interval=1.0), NoData):
            time.sleep(0.1)  # a new Prometheus begins to scrape up to 6 s after its start
        first = TIMING.index(datetime.now(UTC)) + 1
        told = Story(server, source, connection, sides, first)
        play(told, made)
        yield told


def play(story: Story, made: dict[str, TinyPod]) -> None:
    """Blocks first .. first + 4; things happen in the middle of blocks."""

    def middle(block: int) -> float:
        return (story.first + block) * TIMING.block + 1.0

    after = story.first - 1
    for block in range(5):
        wait_until(middle(block))
        if block == 1:
            made["restarts"].restart()
            made["quiet"].failing = True
            made["sleeper"].silent = False
        if block == 2:
            made["leaves"].close()
        wait_until(middle(block) + 1.0 + TIMING.delay + 0.1)
        answer = dict(story.source.collect([request(story.pods, after)]))["shop"]
        assert isinstance(answer, Collected)
        story.one_by_one |= {one.index: one for one in errors(answer)}
        after = answer.upto
    late = dict(story.source.collect([request(story.pods, story.first - 1)]))["shop"]
    assert isinstance(late, Collected)
    story.all_at_once = late


def test_blocks_hold_what_the_pods_counted(story: Story) -> None:
    for index in range(story.first, story.first + 5):
        block = story.blocks[index]
        assert block.canary.pods["canary"] == story.truth("canary", index)
        assert block.canary.pods["canary"].total in (10, 20, 30)
        assert block.stable.pods["stable"] == story.truth("stable", index)


def test_a_pod_that_is_scraped_twice_counts_once(story: Story) -> None:
    assert [block.stable.pods["twice"].total for block in story.blocks.values()] == pytest.approx([20.0] * 5, abs=11)


def test_blocks_read_again_later_are_the_same(story: Story) -> None:
    assert sorted(story.one_by_one) == sorted(story.blocks)
    for index, block in story.blocks.items():
        assert replace(story.one_by_one[index], stable_later=None) == replace(block, stable_later=None)


def test_only_the_latest_block_is_confirmed_by_later_samples(story: Story) -> None:
    newest = max(story.blocks)
    again = dict(story.source.collect([request(story.pods, newest - 1)]))["shop"]
    block = errors(again)[-1]
    confirmed = [one for one in story.blocks.values() if one.stable_later is not None]
    assert [one.index for one in confirmed] in ([], [newest])
    if block.stable_later is not None:
        assert block.stable_later.pods["stable"].total > block.stable.pods["stable"].total


def test_a_restart_makes_the_block_absent_and_the_next_one_whole(story: Story) -> None:
    assert story.blocks[story.first + 1].stable.absent["restarts"] == "container restarted in this block"
    assert story.blocks[story.first + 2].stable.pods["restarts"].total in (10, 20, 30)


def test_a_pod_that_vanished_is_absent_and_never_without_traffic(story: Story) -> None:
    for offset in (2, 3, 4):
        assert "leaves" in story.blocks[story.first + offset].stable.absent
    assert "ended in this block" in story.blocks[story.first + 2].stable.absent["leaves"]


def test_the_first_errors_of_a_series_count_from_zero(story: Story) -> None:
    quiet = [story.blocks[story.first + offset].stable.pods["quiet"] for offset in range(4)]
    assert quiet[0].events == 0
    assert quiet[1] == story.truth("quiet", story.first + 1)
    assert sum(counts.events for counts in quiet) > 0


def test_a_pod_without_traffic_so_far_is_absent_until_its_first_request(story: Story) -> None:
    assert "has no series hits_total" in story.blocks[story.first].stable.absent["sleeper"]
    for index in (story.first + 1, story.first + 2):
        assert story.blocks[index].stable.pods["sleeper"] == story.truth("sleeper", index)


def test_a_query_gives_one_reading_a_block(story: Story) -> None:
    assert story.all_at_once is not None
    readings = story.all_at_once.metrics["served"]
    assert not isinstance(readings, ObservationError)
    values = [one.value for one in readings if isinstance(one, GuardReading)]
    assert all(isinstance(value, float) and value > 0 for value in values)
    assert [one.index for one in readings] == sorted(story.blocks)


def test_a_bad_query_fails_its_own_metric_only_and_says_why(story: Story) -> None:
    assert story.all_at_once is not None
    error = story.all_at_once.metrics["broken"]
    assert isinstance(error, ObservationError)
    assert "bad_data" in str(error)
    assert "parse error" in str(error)


def test_a_selector_that_matches_nothing_leaves_every_pod_absent(story: Story) -> None:
    assert story.all_at_once is not None
    blocks = story.all_at_once.metrics["typo"]
    assert not isinstance(blocks, ObservationError)
    assert all(isinstance(block, Block) and not block.stable.pods and block.stable.absent for block in blocks)


def test_time_is_cut_by_the_live_scrapes(story: Story) -> None:
    timing = story.source.measure("shop", ["stable", "canary"], [ERRORS], interval=1.0)
    assert timing == Timing(block=2.0, slot=1.0, delay=2.0)
    waiting = story.source.measure("shop", ["stable", "not-there-yet"], [ERRORS], interval=1.0)
    assert isinstance(waiting, NoData)
    assert "not-there-yet" in waiting.reason


def test_what_was_before_stands_beside_what_is_now(story: Story) -> None:
    shift = 3
    asked = request({"canary": Side.CANARY}, story.first + 2)
    edge = datetime.fromtimestamp((story.first + 5) * TIMING.block + TIMING.delay, UTC)
    earlier = replace(
        request({"stable": Side.STABLE}, story.first - 1, target="shop (before)"),
        metrics=(ERRORS,),
        until=edge - timedelta(seconds=shift * TIMING.block),
    )
    pair = BakeComparison(replace(asked, until=edge), earlier, shift)
    (found,) = dict(collect(story.source, [pair])).values()
    assert [block.index for block in errors(found)] == [story.first + 3, story.first + 4]
    assert isinstance(found, Collected)
    assert isinstance(found.metrics["typo"], ObservationError)
    for block in errors(found):
        assert block.canary.pods == {"canary": story.truth("canary", block.index)}
        assert block.stable.pods == {"stable": story.truth("stable", block.index - shift)}


def test_prometheus_tells_its_version(story: Story, program: Path) -> None:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True)
    assert f"version {story.connection.version()} " in told.stdout + told.stderr
    assert story.server.version == story.connection.version()


def test_while_prometheus_is_down_every_target_has_an_error_and_after_it_the_old_blocks(story: Story) -> None:
    asked = [request(story.pods, story.first - 1), request(story.pods, story.first - 1, target="other")]
    story.server.stop()
    down = dict(story.source.collect(asked))
    assert {type(answer) for answer in down.values()} == {ObservationError}
    assert "connection refused" in str(down["shop"])
    story.server.start()
    for block in errors(dict(story.source.collect(asked))["shop"])[:4]:
        assert replace(block, stable_later=None) == replace(story.blocks[block.index], stable_later=None)
