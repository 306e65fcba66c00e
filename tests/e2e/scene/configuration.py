"""What a test's daemon is told: small and fast, so that a whole release takes less than a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Keys = Mapping[str, Any]

PLAN: Keys = {
    "steps": [{"weight": 25, "hold": "2s"}, {"weight": 50, "hold": "2s"}],
    "bake": {"for": "2s"},
    "deadline": "3m",
    "readyWithin": "10s",
}
QUICK: Keys = {"steps": [{"weight": 25, "hold": "2s"}], "capacity": {"maxSurge": "100%"}}
"""Laid over it where a test is about something else than the way of the pods: one step, and room for all of them."""

ERRORS: Keys = {"name": "errors", "preset": "http-errors", "tolerance": {"ratio": 2, "absolute": 0.03}}
ANALYSIS: Keys = {
    "interval": "1s",
    "warmup": "1s",
    "noise": {"dispersion": 1, "podSpread": 0.03},
    "metrics": [ERRORS],
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What one test wants different: each mapping is laid over the fast default, key by key (lists replace).

    `target` holds keys of the canary beside plan and analysis, `file` keys of the whole file. `env` is the environment
    of both templates at the beginning, `rps` how many users arrive per second at each pair. `earlier`: which of the two
    daemons is of an earlier version.
    """

    replicas: int = 4
    rps: float = 80.0
    env: Mapping[str, str] = field(default_factory=dict)
    plan: Keys = field(default_factory=dict)
    analysis: Keys = field(default_factory=dict)
    target: Keys = field(default_factory=dict)
    file: Keys = field(default_factory=dict)
    targets: tuple[str, ...] = ("my-app",)
    earlier: Literal["first", "second", "none"] = "none"


def laid_over(below: Keys, above: Keys) -> dict[str, Any]:
    """Both, with `above` winning where both say something."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def configuration(setup: Setup, namespace: str, prometheus: str, receiver: str) -> dict[str, Any]:
    """The content of the configuration file; JSON of it is YAML."""
    whole = {
        "prometheus": {"url": prometheus, "delay": "2s", "timeout": "2s"},
        "alerts": {"receivers": [{"name": "oncall", "webhook": {"url": receiver}}]},
        "canaries": [_canary(setup, namespace, name) for name in setup.targets],
    }
    return laid_over(whole, setup.file)


def _canary(setup: Setup, namespace: str, name: str) -> dict[str, Any]:
    own = {
        "name": name,
        "namespace": namespace,
        "service": name,
        "stable": f"{name}-v1",
        "canary": f"{name}-v2",
        "plan": laid_over(PLAN, setup.plan),
        "analysis": laid_over(ANALYSIS, setup.analysis),
    }
    return laid_over(own, setup.target)
