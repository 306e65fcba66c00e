"""What is true of every release that ended, whatever it was about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.e2e.scene.pair import Pair
from tests.e2e.scene.scene import Scene


def assert_promoted(scene: Scene, pair: Pair, *, serving: str, max_surge: int = 1, max_unavailable: int = 0) -> None:
    """`serving` has all four pods, the other Deployment none; nobody was short of pods, or told of trouble."""
    (spare,) = {pair.stable, pair.canary} - {serving}
    assert (pair.replicas(serving), pair.replicas(spare)) == (4, 0)
    pair.wait_ready(serving, 4)
    pair.capacity.assert_within(total=4, max_surge=max_surge, max_unavailable=max_unavailable)
    assert last_entry(scene, pair)["result"] == "promoted"
    scene.wait(lambda: scene.alerts("promoted", pair.name), "the alert of the promotion", 30)
    assert len(scene.alerts("promoted", pair.name)) == 1
    assert not scene.alerts("aborted", pair.name)


def assert_rolled_back(
    scene: Scene,
    pair: Pair,
    reason: str,
    *,
    serving: str | None = None,
    max_surge: int = 1,
) -> str:
    """`serving` (stable) has its four pods again, and the canary none. There is one alert under one key, told at the
    beginning and at the end; its summary, which this gives, has `reason` in it. No request that the serving pods took
    stayed without an answer; users have left when this returns."""
    kept = serving or pair.stable
    (spare,) = {pair.stable, pair.canary} - {kept}
    assert (pair.replicas(kept), pair.replicas(spare)) == (4, 0)
    pair.wait_ready(kept, 4)
    pair.wait_ready(spare, 0)
    pair.capacity.assert_within(total=4, max_surge=max_surge)
    scene.wait(lambda: len(scene.alerts("aborted", pair.name)) >= 2, "the alerts of the abort", 30)
    told = scene.alerts("aborted", pair.name)
    assert len(told) == 2
    assert len({one.body["data"]["key"] for one in told}) == 1
    summary = str(told[-1].body["data"]["summary"])
    assert re.search(reason, summary), summary
    assert last_entry(scene, pair)["result"] == "aborted"
    pair.traffic.stop()
    pair.traffic.assert_answered(kept)
    return summary


def last_entry(scene: Scene, pair: Pair) -> Mapping[str, Any]:
    """What the history says of the release that ended last; it is written right after the state document."""

    def written() -> bool:
        entries = scene.history(pair.name)
        return bool(entries) and entries[-1]["id"] == scene.state(pair.name)["release"]["id"]

    scene.wait(written, "the release in the history", 30)
    return scene.history(pair.name)[-1]
