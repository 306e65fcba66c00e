"""`make e2e-full`: SIGKILL before and after every single write of a release, one release each; makes docs/kills.md."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable

import pytest

from analyzer.model.phase import Phase
from tests.e2e.conftest import MakeStage
from tests.e2e.lab.lab import LabAddress
from tests.e2e.scene import kills
from tests.e2e.scene.configuration import Setup
from tests.e2e.scene.kill_table import CASES, PROPERTY, WRITES, Kill, Row
from tests.e2e.scene.kills import ANALYSIS, GOOD, PLAN, REPLICAS, Mortals, Outcome
from tests.e2e.scene.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.full]

QUIET_SECONDS = 4.0
"""What is written after the end of a release comes within this time."""


def _scene(lab: LabAddress, stages: MakeStage) -> Scene:
    scene = stages(lab, Setup(replicas=REPLICAS, plan=PLAN, analysis=ANALYSIS))
    scene.begin_pairs()
    return scene


def _known_as(verb: str, resource: str, name: str) -> str:
    """An entry of the audit log under its name in `WRITES`."""
    kind = {"configmaps": "ConfigMap", "leases": "Lease", "deployments": "Deployment", "events": "Event"}[resource]
    short = re.sub(r"^canary-analyzer-(\w+)-my-app$", r"\1", name)
    return " ".join((verb, kind, *([short] if kind in {"ConfigMap", "Deployment"} else [])))


def _for_a_while(condition: Callable[[], bool]) -> Callable[[], bool]:
    """Has it been true for `QUIET_SECONDS`?"""
    since: list[float] = []

    def look() -> bool:
        if not condition():
            since.clear()
            return False
        since.append(time.monotonic())
        return since[-1] - since[0] >= QUIET_SECONDS

    return look


def _deviation(found: Outcome) -> str:
    try:
        kills.assert_promoted(found)
    except AssertionError:
        return f"DEVIATES: {found}"
    return ""


def test_the_list_of_writes_has_every_write_of_an_undisturbed_release(lab: LabAddress, stages: MakeStage) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene)
    kills.assert_promoted(kills.released(scene, mortals, GOOD))
    mortals.until(_for_a_while(lambda: kills.ended(scene)), "quiet")
    asked = [one["objectRef"] | {"verb": one["verb"]} for one in scene.writes()]
    made = Counter(_known_as(one["verb"], one["resource"], one.get("name", "")) for one in asked)
    del made["patch Lease"]  # one every two seconds, all alike
    assert made <= Counter(WRITES), made - Counter(WRITES)


@pytest.mark.parametrize("kill", CASES, ids=lambda kill: kill.id)
def test_killed_at_this_write_a_release_ends_as_if_nothing_had_been(
    lab: LabAddress, stages: MakeStage, record_property: Callable[[str, object], None], kill: Kill
) -> None:
    scene = _scene(lab, stages)
    mortals = Mortals(scene, [kill.spec])
    mortals.until(lambda: scene.state().get("phase") == Phase.IDLE.value, "first sight")
    began = time.monotonic()
    scene.pair.set_env(**GOOD)
    over = _for_a_while(lambda: kills.ended(scene))
    mortals.until(lambda: kills.ended(scene) and (mortals.deaths or over()), "the end of a release")
    seconds = time.monotonic() - began
    found = kills.outcome(scene)
    deviation = _deviation(found)
    # Events and the status have no fixed number: what two ticks find out one after the other may be one write.
    outcome = deviation or ("promoted" if mortals.deaths else "promoted; it ended without this write")
    row = Row(
        kill.number, f"{kill.write} {kill.count}", kill.moment, outcome, len(found.moves), len(found.alerts), seconds
    )
    record_property(PROPERTY, row.to_json())
    assert not deviation
    scene.pair.capacity.assert_within(total=REPLICAS, max_surge=1)
    assert scene.pair.capacity.lowest_available() >= REPLICAS
