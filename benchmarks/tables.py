"""Tables in Markdown, and shares with their Monte Carlo interval, for the programs beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from scipy import stats

LINE = 145
"""Longest line of a note."""


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print a table in Markdown with aligned columns; `note`, below it, says how to read it."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [" | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    head = " | ".join(cell.rjust(width) for cell, width in zip(header, widths, strict=True))
    rule = " | ".join("-" * (width - 1) + ":" for width in widths)
    print(f"\n### {title}\n")
    print("\n".join(f"| {line} |" for line in [head, rule, *lines]))
    print(f"\n{_wrapped(note)}\n" if note else "", flush=True)


def _wrapped(note: str) -> str:
    return "\n".join(textwrap.fill(line, LINE, break_on_hyphens=False) for line in note.splitlines())


def share_of(hits: int, runs: int) -> str:
    """A share in percent with its 95 % Clopper-Pearson interval."""
    low, high = interval(hits, runs)
    return f"{100 * hits / runs:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


def interval(hits: int, runs: int) -> tuple[float, float]:
    """The 95 % Clopper-Pearson interval of a share."""
    low = float(stats.beta.ppf(0.025, hits, runs - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, runs - hits)) if hits < runs else 1.0
    return low, high


def above(hits: int, runs: int, level: float) -> float:
    """p-value of "the true share is at most `level`": exact binomial, one-sided."""
    return float(stats.binom.sf(hits - 1, runs, level))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for looking at all of them (Holm)."""
    order = np.argsort(p_values)
    steps = [min(1.0, (len(order) - rank) * p_values[place]) for rank, place in enumerate(order)]
    adjusted = np.maximum.accumulate(np.array(steps, dtype=np.float64))
    return [float(adjusted[list(order).index(place)]) for place in range(len(p_values))]
