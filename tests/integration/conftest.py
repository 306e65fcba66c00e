"""The Prometheus servers on which everything that reads one is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.sandbox.prometheus import find_prometheus
from tests.e2e.lab.tools import tool_at_hand


def _programs() -> Iterator[object]:
    """The one that the sandbox uses (Debian's 2.x), and Prometheus 3 where it need not be built first; that one is
    built, and tested in any case, in tests/e2e/test_prometheus_3_*.py."""
    yield pytest.param(find_prometheus, id="prometheus", marks=pytest.mark.xdist_group("prometheus"))
    third = tool_at_hand("prometheus")
    if third is not None:
        yield pytest.param(lambda: third, id="prometheus-3", marks=pytest.mark.xdist_group("prometheus-3"))


@pytest.fixture(scope="module", params=_programs())
def program(request: pytest.FixtureRequest) -> Path:
    """A Prometheus to start."""
    found: Path = request.param()
    return found
