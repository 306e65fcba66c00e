"""What a release knows of its metrics' noise when it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from analyzer.engine.checks import read_noise
from analyzer.model.block import Counts, History, NoData, Sample, SideBlock
from analyzer.model.metric import NoiseSetting, QueryMetric, RatioMetric, TestedMetric
from analyzer.model.noise import Noise
from analyzer.model.target import Target
from tests.scenarios.stage import DEMO_ANALYSIS, DEMO_TARGET, ERRORS

HOURS = timedelta(hours=1)
AUTO = NoiseSetting()
OTHER = replace(ERRORS, name="other")
GUARD = QueryMetric("guard", "x")


class Library:
    """A `HistorySource` that notes what is asked of it; every metric has the same 4 hours of 9 pods."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], timedelta]] = []

    def history(
        self, namespace: str, pods: Sequence[str], metrics: Sequence[TestedMetric], back: timedelta
    ) -> Mapping[str, History[Sample] | NoData]:
        self.asked.append((tuple(metric.name for metric in metrics), back))
        batches: tuple[SideBlock[Sample], ...] = tuple(
            SideBlock({pod: Counts(40 + (7 * number + 3 * place) % 9, 1_000) for place, pod in enumerate(pods)})
            for number in range(48)
        )
        return {metric.name: History(300.0, batches) for metric in metrics}


def target(*metrics: RatioMetric | QueryMetric, noise: NoiseSetting = AUTO) -> Target:
    return replace(DEMO_TARGET, analysis=replace(DEMO_ANALYSIS, metrics=metrics, noise=noise))


PODS = [f"pod-{number}" for number in range(9)]


def test_all_metrics_that_look_equally_far_back_are_asked_for_at_once() -> None:
    library = Library()
    found = read_noise(library, target(ERRORS, GUARD, OTHER, noise=NoiseSetting(history=3 * HOURS)), PODS)
    assert library.asked == [(("errors", "other"), 3 * HOURS)]
    assert sorted(found.noise) == ["errors", "other"]
    assert "of 9 pods" in found.noise["errors"].source


def test_a_metric_with_its_own_setting_is_asked_for_on_its_own() -> None:
    library = Library()
    read_noise(library, target(ERRORS, replace(OTHER, noise=NoiseSetting(history=HOURS))), PODS)
    assert library.asked == [(("errors",), 6 * HOURS), (("other",), HOURS)]


def test_no_history_is_read_for_a_metric_whose_noise_is_stated() -> None:
    library = Library()
    stated = NoiseSetting(dispersion=2.0, pod_spread=0.2)
    found = read_noise(library, target(replace(ERRORS, noise=stated)), PODS)
    assert library.asked == []
    assert found.noise == {"errors": Noise(2.0, 0.2, 0.1, "stated")}


def test_what_is_not_stated_beside_a_stated_number_has_its_default() -> None:
    found = read_noise(Library(), target(ERRORS, noise=NoiseSetting(dispersion=2.0)), PODS)
    assert found.noise["errors"].dispersion == 2.0
    assert "history is not read" in found.noise["errors"].source
