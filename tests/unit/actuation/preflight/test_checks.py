"""Each check finds what it is for, says the way out, and finds nothing in a pair that is as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analyzer.actuation.preflight import CHECKS
from analyzer.kube.errors import UnavailableError
from analyzer.kube.objects import AUTOSCALERS, DEPLOYMENTS, DISRUPTION_BUDGETS, QUOTAS, SERVICES
from analyzer.model.errors import ObservationError
from analyzer.model.finding import FindingLevel
from analyzer.model.plan import Amount, Capacity, CapacityMode, Mode, Promotion
from analyzer.model.target import Side
from tests.fakes.kube_objects import autoscaler
from tests.unit.actuation.preflight.stand import CANARY, STABLE, Stand

SURGE = Capacity(mode=CapacityMode.SURGE)


def a_quota(**hard_and_used: tuple[str, str]) -> dict[str, Any]:
    names = {name: name.replace("_", ".") for name in hard_and_used}
    status = {
        "hard": {names[name]: hard for name, (hard, _) in hard_and_used.items()},
        "used": {names[name]: used for name, (_, used) in hard_and_used.items()},
    }
    return {"metadata": {"name": "team", "namespace": "default"}, "spec": {"hard": status["hard"]}, "status": status}


def test_a_pair_as_it_should_be_gives_no_finding() -> None:
    assert Stand().findings() == []


def test_names_of_checks_are_unique() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)


# Services


def test_a_service_that_does_not_exist_is_an_error_and_the_others_are_named() -> None:
    stand = Stand()
    stand.target = replace(stand.target, service="myapp")
    assert stand.found("service") == [
        "service: Service myapp does not exist; set `service` to one in namespace default (found: my-app)"
    ]


def test_a_service_that_selects_one_version_is_an_error_naming_the_common_label() -> None:
    stand = Stand()
    stand.service({"app": "my-app", "version": "v1"})
    (found,) = stand.found("service")
    assert f"Service my-app selects version=v1, which the pods of {CANARY} do not have" in found
    assert "select only by common labels: app=my-app" in found
    assert stand.levels() == [FindingLevel.ERROR]


def test_a_service_without_a_selector_is_an_error() -> None:
    stand = Stand()
    stand.service(None)
    assert "has no selector" in stand.found("service")[0]


def test_without_a_configured_service_any_that_selects_both_will_do() -> None:
    stand = Stand()
    stand.target = replace(stand.target, service=None)
    assert stand.findings() == []
    stand.service({"version": "v1"})
    assert "no Service selects the pods of both" in stand.found("any-service")[0]
    assert stand.levels() == [FindingLevel.WARNING]


def test_session_affinity_is_a_warning_that_says_what_it_means() -> None:
    stand = Stand()
    stand.service({"app": "my-app"}, sessionAffinity="ClientIP")
    assert "keeps each client on one pod (sessionAffinity: ClientIP, 3h)" in stand.found("session-affinity")[0]
    config = {"clientIP": {"timeoutSeconds": 60}}
    stand.service({"app": "my-app"}, sessionAffinity="ClientIP", sessionAffinityConfig=config)
    assert "1m" in stand.found("session-affinity")[0]
    stand.service({"app": "other"}, name="other", sessionAffinity="ClientIP")
    assert len(stand.findings()) == 1


# Deployments


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "my-app"}},
        {
            "matchLabels": {"app": "my-app", "version": None},
            "matchExpressions": [{"key": "version", "operator": "Exists"}],
        },
        {"matchLabels": None, "matchExpressions": [{"key": "version", "operator": "In", "values": ["v1", "v2"]}]},
        {"matchLabels": None, "matchExpressions": [{"key": "version", "operator": "NotIn", "values": ["v3"]}]},
        {"matchLabels": None, "matchExpressions": [{"key": "track", "operator": "DoesNotExist"}]},
    ],
)
def test_a_selector_that_matches_the_other_side_s_pods_is_an_error(selector: dict[str, Any]) -> None:
    stand = Stand()
    before = stand.api.see(DEPLOYMENTS, "default", STABLE)["spec"]["selector"]["matchLabels"]
    labels = selector["matchLabels"] or dict.fromkeys(before)
    stand.spec(STABLE, selector={**selector, "matchLabels": {**dict.fromkeys(before), **labels}})
    assert f"the selector of {STABLE} also matches the pods of {CANARY}" in stand.found("selectors")[0]
    assert stand.levels() == [FindingLevel.ERROR]


def test_expressions_that_keep_the_sides_apart_are_fine() -> None:
    stand = Stand()
    expressions = [{"key": "version", "operator": "In", "values": ["v1"]}]
    stand.spec(STABLE, selector={"matchLabels": {"app": "my-app", "version": None}, "matchExpressions": expressions})
    assert stand.findings() == []


@pytest.mark.parametrize("name", [STABLE, CANARY])
@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        ("min-ready-seconds", {"minReadySeconds": 0}),
        ("revision-history", {"revisionHistoryLimit": 0}),
        ("readiness-probe", {"template": {"spec": {"containers": [{"name": "app"}, {"name": "sidecar"}]}}}),
    ],
)
def test_what_either_deployment_lacks_is_found(name: str, check: str, spoil: dict[str, Any]) -> None:
    stand = Stand()
    stand.spec(name, **spoil)
    (found,) = stand.found(check)
    assert name in found


def test_a_missing_revision_history_is_an_error_and_the_rest_are_warnings() -> None:
    stand = Stand()
    stand.spec(CANARY, minReadySeconds=0, revisionHistoryLimit=0)
    assert [(finding.check, finding.level) for finding in stand.findings()] == [
        ("revision-history", FindingLevel.ERROR),
        ("min-ready-seconds", FindingLevel.WARNING),
    ]


def test_a_progress_deadline_shorter_than_ready_within_is_told() -> None:
    stand = Stand()
    stand.spec(CANARY, progressDeadlineSeconds=60)
    assert "progressDeadlineSeconds 60, less than `readyWithin` (5m)" in stand.found("progress-deadline")[0]
    stand.plan(ready_within=timedelta(seconds=60))
    assert stand.findings() == []


def test_recreate_is_an_error_where_promotion_is_a_roll_and_a_warning_where_only_a_rollback_is() -> None:
    stand = Stand()
    stand.spec(STABLE, strategy={"type": "Recreate", "rollingUpdate": None})
    assert "rollback" in stand.found("rollback-strategy")[0]
    stand.plan(promote=Promotion.SWAP)
    assert stand.findings() == []
    stand.plan(promote=Promotion.COPY_TEMPLATE, capacity=SURGE)
    assert "would take all its pods down at once" in stand.found("strategy")[0]


def test_replicas_that_an_applied_manifest_sets_are_told() -> None:
    stand = Stand()
    stand.writers[Side.CANARY] = {"replicas": "kubectl-client-side-apply"}
    assert "kubectl-client-side-apply" in stand.found("replicas-in-manifest")[0]


def test_a_deployment_that_does_not_exist_is_the_only_finding() -> None:
    stand = Stand()
    stand.api.remove(DEPLOYMENTS, "default", CANARY)
    (found,) = stand.findings()
    assert found.level is FindingLevel.ERROR
    assert CANARY in found.message


# Capacity


def test_an_autoscaler_on_stable_is_an_error_only_where_we_scale_stable() -> None:
    stand = Stand()
    stand.api.put(AUTOSCALERS, autoscaler("hpa", STABLE))
    (found,) = stand.found("autoscaler")
    assert "use `capacity: {mode: surge}`" in found
    assert stand.levels() == [FindingLevel.ERROR]
    stand.plan(capacity=SURGE)
    assert stand.findings() == []


def test_an_autoscaler_on_the_canary_is_always_an_error() -> None:
    stand = Stand()
    stand.plan(capacity=SURGE)
    stand.api.put(AUTOSCALERS, autoscaler("hpa", CANARY))
    assert "delete it" in stand.found("autoscaler")[0]


def test_an_autoscaler_of_something_else_is_none_of_our_business() -> None:
    stand = Stand()
    stand.api.put(AUTOSCALERS, autoscaler("hpa", "other"))
    assert stand.findings() == []


def test_a_budget_of_one_side_alone_is_told() -> None:
    stand = Stand()
    budget = {"metadata": {"name": "pdb", "namespace": "default"}, "spec": {"minAvailable": 6}}
    for labels, covered in (({"app": "my-app", "version": "v1"}, 1), ({"app": "my-app"}, 2), ({"app": "x"}, 0)):
        stand.api.put(DISRUPTION_BUDGETS, {**budget, "spec": {"selector": {"matchLabels": labels}}})
        assert len(stand.found("disruption-budget")) == (covered == 1)


@pytest.mark.parametrize(
    ("quota", "says"),
    [
        ({"pods": ("10", "8")}, None),
        ({"pods": ("10", "9")}, "has 1 pods left; 2 more pods of my-app-v2 need 2"),
        ({"requests_cpu": ("5", "4")}, None),
        ({"requests_cpu": ("5", "4100m")}, "has 0.9 requests.cpu left; 2 more pods of my-app-v2 need 1"),
        ({"cpu": ("5", "4.5")}, "need 1"),
        ({"limits_memory": ("4Gi", "3Gi")}, None),
        (
            {"limits_memory": ("4Gi", "3073Mi")},
            "has 1023 MiB limits.memory left; 2 more pods of my-app-v2 need 1.0 GiB",
        ),
        ({"requests_memory": ("1G", "1G")}, "requests.memory"),  # what has a limit only, requests that much
        ({"services": ("1", "1")}, None),
        ({"requests_storage": ("1Gi", "2Gi")}, None),  # exceeded, and none of ours
    ],
)
def test_a_quota_without_room_for_the_surge_is_an_error(quota: dict[str, tuple[str, str]], says: str | None) -> None:
    stand = Stand()
    stand.container(CANARY, resources={"requests": {"cpu": "500m"}, "limits": {"memory": "512Mi"}})
    stand.api.put(QUOTAS, a_quota(**quota))
    found = stand.found("quota")
    assert found == [] if says is None else says in found[0]


@pytest.mark.parametrize(
    ("quota", "says"),
    [
        (
            {"limits_memory": ("lots", "3Gi")},
            "ResourceQuota team not checked: cannot read quantity 'lots' of its limits.memory",
        ),
        ({"limits_memory": ("4Gi", "3gi")}, "cannot read quantity '3gi' of its limits.memory"),
        ({"limits_memory": ("inf", "3Gi")}, "cannot read quantity 'inf' of its limits.memory"),
        ({"cpu": ("5", "1")}, "cannot read quantity '1/2' of requests.cpu in container app of my-app-v2"),
        ({"requests_storage": ("much", "2Gi")}, None),  # none of ours
    ],
)
def test_a_quantity_that_can_not_be_read_is_a_warning(quota: dict[str, tuple[str, str]], says: str | None) -> None:
    stand = Stand()
    stand.container(CANARY, resources={"requests": {"cpu": "1/2"}, "limits": {"memory": "512Mi"}})
    stand.api.put(QUOTAS, a_quota(**quota))
    found = stand.found("quota")
    assert found == [] if says is None else says in found[0]
    assert stand.levels() == [FindingLevel.WARNING] * len(found)


def test_an_unreadable_line_of_a_quota_hides_no_other() -> None:
    stand = Stand()
    stand.api.put(QUOTAS, a_quota(limits_memory=("lots", "0"), pods=("8", "8")))
    stand.container(CANARY, resources={"limits": {"memory": "512Mi"}})
    assert [finding.level for finding in stand.findings()] == [FindingLevel.ERROR, FindingLevel.WARNING]


def test_a_quota_of_a_scope_or_without_a_surge_is_left_alone() -> None:
    stand = Stand()
    full = a_quota(pods=("8", "8"))
    stand.api.put(QUOTAS, {**full, "spec": {**full["spec"], "scopes": ["BestEffort"]}})
    assert stand.findings() == []
    stand.api.put(QUOTAS, full)
    assert len(stand.found("quota")) == 1
    stand.plan(capacity=Capacity(max_surge=Amount(0), max_unavailable=Amount(1)))
    assert stand.findings() == []


def test_in_surge_the_quota_has_to_hold_the_canary_and_stable_s_own_roll() -> None:
    stand = Stand()
    stand.plan(capacity=SURGE)  # at most 8 canary pods beside 8, and 2 while stable rolls
    stand.api.put(QUOTAS, a_quota(pods=("17", "8")))
    assert "9 pods left; 10 more" in stand.found("quota")[0]


# Access, Prometheus


def test_what_may_not_be_done_is_one_error_per_kind() -> None:
    stand = Stand()
    stand.api.denied |= {("patch", "deployments"), ("watch", "pods"), ("list", "pods")}
    found = stand.found("access")
    assert [one.partition(";")[0] for one in found] == [
        "access: not allowed to list, watch pods in namespace default",
        "access: not allowed to patch deployments of apps in namespace default",
    ]


@pytest.mark.parametrize("kind", ["configmaps", "horizontalpodautoscalers"])
def test_operators_commands_and_autoscalers_have_to_be_readable(kind: str) -> None:
    stand = Stand()
    stand.api.denied.add(("watch", kind))
    assert f"not allowed to watch {kind}" in stand.found("access")[0]


@pytest.mark.parametrize(
    ("ahead", "says"), [(60, "60 s ahead of the clock here"), (-60, "60 s behind the clock here"), (4, None)]
)
def test_an_api_server_with_another_time_is_told(ahead: float, says: str | None) -> None:
    stand = Stand()
    stand.api.ahead = timedelta(seconds=ahead)
    found = stand.found("clock-skew")
    assert found == [] if says is None else f"the clock of the API server is {says}" in found[0]


def test_who_only_observes_needs_no_right_to_write_and_no_room() -> None:
    stand = Stand()
    stand.target = replace(stand.target, mode=Mode.OBSERVE)
    stand.api.denied.add(("patch", "deployments"))
    stand.api.put(AUTOSCALERS, autoscaler("hpa", STABLE))
    stand.api.put(QUOTAS, a_quota(pods=("8", "8")))
    assert stand.findings() == []


def test_pods_without_live_series_are_an_error_once_they_are_ready_for_long() -> None:
    stand = Stand()
    stand.sightings.silent = tuple(f"{STABLE}-{number}" for number in range(5))
    assert f"no live series of {STABLE}-0, {STABLE}-1, {STABLE}-2 and 2 more" in stand.found("live-series")[0]
    assert len(stand.sightings.asked[0]) == 8
    stand.pods_age = timedelta(seconds=20)
    assert stand.findings() == []


@pytest.mark.parametrize(("ahead", "says"), [(6, "6 s ahead of"), (-90, "90 s behind"), (4, None)])
def test_clocks_that_differ_are_told(ahead: float, says: str | None) -> None:
    stand = Stand()
    stand.sightings.clock += ahead
    found = stand.found("clock-skew")
    assert found == [] if says is None else says in found[0]


def test_scrapes_that_are_rarer_than_looks_are_told() -> None:
    stand = Stand()
    stand.sightings.interval = 60.0
    assert "new evidence only every 2m" in stand.found("scrape-interval")[0]
    stand.sightings.interval = None
    assert stand.findings() == []


# What goes wrong with a check itself


def test_a_check_that_is_not_allowed_is_a_warning_and_the_others_are_made() -> None:
    stand = Stand()
    stand.api.denied.add(("list", "resourcequotas"))
    stand.spec(STABLE, revisionHistoryLimit=0)
    findings = stand.findings()
    assert [(finding.check, finding.level) for finding in findings] == [
        ("revision-history", FindingLevel.ERROR),
        ("quota", FindingLevel.WARNING),
    ]
    assert "not checked" in findings[1].message


def test_no_answer_is_no_finding() -> None:
    stand = Stand()
    stand.api.fail(kind=SERVICES)
    with pytest.raises(UnavailableError):
        stand.findings()
    stand.sightings.down = True
    with pytest.raises(ObservationError):
        stand.findings()


def test_each_kind_is_listed_once() -> None:
    stand = Stand()
    stand.findings()
    listed = [call.kind for call in stand.api.calls if call.verb == "list"]
    assert len(listed) == len(set(listed)) == 4
    assert {call.kind for call in stand.api.writes} == {"SelfSubjectAccessReview"}
