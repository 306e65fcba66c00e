"""A reporter that keeps what it was told."""

from __future__ import annotations

from analyzer.ports import Report


class Notebook:
    """A `Reporter`; `reports` has every tick in order."""

    def __init__(self) -> None:
        self.reports: list[Report] = []

    def report(self, report: Report) -> None:
        self.reports.append(report)
