"""The tutorial's pair of Deployments in a namespace, its users, and what people do to it with kubectl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.lab.api import LabApi, path_of
from tests.e2e.lab.lab import LabAddress, wait_until
from tests.e2e.scene.capacity import Capacity
from tests.e2e.scene.traffic import Traffic, deployment_of, is_ready, leaves

MANIFEST = Path(__file__).resolve().parents[3] / "config" / "kubernetes" / "my-app.yaml"
IMAGE = "example.com/my-app"

Json = Mapping[str, Any]


class Pair:
    """`<name>-v1` (stable) and `<name>-v2` (canary) behind the Service `<name>`."""

    def __init__(self, lab: LabAddress, api: LabApi, namespace: str, name: str = "my-app") -> None:
        self.name, self.namespace = name, namespace
        self.stable, self.canary = f"{name}-v1", f"{name}-v2"
        self._lab, self._api = lab, api
        self._traffic: Traffic | None = None
        self.capacity = Capacity(api, namespace, (self.stable, self.canary), {"app": name})

    @property
    def traffic(self) -> Traffic:
        """Its users, once there are any."""
        assert self._traffic is not None, "users come with `begin`"
        return self._traffic

    def begin(self, replicas: int, env: Mapping[str, str], rps: float) -> None:
        """Apply the manifests, wait until stable is there, and let users come."""
        self.apply(replicas, env)
        self.capacity.start()
        self.wait_ready(self.stable, replicas)
        self._traffic = Traffic(self._api, self.namespace, {"app": self.name}, rps)
        self._traffic.start()

    def end(self) -> None:
        """No more users and watches."""
        self.capacity.stop()
        if self._traffic is not None:
            self._traffic.stop()

    def apply(self, replicas: int, env: Mapping[str, str]) -> None:
        """`kubectl apply` of the tutorial's manifests, with so many stable pods and this environment."""
        documents = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8").replace("my-app", self.name)))
        for one in documents:
            if one["kind"] == "Deployment":
                one["spec"]["replicas"] = replicas if one["metadata"]["name"] == self.stable else 0
                container = one["spec"]["template"]["spec"]["containers"][0]
                container["env"] = [{"name": name, "value": value} for name, value in env.items()]
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(one) for one in documents))

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl printed, in the pair's namespace, as a person with every right."""
        return self._lab.run_kubectl(*arguments, namespace=self.namespace, stdin=stdin)

    def set_image(self, tag: str, deployment: str | None = None) -> None:
        """`kubectl set image` on the canary, or on another Deployment."""
        self.kubectl("set", "image", f"deployment/{deployment or self.canary}", f"app={IMAGE}:{tag}")

    def set_env(self, deployment: str | None = None, **env: str) -> None:
        """`kubectl set env` on the canary, or on another Deployment; `VERSION` is what `traffic` counts by."""
        self.kubectl("set", "env", f"deployment/{deployment or self.canary}", *(f"{k}={v}" for k, v in env.items()))

    def deployment(self, name: str) -> Json:
        """The object as it is now."""
        return self._api.get(path_of("deployments", self.namespace, name))

    def replicas(self, name: str) -> int:
        """`spec.replicas` of a Deployment."""
        return int(self.deployment(name)["spec"]["replicas"])

    def image(self, name: str) -> str:
        """The image in a Deployment's template."""
        return str(self.deployment(name)["spec"]["template"]["spec"]["containers"][0]["image"])

    def env(self, name: str) -> dict[str, str]:
        """The environment in a Deployment's template."""
        container = self.deployment(name)["spec"]["template"]["spec"]["containers"][0]
        return {entry["name"]: entry.get("value", "") for entry in container.get("env", ())}

    def pods(self, deployment: str) -> list[Json]:
        """Its pods, leaving ones too."""
        found = self._api.items(path_of("pods", self.namespace), labelSelector=f"app={self.name}")
        return [pod for pod in found if deployment_of(pod) == deployment]

    def ready(self, deployment: str) -> int:
        """How many of its pods are Ready and stay."""
        return sum(is_ready(pod) and not leaves(pod) for pod in self.pods(deployment))

    def wait_ready(self, deployment: str, count: int, seconds: float = 60) -> None:
        """Until it has exactly so many Ready pods and no others."""
        wait_until(
            lambda: self.ready(deployment) == count == len(self.pods(deployment)),
            seconds,
            f"{count} ready pods of {deployment}",
        )
