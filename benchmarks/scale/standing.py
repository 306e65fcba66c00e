"""Sets up what one run works on: control plane, thousands of pairs, releases in progress, and their series."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from analyzer.config import load
from benchmarks.scale.configuration import write_configuration
from benchmarks.scale.etcd import Stored, put_all
from benchmarks.scale.pairs import Sample, make_samples, stored
from benchmarks.scale.plan import HOME, INTERVAL, PODS, Standing
from benchmarks.scale.prometheus import ScalePrometheus
from benchmarks.scale.releases import document_of, release_in_progress
from benchmarks.scale.series import send
from benchmarks.size import progress
from tests.e2e.lab.api import LabApi, path_of
from tests.e2e.lab.control_plane import ControlPlane
from tests.e2e.lab.credentials import grant_home, grant_targets
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.kubelet import Kubelet
from tests.e2e.lab.lab import wait_until

NODE = "node-1"
STAGGER = 15
"""Sweeps' worth of seconds among which the releases' beginnings are spread."""

HISTORY = 3600.0
"""Seconds that the objects are older than the first sweep."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the daemon finds everything."""

    kubeconfig: Path
    configuration: Path
    idle: Path
    """The configuration of the idle targets alone."""
    prometheus: str


class Stage:
    """A context manager: everything stands when it is entered, and is gone when it is left. `folder` must be empty."""

    def __init__(self, folder: Path, standing: Standing) -> None:
        self._folder = folder
        self._standing = standing
        self._plane = ControlPlane(folder)
        self._open = ExitStack()
        self._pods: list[tuple[str, str]] = []
        self._releases: list[Stored] = []
        self.objects = 0

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def place(self) -> Place:
        """All that the measured process needs."""
        return Place(
            self._plane.kubeconfig("analyzer"), self._folder / "config", self._folder / "idle", self.prometheus.url
        )

    @property
    def prometheus(self) -> ScalePrometheus:
        """The one that has the series."""
        return self._prometheus

    def begin_releases(self) -> None:
        """Put the documents of all releases in progress on file."""
        self.objects += put_all(self._plane.etcd, self._releases)

    def _set_up(self) -> None:
        standing = self._standing
        self._open.callback(self._plane.stop)
        self._plane.start()
        api = self._plane.api("admin")
        samples = self._samples(api)
        for namespace in (HOME, *standing.namespaces):
            api.create(path_of("namespaces"), {"metadata": {"name": namespace}})
        grant_targets(api)
        grant_home(api, HOME)
        # The address is not known yet; what is written now is only read for the targets in it.
        write_configuration(self._folder / "draft", standing.pairs, "http://127.0.0.1:9")
        self.objects = put_all(self._plane.etcd, self._all_objects(samples))
        progress(f"{self.objects:,} objects are in etcd")
        wait_until(lambda: self._arrived(api), 120, "the API server shows all pods")
        self._fill()
        write_configuration(self._folder / "config", standing.pairs, self._prometheus.url)
        idle = (pair for pair in standing.pairs if not pair.in_release)
        write_configuration(self._folder / "idle", idle, self._prometheus.url)
        self._check()

    def _samples(self, api: LabApi) -> tuple[Sample, Sample]:
        kubelet = Kubelet(self._plane.api(), NODE, self._folder)
        kubelet.start()
        try:
            return make_samples(api)
        finally:
            kubelet.stop()  # what is copied is Ready already, and stays so

    def _all_objects(self, samples: tuple[Sample, Sample]) -> Iterator[Stored]:
        busy, idle = samples
        standing = self._standing
        targets = {target.name: target for target in load([self._folder / "draft"]).targets}
        since = standing.begin - HISTORY
        for pair in standing.pairs:
            objects = list((busy if pair.in_release else idle).copy(pair, since))
            yield from (stored(kind, found) for kind, found in objects)
            if pair.in_release:
                self._pods += [(pair.namespace, found["metadata"]["name"]) for kind, found in objects if kind == "pods"]
                began = standing.begin - 2 * INTERVAL - pair.number % (int(INTERVAL) * STAGGER)
                state = release_in_progress(targets[pair.name], objects, began)
                self._releases.append(stored("configmaps", document_of(state, str(uuid.uuid4()), since)))

    def _arrived(self, api: LabApi) -> bool:
        last = self._standing.namespaces[-1]
        found = api.items(path_of("pods", last), limit="1")
        return bool(found)

    def _fill(self) -> None:
        self._prometheus = ScalePrometheus(self._folder)
        self._open.callback(self._prometheus.stop)
        self._prometheus.start()
        send(self._prometheus.url, self._pods, self._standing)
        progress(f"Prometheus has {self._standing.scrapes} scrapes of {len(self._pods):,} pods")

    def _check(self) -> None:
        assert len(self._pods) == PODS * self._standing.in_release
        if not self._pods:
            return
        standing = self._standing
        end = standing.series_from + standing.scrapes * INTERVAL
        found = self._prometheus.samples_of(self._pods[-1][1], end, end - standing.series_from + INTERVAL)
        if found < standing.scrapes:
            raise LabError(f"Prometheus has {found:.0f} of {standing.scrapes} scrapes")
