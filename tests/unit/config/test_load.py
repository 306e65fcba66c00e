"""What files, folders and defaults come to, together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from analyzer.config import BasicAuth, Log, RouteSettings, Webhook, load
from analyzer.model.alert import AlertEvent, Severity
from analyzer.model.errors import ConfigError
from analyzer.model.metric import Scope
from analyzer.model.plan import Amount, CapacityMode, Gate, GateTimeout, Mode, OnDrift
from tests.unit.config.sources import CANARY, EXAMPLES, PROMETHEUS, load_text, mistakes

MINUTE = timedelta(minutes=1)
OTHER = CANARY.replace("my-app", "other")


def test_the_deprecated_api_version_is_accepted_with_a_warning_for_each_file(tmp_path: Path) -> None:
    present, deprecated = "apiVersion: canary-analyzer.io/v1\n", "apiVersion: canary-analyzer/v1\n"
    configuration = load_text(tmp_path, PROMETHEUS + deprecated, deprecated + CANARY, present + OTHER)
    assert [target.name for target in configuration.targets] == ["my-app", "other"]
    message = "canary-analyzer/v1 is deprecated; write canary-analyzer.io/v1 when every daemon has been upgraded"
    assert [str(warning) for warning in configuration.warnings] == [
        f"{tmp_path}/0.yaml:2: apiVersion: {message}",
        f"{tmp_path}/1.yaml:1: apiVersion: {message}",
    ]


@pytest.mark.parametrize("first", ["apiVersion: canary-analyzer.io/v1\n", ""], ids=["present", "none"])
def test_a_configuration_with_the_present_api_version_or_none_has_no_warnings(tmp_path: Path, first: str) -> None:
    assert load_text(tmp_path, first + PROMETHEUS + CANARY).warnings == ()


def test_the_full_example_is_understood_in_every_part() -> None:
    configuration = load([EXAMPLES / "full.yaml"])
    assert configuration.warnings == ()
    app, search = configuration.targets
    assert configuration.prometheus.headers == {"X-Scope-OrgID": "shop"}
    assert configuration.prometheus.basic_auth == BasicAuth("canary-analyzer", None, EXAMPLES / "secrets/prometheus")
    assert [receiver.channel for receiver in configuration.receivers] == [
        Webhook(None, EXAMPLES / "secrets/oncall"),
        Log(),
    ]
    assert configuration.routes == (
        RouteSettings(
            receivers=("oncall",),
            events=(AlertEvent.ABORTED, AlertEvent.STUCK),
            targets=("my-app",),
            severities=(Severity.WARNING, Severity.CRITICAL),
        ),
        RouteSettings(receivers=("log",)),
    )
    assert [step.gate for step in app.plan.steps] == [None, Gate(240 * MINUTE, GateTimeout.HOLD), Gate()]
    assert [(metric.kind, metric.name) for metric in app.analysis.metrics] == [
        ("ratio", "errors"),
        ("histogram", "latency"),
        ("gauge", "memory"),
        ("gauge", "cpu"),
        ("restarts", "restarts"),
        ("ratio", "checkout"),
        ("histogram", "render"),
        ("gauge", "connections"),
        ("rate", "orders"),
        ("query", "queue"),
    ]
    guard = app.analysis.metrics[-1]
    assert guard.kind == "query"
    assert (guard.min, guard.max, guard.blocks, guard.scope) == (0, 5000, 3, Scope.BOTH)
    assert (search.namespace, search.mode) == ("search", Mode.OBSERVE)
    assert search.plan.capacity.mode is CapacityMode.SURGE
    assert search.plan.capacity.max_canary_replicas == 30


def test_files_of_a_folder_make_one_configuration(tmp_path: Path) -> None:
    configuration = load_text(tmp_path, PROMETHEUS, CANARY, "freeze: true\n" + OTHER)
    assert [target.name for target in configuration.targets] == ["my-app", "other"]
    assert configuration.freeze


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    load_text(tmp_path, PROMETHEUS + CANARY)
    assert len(load([tmp_path, tmp_path / "0.yaml"]).targets) == 1


def test_blocks_that_are_given_once_are_refused_in_a_second_file(tmp_path: Path) -> None:
    once = "limits: {maxConcurrent: 1}\nfreeze: true\nalerts: {}\ndefaults: {}\n" + PROMETHEUS
    found = mistakes(tmp_path, once + CANARY, once)
    assert found == [
        f"1.yaml:{line}: {key}: already given in {tmp_path}/0.yaml:{line}; keep it in one file"
        for line, key in enumerate(("limits", "freeze", "alerts", "defaults", "prometheus"), start=1)
    ]


def test_a_deployment_of_two_canaries_is_refused_over_files(tmp_path: Path) -> None:
    second = OTHER.replace("canary: other-v2", "canary: my-app-v1")
    assert mistakes(tmp_path, PROMETHEUS + CANARY, second) == [
        (
            "1.yaml:4: canaries[0].canary: Deployment 'my-app-v1' in namespace 'default' is already used "
            f"in {tmp_path}/0.yaml:4; use another"
        )
    ]


def test_deployments_of_one_name_in_two_namespaces_are_different(tmp_path: Path) -> None:
    second = CANARY.replace("name: my-app", "name: other\n    namespace: other")
    assert len(load_text(tmp_path, PROMETHEUS + CANARY, second).targets) == 2


def test_defaults_fill_in_key_by_key_and_lists_replace(tmp_path: Path) -> None:
    defaults = """\
