"""Key models into the model's own values. Called by `load` once a section is free of mistakes of its own."""

from __future__ import annotations

from pathlib import Path

from analyzer.config.configuration import (
    Authorization,
    BasicAuth,
    Log,
    PrometheusSettings,
    Receiver,
    Route,
    Webhook,
)
from analyzer.config.keys_analysis import (
    AnalysisKeys,
    PresetKeys,
    PromoteMarginKeys,
    QueryKeys,
    RatioKeys,
)
from analyzer.config.keys_file import AlertsKeys, PrometheusKeys, ReceiverKeys
from analyzer.config.keys_plan import PlanKeys, StepKeys
from analyzer.config.presets import http_errors
from analyzer.model.metric import Analysis, Margin, Metric, QueryMetric, RatioMetric, SeriesLabels
from analyzer.model.plan import Capacity, Gate, Plan, Step

_PROMOTE = RatioMetric(name="", events="", total="").promote_margin


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
        deadline=keys.deadline,
        on_inconclusive=keys.on_inconclusive,
        ready_within=keys.ready_within,
        weight_tolerance=keys.weight_tolerance,
    )


def _step(keys: StepKeys) -> Step:
    gate = Gate(timeout=keys.gate.manual.timeout, then=keys.gate.manual.then) if keys.gate else None
    return Step(weight=keys.weight, hold=keys.hold, gate=gate)


def analysis_of(keys: AnalysisKeys) -> Analysis:
    """What is judged."""
    return Analysis(
        metrics=tuple(_metric(metric) for metric in keys.metrics),
        interval=keys.interval,
        warmup=keys.warmup,
        false_abort=keys.false_abort,
        false_promote=keys.false_promote,
    )


def _metric(keys: PresetKeys | RatioKeys | QueryKeys) -> Metric:
    match keys:
        case QueryKeys():
            return QueryMetric(
                name=keys.name,
                query=keys.query,
                min=keys.min,
                max=keys.max,
                blocks=keys.for_,
                scope=keys.scope,
                gating=keys.gating,
            )
        case RatioKeys():
            return _ratio(keys, keys.name, (keys.ratio.events, keys.ratio.total))
        case PresetKeys():
            return _ratio(keys, keys.name or keys.preset.value, http_errors(keys))


def _ratio(keys: PresetKeys | RatioKeys, name: str, selectors: tuple[str, str]) -> RatioMetric:
    tolerance = Margin(keys.tolerance.ratio, keys.tolerance.absolute)
    return RatioMetric(
        name=name,
        events=selectors[0],
        total=selectors[1],
        tolerance=tolerance,
        promote_margin=_promote_margin(keys.promote_margin, tolerance),
        importance=keys.importance,
        gating=keys.gating,
    )


def _promote_margin(keys: PromoteMarginKeys, tolerance: Margin) -> Margin:
    """What is given, else the default, but never narrower than the tolerance by default alone."""
    ratio = max(_PROMOTE.ratio, tolerance.ratio) if keys.ratio is None else keys.ratio
    absolute = max(_PROMOTE.absolute, tolerance.absolute) if keys.absolute is None else keys.absolute
    return Margin(ratio, absolute)


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


def routes_of(keys: AlertsKeys) -> tuple[Route, ...]:
    """Who is told what."""
    return tuple(
        Route(
            receivers=tuple(route.receivers),
            events=tuple(route.match.event),
            targets=tuple(route.match.target),
            severities=tuple(route.match.severity),
        )
        for route in keys.routes
    )


def _file(name: str | None, folder: Path) -> Path | None:
    return None if name is None else folder / name
