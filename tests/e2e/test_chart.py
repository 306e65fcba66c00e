"""The chart, rendered by Helm: what it installs, what it refuses, and that the plain manifests are the same."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzer.config import load
from tests.e2e.lab.tools import find_tool

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/canary-analyzer"
RULES = yaml.safe_load((CHART / "files/rules.yaml").read_text())
OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version")

CONFIG = {
    "config": {
        "prometheus": {"url": "http://prometheus-server.monitoring"},
        "canaries": [
            {
                "name": "my-app",
                "stable": "my-app-v1",
                "canary": "my-app-v2",
                "plan": {"steps": [{"weight": 12.5, "hold": "5m"}], "bake": {"for": "1h"}},
                "analysis": {"metrics": [{"preset": "http-errors", "codes": "5.."}]},
            }
        ],
    }
}

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def helm() -> Path:
    return find_tool("helm")


def render(helm: Path, folder: Path, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    command = [
        str(helm),
        "template",
        "canary-analyzer",
        str(CHART),
        "--namespace",
        "canary-analyzer",
        "--values",
        str(file),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def manifests(helm: Path, folder: Path, **values: Any) -> list[Manifest]:
    done = render(helm, folder, {**CONFIG, **values})
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def only(found: list[Manifest], kind: str) -> Manifest:
    (one,) = [one for one in found if one["kind"] == kind]
    return one


def plain(found: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    """By kind and name, without what only Helm writes."""
    for one in found:
        for label in OF_HELM:
            one["metadata"].get("labels", {}).pop(label, None)
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def test_the_plain_manifests_are_the_chart_with_a_config_map_of_ones_own(helm: Path, tmp_path: Path) -> None:
    rendered = plain(manifests(helm, tmp_path, config={}, existingConfigMap="canary-analyzer"))
    files = [ROOT / "config/kubernetes/rbac.yaml", ROOT / "config/kubernetes/deployment.yaml"]
    written = plain([one for file in files for one in yaml.safe_load_all(file.read_text())])
    assert written.pop(("Namespace", "canary-analyzer"))
    assert written == rendered


def test_the_config_map_holds_the_configuration_that_was_given(helm: Path, tmp_path: Path) -> None:
    data = only(manifests(helm, tmp_path), "ConfigMap")["data"]
    for name, text in data.items():
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / name).write_text(text)
    (target,) = load([tmp_path / "config"]).targets
    assert target.name == "my-app"
    assert target.plan.steps[0].weight == 12.5


def test_a_configuration_given_as_text_arrives_as_it_is(helm: Path, tmp_path: Path) -> None:
    text = (ROOT / "config/minimal.yaml").read_text()
    data = only(manifests(helm, tmp_path, config=text), "ConfigMap")["data"]
    assert [one.rstrip() for one in data.values()] == [text.rstrip()]


def test_one_namespace_gets_a_role_in_place_of_rights_everywhere(helm: Path, tmp_path: Path) -> None:
    found = manifests(helm, tmp_path, namespaces=["shop", "search"])
    assert only(found, "ClusterRole")["rules"] == RULES["cluster"]
    roles = {one["metadata"]["namespace"]: one["rules"] for one in found if one["kind"] == "Role"}
    assert roles == {"canary-analyzer": RULES["home"], "shop": RULES["targets"], "search": RULES["targets"]}


def test_without_namespaces_it_may_look_after_all(helm: Path, tmp_path: Path) -> None:
    found = manifests(helm, tmp_path)
    assert only(found, "ClusterRole")["rules"] == RULES["cluster"] + RULES["targets"]
    assert only(found, "Role")["rules"] == RULES["home"]


def test_every_binding_is_to_the_account_that_the_pods_have(helm: Path, tmp_path: Path) -> None:
    found = manifests(helm, tmp_path, namespaces=["shop"], serviceAccount={"create": False, "name": "robot"})
    assert not [one for one in found if one["kind"] == "ServiceAccount"]
    accounts = {
        (subject["name"], subject["namespace"]) for one in found if "subjects" in one for subject in one["subjects"]
    }
    assert accounts == {("robot", "canary-analyzer")}
    assert only(found, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "robot"


def test_the_pod_is_locked_down(helm: Path, tmp_path: Path) -> None:
    spec = only(manifests(helm, tmp_path, replicas=2), "Deployment")["spec"]
    assert spec["replicas"] == 2
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    security = pod["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_secrets_are_mounted_where_the_configuration_looks_for_them(helm: Path, tmp_path: Path) -> None:
    pod = only(manifests(helm, tmp_path, existingSecret="hooks"), "Deployment")["spec"]["template"]["spec"]
    mounts = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"config": "/etc/canary-analyzer/config", "secrets": "/etc/canary-analyzer/secrets"}
    assert {one["name"] for one in pod["volumes"]} == set(mounts)


def test_optional_settings_reach_the_pod(helm: Path, tmp_path: Path) -> None:
    template = only(
        manifests(
            helm,
            tmp_path,
            env=[{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
            podAnnotations={"team": "shop"},
            podLabels={"tier": "ops"},
            nodeSelector={"disk": "ssd"},
            tolerations=[{"key": "ops", "operator": "Exists"}],
            affinity={"nodeAffinity": {}},
            imagePullSecrets=[{"name": "registry"}],
            priorityClassName="high",
        ),
        "Deployment",
    )["spec"]["template"]
    assert template["metadata"]["annotations"]["team"] == "shop"
    assert template["metadata"]["labels"]["tier"] == "ops"
    spec = template["spec"]
    assert spec["containers"][0]["env"][0]["name"] == "HTTPS_PROXY"
    assert spec["affinity"] == {"nodeAffinity": {}}
    assert (spec["nodeSelector"], spec["priorityClassName"]) == ({"disk": "ssd"}, "high")
    assert (spec["tolerations"][0]["key"], spec["imagePullSecrets"]) == ("ops", [{"name": "registry"}])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "expected the configuration in config"),
        ({**CONFIG, "existingConfigMap": "mine"}, "give the configuration once"),
        ({**CONFIG, "replica": 2}, "'replica' not allowed"),
        ({**CONFIG, "replicas": "two"}, "replicas"),
        ({**CONFIG, "log": {"level": "loud"}}, "level"),
    ],
)
def test_wrong_values_are_refused(helm: Path, tmp_path: Path, values: dict[str, Any], message: str) -> None:
    done = render(helm, tmp_path, values)
    assert done.returncode != 0
    assert message in done.stderr


def test_helm_finds_nothing_to_criticise(helm: Path, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(CONFIG))
    command = [str(helm), "lint", "--strict", str(CHART), "--values", str(tmp_path / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
