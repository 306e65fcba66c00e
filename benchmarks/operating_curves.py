"""Operating curves: the chance that a release is aborted within its hour, against how bad its canary truly is.

Run `python -m benchmarks peers --out docs/measured.md`: the picture goes beside the tables.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import rules
from benchmarks.size import Size, progress
from benchmarks.tables import show
from benchmarks.worlds import INDEPENDENT, UNLIKE, WORLDS, Service, World

RATIOS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0)
SHARE = 0.01
SHOWN: tuple[World, ...] = (INDEPENDENT, UNLIKE, WORLDS[-1])

Curves = dict[str, list[int]]
"""Aborted releases by rule, one number per ratio."""


def report(size: Size, picture: Path | None = None) -> None:
    """Print the curves' numbers, and draw them where a place for the picture is named."""
    found: dict[str, Curves] = {}
    for world in SHOWN:
        progress(f"operating curves: {world.name}")
        found[world.name] = _curves(world, size)
        rows = [
            [name, *(f"{hits / size.runs:.3f}" for hits in hits_by_ratio)]
            for name, hits_by_ratio in found[world.name].items()
        ]
        uncertain = 1.96 * (0.25 / size.runs) ** 0.5
        note = f"{size}. Releases as in the tables above. A share of 0.5 is uncertain by +-{uncertain:.3f}."
        show(
            f"Share aborted within the hour, by true ratio, {world.name}",
            ["rule", *(f"{each:g}x" for each in RATIOS)],
            rows,
            note,
        )
    if picture is not None:
        draw(found, size, picture)
        print(f"![operating curves]({picture.name})\n")


def _curves(world: World, size: Size) -> Curves:
    limits = {world.name: rules.oracle_limit(world, SHARE, size)}
    curves: Curves = {}
    for ratio in RATIOS:
        for name, ended in rules.all_rules(world, Service(SHARE, ratio), size, limits).items():
            curves.setdefault(name, []).append(ended.aborts)
    return curves


def draw(found: dict[str, Curves], size: Size, picture: Path) -> None:
    """One panel per world, one line per rule, as SVG or PNG by the file's name."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only who draws needs it: the group `bench`

    figure = Figure(figsize=(4.6 * len(found), 4.2), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True)
    for panel, (world, curves) in zip(panels, found.items(), strict=True):
        for name, hits in curves.items():
            mine = name == rules.OURS
            panel.plot(
                RATIOS,
                [hit / size.runs for hit in hits],
                label=name,
                linewidth=3 if mine else 1.4,
                zorder=3 if mine else 2,
            )
        panel.axvspan(1.0, rules.RATIO.tolerance.ratio, color="0.9", zorder=0)
        panel.set(title=world, xlabel="canary's true error rate / stable's", xscale="log", xticks=(0.5, 1, 2, 4))
        panel.set_xticks((0.5, 1, 2, 4), labels=("0.5", "1", "2", "4"))
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("share aborted within the hour")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=9
    )
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)
