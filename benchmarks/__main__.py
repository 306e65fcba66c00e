"""`python -m benchmarks`: runs the programs of tables, one after the other, and writes them as Markdown.

Called by `make bench`. The default is a quick look at everything, in less than six minutes on one core;
`--long --out docs/measured.md` makes the numbers that the documents show.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import against_peers, cost, decision_quality, demo_times, noise_models, operating_curves, time_to_abort
from benchmarks.size import Size, progress
from benchmarks.tee import teed

Report = Callable[[Size], None]


@dataclass(frozen=True, slots=True)
class Program:
    """What it measures, its tables, and releases per cell in a quick run and in a long one."""

    title: str
    reports: tuple[Report, ...]
    quick: int
    long: int


def main() -> None:
    """Run what was asked for."""
    options = _options()
    programs = _programs(options.out)
    chosen = list(programs) if options.program == "all" else [options.program]
    with teed(options.out):
        print(_INTRODUCTION.format(options=" ".join(sys.argv[1:]) or "without options"))
        for name in chosen:
            program, began = programs[name], time.monotonic()
            size = Size(options.runs or (program.long if options.long else program.quick), options.seed, options.long)
            print(f"\n## {program.title}\n", flush=True)
            for report in program.reports:
                report(size)
            progress(f"{name}: done in {time.monotonic() - began:.0f} s")


_INTRODUCTION = """# Measured

Every number here was printed by `make bench` ({options}): seeded simulations that run the judge's own code.
The intervals are those of the simulation: how far a number may be from the one that endless runs would give.

[Evidence](glossary.md#evidence-and-thresholds) is counted in nats (natural logarithms). *tau* is how much pods differ
([pod spread](glossary.md#noise)); in *batches of 5*, errors come five at a time. A *rule* is a way to decide: the
judge, or what another tool does."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*_programs(None), "all"]
    parser.add_argument("program", nargs="?", choices=names, default="all", help="what to measure (default: all)")
    parser.add_argument("--runs", type=int, help="simulated releases per cell, instead of each program's own number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="many more runs: an hour or two")
    parser.add_argument("--out", type=Path, help="write the tables to this file too, and pictures beside it")
    return parser.parse_args()


def _programs(out: Path | None) -> dict[str, Program]:
    def curves(size: Size) -> None:
        picture = None if out is None else out.with_name("operating-curves.svg")
        operating_curves.report(Size(max(60, size.runs // 4), size.seed, size.long), picture)

    return {
        "quality": Program("The exact test, on independent requests", (decision_quality.report,), 400, 4000),
        "peers": Program(
            "Compared with the rules of other tools", (against_peers.report, time_to_abort.report, curves), 200, 2000
        ),
        "noise": Program("Data that is not independent", (noise_models.report,), 40, 2000),
        "cost": Program("What it costs", (cost.report,), 1, 1),
        "demo": Program("Duration of the demo", (demo_times.report,), 100, 10000),
    }


if __name__ == "__main__":
    main()
