"""Every kind of metric, on Prometheus 3, which is built where there is none.

The same tests as on Debian's 2.x. They differ: in Prometheus 3 ranges are open on the left, and `le` is written "1.0".
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.lab.tools import find_tool
from tests.integration.test_metrics_of_every_kind import *  # noqa: F403 - the tests and their story

pytestmark = pytest.mark.e2e


# One group: the story is played once, however many processes run tests.
@pytest.fixture(scope="module", params=[pytest.param("prometheus", marks=pytest.mark.xdist_group("prometheus-3"))])
def program(request: pytest.FixtureRequest) -> Path:
    return find_tool(request.param)
