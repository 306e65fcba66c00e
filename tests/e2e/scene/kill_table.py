"""The table of kills: a row for each write of a release and each side of it, written to docs/kills.md.

`test_killed_everywhere` makes the rows, `conftest` hands on those of all its processes when the run is over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PROPERTY = "kill"
"""Under this name a test reports its row."""

FILE = Path(__file__).resolve().parents[3] / "docs" / "kills.md"


@dataclass(frozen=True, slots=True)
class Kill:
    """When to die: around which write, by its name in `WRITES`, and which one of its kind."""

    number: int
    write: str
    count: int
    moment: str

    @property
    def id(self) -> str:
        """As it is called in the list of tests."""
        return f"{self.moment}-{self.write.replace(' ', '-')}-{self.count}"

    @property
    def spec(self) -> str:
        """As the daemon's switch knows it; the scene fills in its namespaces."""
        verb, kind, *name = self.write.split()
        place = {"ConfigMap": " {home}/canary-analyzer-%s-my-app", "Deployment": " {ns}/%s"}.get(kind, "")
        return f"{self.moment}:{verb} {kind}{place % name[0] if place else ''}:{self.count}"


# How often a release of this kind makes each of its writes; `test_killed_everywhere` sees that none is missing.
WRITES = {
    "create Lease": 1,
    "patch Lease": 3,
    "create ConfigMap state": 1,
    "patch ConfigMap state": 27,
    "create ConfigMap status": 1,
    "patch ConfigMap status": 5,
    "create ConfigMap history": 1,
    "patch Deployment my-app-v1": 6,
    "patch Deployment my-app-v2": 4,
    "create Event": 10,
}
ALL = [(write, count) for write, most in WRITES.items() for count in range(1, most + 1)]
CASES = [Kill(number, *one, moment) for number, one in enumerate(ALL, 1) for moment in ("before", "after")]
"""A release each."""

_HEAD = """# Killed everywhere

`make e2e-full` writes this page. Each row is one whole release on a real API server: two replicas, a surge of one, one
step, promoted by `copyTemplate`. The daemon is killed (SIGKILL) immediately before it sends a write, or immediately
after it receives the answer; then a new daemon takes over. The test frees the Lease by hand, because waiting for it to
expire (15 s) in every row would only cost time. The number after a write counts the writes of that kind since the
killed daemon started.

Every release must make the same moves as an undisturbed one, each once and in the same order; write the new template
once; pass through the same phases; send one alert; and keep {replicas} pods available. *Moves* and *alerts* were
counted by an independent watch and a real receiver. *Seconds* is the time from the new template to the end of the
release, including the start of both daemons, on a machine that runs several releases at once. Undisturbed: {moves}
moves, 1 alert.

| # | write | killed | outcome | moves | alerts | seconds |
|--:|---|---|---|--:|--:|--:|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one release. `number` orders the rows; `outcome` has the deviations too."""

    number: int
    write: str
    moment: str
    outcome: str
    moves: int
    alerts: int
    seconds: float

    def to_json(self) -> str:
        """For the report of a test."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Row:
        """Read it again."""
        return cls(**json.loads(text))


def page(rows: Iterable[Row], moves: int, replicas: int) -> str:
    """The page in Markdown."""
    ordered = sorted(rows, key=lambda row: (row.number, row.moment != "before"))
    return _HEAD.format(moves=moves, replicas=replicas) + "".join(map(_line, ordered)) + _summary(ordered)


def _line(row: Row) -> str:
    cells = (row.number, f"`{row.write}`", row.moment, row.outcome, row.moves, row.alerts, f"{row.seconds:.0f}")
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _summary(rows: Sequence[Row]) -> str:
    same = sum(row.outcome.startswith("promoted") for row in rows)
    killed = sum(row.outcome == "promoted" for row in rows)
    slowest = max((row.seconds for row in rows), default=0.0)
    return (
        f"\n{len(rows)} releases, {same} with the same outcome as an undisturbed one; {killed} daemons killed "
        f"(the others ended without that write); slowest {slowest:.0f} s.\n"
    )
