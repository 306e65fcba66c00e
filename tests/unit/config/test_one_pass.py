"""However many mistakes there are, each is reported as if it were the only one: none hides another."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.config import load
from analyzer.model.errors import ConfigError

GOOD = yaml.safe_load("""\
prometheus: {url: "http://prometheus:9090", basic_auth: {username: me, password: secret}}
alerts:
  receivers: [{name: oncall, webhook: {urlFile: hook}}, {name: log, log: {}}]
  routes: [{match: {event: [aborted], target: [shop]}, receivers: [oncall]}]
limits: {maxConcurrent: 2}
canaries:
  - name: shop
    stable: shop
    canary: shop-canary
    plan:
      steps: [{weight: 10, hold: 5m}, {weight: 20, hold: 5m}, {weight: 40, hold: 5m, gate: {manual: {timeout: 1h}}}]
      capacity: {mode: preserve, maxSurge: 1, maxUnavailable: 0}
      promote: copyTemplate
      bake: {for: 5m, holdback: 0}
      deadline: 2h
    analysis:
      interval: 15s
      noise: {history: 1h}
      metrics:
        - {name: errors, preset: http-errors, codes: "5..", tolerance: {ratio: 2, absolute: 0.01}, promoteMargin: {}}
        - {name: pay, ratio: {events: pay_errors, total: pay_total}, importance: 2}
        - {name: slow, histogram: {buckets: slow_bucket, objective: 250ms}}
        - {name: queue, query: up, min: 0, max: 1, for: 3}
""")
CANARY: tuple[Any, ...] = ("canaries", 0)
PLAN, METRICS = (*CANARY, "plan"), (*CANARY, "analysis", "metrics")
PLANTS: dict[tuple[Any, ...], Any] = {
    # of form
    ("prometheus", "timeout"): 10,
    ("prometheus", "basic_auth", "username"): 7,
    ("alerts", "routes", 0, "match", "event", 0): "abort",
    ("limits", "maxConcurrent"): 0,
    (*CANARY, "mode"): "watch",
    (*PLAN, "steps", 1, "gates"): "manual",
    (*PLAN, "readyWithin"): "soon",
    (*PLAN, "bake", "for"): 5,
    (*CANARY, "analysis", "interval"): "0s",
    (*METRICS, 1, "importance"): 0,
    (*METRICS, 2, "histogram", "objective"): "fast",
    (*METRICS, 3, "for"): "5m",
    # of meaning
    ("prometheus", "basic_auth", "password_file"): "too",
    ("alerts", "receivers", 1, "name"): "oncall",
    ("alerts", "routes", 0, "match", "target", 0): "shopp",
    (*CANARY, "canary"): "shop",
    (*PLAN, "steps", 2, "weight"): 15,
    (*PLAN, "steps", 2, "gate", "manual"): {"then": "rollback"},
    (*PLAN, "capacity", "maxSurge"): 0,
    (*PLAN, "capacity", "maxCanaryReplicas"): 5,
    (*PLAN, "bake", "holdback"): 1,
    (*PLAN, "deadline"): "10m",
    (*CANARY, "analysis", "noise", "dispersion"): 2,
    (*METRICS, 0, "codes"): "5(",
    (*METRICS, 0, "promoteMargin", "ratio"): 1.5,
    (*METRICS, 0, "promoteMargin", "absolute"): 0.001,
    (*METRICS, 1, "ratio", "events"): "sum(x)",
    (*METRICS, 2, "histogram", "buckets"): 'slow_bucket{le="1"}',
    (*METRICS, 2, "name"): "pay",
    (*METRICS, 3, "query"): "sum(",
    (*METRICS, 3, "min"): 2,
}


def reported(folder: Path, places: tuple[tuple[Any, ...], ...]) -> set[tuple[str, str]]:
    """Every mistake, after these values were planted."""
    tree = copy.deepcopy(GOOD)
    for *path, key in places:
        spot = tree
        for part in path:
            spot = spot[part]
        spot[key] = PLANTS[*path, key]
    file = folder / "file.yaml"
    file.write_text(yaml.safe_dump(tree))
    try:
        load([file])
    except ConfigError as error:
        return {(problem.path, problem.message) for problem in error.problems}
    return set()


def test_without_a_plant_the_file_is_good(tmp_path: Path) -> None:
    assert reported(tmp_path, ()) == set()


@pytest.mark.parametrize("place", PLANTS, ids=lambda place: ".".join(map(str, place)))
def test_each_plant_is_one_mistake(tmp_path: Path, place: tuple[Any, ...]) -> None:
    assert len(reported(tmp_path, (place,))) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.sets(st.sampled_from(list(PLANTS)), min_size=2))
def test_many_mistakes_are_those_of_each_alone(tmp_path: Path, places: set[tuple[Any, ...]]) -> None:
    alone = set[tuple[str, str]]().union(*(reported(tmp_path, (place,)) for place in places))
    assert reported(tmp_path, tuple(places)) == alone
