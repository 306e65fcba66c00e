"""Margins: defaults that fit what is given."""

from __future__ import annotations

from pathlib import Path

from analyzer.model.metric import Margin
from tests.unit.config.sources import metrics_of


def test_a_given_tolerance_widens_the_default_proof_of_every_kind(tmp_path: Path) -> None:
    metrics = metrics_of(
        tmp_path,
        "{preset: http-latency, tolerance: {ratio: 3}}",
        "{preset: cpu, tolerance: {ratio: 2}}",
        "{name: orders, rate: {events: orders_total}, tolerance: {ratio: 2}, promoteMargin: {ratio: 4}}",
        "{preset: restarts, tolerance: {absolute: 1}}",
    )
    assert [(one.tolerance, one.promote_margin) for one in metrics if one.kind != "query"] == [
        (Margin(3, 0.001), Margin(3, 0.002)),
        (Margin(2), Margin(2)),
        (Margin(2), Margin(4)),
        (Margin(2, 1), Margin(2, 1)),
    ]
