"""The check of the estimated noise on stable's own pods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analyzer.judge.noise.estimate import estimate
from analyzer.judge.noise.placebo import PlaceboReport, checked
from analyzer.model.block import Counts, History, NoData, PodLevel
from analyzer.model.metric import Gating, GaugeMetric, NoiseSetting, RatioMetric
from analyzer.model.noise import EXACT, BoundNoise, Noise
from tests.unit.judge.sample_histories import Shape, errors, history, of_errors, wandering

ERRORS = RatioMetric("errors", "e", "t")
MEMORY = GaugeMetric("memory", "m")
AUTO = NoiseSetting()


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_good_noise_passes_and_is_left_as_it_is() -> None:
    past = of_errors(errors(rng(), Shape(pods=6, batches=24), phi=5, tau=0.3))
    noise = estimate(ERRORS, past, AUTO)
    assert checked(ERRORS, past, noise) == (noise, PlaceboReport(windows=12))


def test_noise_that_was_taken_too_small_is_raised_and_says_so() -> None:
    past = of_errors(errors(rng(), Shape(batches=48), phi=8))
    found, report = checked(ERRORS, past, replace(EXACT, dispersion=2.0, source="guessed"))
    assert report.crossed > report.left
    assert 1 < report.factor <= 2
    assert found.dispersion == 2.0 * report.factor
    assert found.source.startswith(f"guessed, raised {report.factor:g}x: stable's pods compared with each other gave ")
    assert report.warning is not None


def test_what_two_times_the_noise_does_not_explain_is_a_warning() -> None:
    past = of_errors(errors(rng(), Shape(pods=6, batches=24), tau=1.0))
    found, report = checked(ERRORS, past, EXACT)
    assert (report.factor, found.dispersion) == (2.0, 2.0)
    assert report.left > 0
    assert report.warning is not None
    assert "widen its tolerance, state its noise, or set `gating: none`" in report.warning


def test_windows_are_disjoint_hours_of_one_pod_each() -> None:
    past = of_errors(errors(rng(), Shape(pods=3, batches=40)))
    assert checked(ERRORS, past, EXACT)[1].windows == 9
    short = of_errors(errors(rng(), Shape(pods=3, batches=5)))
    assert checked(ERRORS, short, EXACT)[1].windows == 3


def test_a_long_history_of_many_pods_is_sampled() -> None:
    past = of_errors(errors(rng(), Shape(pods=30, batches=36)))
    assert checked(ERRORS, past, EXACT)[1].windows == 60


def test_a_window_in_which_the_pod_was_not_there_does_not_count() -> None:
    past = history(lambda pod, batch: Counts(60.0, 6000.0) if pod or batch < 12 else None, 3, 24)
    assert checked(ERRORS, past, EXACT)[1].windows == 5


@pytest.mark.parametrize("past", [NoData("new service"), History(300.0), of_errors(np.full((2, 24), 60.0))])
def test_without_pods_to_play_with_nothing_is_checked(past: object) -> None:
    assert isinstance(past, NoData | History)
    assert checked(ERRORS, past, EXACT) == (EXACT, PlaceboReport())


def test_a_metric_without_a_vote_is_checked_like_any_other() -> None:
    past = of_errors(errors(rng(), Shape(pods=6, batches=24), tau=1.0))
    for gating in Gating:
        assert checked(replace(ERRORS, gating=gating, importance=0.5), past, EXACT)[1].crossed > 0


def test_a_gauge_is_checked_too() -> None:
    past = wandering(rng(), Shape(pods=6, batches=24), tau=0.3)
    noise = estimate(MEMORY, past, AUTO)
    assert checked(MEMORY, past, noise)[0] == noise
    steady = Noise(within_pod=0.05)
    found, report = checked(MEMORY, past, steady)
    assert report.crossed > 0
    assert found.within_pod == 0.05 * report.factor


def test_each_bound_s_noise_is_raised() -> None:
    past = history(lambda pod, batch: PodLevel(1.0 + pod + 0 * batch), 4, 12)
    noise = Noise(within_pod=0.01, bounds=(BoundNoise(3.0, 0.1),))
    assert checked(MEMORY, past, noise)[0].bounds == (BoundNoise(6.0, 0.2),)
