"""What the daemon may do is written in one file: enough for what it does, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from analyzer.bootstrap.rbac_check import NEEDED
from analyzer.kube.cache import FOLLOWED
from analyzer.kube.objects import (
    ACCESS_REVIEWS,
    AUTOSCALERS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    EVENTS,
    QUOTAS,
    SERVICES,
    Kind,
)

ROOT = Path(__file__).parents[3]
RULES = yaml.safe_load((ROOT / "helm/canary-analyzer/files/rules.yaml").read_text())

Grant = tuple[str, str, str]
"""Group, resource, verb."""


def grants(rules: list[dict[str, Any]]) -> Iterator[Grant]:
    for rule in rules:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb


def needs(*kinds: Kind, verbs: tuple[str, ...]) -> set[Grant]:
    return {(kind.group, kind.plural, verb) for kind in kinds for verb in verbs}


def test_what_is_checked_at_the_start_is_granted_at_home() -> None:
    checked = {grant for kind, verbs in NEEDED for grant in needs(kind, verbs=tuple(verbs))}
    assert checked <= set(grants(RULES["home"]))


def test_all_that_is_cached_may_be_listed_and_watched() -> None:
    assert needs(*FOLLOWED, verbs=("get", "list", "watch")) <= set(grants(RULES["targets"]))


def test_preflight_may_look_at_what_stands_around_the_deployments() -> None:
    looked_at = needs(SERVICES, QUOTAS, AUTOSCALERS, DISRUPTION_BUDGETS, verbs=("list",))
    assert looked_at <= set(grants(RULES["targets"]))
    assert set(grants(RULES["cluster"])) == needs(ACCESS_REVIEWS, verbs=("create",))


def test_in_the_targets_namespaces_only_deployments_and_events_are_written() -> None:
    reading = {"get", "list", "watch"}
    writing = {grant for grant in grants(RULES["targets"]) if grant[2] not in reading}
    assert writing == needs(DEPLOYMENTS, verbs=("patch",)) | needs(EVENTS, verbs=("create", "patch"))


def test_nothing_is_deleted_no_secret_is_read_and_nothing_is_granted_wholesale() -> None:
    every = {grant for rules in RULES.values() for grant in grants(rules)}
    assert not {resource for _, resource, _ in every} & {"secrets", "pods/log", "pods/exec", "*"}
    assert not {verb for _, _, verb in every} & {"delete", "deletecollection", "update", "*", "escalate", "bind"}


def test_the_plain_manifest_grants_the_same() -> None:
    documents = [one for one in yaml.safe_load_all((ROOT / "config/kubernetes/rbac.yaml").read_text()) if one]
    granted = {one["kind"]: set(grants(one["rules"])) for one in documents if "rules" in one}
    assert granted["Role"] == set(grants(RULES["home"]))
    assert granted["ClusterRole"] == set(grants(RULES["cluster"])) | set(grants(RULES["targets"]))
