"""What a configuration says, as frozen values. Made by `load`, read by the composition root."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.config.alerts import Log, Receiver, RouteSettings
from analyzer.config.prometheus import PrometheusSettings
from analyzer.model.errors import Problem
from analyzer.model.target import Target


@dataclass(frozen=True, slots=True)
class ReleaseLimits:
    """`max_concurrent` releases may be in progress at once; others wait in PENDING, oldest first."""

    max_concurrent: int = 20


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole, valid configuration. Without `routes` every receiver gets every alert.

    `warnings`: what is accepted in it and should be written in another way.
    """

    prometheus: PrometheusSettings
    targets: tuple[Target, ...] = ()
    receivers: tuple[Receiver, ...] = (Receiver("log", Log()),)
    routes: tuple[RouteSettings, ...] = ()
    limits: ReleaseLimits = ReleaseLimits()
    freeze: bool = False
    warnings: tuple[Problem, ...] = ()
