"""A pair of Deployments with nothing wrong about it, in a fake API server, to be spoiled by each test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from analyzer.actuation.preflight import ClusterPreflight
from analyzer.kube.objects import DEPLOYMENTS, SERVICES
from analyzer.model.finding import Finding, FindingLevel
from analyzer.model.plan import Plan, Step
from analyzer.model.target import Roles, Side, Target
from analyzer.model.workload import Pod, Snapshot, Workload, template_of
from tests.fakes.clock import START, FakeClock
from tests.fakes.kube_api import FakeApi
from tests.fakes.preflight import FakeSightings, Followed
from tests.fakes.verdicts import ANALYSIS

STABLE, CANARY = "my-app-v1", "my-app-v2"
PLAN = Plan(steps=(Step(25, timedelta(minutes=1)), Step(50, timedelta(minutes=1))))
TARGET = Target("my-app", "default", Roles(STABLE, CANARY), PLAN, ANALYSIS, service="my-app")
PROBE = {"httpGet": {"path": "/", "port": 80}}


class Stand:
    """`findings` is what a preflight says; `spec` and `containers` spoil a Deployment."""

    def __init__(self) -> None:
        self.api = FakeApi(FakeClock())
        self.sightings = FakeSightings(START.timestamp())
        self.target = TARGET
        self.writers: dict[Side, dict[str, str]] = {side: {"replicas": "canary-analyzer"} for side in Side}
        self.pods_age = timedelta(hours=1)
        for name, version, replicas in ((STABLE, "v1", 8), (CANARY, "v2", 0)):
            self._deploy(name, {"app": "my-app", "version": version}, replicas)
        self.service({"app": "my-app"})

    def service(self, selector: Mapping[str, str] | None, name: str = "my-app", **spec: Any) -> None:
        self.api.put(
            SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": selector, **spec}}
        )

    def spec(self, name: str, **changes: Any) -> None:
        self.api.edit(DEPLOYMENTS, "default", name, {"spec": changes})

    def container(self, name: str, **container: Any) -> None:
        body = {"name": "app", "image": "shop:1", "readinessProbe": PROBE, **container}
        self.spec(name, template={"spec": {"containers": [body]}})

    def plan(self, **changes: Any) -> None:
        self.target = replace(self.target, plan=replace(self.target.plan, **changes))

    def findings(self) -> list[Finding]:
        snapshot = Snapshot(self.target, self._workload(Side.STABLE), self._workload(Side.CANARY))
        preflight = ClusterPreflight(self.api, Followed(self.api), self.sightings, self.api.clock)
        return list(preflight.check(self.target, self.target.roles, snapshot))

    def found(self, check: str) -> list[str]:
        """What one check says, as people read it; everything else must be as it should be."""
        findings = self.findings()
        assert [finding.check for finding in findings if finding.check != check] == []
        return [str(finding) for finding in findings]

    def levels(self) -> list[FindingLevel]:
        return [finding.level for finding in self.findings()]

    def _deploy(self, name: str, labels: Mapping[str, str], replicas: int) -> None:
        container = {"name": "app", "image": "shop:1", "readinessProbe": PROBE}
        template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "minReadySeconds": 5, "selector": {"matchLabels": labels}, "template": template}
        self.api.put(DEPLOYMENTS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})

    def _workload(self, side: Side) -> Workload | None:
        name = self.target.roles.name(side)
        found = {one["metadata"]["name"]: one for one in self.api.all(DEPLOYMENTS, "default")}.get(name)
        if found is None:
            return None
        spec = found["spec"]
        labels, count = spec["selector"]["matchLabels"], spec["replicas"]
        since = self.api.clock.now() - self.pods_age
        pods = tuple(
            Pod(f"{name}-{number}", since, ready=True, available=True, ready_at=since) for number in range(count)
        )
        uid, template = found["metadata"]["uid"], template_of(spec["template"], labels)
        return Workload(name, uid, count, count, count, count, template, labels, pods, writers=self.writers[side])
