"""A reporter that keeps what it was told."""

from __future__ import annotations

from analyzer.model.report import Report


class Notebook:
    """A `Reporter`; `reports` has every tick in order, `forgotten` the targets that it was told to forget."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.forgotten: list[str] = []

    def report(self, report: Report) -> None:
        self.reports.append(report)

    def forget(self, target: str) -> None:
        self.forgotten.append(target)
