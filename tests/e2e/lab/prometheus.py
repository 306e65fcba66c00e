"""A Prometheus 3 that finds the lab's pods through Kubernetes discovery. `lab` starts one; tests may hurt it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import requests

from analyzer.sandbox.loopback import LOOPBACK, free_ports
from tests.e2e.lab.program import Program
from tests.e2e.lab.tools import find_tool

START_SECONDS = 30.0
_META = "__meta_kubernetes_pod"


class LabPrometheus:
    """Everything is in `folder`; the same port and data after `stop` and `start`."""

    def __init__(self, folder: Path, kubeconfig: Path, scrape_interval: float = 1.0) -> None:
        port = free_ports(1)[0]
        self.url = f"http://{LOOPBACK}:{port}"
        self._file = folder / "prometheus.yml"
        self._file.write_text(json.dumps(_settings(kubeconfig, scrape_interval), indent=2), encoding="utf-8")
        command = [
            str(find_tool("prometheus")),
            f"--config.file={self._file}",
            f"--storage.tsdb.path={folder / 'prometheus-data'}",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--scrape.discovery-reload-interval=500ms",  # 5 s otherwise, which is long beside the lab's releases
        ]
        self._program = Program("prometheus", command, folder)

    def start(self) -> None:
        """Start it and wait until it is ready. Raises LabError."""
        self._program.start()
        self._program.wait(self._ready, START_SECONDS)

    def stop(self) -> None:
        """It is gone when this returns."""
        self._program.stop()

    def pause(self) -> None:
        """Let it hang: it accepts connections and answers nothing."""
        self._program.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._program.signal(signal.SIGCONT)

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/-/ready", timeout=1.0).ok
        except requests.RequestException:
            return False


def query(url: str, expression: str) -> list[dict[str, Any]]:
    """The instant vector that Prometheus at `url` gives: a list of {metric, value}."""
    answer = requests.get(f"{url}/api/v1/query", params={"query": expression}, timeout=5.0)
    answer.raise_for_status()
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return result


def _settings(kubeconfig: Path, scrape_interval: float) -> dict[str, Any]:
    every = f"{round(scrape_interval * 1000)}ms"
    relabel = [
        {"source_labels": [f"{_META}_annotation_prometheus_io_scrape"], "action": "keep", "regex": "true"},
        {"source_labels": [f"{_META}_phase"], "action": "keep", "regex": "Running"},
        {
            "source_labels": [f"{_META}_ip", f"{_META}_annotation_prometheus_io_port"],
            "separator": ":",
            "target_label": "__address__",
        },
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": [f"{_META}_name"], "target_label": "pod"},
        # Discovery names every port of a pod: one target each would scrape it several times.
        {"source_labels": [f"{_META}_container_port_name"], "action": "keep", "regex": "metrics|"},
    ]
    # The pods name themselves too, which discovery's labels push aside as exported_*.
    tidy = [{"action": "labeldrop", "regex": "exported_(namespace|pod)"}]
    job = {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(kubeconfig)}],
        "relabel_configs": relabel,
        "metric_relabel_configs": tidy,
    }
    return {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": [job]}
