"""After each scenario: everything that it told is in words that people on call know."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plain_words import assert_plain
from tests.scenarios.stage import Stage


@pytest.fixture(autouse=True)
def _plain_words() -> Iterator[None]:
    Stage.opened.clear()
    yield
    assert_plain(text for stage in Stage.opened for text in stage.texts())
