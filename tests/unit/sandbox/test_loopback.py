"""Free ports of this machine."""

from __future__ import annotations

import socket

from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK, free_ports


def test_free_ports_differ_and_can_be_bound() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.create_server((LOOPBACK, port)) as server:
            assert server.getsockname() == (LOOPBACK, port)


def test_any_port_is_a_free_one_of_this_machine() -> None:
    with socket.create_server(ANY_PORT) as one, socket.create_server(ANY_PORT) as other:
        assert one.getsockname()[0] == LOOPBACK
        assert one.getsockname()[1] != other.getsockname()[1]
