"""Files and folders in, one Configuration out. The only door to this package for the rest of the program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from analyzer.config.build import plan_of, prometheus_of, receivers_of, routes_of
from analyzer.config.build_metrics import analysis_of
from analyzer.config.check_alerts import alert_mistakes, login_mistakes
from analyzer.config.check_analysis import analysis_mistakes, gating_mistakes
from analyzer.config.check_plan import plan_mistakes
from analyzer.config.check_targets import target_mistakes
from analyzer.config.configuration import Configuration, PrometheusSettings, ReleaseLimits
from analyzer.config.document import YamlDocument
from analyzer.config.inherit import Inherited
from analyzer.config.keys import Keys
from analyzer.config.keys_analysis import AnalysisKeys
from analyzer.config.keys_file import AlertsKeys, CanaryKeys, LimitsKeys, PrometheusKeys
from analyzer.config.keys_plan import PlanKeys
from analyzer.config.reading import ConfigReader, read_all
from analyzer.model.errors import ConfigError
from analyzer.model.metric import Analysis, SeriesLabels
from analyzer.model.plan import Plan
from analyzer.model.target import Roles, Target

_SINGLE = ("prometheus", "alerts", "limits", "freeze", "defaults")

_K = TypeVar("_K", bound=Keys)


def load(paths: Sequence[Path]) -> Configuration:
    """Read files and folders (their `*.yaml`) as one configuration. Raises ConfigError with every mistake."""
    reading = read_all(paths)
    configuration = _configuration(reading)
    if reading.problems or configuration is None:
        raise ConfigError(reading.in_order())
    return configuration


def _configuration(reading: ConfigReader) -> Configuration | None:
    holders = {key: reading.holder(key) for key in _SINGLE}
    settings = _prometheus(reading, holders["prometheus"])
    labels = settings.labels if settings else SeriesLabels()
    targets = tuple(_targets(reading, holders["defaults"], labels))
    rest = _rest(reading, holders)
    if settings is None or reading.problems:
        return None
    return Configuration(prometheus=settings, targets=targets, warnings=tuple(reading.warnings), **rest)


def _prometheus(reading: ConfigReader, holder: YamlDocument | None) -> PrometheusSettings | None:
    if holder is None:
        reading.missing("prometheus", "set its URL: prometheus: {url: http://...}")
        return None
    prefix = ("prometheus",)
    keys = reading.validate(PrometheusKeys, holder.value["prometheus"], holder.place, prefix)
    if keys is None:
        return None
    reading.note(login_mistakes(keys), holder.place, prefix)
    return prometheus_of(keys, Path(holder.file).parent)


def _rest(reading: ConfigReader, holders: dict[str, YamlDocument | None]) -> dict[str, Any]:
    """Receivers, routes, limits and freeze, as far as they are given."""
    rest: dict[str, Any] = {}
    if holder := holders["alerts"]:
        keys = reading.validate(AlertsKeys, holder.value["alerts"], holder.place, ("alerts",))
        if keys is not None:
            reading.note(alert_mistakes(keys, _names(reading) if reading.complete else None), holder.place, ("alerts",))
            rest["routes"] = routes_of(keys)
            if keys.receivers:
                rest["receivers"] = receivers_of(keys, Path(holder.file).parent)
    if holder := holders["limits"]:
        limits = reading.validate(LimitsKeys, holder.value["limits"], holder.place, ("limits",))
        if limits is not None:
            rest["limits"] = ReleaseLimits(limits.max_concurrent)
    if holder := holders["freeze"]:
        rest["freeze"] = holder.value["freeze"]
    return rest


def _canaries(reading: ConfigReader, defaults: YamlDocument | None) -> list[Inherited]:
    return [
        Inherited(document, index, defaults)
        for document in reading.documents
        if isinstance(document.value.get("canaries"), list)
        for index in range(len(document.value["canaries"]))
    ]


def _names(reading: ConfigReader) -> list[str]:
    return [str(canary.own["name"]) for canary in _canaries(reading, None) if "name" in canary.own]


def _targets(reading: ConfigReader, defaults: YamlDocument | None, labels: SeriesLabels) -> Iterator[Target]:
    if not any("canaries" in document.value for document in reading.documents):
        reading.missing("canaries", "list at least one: canaries: [{name: my-app, stable: ..., canary: ...}]")
    canaries = _canaries(reading, defaults)
    reading.problems += target_mistakes(canaries)
    plans: dict[Plan, Plan] = {}
    analyses: dict[Analysis, Analysis] = {}
    for canary in canaries:
        target = _target(reading, canary, labels)
        if target is not None:  # thousands of targets mostly have the same plan: one is kept
            plan, analysis = target.plan, target.analysis
            yield replace(target, plan=plans.setdefault(plan, plan), analysis=analyses.setdefault(analysis, analysis))


def _target(reading: ConfigReader, canary: Inherited, labels: SeriesLabels) -> Target | None:
    """One canary. Its sections are taken by themselves, so that a mistake in one hides none in another."""
    merged = canary.merged()
    keys = reading.validate(CanaryKeys, merged, canary.place)
    plan_keys = keys.plan if keys else _section(PlanKeys, merged.get("plan", {}))
    analysis_keys = keys.analysis if keys else _section(AnalysisKeys, merged.get("analysis", {}))
    plan = plan_of(plan_keys) if plan_keys else None
    analysis = analysis_of(analysis_keys) if analysis_keys else None
    if plan:
        reading.note(plan_mistakes(plan), canary.place, ("plan",))
    if analysis_keys and analysis:
        reading.note(analysis_mistakes(analysis_keys, analysis, labels), canary.place, ("analysis",))
    if plan and analysis:
        reading.note(gating_mistakes(analysis, plan), canary.place, ("analysis",))
    if keys is None or plan is None or analysis is None:
        return None
    return Target(
        name=keys.name,
        namespace=keys.namespace,
        roles=Roles(stable=keys.stable, canary=keys.canary),
        plan=plan,
        analysis=analysis,
        mode=keys.mode,
        on_drift=keys.on_drift,
        service=keys.service,
    )


def _section(model: type[_K], value: Any) -> _K | None:
    """A section of a canary whose mistakes were noted already."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
