"""Where the tests of this package find files, and how they load texts."""

from __future__ import annotations

from pathlib import Path

from analyzer.config import Configuration, load
from analyzer.model.errors import ConfigError
from analyzer.model.metric import Metric

EXAMPLES = Path(__file__).parents[3] / "config"

PROMETHEUS = "prometheus: {url: http://prometheus:9090}\n"

CANARY = """\
canaries:
  - name: my-app
    stable: my-app-v1
    canary: my-app-v2
    analysis: {metrics: [{preset: http-errors}]}
"""


def load_text(folder: Path, *texts: str) -> Configuration:
    """A folder with these files, loaded."""
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return load([folder])


def mistakes(folder: Path, *texts: str) -> list[str]:
    """Every mistake in these files as FILE:LINE: path: message."""
    try:
        load_text(folder, *texts)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{folder}/") for problem in error.problems]
    return []


def metrics_of(folder: Path, *metrics: str) -> tuple[Metric, ...]:
    """What these metrics mean."""
    text = CANARY.replace("{preset: http-errors}", ", ".join(metrics))
    return load_text(folder, PROMETHEUS + text).targets[0].analysis.metrics
