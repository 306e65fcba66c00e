"""A real Prometheus for the sandbox: finds the program, and runs it on a fixed list of scrape targets.

Used by the demo and by tests. The server is on a leash (`leash`), so it never outlives this process.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from analyzer.model.errors import SandboxError
from analyzer.sandbox import debian
from analyzer.sandbox.leash import GRACE
from analyzer.sandbox.loopback import LOOPBACK, free_ports
from analyzer.sandbox.runner import program_env

START_SECONDS = 20.0
"""How long Prometheus may take to be ready."""

ATTEMPTS = 3
"""Ports that are tried: one that was free a moment ago may be taken by another program."""

LOG_LINES = 3
"""Lines of its log that an error shows."""


def default_cache() -> Path:
    """Where programs are kept between runs. Raises SandboxError where there is no home either."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "canary-analyzer" / "tools"
    except RuntimeError as error:
        raise SandboxError("no home folder found to keep programs in; set XDG_CACHE_HOME") from error


def find_prometheus(cache: Path | None = None) -> Path:
    """The program: from PATH, else from the cache, else from the distribution's package (Debian, Ubuntu).

    Takes a few seconds the first time. Raises SandboxError, with how to get it, when there is none.
    """
    on_path = shutil.which("prometheus")
    if on_path is not None:
        return Path(on_path)
    cache = cache or default_cache()
    kept = [path for path in cache.glob("prometheus-*/prometheus") if os.access(path, os.X_OK)]
    if kept:
        return max(kept, key=lambda path: [int(number) for number in re.findall(r"\d+", path.parent.name)])
    by_hand = (
        "install Prometheus (https://prometheus.io/download, or `brew install prometheus`) so that `prometheus` is "
        "on the PATH, and try again"
    )
    if not debian.available():
        raise SandboxError(f"`prometheus` not found on this machine; {by_hand}")
    try:
        return debian.fetch_program("prometheus", "usr/bin/prometheus", cache)
    except SandboxError as error:
        raise SandboxError(f"cannot download Prometheus from the distribution ({error}); {by_hand}") from error


class PrometheusServer:
    """One Prometheus, which can be stopped and started again on the same port and data. Not thread-safe.

    `folder` must exist; configuration, data and log go there and stay. `targets` are `host:port`, and may be
    down; the pods name themselves (`honor_labels`). `scrape_interval` in seconds.
    """

    def __init__(self, program: Path, folder: Path, targets: Sequence[str], scrape_interval: float) -> None:
        self._program = program
        self._folder = folder.resolve()
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        every = f"{round(scrape_interval * 1000)}ms"
        job = {"job_name": "pods", "honor_labels": True, "static_configs": [{"targets": list(targets)}]}
        settings = {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": [job]}
        self._settings = json.dumps(settings, indent=2)  # which is YAML too

    @property
    def url(self) -> str:
        """Where it answers, once started; the same after a restart."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def version(self) -> str:
        """Its version, such as "2.42.0+ds". Raises SandboxError when it does not run."""
        answer = None if self._port is None else _get(self._port, "/api/v1/status/buildinfo")
        if answer is None:
            raise SandboxError("Prometheus does not respond")
        return str(json.loads(answer)["data"]["version"])

    @property
    def running(self) -> bool:
        """Is the process there?"""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and wait until it is ready. Raises SandboxError, with the end of its log."""
        if self.running:
            return
        (self._folder / "prometheus.yml").write_text(self._settings, encoding="utf-8")
        attempts = ATTEMPTS if self._port is None else 1
        for _ in range(attempts):
            port = self._port or free_ports(1)[0]
            self._launch(port)
            if self._wait(port):
                self._port = port
                return
            self.stop()
        raise SandboxError(f"Prometheus ({self._program}) did not become ready: {self._end_of_log()}")

    def stop(self) -> None:
        """Let it write its data and leave; it is gone when this returns. Stopping twice does no harm."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(GRACE + 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _launch(self, port: int) -> None:
        with (self._folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "analyzer.sandbox.leash"),
                    str(self._program),
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._data}",
                    f"--web.listen-address={LOOPBACK}:{port}",
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=program_env({}),
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C in the terminal is for this process, which stops it
            )

    def _wait(self, port: int) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self.running and time.monotonic() < deadline:
            if self._is_ours(port):
                return True
            time.sleep(0.05)
        return False

    def _is_ours(self, port: int) -> bool:
        """Is it ready, and is it ours and not another one that was faster to take the port?"""
        if _get(port, "/-/ready") is None:
            return False
        flags = _get(port, "/api/v1/status/flags")
        return flags is not None and json.loads(flags)["data"].get("storage.tsdb.path") == str(self._data)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _end_of_log(self) -> str:
        text = (self._folder / "prometheus.log").read_text(encoding="utf-8", errors="replace")
        return " / ".join(text.splitlines()[-LOG_LINES:]) or "it wrote nothing to its log"


def _get(port: int, path: str) -> bytes | None:
    """The body of a 200; None for all else."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == http.HTTPStatus.OK else None
