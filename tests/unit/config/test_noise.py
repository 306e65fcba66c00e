"""Noise: stated, estimated, of one metric or of all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analyzer.model.metric import NoiseSetting
from tests.unit.config.sources import CANARY, PROMETHEUS, load_text

MINUTE = timedelta(minutes=1)


def test_noise_is_stated_estimated_or_both_ways_for_different_metrics(tmp_path: Path) -> None:
    text = "noise: {dispersion: 1, podSpread: 0.03, withinPod: 0.05}, fastLane: off, metrics: ["
    own = (
        "{preset: http-errors, noise: {history: 2h}}, {preset: memory, noise: {podSpread: 0}}, "
        "{preset: cpu, noise: auto}"
    )
    canary = CANARY.replace("metrics: [{preset: http-errors}", f"{text}{own}")
    analysis = load_text(tmp_path, PROMETHEUS + canary).targets[0].analysis
    assert analysis.noise == NoiseSetting(1, 0.03, 0.05)
    assert analysis.fast_lane is None
    assert [one.noise for one in analysis.metrics if one.kind != "query"] == [
        NoiseSetting(history=120 * MINUTE),
        NoiseSetting(pod_spread=0),
        NoiseSetting(),
    ]
