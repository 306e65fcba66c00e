"""A Service in small, as a program: `python -m analyzer.sandbox.traffic`, run and fed by `service.Service`.

Requests arrive as a Poisson process and go to ready endpoints chosen at random, over persistent connections,
as they would through kube-proxy. It runs in a process of its own so that it takes no time from the engine.
Standard input carries JSON lines, `{"endpoints": [...]}` and `{"rps": 400}`; standard output one line of
counts per second (`Counts.to_json`) and a last one when the input closes, which ends the program: its parent
is gone, or wants it gone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from analyzer.sandbox.counts import Endpoint, PodTraffic, TrafficCounts

REQUEST_TIMEOUT = 5.0  # seconds until a user gives up
REPORT_EVERY = 1.0
LAST_REQUESTS = 1.0  # seconds that requests in flight get when the program ends
LINE_LIMIT = 1 << 20
FIRST_ERROR = 500


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Backend:
    """One pod: its idle connections and its counts."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.served = PodTraffic(endpoint.pod, endpoint.deployment, endpoint.version)
        self.routed = True
        self._endpoint = endpoint
        self._idle: deque[Stream] = deque()
        self._request = f"GET / HTTP/1.1\r\nHost: {endpoint.host}:{endpoint.port}\r\n\r\n".encode("ascii")

    async def request(self) -> None:
        """Send one request, wait for its answer and count it."""
        stream: Stream | None = None
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT):
                stream = await self._connection()
                status = await _exchange(stream, self._request)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            self._count(failed=True)
            if stream is not None:
                stream[1].close()
            return
        self._count(status=status)
        if self.routed:
            self._idle.append(stream)
        else:
            stream[1].close()

    def unroute(self) -> None:
        """Send no more; requests in flight are still awaited."""
        self.routed = False
        while self._idle:
            self._idle.pop()[1].close()

    async def _connection(self) -> Stream:
        while self._idle:
            stream = self._idle.pop()
            if not stream[0].at_eof() and not stream[1].is_closing():
                return stream
            stream[1].close()
        return await asyncio.open_connection(self._endpoint.host, self._endpoint.port)

    def _count(self, *, status: int = 0, failed: bool = False) -> None:
        self.served.requests += 1
        self.served.failures += failed
        self.served.errors += status >= FIRST_ERROR
        if self.served.first_served is None and not failed:
            self.served.first_served = time.time()


async def _exchange(stream: Stream, request: bytes) -> int:
    reader, writer = stream
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
    return int(head[9:12])


class Generator:
    """Users, arriving at random."""

    def __init__(self, rps: float, seed: str) -> None:
        self._rps = rps
        self._random = random.Random(f"traffic/{seed}")  # noqa: S311 - a simulation
        self._counts = TrafficCounts()
        self._backends: dict[str, Backend] = {}
        self._routed: list[Backend] = []
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    def route(self, endpoints: Sequence[Endpoint]) -> None:
        """Send requests to these pods and to no others from now on."""
        wanted = {endpoint.pod: endpoint for endpoint in endpoints}
        for backend in self._routed:
            if backend.served.pod not in wanted:
                backend.unroute()
        self._routed = []
        for pod, endpoint in wanted.items():
            backend = self._backends.setdefault(pod, Backend(endpoint))
            backend.routed = True
            self._routed.append(backend)

    def rate(self, rps: float) -> None:
        """Change how many arrive per second."""
        self._rps = rps
        self._changed.set()

    async def arrive(self) -> None:
        """Let users arrive for ever."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._rps <= 0:
                self._changed.clear()
                await self._changed.wait()
                due = loop.time()
                continue
            due += self._random.expovariate(self._rps)
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._send()

    def _send(self) -> None:
        self._counts.offered += 1
        if not self._routed:
            self._counts.unrouted += 1
            return
        request = asyncio.create_task(self._random.choice(self._routed).request())
        self._in_flight.add(request)
        request.add_done_callback(self._in_flight.discard)

    async def finish(self) -> None:
        """Give requests in flight a moment to be answered."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=LAST_REQUESTS)

    def report(self) -> None:
        """Print the counts."""
        self._counts.at = time.time()
        self._counts.pods = [backend.served for backend in self._backends.values()]
        sys.stdout.write(self._counts.to_json() + "\n")
        sys.stdout.flush()


async def _obey(generator: Generator) -> None:
    orders = asyncio.StreamReader(limit=LINE_LIMIT)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order: dict[str, Any] = json.loads(line)
        if "endpoints" in order:
            generator.route([Endpoint(**endpoint) for endpoint in order["endpoints"]])
        if "rps" in order:
            generator.rate(order["rps"])


async def _report(generator: Generator) -> None:
    while True:
        await asyncio.sleep(REPORT_EVERY)
        generator.report()


async def run(rps: float, seed: str) -> None:
    """Generate traffic until standard input closes."""
    generator = Generator(rps, seed)
    endless = [asyncio.create_task(generator.arrive()), asyncio.create_task(_report(generator))]
    await _obey(generator)
    for task in endless:
        task.cancel()
    await generator.finish()
    generator.report()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m analyzer.sandbox.traffic", description=__doc__)
    parser.add_argument("--rps", type=float, default=400.0, help="requests per second, on average")
    parser.add_argument("--seed", default="0", help="the same seed gives the same arrivals and choices")
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments.rps, arguments.seed))
    except BrokenPipeError:
        sys.exit(1)  # nobody reads the counts any more


if __name__ == "__main__":
    main()
