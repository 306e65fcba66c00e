"""Daemons that die by SIGKILL at chosen writes, each followed by a new one, and what such a release must come to.

Also what is compared with a release that nobody disturbed. Two users take turns, so that the audit log tells the
writes of one process from those of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from analyzer.model.phase import Phase
from tests.e2e.lab.api import ApiError, path_of
from tests.e2e.scene.analyzer import Analyzer
from tests.e2e.scene.scene import Scene

Json = Mapping[str, Any]
KILLED = 137
REPLICAS = 2
PLAN: Json = {"steps": [{"weight": 50, "hold": "2s"}], "capacity": {"maxSurge": 1, "maxUnavailable": 0}}
ANALYSIS: Json = {"metrics": [{"name": "errors", "preset": "http-errors", "tolerance": {"ratio": 2, "absolute": 0.08}}]}
GOOD: Mapping[str, str] = {"VERSION": "2"}
BAD: Mapping[str, str] = {"VERSION": "bad", "ERROR_RATE": "0.5"}
ENDED = frozenset({Phase.SUCCEEDED.value, Phase.ABORTED.value})
RELEASE_SECONDS = 150.0

# One pod at a time, as two replicas and a surge of one allow; every number stands here once.
PROMOTED_MOVES = ("v2=1", "v1=1", "v2=2", "v1=0", "v1=1", "v2=1", "v1=2", "v2=0")
PROMOTED_PHASES = ("IDLE", "PENDING", "PROGRESSING", "PROMOTING", "BAKING", "SUCCEEDED")
ABORTED_MOVES = ("v2=1", "v1=1", "v1=2", "v2=0")
ABORTED_AT_ONCE = ("v2=1", "v2=0")
"""The evidence may suffice for a new daemon before stable gave a pod."""
ABORTED_PHASES = ("IDLE", "PENDING", "PROGRESSING", "ROLLING_BACK", "ABORTED")


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that must not depend on when a daemon was killed: of one release that began at the first sight."""

    phases: tuple[str, ...]
    moves: tuple[str, ...]
    templates: int
    alerts: tuple[str, ...]
    history: tuple[str, ...]
    image: str
    env: Mapping[str, str]


class Mortals:
    """The daemons of a scene, one at a time. Each but the last dies at the next of `kills`."""

    def __init__(self, scene: Scene, kills: Sequence[str] = ()) -> None:
        self._scene = scene
        self._left = [one.format(ns=scene.namespace, home=scene.home) for one in kills]
        self.deaths = 0
        self._turn = 0
        self._start()

    @property
    def current(self) -> Analyzer:
        """The one that should be running."""
        return self._scene.second if self._turn % 2 else self._scene.analyzer

    @property
    def exhausted(self) -> bool:
        """Has every kill happened?"""
        return not self._left

    def until(self, condition: Callable[[], object], what: str, seconds: float = RELEASE_SECONDS) -> None:
        """Until it is true; daemons that die on the way are replaced."""

        def look() -> bool:
            self._tend()
            return bool(condition())

        self._scene.wait(look, what, seconds)

    def replace_killed(self) -> None:
        """A new daemon in place of one that a test ended. Its Lease is freed: the dead write no more."""
        free_lease(self._scene)
        self._turn += 1
        self._start()

    def _tend(self) -> None:
        if self.current.running:
            return
        assert self.current.exit_status == KILLED, f"a daemon ended by itself: {self.current.exit_status}"
        assert self._left, "a daemon was killed that should have lived"
        self._left.pop(0)
        self.deaths += 1
        self.replace_killed()

    def _start(self) -> None:
        self._scene.start(self.current, kill_at=self._left[0] if self._left else None)


def free_lease(scene: Scene) -> None:
    """Say that nobody holds the Lease, so that nobody waits 15 s for it to expire; a dead process wrote it last."""
    with suppress(ApiError):  # it died before it made one
        scene.api.patch(path_of("leases", scene.home, "canary-analyzer"), {"spec": {"holderIdentity": ""}})


def released(scene: Scene, mortals: Mortals, env: Mapping[str, str], *, must_die: bool = True) -> Outcome:
    """See a pair for the first time, give its canary this environment, and follow it to the end."""
    mortals.until(lambda: scene.state().get("phase") == Phase.IDLE.value, "first sight")
    scene.pair.set_env(**env)
    mortals.until(lambda: ended(scene) and (mortals.exhausted or not must_die), "the end of a release")
    return outcome(scene)


def ended(scene: Scene, releases: int = 1) -> bool:
    """Has a release ended, are its alerts out, and do history and status say so?"""
    state = scene.state()
    return (
        state.get("phase") in ENDED
        and state["releases"] == releases
        and not state["outbox"]
        and len(scene.history()) == releases
        and scene.status().get("phase") == state["phase"]
    )


def outcome(scene: Scene) -> Outcome:
    """What came of the release of a scene."""
    pair = scene.pair
    return Outcome(
        phases=tuple(scene.phases()),
        moves=moves(scene),
        templates=len(template_writes(scene)),
        alerts=tuple(one.id.split("/", 2)[-1] for one in scene.alerts()),
        history=tuple(entry["result"] for entry in scene.history()),
        image=pair.image(pair.stable),
        env=pair.env(pair.stable),
    )


def assert_promoted(found: Outcome) -> None:
    """As nobody disturbed it: each move once and in order, one template, one alert."""
    assert found.moves == PROMOTED_MOVES
    assert found.phases == PROMOTED_PHASES
    assert found.templates == 1
    assert found.alerts == ("promoted",)
    assert found.history == ("promoted",)
    assert found.env == GOOD


def assert_aborted(found: Outcome) -> None:
    """As nobody disturbed it: there and back, and both alerts of an abort once."""
    assert found.moves in (ABORTED_MOVES, ABORTED_AT_ONCE)
    assert found.phases == ABORTED_PHASES
    assert found.templates == 0
    assert found.alerts == ("aborted/rolling-back", "aborted/aborted")
    assert found.history == ("aborted",)
    assert not found.env


def moves(scene: Scene) -> tuple[str, ...]:
    """The daemons' changes of replicas in order, such as `v2=1`, by an independent watch."""
    return tuple(f"{one.deployment[-2:]}={one.replicas}" for one in scene.pair.capacity.writes())


def template_writes(scene: Scene, daemon: Analyzer | None = None) -> list[Json]:
    """The patches of a template that the API server accepted."""
    patches = [one for one in scene.writes(daemon) if one["objectRef"]["resource"] == "deployments"]
    return [one for one in patches if accepted(one) and _writes(one, "/spec/template")]


def accepted(request: Json) -> bool:
    """Did the API server do what it was asked for?"""
    return bool(request["responseStatus"]["code"] < 300)


def _writes(request: Json, path: str) -> bool:
    return any(one["op"] != "test" and one["path"] == path for one in request.get("requestObject") or ())
