"""The configuration of a run: a folder as a user would have it, one file for each namespace. Called by `standing`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks.scale.plan import Pair

_SHARED = """\
prometheus: {{url: "{url}", timeout: 10s, delay: 2s}}
limits: {{maxConcurrent: 10000}}
defaults:
  plan:
    deadline: 48h
    steps: [{{weight: 10, hold: 24h}}, {{weight: 50, hold: 5m}}]
  analysis:
    interval: 15s
    metrics:
      - {{name: errors, preset: http-errors, importance: 4}}
      - {{name: latency, preset: http-latency, objective: 250ms, importance: 3}}
"""


def write_configuration(folder: Path, pairs: Iterable[Pair], prometheus: str) -> None:
    """Releases stay in their first step for a day, so that every sweep finds the same work."""
    folder.mkdir()
    (folder / "shared.yaml").write_text(_SHARED.format(url=prometheus), encoding="utf-8")
    lines: defaultdict[str, list[str]] = defaultdict(lambda: ["canaries:"])
    for pair in pairs:
        sides = f"stable: {pair.name}-v1, canary: {pair.name}-v2"
        lines[pair.namespace].append(f"  - {{name: {pair.name}, namespace: {pair.namespace}, {sides}}}")
    for namespace, found in lines.items():
        (folder / f"{namespace}.yaml").write_text("\n".join(found) + "\n", encoding="utf-8")