defaults:
  mode: observe
  onDrift: abort
  plan:
    steps: [{weight: 1, hold: 1m}, {weight: 2, hold: 1m}]
    capacity: {maxSurge: 3}
    bake: {for: 1m}
"""
    own = "    onDrift: reassert\n    plan: {steps: [{weight: 9, hold: 2m}], capacity: {maxUnavailable: 10%}}\n"
    (target,) = load_text(tmp_path, PROMETHEUS + defaults + CANARY + own).targets
    assert (target.mode, target.on_drift, target.plan.bake) == (Mode.OBSERVE, OnDrift.REASSERT, MINUTE)
    assert [step.weight for step in target.plan.steps] == [9]
    assert target.plan.capacity.max_surge == Amount(3)
    assert target.plan.capacity.max_unavailable == Amount(10, percent=True)


def test_a_contradiction_is_reported_where_its_key_stands(tmp_path: Path) -> None:
    """The deadline is too short only together with the defaults of another file."""
    defaults = "defaults:\n  plan:\n    deadline: 10m\n"
    own = "    plan:\n      steps:\n        - {weight: 20, hold: 5m}\n        - {weight: 10, hold: 6m}\n"
    assert mistakes(tmp_path, PROMETHEUS + defaults, CANARY + own) == [
        "0.yaml:4: defaults.plan.deadline: expected more than 11m, the sum of all holds, found 10m",
        "1.yaml:9: canaries[0].plan.steps[1].weight: expected a weight above that of the previous step (20), found 10",
    ]


def test_a_mistake_in_defaults_is_reported_once_for_many_canaries(tmp_path: Path) -> None:
    defaults = "defaults: {plan: {deadline: soon}}\n"
    found = mistakes(tmp_path, PROMETHEUS + defaults, CANARY, OTHER)
    assert found == ["0.yaml:2: defaults.plan.deadline: expected a duration such as 15s or 1h30m, found 'soon'"]


def test_mistakes_of_one_section_hide_none_of_another(tmp_path: Path) -> None:
    own = "    mode: watch\n    plan: {capacity: {maxSurge: 0}}\n"
    text = CANARY.replace("http-errors}", "http-errors, importance: 0}") + own
    found = mistakes(tmp_path, "prometheus: {url: 7}\n" + text)
    assert [line.split(": ")[1] for line in found] == [
        "prometheus.url",
        "canaries[0].analysis.metrics[0].importance",
        "canaries[0].mode",
        "canaries[0].plan.capacity.maxSurge",
    ]


def test_a_file_that_cannot_be_read_is_the_only_complaint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load([tmp_path / "nothing.yaml"])
    assert str(refused.value) == f"{tmp_path}/nothing.yaml: cannot be read: No such file or directory"


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.yaml").write_bytes(PROMETHEUS.encode() + b"# \xff\n")
    with pytest.raises(ConfigError, match="expected UTF-8, found another encoding"):
        load([tmp_path])


def test_a_folder_says_which_files_it_would_overlook(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text(CANARY)
    assert mistakes(tmp_path, PROMETHEUS + CANARY) == [
        "more.yml: is not read: only *.yaml files of a folder are; rename it"
    ]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"contains no \*\.yaml file"):
        load([tmp_path])


def test_no_path_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected at least one file"):
        load([])


def test_the_last_canary_may_be_removed(tmp_path: Path) -> None:
    assert load_text(tmp_path, PROMETHEUS + "canaries: []\n").targets == ()


@pytest.mark.parametrize("key", ["<preset>", "[key]", "<x"])
def test_a_strange_key_is_an_unknown_key(tmp_path: Path, key: str) -> None:
    (problem,) = mistakes(tmp_path, PROMETHEUS + CANARY + f'"{key}": 1\n')
    assert problem.startswith(f"0.yaml:7: {key}: unknown key; expected one of apiVersion")
