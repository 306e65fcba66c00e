"""Numbers and comparisons the way people read them, for the reasons of verdicts."""

from __future__ import annotations

import math

from analyzer.judge.effect import LEVEL, Effect
from analyzer.model.block import Counts
from analyzer.model.metric import Margin

_WHOLE = 9.95


def number(value: float) -> str:
    """Two significant digits, without an exponent: 0.031, 6.8, 130."""
    if abs(value) >= _WHOLE:
        return f"{value:.0f}"
    return f"{float(f'{value:.2g}'):.12f}".rstrip("0").rstrip(".")


def times(ratio: float) -> str:
    """A ratio: 6.8x."""
    return f"{number(ratio)}x"


def percent(share: float) -> str:
    """A share: 3.4 %."""
    return f"{number(100 * share)} %"


def allowance(margin: Margin) -> str:
    """A margin: 1.25x + 0.05 %."""
    extra = f" + {percent(margin.absolute)}" if margin.absolute else ""
    return f"{margin.ratio:g}x{extra}"


def counted(counts: Counts) -> str:
    """Events of a total: 41 of 1204 (3.4 %)."""
    share = f" ({percent(counts.events / counts.total)})" if counts.total else ""
    return f"{counts.events:.0f} of {counts.total:.0f}{share}"


def comparison(name: str, canary: Counts, stable: Counts, effect: Effect) -> str:
    """Both sides and the ratio with its interval, as far as there is one."""
    return f"{name}: canary {counted(canary)} against stable {counted(stable)}{span(effect)}"


def outright(name: str, canary: Counts, stable: Counts, margin: Margin, level: float) -> str:
    """Why the fast lane aborts."""
    return (
        f"outright failure: {name}: canary {counted(canary)} against stable {counted(stable)}, worse than "
        f"{allowance(margin)} at level {number(level)}"
    )


def span(effect: Effect) -> str:
    """The ratio with its interval, as far as the data bound them."""
    bounded = effect.low > 0, effect.high < math.inf
    match bounded:
        case (True, True):
            reach = f"{times(effect.low)} to {times(effect.high)}"
        case (True, False):
            reach = f"{times(effect.low)} or more"
        case (False, True):
            reach = f"{times(effect.high)} or less"
        case _:
            return ""
    sure = f"{100 * (1 - LEVEL):g} %"
    return f", {reach} ({sure})" if effect.ratio is None else f", {times(effect.ratio)} ({sure} {reach})"
