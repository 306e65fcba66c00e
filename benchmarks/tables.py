"""Plain text tables, and shares with their Monte Carlo interval, for the programs beside it."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown, aligned for the eye."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [" | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    head = " | ".join(cell.rjust(width) for cell, width in zip(header, widths, strict=True))
    rule = " | ".join("-" * (width - 1) + ":" for width in widths)
    print(f"\n{title}\n")
    print("\n".join(f"| {line} |" for line in [head, rule, *lines]), flush=True)


def share_of(hits: int, runs: int) -> str:
    """A share in percent with its 95 % Clopper-Pearson interval."""
    low = float(stats.beta.ppf(0.025, hits, runs - hits + 1)) if hits else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, runs - hits)) if hits < runs else 1.0
    return f"{100 * hits / runs:.2f} % ({100 * low:.2f} to {100 * high:.2f})"
