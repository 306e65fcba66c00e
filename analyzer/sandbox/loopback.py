"""Free ports of this machine, for the sandbox's servers and for tests. Nothing here is ever reached from outside."""

from __future__ import annotations

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"

ANY_PORT = (LOOPBACK, 0)
"""Where a server of ours listens: on a free port that the system chooses."""


def free_ports(count: int) -> list[int]:
    """Ports that are free at this moment, all different: for a program that cannot choose one by itself.

    Another program may take one before it is used, so whoever starts something there tries again.
    """
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(ANY_PORT)
        return [int(one.getsockname()[1]) for one in held]
