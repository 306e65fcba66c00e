"""Transforms: what stays of an object, and who wrote it last."""

from __future__ import annotations

import json
from typing import Any

from analyzer.kube.objects import AUTOSCALERS, CONFIG_MAPS, DEPLOYMENTS, PODS, REPLICA_SETS, SERVICES, Json
from analyzer.kube.transform import LAST_APPLIED, MOST_SHARED, revision_of, transformed
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_objects import add_pod, add_replica_set, autoscaler, deployment, settle


def test_a_deployment_keeps_spec_counts_and_conditions() -> None:
    api = FakeApi()
    api.put(DEPLOYMENTS, deployment("web", 3))
    settle(api, "web")
    api.edit(DEPLOYMENTS, "default", "web", {"metadata": {"annotations": {LAST_APPLIED: "long", "note": "short"}}})
    stored = api.see(DEPLOYMENTS, "default", "web")
    kept = transformed(DEPLOYMENTS, stored)
    assert kept["spec"] == stored["spec"]
    assert kept["status"] == stored["status"]
    assert kept["metadata"]["annotations"] == {"note": "short"}
    assert kept["metadata"]["uid"] == stored["metadata"]["uid"]
    assert kept["metadata"]["generation"] == 2
    assert "managedFields" not in kept["metadata"]


def test_strings_that_many_objects_have_are_shared_without_being_kept_for_ever() -> None:
    def pod(number: int) -> Json:
        labels = {"app": "a label of many pods", "odd": f"only pod {number} has this one"}
        return transformed(PODS, {"metadata": {"name": f"pod-{number}", "namespace": "shop", "labels": labels}})

    first, second = pod(1)["metadata"], pod(2)["metadata"]
    assert first["labels"]["app"] is second["labels"]["app"]
    for number in range(3, MOST_SHARED + 10):
        pod(number)
    assert first["labels"]["odd"] is not pod(1)["metadata"]["labels"]["odd"]


def test_names_the_last_writer_of_replicas_and_of_the_template() -> None:
    api = FakeApi()
    api.put(DEPLOYMENTS, deployment("web", 3), manager="kubectl-client-side-apply")
    api.edit(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 5}}, manager="argocd-controller")
    kept = transformed(DEPLOYMENTS, api.see(DEPLOYMENTS, "default", "web"))
    assert kept["metadata"]["writers"] == {"replicas": "argocd-controller", "template": "kubectl-client-side-apply"}


def test_of_two_who_own_parts_of_a_template_the_later_wrote_it_last() -> None:
    def entry(manager: str, moment: str, *, subresource: str = "") -> dict[str, Any]:
        part: dict[str, Any] = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}
        return {"manager": manager, "time": moment, "fieldsV1": part, "subresource": subresource}

    entries = [entry("late", "2026-03-02T10:05:00Z"), entry("early", "2026-03-02T10:00:00Z"), {"manager": "odd"}]
    kept = transformed(DEPLOYMENTS, {"metadata": {"name": "web", "managedFields": entries}})
    assert kept["metadata"]["writers"] == {"template": "late"}


def test_a_replica_set_keeps_the_revision_that_its_deployment_has_too() -> None:
    api = FakeApi()
    owner = api.put(DEPLOYMENTS, deployment("web", 3))
    kept = transformed(REPLICA_SETS, add_replica_set(api, owner, "abc"))
    assert kept["spec"] == {"replicas": 3, "revision": revision_of(owner["spec"]["template"])}
    assert kept["metadata"]["labels"]["pod-template-hash"] == "abc"
    assert [one["uid"] for one in kept["metadata"]["ownerReferences"]] == [owner["metadata"]["uid"]]


def test_a_pod_keeps_readiness_restarts_and_how_its_containers_ended() -> None:
    api = FakeApi()
    owner = add_replica_set(api, api.put(DEPLOYMENTS, deployment("web")))
    add_pod(api, owner, "x1", ready=False, restarts=2)
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "message": "out", "containerID": "c://1"}}
    container = {**api.see(PODS, "default", f"{owner['metadata']['name']}-x1")["status"]["containerStatuses"][0]}
    container |= {"lastState": ended, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "containerID": "c://2"}
    status = {"phase": "Running", "hostIP": "10.0.0.9", "containerStatuses": [container], "qosClass": "Burstable"}
    kept = transformed(PODS, api.set_status(PODS, "default", f"{owner['metadata']['name']}-x1", status))
    assert kept["status"]["phase"] == "Running"
    assert "hostIP" not in kept["status"]
    assert kept["status"]["containerStatuses"] == [
        {
            "name": "app",
            "ready": False,
            "restartCount": 2,
            "image": "shop:1",
            "imageID": "registry.example/shop:1@sha256:shop:1",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "message": "out", "exitCode": 137}},
        }
    ]
    assert "spec" not in kept


def test_an_autoscaler_keeps_its_target_and_bounds() -> None:
    kept = transformed(AUTOSCALERS, FakeApi().put(AUTOSCALERS, autoscaler("scaler", "web")))
    assert kept["spec"]["scaleTargetRef"]["name"] == "web"
    assert (kept["spec"]["minReplicas"], kept["spec"]["maxReplicas"]) == (2, 10)


def test_a_config_map_keeps_its_data_and_its_writer() -> None:
    body = {"metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "1"}}
    kept = transformed(CONFIG_MAPS, FakeApi().put(CONFIG_MAPS, body, manager="kubectl-edit"))
    assert kept["data"] == {"a": "1"}
    assert kept["metadata"]["writers"] == {"data": "kubectl-edit"}


def test_a_kind_that_is_not_watched_loses_only_its_bookkeeping() -> None:
    stored = FakeApi().put(SERVICES, {"metadata": {"name": "s", "namespace": "shop"}, "spec": {"selector": {"a": "b"}}})
    kept = transformed(SERVICES, stored)
    assert kept["spec"] == stored["spec"]
    assert set(stored["metadata"]) - set(kept["metadata"]) == {"managedFields"}


def test_an_object_without_spec_or_status_is_no_error() -> None:
    for kind in (DEPLOYMENTS, REPLICA_SETS, PODS, AUTOSCALERS, CONFIG_MAPS):
        assert transformed(kind, {"metadata": {"name": "bare"}})["metadata"]["name"] == "bare"


def test_equal_strings_are_kept_once() -> None:
    body = json.dumps({"metadata": {"name": "p", "labels": {"some-label": "some value"}}, "status": {}})
    first, second = (transformed(PODS, json.loads(body))["metadata"]["labels"] for _ in range(2))
    assert first["some-label"] is second["some-label"]


def test_equal_parts_are_kept_once() -> None:
    def pod(number: int) -> Json:
        labels = {"app": "shop", "pod-template-hash": "f00"}
        owners = [{"kind": "ReplicaSet", "name": "shop-f00", "uid": "u-1", "controller": True}]
        metadata = {"name": f"pod-{number}", "namespace": "shop", "labels": labels, "ownerReferences": owners}
        return transformed(PODS, {"metadata": metadata})

    first, second = pod(1)["metadata"], pod(2)["metadata"]
    assert first["labels"] is second["labels"]
    assert first["ownerReferences"] is second["ownerReferences"]
    assert first["name"] != second["name"]
