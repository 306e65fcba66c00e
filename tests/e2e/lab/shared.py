"""One lab for several test processes: the first one to ask starts it, and it ends when the last one has gone.

Each user holds a connection to a Unix socket, which the system closes however the user ends. `conftest` calls
`join`; `__main__` calls `serve`.
"""

from __future__ import annotations

import fcntl
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.sandbox.runner import PACKAGE_ROOT
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.lab import LabAddress

START_SECONDS = 1200.0
"""Building every tool is in it, where there are none yet."""


_left_running: list[subprocess.Popen[bytes]] = []
"""Labs that were started here: Python warns of a process that is forgotten while it runs."""


def serve(path: Path, address: LabAddress) -> None:
    """Tell everybody who connects; return when the last one has gone, or nobody came for ten seconds."""
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as selector:
        listening.bind(str(path))
        listening.listen()
        selector.register(listening, selectors.EVENT_READ)
        users: set[socket.socket] = set()
        while ready := selector.select(None if users else 10.0):
            for key, _ in ready:
                if key.fileobj is listening:
                    user, _ = listening.accept()
                    user.sendall(address.to_json().encode() + b"\n")
                    users.add(user)
                    selector.register(user, selectors.EVENT_READ)
                elif isinstance(gone := key.fileobj, socket.socket):
                    selector.unregister(gone)
                    users.discard(gone)
                    gone.close()
            if not users:
                break
        path.unlink()


@contextmanager
def join(folder: Path) -> Iterator[LabAddress]:
    """Use the lab in `folder`, which all its users share; starts it where it is not there yet. Raises LabError."""
    path = folder / "lab.sock"
    with (folder / "lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        user = _connect(path)
        if user is None:
            _start(folder, path)
            user = _connect(path)
    if user is None:
        raise LabError(f"the lab in {folder} ended at once: see {folder / 'lab.log'}")
    with user, user.makefile() as lines:
        yield LabAddress.from_json(lines.readline())


def _connect(path: Path) -> socket.socket | None:
    user = socket.socket(socket.AF_UNIX)
    try:
        user.connect(str(path))
    except OSError:
        user.close()
        return None
    return user


def _start(folder: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    place = folder / "lab"
    log = folder / "lab.log"
    command = [sys.executable, "-m", "tests.e2e.lab", "--folder", str(place), "--for-tests", str(path)]
    with log.open("wb") as output:
        # Not on a leash of ours: it serves others after we have gone, and ends by itself when nobody is left.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=PACKAGE_ROOT, start_new_session=True
        )
    _left_running.append(process)
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise LabError(f"the lab did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
