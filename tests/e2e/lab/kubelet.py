"""The node's part of a cluster: runs the pods that are bound to it as processes, and reports how they are.

`lab` starts one. The life of a pod (probes, restarts with back-off, draining) is the sandbox's; here are the watch, the
status that the API server gets to see, and the deletion with grace. One thread lives the pods' lives; another one
talks to the API server, so that pods go on while it is away.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from analyzer.sandbox.addresses import AddressPool, PodAddress, claim_subnet
from analyzer.sandbox.kubelet import PodLife, PodTempo
from analyzer.sandbox.loopback import LOOPBACK
from analyzer.sandbox.runner import PodRunner
from tests.e2e.lab.api import STRATEGIC, ApiError, LabApi, LabReflector, path_of
from tests.e2e.lab.container import Container, rfc3339
from tests.e2e.lab.errors import LabError

Json = dict[str, Any]
STEP = 0.1
ADDRESSES = 250
NOT_FOUND = 404
TEMPO = PodTempo(probe=0.5, misses=2, unrouted=0.3, grace=5.0, backoff=0.5, backoff_most=4.0)
"""Back-off begins and ends sooner than on a real node: 0.5, 1, 2, 4 s."""


@dataclass(slots=True)
class NodePod:
    """A pod on this node."""

    namespace: str
    name: str
    uid: str
    address: PodAddress
    container: Container
    life: PodLife
    hollow: bool
    reported: Json | None = None
    deleted: bool = False
    since: dict[str, tuple[str, str]] = field(default_factory=dict)

    def status(self) -> Json:
        """What the API server should have."""
        life, container = self.life.status, self.container
        # A started container that has ended is in back-off or on its way out; both show its last end.
        last = {"terminated": container.last.to_json()} if container.last else {}
        begun = life.waiting is None and container.blocked is None
        state: Json = (
            {"running": {"startedAt": rfc3339(container.started_at)}}
            if begun and not life.gone
            else last
            if life.gone and last
            else {"waiting": container.waiting(life.waiting or "ContainerCreating")}
        )
        return {
            "phase": "Pending" if container.blocked else "Running",
            "podIP": self.address.host,
            "podIPs": [{"ip": self.address.host}],
            "hostIP": LOOPBACK,
            "startTime": rfc3339(life.created_at),
            "conditions": [
                self._condition("Initialized", holds=True),
                self._condition("Ready", holds=life.ready),
                self._condition("ContainersReady", holds=life.ready),
            ],
            "containerStatuses": [
                {
                    "name": container.spec["name"],
                    "image": container.spec["image"],
                    "imageID": "" if container.blocked else container.image_id,
                    "ready": life.ready,
                    "started": begun,
                    "restartCount": life.restarts,
                    "state": state,
                    "lastState": last,
                }
            ],
        }

    def _condition(self, kind: str, *, holds: bool) -> Json:
        status = "True" if holds else "False"
        if self.since.get(kind, ("", ""))[0] != status:
            self.since[kind] = (status, rfc3339(datetime.now(UTC)))
        # A strategic merge keeps what is left out: null takes the old reason away.
        reason, message = (None, None) if holds else ("ContainersNotReady", "the container is not ready")
        since = self.since[kind][1]
        return {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}


class Kubelet:
    """One node. `folder` must exist; pods' logs go to `<folder>/pods`."""

    def __init__(self, api: LabApi, node: str, folder: Path, tempo: PodTempo = TEMPO) -> None:
        self._api, self._node, self._tempo = api, node, tempo
        self._logs = folder / "pods"
        self._runner = PodRunner(self._logs)
        self._pool: AddressPool | None = None
        self._hollow = itertools.count(1)
        self._pods: dict[str, NodePod] = {}
        self._ended: dict[str, None] = {}
        self._stopped = threading.Event()
        self._reflector = LabReflector(api, path_of("pods"), fieldSelector=f"spec.nodeName={node}")
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for run, name in self._work()]

    def start(self) -> None:
        """Make the node, and run what is bound to it. Raises LabError."""
        self._pool = claim_subnet(ADDRESSES)
        if self._pool is None:
            raise LabError(
                "there is no free 127.1.x.0/24 for pods: stop other labs, or use Linux, which has all of 127/8"
            )
        self._logs.mkdir(exist_ok=True)
        _make_node(self._api, self._node)
        self._reflector.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End every pod's process at once; they are gone when this returns."""
        self._stopped.set()
        self._reflector.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        for pod in self._pods.values():
            pod.container.kill()
        deadline = time.monotonic() + 3
        while any(_runs(pod) for pod in self._pods.values()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._pool is not None:
            self._pool.close()

    def _work(self) -> list[tuple[Any, str]]:
        return [(self._live, "pods"), (self._report, "pod status")]

    def _live(self) -> None:
        while not self._stopped.wait(STEP):
            now = datetime.now(UTC)
            wanted = self._reflector.objects
            for uid, pod in wanted.items():
                if uid not in self._pods and uid not in self._ended:
                    self._admit(uid, pod, now)
            for uid, running in list(self._pods.items()):
                found = wanted.get(uid)
                if found is None or "deletionTimestamp" in found["metadata"]:
                    running.life.delete(now)
                running.life.step(now)
                if running.life.status.gone and (running.deleted or found is None):
                    self._forget(uid)
            self._ended = {uid: None for uid in self._ended if uid in wanted}

    def _admit(self, uid: str, pod: Json, now: datetime) -> None:
        hollow = any(one["name"] == "HOLLOW" for one in pod["spec"]["containers"][0].get("env", ()))
        address = self._address(hollow=hollow)
        if address is None:
            return  # it stays Pending until another one leaves
        container = Container(pod, address, self._runner, self._logs)
        grace = pod["spec"].get("terminationGracePeriodSeconds", self._tempo.grace)
        life = PodLife(container, replace(self._tempo, grace=float(grace)), now)
        meta = pod["metadata"]
        self._pods[uid] = NodePod(meta["namespace"], meta["name"], uid, address, container, life, hollow)

    def _address(self, *, hollow: bool) -> PodAddress | None:
        if hollow:
            number = next(self._hollow)
            return PodAddress(f"127.{2 + number // 65536}.{number // 256 % 256}.{number % 256}")
        return None if self._pool is None else self._pool.take()

    def _forget(self, uid: str) -> None:
        pod = self._pods.pop(uid)
        self._ended[uid] = None
        if self._pool is not None and not pod.hollow:
            self._pool.give_back(pod.address)

    def _report(self) -> None:
        api = self._api.twin()
        while not self._stopped.wait(STEP / 2):
            for pod in list(self._pods.values()):
                # Out of reach or refused for now: the next round tries again.
                with suppress(requests.RequestException, ApiError):
                    _tell(api, pod)
        api.close()


def _tell(api: LabApi, pod: NodePod) -> None:
    path = path_of("pods", pod.namespace, pod.name)
    status = pod.status()
    try:
        if status != pod.reported:
            own = {"metadata": {"uid": pod.uid}, "status": status}
            api.patch(f"{path}/status", own, STRATEGIC)
            pod.reported = status
        if pod.life.status.gone and not pod.deleted:
            api.delete(path, gracePeriodSeconds=0, preconditions={"uid": pod.uid})
            pod.deleted = True
    except ApiError as error:
        if error.status != NOT_FOUND:
            raise
        pod.reported, pod.deleted = status, pod.life.status.gone


def _runs(pod: NodePod) -> bool:
    return not pod.life.status.gone and pod.container.exit_status() is None and pod.life.status.waiting is None


def _make_node(api: LabApi, name: str) -> None:
    api.create(path_of("nodes"), {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}})
    # Admission gives every new node the taint that says it is not ready.
    api.patch(path_of("nodes", name=name), {"spec": {"taints": None}})
    size = {"cpu": "64", "memory": "64Gi", "pods": "100000"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "lastTransitionTime": rfc3339(datetime.now(UTC)),
    }
    path = f"{path_of('nodes', name=name)}/status"
    api.patch(path, {"status": {"capacity": size, "allocatable": size, "conditions": [ready]}})
