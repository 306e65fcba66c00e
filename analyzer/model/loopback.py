"""Which hosts are this machine: no proxy must be asked for those. Adapters that send requests use it."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Does this host, a name or an address without brackets, reach nothing but this machine?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
