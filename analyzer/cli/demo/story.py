"""What happened in one release of the demo, put together from the daemon's reports."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from analyzer.model.decision import Action
from analyzer.model.phase import START, Phase
from analyzer.model.report import Report
from analyzer.model.state import PauseKind, Release
from analyzer.model.verdict import MetricVerdict


@dataclass(slots=True)
class Story:
    """One release so far. `shares` has the observed share of each step; `metrics` those judged last."""

    version: str
    phase: Phase = START
    reason: str = ""
    release: Release | None = None
    shares: dict[int, float] = field(default_factory=dict)
    metrics: tuple[MetricVerdict, ...] = ()

    def take(self, report: Report) -> None:
        """Add what one tick found."""
        state = report.decision.state
        release = state.release
        if release is None or release.canary.hash != self.version:
            return
        self.release, self.phase, self.reason = release, state.phase, state.reason
        verdict = report.verdict
        if verdict is None or not _judges_a_step(report) or not any(metric.canary.total for metric in verdict.metrics):
            return
        self.metrics = verdict.metrics
        if verdict.observed_share is not None:
            judged = release.step - 1 if report.decision.action is Action.ADVANCE else release.step
            self.shares[judged] = verdict.observed_share

    @property
    def over(self) -> bool:
        """The release ended, or is held for people to decide."""
        if self.release is None:
            return False
        return self.release.ended_at is not None or self.held

    @property
    def held(self) -> bool:
        """Paused at the deadline, without a decision."""
        pause = self.release.pause if self.release else None
        return pause is not None and pause.kind is PauseKind.INCONCLUSIVE

    @property
    def outcome(self) -> str:
        """How it ended, in one word."""
        if self.release is not None and self.release.result is not None:
            return self.release.result.value
        return "held" if self.held else "unfinished"


def phase_judged(report: Report) -> Phase:
    """The phase that the tick's verdict is about: the one before the decision."""
    decision = report.decision
    return decision.transitions[0].before if decision.transitions else decision.state.phase


def _judges_a_step(report: Report) -> bool:
    """Was this verdict about a step? During the promotion the shares change, and a bake compares other things."""
    return phase_judged(report).in_steps


class Storyteller:
    """A Reporter that follows one release at a time; the demo waits on it for the end. Thread-safe."""

    def __init__(self) -> None:
        self._told = threading.Condition()
        self._story: Story | None = None

    def follow(self, version: str) -> Story:
        """Begin the story of the version with this template hash."""
        with self._told:
            self._story = Story(version)
            return self._story

    def report(self, report: Report) -> None:
        """Add to the story."""
        with self._told:
            if self._story is not None:
                self._story.take(report)
            self._told.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until the release is over; False when it takes longer than `timeout` seconds. Its story ends here."""
        with self._told:
            over = self._told.wait_for(lambda: self._story is not None and self._story.over, timeout)
            self._story = None
            return over
