"""The users of one pair: requests to the Ready pods that its Service selects, as kube-proxy would send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.sandbox.addresses import PORT
from analyzer.sandbox.counts import Endpoint, PodTraffic, TrafficCounts
from analyzer.sandbox.service import Service, Tally, tally
from tests.e2e.lab.api import LabApi, LabReflector, path_of

Json = Mapping[str, Any]


class Traffic:
    """Follows the pods by a watch of its own: a pod gets no more requests once it is being deleted or not Ready."""

    def __init__(self, api: LabApi, namespace: str, selector: Mapping[str, str], rps: float) -> None:
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        self._service = Service(rps, seed=7)
        self._reflector = LabReflector(api, path_of("pods", namespace), self._route, labelSelector=labels)

    def start(self) -> None:
        """Let users arrive."""
        self._service.start()
        self._reflector.start()

    def stop(self) -> None:
        """No more users; `counts` are final when this returns. Stopping twice does no harm."""
        self._reflector.stop()
        self._service.stop()

    def rate(self, rps: float) -> None:
        """Change how many users arrive per second."""
        self._service.rate(rps)

    @property
    def counts(self) -> TrafficCounts:
        """What happened so far, pod by pod; at most about a second old."""
        return self._service.counts

    def of(self, deployment: str | None = None, version: str | None = None) -> Tally:
        """Requests, errors (500 and above) and failures (no answer) of a side's pods, or of a version's."""
        return tally(self.counts, deployment=deployment, version=version)

    def pods(self, deployment: str) -> list[PodTraffic]:
        """The same for each pod of a Deployment that ever got a request."""
        return [pod for pod in self.counts.pods if pod.deployment == deployment]

    def assert_answered(self, deployment: str) -> None:
        """Every request to this Deployment's pods got an answer, and there were some."""
        unanswered = {pod.pod: pod.failures for pod in self.pods(deployment) if pod.failures}
        assert not unanswered, f"requests without an answer from {deployment}: {unanswered}"
        assert self.of(deployment).requests > 0, f"nobody asked {deployment} anything"

    def _route(self) -> None:
        pods = self._reflector.objects.values()
        self._service.route([_endpoint(pod) for pod in pods if is_ready(pod) and not leaves(pod)])


def is_ready(pod: Json) -> bool:
    """Its condition Ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def leaves(pod: Json) -> bool:
    """Is it being deleted?"""
    return "deletionTimestamp" in pod["metadata"]


def deployment_of(pod: Json) -> str:
    """The Deployment whose ReplicaSet owns it."""
    owner = pod["metadata"]["ownerReferences"][0]["name"]
    return str(owner.removesuffix("-" + pod["metadata"]["labels"]["pod-template-hash"]))


def _endpoint(pod: Json) -> Endpoint:
    container = pod["spec"]["containers"][0]
    given = {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}
    version = given.get("VERSION", container["image"].rpartition(":")[2])
    return Endpoint(pod["metadata"]["name"], deployment_of(pod), version, pod["status"]["podIP"], PORT)
