"""Finding the cluster: which settings win, and what is said about bad ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from analyzer.kube.errors import ClusterSettingsError
from analyzer.kube.settings import find_access, in_cluster, own_namespace

SETTINGS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "lab",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [
        {"name": "lab", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
        {"name": "prod", "context": {"cluster": "missing", "user": "u"}},
    ],
}


def written(folder: Path, settings: object = SETTINGS) -> Path:
    path = folder / "config"
    path.write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings))
    return path


def test_takes_the_current_context_and_its_namespace(tmp_path: Path) -> None:
    access = find_access(written(tmp_path))
    assert access.namespace == "shop"
    assert access.where == f"kubeconfig {tmp_path}/config, context lab"
    configuration = access.configuration()
    assert configuration.host == "http://127.0.0.1:1"
    assert configuration.retries is False


def test_takes_the_context_that_is_named(tmp_path: Path) -> None:
    access = find_access(written(tmp_path), "prod")
    assert (access.namespace, access.where.endswith("context prod")) == ("default", True)


def test_a_context_without_its_cluster_says_so_when_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(ClusterSettingsError, match=r"cannot use context prod of kubeconfig .*missing"):
        find_access(written(tmp_path), "prod").configuration()


@pytest.mark.parametrize(
    ("settings", "context", "text"),
    [
        (SETTINGS, "lba", "has no context 'lba'; contexts in it: lab, prod; choose one with --context"),
        ({**SETTINGS, "current-context": ""}, None, "has no current context; contexts in it: lab, prod"),
        ({**SETTINGS, "contexts": []}, None, "has no context 'lab'; contexts in it: none"),
        ("a: [", None, "cannot be read"),
        ("", None, "cannot be read"),
        ("[]", None, "cannot be read"),
    ],
)
def test_says_what_is_wrong_with_a_kubeconfig(tmp_path: Path, settings: object, context: str | None, text: str) -> None:
    with pytest.raises(ClusterSettingsError, match=f"kubeconfig {tmp_path}/config.*{text}"):
        find_access(written(tmp_path, settings), context)


def test_without_any_settings_says_how_to_give_them(tmp_path: Path) -> None:
    with pytest.raises(ClusterSettingsError, match=r"not found, .* pass --kubeconfig or set KUBECONFIG"):
        find_access(tmp_path / "nowhere")


def test_outside_of_a_cluster_there_is_no_namespace_of_our_own() -> None:
    assert not in_cluster()
    assert own_namespace() is None


def an_account(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("token", "first"), ("namespace", "tools\n"), ("ca.crt", "certificate")):
        (folder / name).write_text(text)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    return folder


def test_in_a_pod_takes_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = find_access(account=an_account(tmp_path, monkeypatch))
    assert (access.where, access.namespace) == ("the service account of this pod", "tools")
    configuration = access.configuration()
    assert configuration.host == "https://10.0.0.1:443"
    assert configuration.ssl_ca_cert == str(tmp_path / "ca.crt")
    assert configuration.api_key["BearerToken"] == "bearer first"
    (tmp_path / "token").write_text("second")
    assert access.configuration().api_key["BearerToken"] == "bearer second"


def test_in_a_pod_a_kubeconfig_that_is_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = an_account(tmp_path, monkeypatch)
    assert find_access(written(tmp_path), account=account).namespace == "shop"


def test_a_service_account_that_is_incomplete_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = an_account(tmp_path, monkeypatch)
    (tmp_path / "ca.crt").unlink()
    with pytest.raises(ClusterSettingsError, match=r"cannot use the service account of this pod: .*certification file"):
        find_access(account=account).configuration()
