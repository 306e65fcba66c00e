"""The users of a lab: tokens, kubeconfigs that verify the server, and what the analyzer's user is allowed.

`control_plane` writes them, `lab` hands them on. The analyzer's user has the chart's own rules, so passing the suite
proves that they suffice.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.lab.api import ApiError, LabApi, path_of

RULES = Path(__file__).resolve().parents[3] / "helm" / "canary-analyzer" / "files" / "rules.yaml"
ANALYZER = "canary-analyzer"
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class User:
    """One token. Two tokens of one name are told apart by `uid`, which the audit log shows."""

    file: str
    name: str
    uid: str
    groups: str = ""


USERS = (
    User("admin", "admin", "admin", "system:masters"),
    User("lab", "lab", "lab", "system:masters"),  # kubelet and Prometheus: not to be mistaken for a person
    User("analyzer", ANALYZER, "first"),
    User("analyzer-second", ANALYZER, "second"),
    User("operator", "operator", "operator"),
)


def write_tokens(file: Path) -> dict[str, str]:
    """Write the API server's token file; user's file name -> token."""
    tokens = {user.file: secrets.token_hex(16) for user in USERS}
    lines = [f'{tokens[user.file]},{user.name},{user.uid},"{user.groups}"' for user in USERS]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tokens


def write_kubeconfig(file: Path, server: str, authority: Path, token: str) -> None:
    """One cluster, one user, one context, all called `lab`."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "lab", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "default"}}],
        "current-context": "lab",
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def grant_targets(api: LabApi) -> None:
    """Let the analyzer's user do in every namespace what the chart's ClusterRole lets it."""
    rules = _rules()
    for part in ("targets", "cluster"):
        name = f"{ANALYZER}-{part}"
        _make(api, path_of("clusterroles"), {"metadata": {"name": name}, "rules": rules[part]})
        _make(api, path_of("clusterrolebindings"), _binding(name, "ClusterRole"))


def grant_home(api: LabApi, namespace: str) -> None:
    """Let the analyzer's user keep its documents and its Lease in this namespace."""
    _make(api, path_of("roles", namespace), {"metadata": {"name": ANALYZER}, "rules": _rules()["home"]})
    _make(api, path_of("rolebindings", namespace), _binding(ANALYZER, "Role"))


def grant_operator(api: LabApi, home: str, namespace: str) -> None:
    """Let the user `operator` see the documents in `home`, and ask for things in the targets' namespace."""
    see = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    ask = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]}
    look = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}
    for place, rules in ((home, [see]), (namespace, [ask, look])):
        _make(api, path_of("roles", place), {"metadata": {"name": "operator"}, "rules": rules})
        _make(api, path_of("rolebindings", place), _binding("operator", "Role", "operator"))


def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return rules


def _binding(name: str, role: str, user: str = ANALYZER) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": role, "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


def _make(api: LabApi, path: str, body: Mapping[str, Any]) -> None:
    try:
        api.create(path, body)
    except ApiError as error:
        if error.status != CONFLICT:
            raise
