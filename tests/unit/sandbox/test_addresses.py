"""Pod addresses: fixed, unshared, handed out fairly."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from analyzer.model.errors import SandboxError
from analyzer.sandbox.addresses import (
    MOST,
    AddressPool,
    PodAddress,
    claim_addresses,
    claim_ports,
    claim_subnet,
)


@pytest.mark.parametrize("claim", [claim_addresses, claim_subnet, claim_ports])
def test_two_pools_share_no_address(claim: Callable[[int], AddressPool | None]) -> None:
    pools = [claim(MOST), claim(MOST)]
    sockets = [
        (address.host, port)
        for pool in pools
        if pool is not None
        for address in pool.addresses
        for port in (address.port, address.metrics_port)
    ]
    for pool in pools:
        if pool is not None:
            pool.close()
    assert len(set(sockets)) == len(sockets) == 2 * 2 * MOST


def test_addresses_can_be_bound_by_their_pods() -> None:
    pool = claim_addresses(3)
    try:
        for address in pool.addresses:
            with socket.create_server((address.host, address.port)):
                pass
    finally:
        pool.close()


def test_hands_out_the_address_that_was_free_for_longest() -> None:
    pool = AddressPool(socket.socket(), [PodAddress("127.1.0.1"), PodAddress("127.1.0.2")])
    first = pool.take()
    assert first == PodAddress("127.1.0.1")
    pool.give_back(first)
    assert [pool.take(), pool.take(), pool.take()] == [PodAddress("127.1.0.2"), first, None]
    pool.close()


def test_names_the_scrape_target() -> None:
    assert PodAddress("127.1.2.3").metrics == "127.1.2.3:9101"


@pytest.mark.parametrize("count", [0, MOST + 1])
def test_refuses_numbers_that_no_sandbox_has(count: int) -> None:
    with pytest.raises(SandboxError, match=f"1 to {MOST}"):
        claim_addresses(count)
