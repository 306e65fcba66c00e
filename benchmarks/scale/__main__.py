"""`python -m benchmarks.scale`: sweeps over 50, 500 and 5,000 targets; called by `make bench-scale`.

The whole takes about half an hour; `--targets 50 --sweeps 5` tries everything in a minute. The last line is one
JSON object with all figures; `--out docs/scale.md` writes the tables to a file too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scale.daemon import Job
from benchmarks.scale.figures import Case, figures, flatness, goals
from benchmarks.scale.plan import CORE, INTERVAL, Standing
from benchmarks.scale.series import SERIES_OF_POD
from benchmarks.scale.standing import Stage
from benchmarks.scale.tables import INTRODUCTION, show_cases, show_flat, show_goals
from benchmarks.size import progress
from benchmarks.tee import teed
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.tools import KUBERNETES

IN_RELEASE = 500
QUIET_SECONDS = 30.0
FLAT_TARGETS = 50

ALLOCATION = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""As in the image."""


def main() -> None:
    """Run what was asked for."""
    options = _options()
    earlier = [json.loads(file.read_text(encoding="utf-8").splitlines()[-1]) for file in options.beside]
    found = [case for one in earlier for case in one["cases"]]
    found += [figures(_run(_standing(targets, options.sweeps), options)) for targets in options.targets]
    found.sort(key=lambda case: int(case["targets"]))
    flat = next((one["flat"] for one in earlier if one["flat"]), None)
    if options.flat:
        flat = flatness(_run(_standing(FLAT_TARGETS, options.flat), options))
    met = goals(found, flat)
    with teed(options.out):
        asked = f' ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
        version = f"Kubernetes {KUBERNETES.version}"
        cores = os.cpu_count()
        print(INTRODUCTION.format(options=asked, version=version, series=SERIES_OF_POD, cores=cores))
        if found:
            show_cases(found)
        if flat is not None:
            show_flat(flat)
        show_goals(met)
    print(json.dumps({"cases": found, "flat": flat, "goals": met}))


def _standing(targets: int, sweeps: int) -> Standing:
    """A tenth of few targets is in release, and at most 500 are; the last sweep is a little before now."""
    in_release = targets // 10 if targets < IN_RELEASE else IN_RELEASE
    begin = (time.time() // INTERVAL) * INTERVAL - (sweeps + 12) * INTERVAL
    return Standing(targets, in_release, sweeps, begin)


def _run(standing: Standing, options: argparse.Namespace) -> Case:
    _leave_core()
    progress(f"{standing.targets:,} targets, {standing.in_release:,} in release: {standing.sweeps:,} sweeps")
    with _folder(options.keep) as folder:
        try:
            with Stage(folder, standing) as stage:
                place = stage.place
                job = Job(standing, str(place.kubeconfig), str(place.configuration), place.prometheus)
                if standing.in_release < standing.targets:
                    _measure(folder, "install", job.installing(str(place.idle)))
                stage.begin_releases()
                lines = _measure(folder, "measured", job.measuring(standing.sweeps, QUIET_SECONDS))
                return Case(standing, stage.objects, lines)
        except LabError as error:
            raise SystemExit(f"benchmarks: {error}") from error


def _leave_core() -> None:
    """Leave the measured process its core; whatever is started from here inherits that."""
    others = set(range(os.cpu_count() or 1)) - {CORE}
    if others:
        os.sched_setaffinity(0, others)


def _measure(folder: Path, name: str, job: Job) -> Sequence[Any]:
    """The lines that a process for this job prints."""
    file, log = folder / f"{name}.json", folder / f"{name}.log"
    file.write_text(job.to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.scale.daemon", str(file)]
    environment = {**os.environ, **ALLOCATION}
    began = time.monotonic()
    with log.open("wb") as errors, (folder / f"{name}.out").open("w+", encoding="utf-8") as output:
        code = subprocess.run(command, stdout=output, stderr=errors, env=environment, check=False).returncode
        output.seek(0)
        lines = [json.loads(line) for line in output]
    progress(f"{name}: {time.monotonic() - began:.0f} s")
    if code:
        raise SystemExit(f"benchmarks: {name} failed: {log.read_text(errors='replace')[-2000:]}")
    return lines


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A new folder for everything that runs; with `keep` it stays."""
    folder = Path(tempfile.mkdtemp(prefix="scale-", dir=keep))
    try:
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--targets", type=int, nargs="*", default=[50, 500, 5000], help="configured, one run for each")
    parser.add_argument("--sweeps", type=int, default=60, help="of each run")
    parser.add_argument("--flat", type=int, default=0, help=f"one more run of so many sweeps, {FLAT_TARGETS} targets")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="outputs of earlier runs, shown beside")
    parser.add_argument("--out", type=Path, help="write the tables to this file too")
    parser.add_argument("--keep", type=Path, help="leave logs and data in a new folder in here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
