"""Counts what the daemon asks the API server for, and what its ticks came to. Used in the measured process."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Generator

from analyzer.kube.settings import Access
from analyzer.kube.transport import RawResponse, Request, Transport
from analyzer.model.report import Report

_TARGET = re.compile(r"shop-\d{5}")
_WRITES = frozenset({"POST", "PATCH", "DELETE", "PUT"})


class CountingTransport(Transport):
    """A `Transport` that counts requests by what they are for, apart those that name an idle target."""

    def __init__(self, access: Access, idle: frozenset[str]) -> None:
        super().__init__(access)
        self._idle = idle
        self._counting = threading.Lock()
        self.counts: Counter[str] = Counter()

    def exchange(self, request: Request, seconds: float) -> RawResponse:
        """Send a request, and count it."""
        self._count(request, request.name.split(" ")[0])
        return super().exchange(request, seconds)

    def stream(self, request: Request, seconds: float, silence: float) -> Generator[bytes] | RawResponse:
        """Open a watch, and count it."""
        self._count(request, "watch")
        return super().stream(request, seconds, silence)

    def _count(self, request: Request, verb: str) -> None:
        what = _what(request)
        found = _TARGET.search(request.path)
        with self._counting:
            self.counts[f"{verb} {what}"] += 1
            self.counts["writes"] += request.method in _WRITES and what != "Lease"
            self.counts["requests"] += 1
            self.counts["for idle targets"] += found is not None and found[0] in self._idle


def _what(request: Request) -> str:
    kind = request.name.split(" ")[1] if " " in request.name else ""
    for document in ("state", "status", "history"):
        if f"/canary-analyzer-{document}-" in request.path or f"/canary-analyzer-{document}-" in request.name:
            return document
    return kind


class Tally:
    """A `Reporter` that counts what ticks came to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    def report(self, report: Report) -> None:
        """Take note."""
        with self._lock:
            self.counts["ticks"] += 1
            self.counts["judged"] += report.verdict is not None and bool(report.verdict.metrics)
            if report.verdict is not None:
                self.counts[f"verdict {report.verdict.outcome.value}"] += 1
            if report.error is not None:
                self.counts["errors"] += 1
                self.errors[_TARGET.sub("TARGET", report.error)[:200]] += 1
