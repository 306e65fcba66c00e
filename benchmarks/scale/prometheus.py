"""The Prometheus of a run, and what it tells of itself. Called by `standing` and by the measured process."""

from __future__ import annotations

import json
from pathlib import Path

import requests

from analyzer.sandbox.loopback import LOOPBACK, free_ports
from tests.e2e.lab.program import Program
from tests.e2e.lab.tools import find_tool

START_SECONDS = 30.0


class ScalePrometheus:
    """Takes what it is sent; everything is in `folder`."""

    def __init__(self, folder: Path) -> None:
        port = free_ports(1)[0]
        self.url = f"http://{LOOPBACK}:{port}"
        settings = {"storage": {"tsdb": {"out_of_order_time_window": "24h"}}}
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [
            str(find_tool("prometheus")),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'prometheus-data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--web.enable-remote-write-receiver",
        ]
        self._program = Program("prometheus", command, folder)

    def start(self) -> None:
        """Start it and wait until it is ready. Raises LabError."""
        self._program.start()
        self._program.wait(self._ready, START_SECONDS)

    def stop(self) -> None:
        """It is gone when this returns."""
        self._program.stop()

    def samples_of(self, pod: str, at: float, seconds: float) -> float:
        """How many scrapes of a pod there are in the `seconds` before `at`."""
        query = f'sum(count_over_time(process_start_time_seconds{{pod="{pod}"}}[{seconds:.0f}s]))'
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": query, "time": f"{at:.3f}"}, timeout=30)
        found = answer.json()["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=1.0).ok
        except requests.RequestException:
            return False


def told(url: str) -> dict[str, float]:
    """Queries that Prometheus answered so far and the bytes of its answers, by its own count."""
    text = requests.get(f"{url}/metrics", timeout=10).text
    sizes = _sum(text, "prometheus_http_response_size_bytes_sum")
    return {"queries": _sum(text, "prometheus_http_requests_total"), "bytes": sizes}


def _sum(text: str, metric: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith(f"{metric}{{") and "/api/v1/query" in line]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
