"""For the end-to-end tests alone: kills the daemon (SIGKILL) or stops it (SIGSTOP) at one exact write to the API.

CANARY_ANALYZER_KILL_AT=before:3 dies before its third write, after:patch Deployment:2 after its second write whose
description begins so; freeze-before:patch Deployment:2 stops the process (SIGSTOP) with that write in its hands.
It is deliberately not an option of the program.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable, Mapping

from analyzer.model.errors import ConfigError, Problem

VARIABLE = "CANARY_ANALYZER_KILL_AT"

_FORM = re.compile(r"(?P<freeze>freeze-)?(?P<moment>before|after):(?:(?P<write>[^:]+):)?(?P<count>[1-9][0-9]*)")


def _send(number: signal.Signals) -> None:
    """To this very thread: a signal to the process may reach another one first, and the write would still be sent."""
    signal.pthread_kill(threading.get_ident(), number)


def kill_switch(
    environ: Mapping[str, str] = os.environ, send: Callable[[signal.Signals], None] = _send
) -> Callable[[str, str], None] | None:
    """What to call around each write with its moment and description; None without the variable.

    Raises ConfigError when the variable cannot be understood.
    """
    text = environ.get(VARIABLE)
    if not text:
        return None
    wanted = _FORM.fullmatch(text)
    if wanted is None:
        why = f"expected before:N, after:N or after:patch Deployment:N, found {text!r}"
        raise ConfigError((Problem(VARIABLE, None, "", why),))
    lock, left = threading.Lock(), [int(wanted["count"])]
    number = signal.SIGSTOP if wanted["freeze"] else signal.SIGKILL

    def around_write(moment: str, description: str) -> None:
        if moment != wanted["moment"] or not description.startswith(wanted["write"] or ""):
            return
        with lock:
            left[0] -= 1
            if left[0] == 0:
                send(number)

    return around_write
