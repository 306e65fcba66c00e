"""How noisy each metric of a release is: estimated before the release begins and frozen with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from analyzer.judge import check_placebo, estimate_noise
from analyzer.model.block import History, NoData, Sample
from analyzer.model.metric import NoiseSetting, QueryMetric, TestedMetric
from analyzer.model.noise import Noise
from analyzer.model.target import Target
from analyzer.ports import HistorySource

NOT_READ = NoData("history is not read where the configuration sets the noise")


@dataclass(frozen=True, slots=True)
class FoundNoise:
    """The noise of every tested metric, by name, and what people should know about it."""

    noise: Mapping[str, Noise] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def find_noise(source: HistorySource, target: Target, pods: Sequence[str]) -> FoundNoise:
    """From the history of these stable pods, or as the configuration sets it. Raises ObservationError."""
    analysis = target.analysis
    tested = [metric for metric in analysis.metrics if not isinstance(metric, QueryMetric)]
    settings = {metric.name: metric.noise or analysis.noise for metric in tested}
    histories = _histories(source, target, pods, [one for one in tested if not settings[one.name].stated], settings)
    weights = sum(metric.importance for metric in tested if metric.gating.aborts)
    found: dict[str, Noise] = {}
    warnings: list[str] = []
    for metric in tested:
        history = histories.get(metric.name, NOT_READ)
        noise = estimate_noise(metric, history, settings[metric.name])
        alpha = analysis.false_abort * (metric.importance / weights if metric.gating.aborts else 1.0)
        found[metric.name], report = check_placebo(metric, history, noise, alpha)
        if report.warning is not None:
            warnings.append(f"{metric.name}: {report.warning}")
    return FoundNoise(found, tuple(warnings))


def _histories(
    source: HistorySource,
    target: Target,
    pods: Sequence[str],
    metrics: Sequence[TestedMetric],
    settings: Mapping[str, NoiseSetting],
) -> Mapping[str, History[Sample] | NoData]:
    """One query for all metrics whose history is equally long."""
    alike: defaultdict[timedelta, list[TestedMetric]] = defaultdict(list)
    for metric in metrics:
        alike[settings[metric.name].history].append(metric)
    found: dict[str, History[Sample] | NoData] = {}
    for back, group in alike.items():
        found.update(source.history(target.namespace, pods, group, back))
    return found
