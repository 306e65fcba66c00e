"""Runs a foreign program that must not outlive its parent: `python -m analyzer.sandbox.leash PROGRAM ARGUMENT...`.

`prometheus` starts its server on this leash. Standard input is a pipe that the parent holds: when it closes,
because the parent wants the program stopped or because the parent is gone, however it went, the program is
asked to leave and killed after a grace. The leash ends with the program, and with its exit status.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE = 5.0
"""Seconds that the program has to leave by itself."""


def main(command: list[str]) -> None:
    """Run the command until it ends or standard input does."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: program.terminate())
    threading.Thread(target=_end_with, args=(program,), daemon=True).start()
    sys.stdin.buffer.read()
    program.terminate()
    try:
        program.wait(GRACE)
    except subprocess.TimeoutExpired:
        program.kill()
    _end_with(program)


def _end_with(program: subprocess.Popen[bytes]) -> None:
    status = program.wait()
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main(sys.argv[1:])
