"""Whole releases on real processes, real traffic and a real Prometheus, with what may go wrong in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer import bootstrap
from analyzer.config import load
from analyzer.engine.daemon import Daemon
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.model.state import CauseKind, PauseKind, Release, TargetState
from analyzer.model.verdict import Classification
from analyzer.record import FileStore
from analyzer.sandbox.shop import ROLES, ReleaseKind, Shop, ShopSettings
from tests.fakes.interrupt import Interrupt, Reaper
from tests.fakes.reporter import Notebook

pytestmark = pytest.mark.integration

CONFIGURATION = """
prometheus: {{url: "{prometheus}", delay: 2s, timeout: 2s}}
alerts: {{receivers: [{{name: oncall, webhook: {{url: "{receiver}"}}}}]}}
canaries:
  - name: shop
    stable: shop-stable
    canary: shop-canary
    plan: {{steps: [{{weight: 50, hold: 1s}}], bake: {{for: 1s}}, deadline: {deadline}, readyWithin: 8s}}
    analysis:
      interval: 1s
      warmup: 1s
      noise: {{dispersion: 1, podSpread: 0.03}}
      metrics: [{{name: errors, preset: http-errors}}]
"""


class Dead(Reaper):
    """A reaper after whose kill nothing goes through any more: the process is gone."""

    def moment(self) -> None:
        if self.at is not None and self.moments >= self.at:
            raise Interrupt("dead")
        super().moment()


class Theatre:
    """The shop with a daemon beside it that can be killed and started again."""

    def __init__(self, shop: Shop, folder: Path, deadline: str) -> None:
        self.shop = shop
        self.store = FileStore(folder / "documents")
        self.notebook = Notebook()
        file = folder / "shop.yaml"
        text = CONFIGURATION.format(prometheus=shop.prometheus.url, receiver=shop.receiver.url, deadline=deadline)
        file.write_text(text, encoding="utf-8")
        self.configuration = load([file])
        self.reaper = Dead()
        self.daemon = self._new_daemon()
        self.daemon.start()
        self.wait(lambda: self.store.load("shop") is not None, 20)

    def kill_after(self, moments: int) -> None:
        """Let the daemon die that many calls from now; nothing that it does afterwards has an effect."""
        self.reaper.at = self.reaper.moments + moments

    def restart(self) -> None:
        """Start a new daemon on what the dead one left."""
        self.daemon.stop()
        self.reaper = Dead()
        self.daemon = self._new_daemon()
        self.daemon.start()

    def wait(self, reached: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, f"still {self.last.decision if self.notebook.reports else None}"
            time.sleep(0.1)

    def wait_for(self, *phases: Phase, seconds: float = 90) -> None:
        self.wait(lambda: self.state.phase in phases, seconds)

    @property
    def state(self) -> TargetState:
        stored = self.store.load("shop")
        assert stored is not None
        return stored.state

    @property
    def release(self) -> Release:
        assert self.state.release is not None
        return self.state.release

    @property
    def last(self) -> Report:
        return self.notebook.reports[-1]

    def alerts(self, event: str) -> list[Any]:
        return [alert for alert in self.shop.receiver.alerts if alert.body["type"] == f"canary-analyzer.{event}"]

    def _new_daemon(self) -> Daemon:
        workloads, store = self.reaper.around(self.shop.workloads), self.reaper.around(self.store)
        return bootstrap.daemon(self.configuration, bootstrap.World(workloads, store, reporters=(self.notebook,)))


@pytest.fixture
def theatre(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Theatre]:
    with Shop(ShopSettings(seed=3)) as shop:
        theatre = Theatre(shop, tmp_path, getattr(request, "param", "5m"))
        yield theatre
        theatre.daemon.stop()


@pytest.mark.parametrize("kind", [ReleaseKind.GOOD, ReleaseKind.BAD])
def test_killed_again_and_again_ends_as_it_should_with_one_alert_each(theatre: Theatre, kind: ReleaseKind) -> None:
    end = Phase.SUCCEEDED if kind is ReleaseKind.GOOD else Phase.ABORTED
    theatre.shop.release(kind)
    kills = 0
    deadline = time.monotonic() + 240  # for a release that hangs: 66 s on an idle machine
    while theatre.state.phase is not end:
        assert time.monotonic() < deadline, theatre.last.decision
        theatre.kill_after(17 + 4 * kills)  # another place in the tick each time
        theatre.wait(lambda: theatre.reaper.at == theatre.reaper.moments or theatre.state.phase is end, 60)
        if theatre.state.phase is not end:
            kills += 1
            theatre.restart()
    theatre.restart()
    assert kills >= 3
    event = "promoted" if kind is ReleaseKind.GOOD else "aborted"
    theatre.wait(lambda: len(theatre.alerts(event)) == (1 if event == "promoted" else 2), 10)
    ids = [alert.id for alert in theatre.shop.receiver.alerts]
    assert len(ids) == len(set(ids))
    history = theatre.store.history("shop")
    assert history is not None
    assert len(history.entries()) == 1


def test_holds_while_prometheus_is_down_and_is_still_right_afterwards(theatre: Theatre) -> None:
    theatre.shop.release(ReleaseKind.GOOD)
    theatre.wait_for(Phase.PROGRESSING)
    theatre.shop.prometheus.stop()
    theatre.wait(lambda: theatre.last.verdict is not None and theatre.last.verdict.outcome == "ERROR", 20)
    time.sleep(4)
    assert theatre.state.phase is Phase.PROGRESSING
    theatre.shop.prometheus.start()
    theatre.wait_for(Phase.SUCCEEDED)
    assert theatre.release.cause is None


@pytest.mark.parametrize("theatre", ["15s"], indirect=True)
def test_without_traffic_holds_undecided_until_the_deadline(theatre: Theatre) -> None:
    theatre.shop.release(ReleaseKind.NO_TRAFFIC)
    theatre.wait_for(Phase.PAUSED)
    assert theatre.release.pause is not None
    assert theatre.release.pause.kind is PauseKind.INCONCLUSIVE
    judged = [report.verdict for report in theatre.notebook.reports if report.verdict is not None]
    last = judged[-1].metrics[0]
    assert last.classification is Classification.UNDECIDED
    assert "no traffic on both sides" in last.reason
    assert theatre.shop.workloads.workload(ROLES.canary).replicas == 5  # type: ignore[union-attr]


def test_version_that_crashes_is_aborted_with_its_last_words(theatre: Theatre) -> None:
    theatre.shop.release(ReleaseKind.CRASH_LOOP)
    theatre.wait_for(Phase.ABORTED)
    assert theatre.release.cause is not None
    assert theatre.release.cause.kind is CauseKind.HARD_FAILURE
    assert "is crash-looping" in theatre.release.cause.reason
    assert theatre.shop.workloads.workload(ROLES.stable).available == 10  # type: ignore[union-attr]


def test_version_that_never_gets_ready_is_aborted(theatre: Theatre) -> None:
    theatre.shop.workloads.set_template(ROLES.canary, {"NEVER_READY": "1", "VERSION": "v2"})
    theatre.wait_for(Phase.ABORTED)
    assert theatre.release.cause is not None
    assert "did not become ready" in theatre.release.cause.reason
