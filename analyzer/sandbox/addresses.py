"""Addresses for pods: a fixed list, known from the start, so that Prometheus can have it as static targets.

Each pod gets an address of its own, 127.1.x.y, where the system has the whole 127/8 (Linux), and ports of
its own on 127.0.0.1 elsewhere (macOS). Two sandboxes side by side never share one: each holds a claim, a
bound socket, which the kernel lets go of even when the process is killed. `shop` makes the pool,
`controller` uses it.
"""

from __future__ import annotations

import random
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.model.errors import SandboxError
from analyzer.sandbox.loopback import LOOPBACK

PORT = 8080
METRICS_PORT = 9101
MOST = 250  # what fits into one 127.1.x subnet, beside its claim
_CLAIM_HOST = 254
_BLOCK = 2 * MOST + 2
_FIRST_PORT = 20_000  # below the ports that systems hand out by themselves
_PORT_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class PodAddress:
    """Where one pod serves, and where its metrics are."""

    host: str
    port: int = PORT
    metrics_port: int = METRICS_PORT

    @property
    def metrics(self) -> str:
        """The scrape target, `host:port`."""
        return f"{self.host}:{self.metrics_port}"


class AddressPool:
    """Hands out a fixed number of addresses; `close` gives up the claim on them.

    The address that was free for longest is handed out first, so that a new pod rarely shares its target with
    one that has just gone. Not thread-safe.
    """

    def __init__(self, claim: socket.socket, addresses: Iterable[PodAddress]) -> None:
        self._claim = claim
        self.addresses = tuple(addresses)
        self._free = deque(self.addresses)

    def take(self) -> PodAddress | None:
        """A free address, or None when all are in use."""
        return self._free.popleft() if self._free else None

    def give_back(self, address: PodAddress) -> None:
        """Make an address free again; the process that used it must have ended."""
        self._free.append(address)

    def close(self) -> None:
        """Let others have these addresses."""
        self._claim.close()


def claim_addresses(count: int) -> AddressPool:
    """Claim `count` addresses that nobody uses. Raises SandboxError when that is impossible."""
    if not 0 < count <= MOST:
        raise SandboxError(f"expected 1 to {MOST} pod addresses, found {count}; use fewer replicas")
    pool = claim_subnet(count) or claim_ports(count)
    if pool is None:
        raise SandboxError(
            f"no free addresses for {count} pods: neither ports {PORT} and {METRICS_PORT} on 127.1.x.y, nor "
            f"{2 * count} ports from {_FIRST_PORT} up on {LOOPBACK}; stop other sandboxes, or whatever uses these ports"
        )
    return pool


def claim_subnet(count: int) -> AddressPool | None:
    """Claim 127.1.x.1 to 127.1.x.`count` for a random x; None where the system has no such addresses."""
    for subnet in _shuffled(256):
        addresses = [PodAddress(f"127.1.{subnet}.{host}") for host in range(1, count + 1)]
        claim = _bind(f"127.1.{subnet}.{_CLAIM_HOST}", METRICS_PORT)
        if pool := _pool_of(claim, addresses):
            return pool
    return None


def claim_ports(count: int) -> AddressPool | None:
    """Claim a block of ports on 127.0.0.1, two for each pod."""
    for block in _shuffled(_PORT_BLOCKS):
        first = _FIRST_PORT + block * _BLOCK
        pairs = range(first + 2, first + 2 + 2 * count, 2)
        addresses = [PodAddress(LOOPBACK, port, port + 1) for port in pairs]
        if pool := _pool_of(_bind(LOOPBACK, first), addresses):
            return pool
    return None


def _pool_of(claim: socket.socket | None, addresses: list[PodAddress]) -> AddressPool | None:
    if claim is None:
        return None
    if all(_is_free(address) for address in addresses):
        return AddressPool(claim, addresses)
    claim.close()
    return None


def _shuffled(count: int) -> list[int]:
    return random.SystemRandom().sample(range(count), count)


def _bind(host: str, port: int, *, reuse: bool = False) -> socket.socket | None:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        held.bind((host, port))
    except OSError:
        held.close()
        return None
    return held


def _is_free(address: PodAddress) -> bool:
    for port in (address.port, address.metrics_port):
        # As the pod itself will bind: connections of earlier processes that linger are no obstacle.
        held = _bind(address.host, port, reuse=True)
        if held is None:
            return False
        held.close()
    return True
