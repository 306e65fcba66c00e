"""How noisy each metric of a release is: estimated before the release begins and frozen with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from analyzer.judge import alpha_of, check_placebo, estimate_noise
from analyzer.model.block import History, NoData, Sample
from analyzer.model.metric import Analysis, NoiseSetting, TestedMetric
from analyzer.model.noise import Noise

NOT_READ = NoData("history is not read where the configuration sets the noise")


@dataclass(frozen=True, slots=True)
class FoundNoise:
    """The noise of every tested metric, by name, and what people should know about it."""

    noise: Mapping[str, Noise] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def histories_needed(analysis: Analysis) -> Mapping[timedelta, Sequence[TestedMetric]]:
    """The metrics whose noise is estimated, by how far back: one query for all that look equally far."""
    needed: defaultdict[timedelta, list[TestedMetric]] = defaultdict(list)
    for metric in analysis.tests:
        setting = _setting(analysis, metric)
        if not setting.stated:
            needed[setting.history].append(metric)
    return needed


def noise_of(analysis: Analysis, histories: Mapping[str, History[Sample] | NoData]) -> FoundNoise:
    """From the histories of stable's pods, by metric, or as the configuration sets it."""
    found: dict[str, Noise] = {}
    warnings: list[str] = []
    for metric in analysis.tests:
        history = histories.get(metric.name, NOT_READ)
        noise = estimate_noise(metric, history, _setting(analysis, metric))
        found[metric.name], report = check_placebo(metric, history, noise, alpha_of(analysis, metric))
        if report.warning is not None:
            warnings.append(f"{metric.name}: {report.warning}")
    return FoundNoise(found, tuple(warnings))


def _setting(analysis: Analysis, metric: TestedMetric) -> NoiseSetting:
    return metric.noise or analysis.noise
