"""The page about presets shows what the program accepts, and names the series that it really asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.config.presets import HttpFlavor, ResourceFlavor
from tests.unit.config.sources import CANARY, PROMETHEUS, load_text

PAGE = (Path(__file__).parents[3] / "docs" / "presets.md").read_text()
INLINE = re.findall(r"`(\{preset: [^`]*\})`", PAGE)


@pytest.mark.parametrize("metric", INLINE)
def test_every_preset_that_is_shown_is_accepted(tmp_path: Path, metric: str) -> None:
    metrics = f"{{preset: http-errors, name: proven}}, {metric}"
    load_text(tmp_path, PROMETHEUS + CANARY.replace("{preset: http-errors}", metrics))


@pytest.mark.parametrize(
    ("preset", "flavor"),
    [
        *((preset, flavor) for preset in ("http-errors", "http-latency") for flavor in HttpFlavor),
        *((preset, flavor) for preset in ("cpu", "memory") for flavor in ResourceFlavor),
    ],
)
def test_the_series_of_every_flavor_are_named(tmp_path: Path, preset: str, flavor: str) -> None:
    metrics = f"{{preset: http-errors, name: proven}}, {{preset: {preset}, flavor: {flavor}}}"
    (_, metric) = (
        load_text(tmp_path, PROMETHEUS + CANARY.replace("{preset: http-errors}", metrics)).targets[0].analysis.metrics
    )
    asked = {"ratio": "total", "histogram": "buckets", "gauge": "value"}[metric.kind]
    series = str(getattr(metric, asked)).partition("{")[0]
    assert re.search(rf"^\|.*`{flavor}`.*`{series}`", PAGE, re.MULTILINE)
