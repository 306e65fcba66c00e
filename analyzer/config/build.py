"""Key models into the model's own values, once a section is free of mistakes. Called by `load`.

Those of an analysis are in `build_metrics`.
"""

from __future__ import annotations

from pathlib import Path

from analyzer.config.configuration import (
    Authorization,
    BasicAuth,
    Log,
    PrometheusSettings,
    Receiver,
    RouteSettings,
    Webhook,
)
from analyzer.config.keys_file import AlertsKeys, PrometheusKeys, ReceiverKeys
from analyzer.config.keys_plan import PlanKeys, StepKeys
from analyzer.model.metric import SeriesLabels
from analyzer.model.plan import Capacity, Gate, Plan, Step


def plan_of(keys: PlanKeys) -> Plan:
    """The plan of a release."""
    capacity = Capacity(
        mode=keys.capacity.mode,
        max_surge=keys.capacity.max_surge,
        max_unavailable=keys.capacity.max_unavailable,
        max_canary_replicas=keys.capacity.max_canary_replicas,
    )
    return Plan(
        steps=tuple(_step(step) for step in keys.steps),
        capacity=capacity,
        promote=keys.promote,
        advance=keys.advance,
        bake=keys.bake.for_,
        holdback=keys.bake.holdback,
        on_regression=keys.bake.on_regression,
        deadline=keys.deadline,
        on_inconclusive=keys.on_inconclusive,
        ready_within=keys.ready_within,
        weight_tolerance=keys.weight_tolerance,
    )


def _step(keys: StepKeys) -> Step:
    gate = Gate(timeout=keys.gate.manual.timeout, then=keys.gate.manual.then) if keys.gate else None
    return Step(weight=keys.weight, hold=keys.hold, gate=gate)


def prometheus_of(keys: PrometheusKeys, folder: Path) -> PrometheusSettings:
    """How Prometheus is reached; files of secrets are found from the `folder` of the configuration file."""
    basic, token = keys.basic_auth, keys.authorization
    return PrometheusSettings(
        url=keys.url,
        timeout=keys.timeout,
        delay=keys.delay,
        labels=SeriesLabels(namespace=keys.labels.namespace, pod=keys.labels.pod),
        headers=dict(keys.headers),
        basic_auth=BasicAuth(basic.username, basic.password, _file(basic.password_file, folder)) if basic else None,
        authorization=Authorization(token.type, token.credentials, _file(token.credentials_file, folder))
        if token
        else None,
    )


def receivers_of(keys: AlertsKeys, folder: Path) -> tuple[Receiver, ...]:
    """Everybody who can be told."""
    return tuple(_receiver(receiver, folder) for receiver in keys.receivers)


def _receiver(keys: ReceiverKeys, folder: Path) -> Receiver:
    if keys.webhook is None:
        return Receiver(keys.name, Log())
    return Receiver(keys.name, Webhook(keys.webhook.url, _file(keys.webhook.url_file, folder)))


def routes_of(keys: AlertsKeys) -> tuple[RouteSettings, ...]:
    """Who is told what."""
    return tuple(
        RouteSettings(
            receivers=tuple(route.receivers),
            events=tuple(route.match.event),
            targets=tuple(route.match.target),
            severities=tuple(route.match.severity),
        )
        for route in keys.routes
    )


def _file(name: str | None, folder: Path) -> Path | None:
    return None if name is None else folder / name
