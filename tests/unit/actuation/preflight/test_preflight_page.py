"""The page about the preflight says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from analyzer.actuation.preflight import CHECKS
from analyzer.actuation.preflight.context import SEEN_AFTER
from analyzer.actuation.preflight.scrapes import SKEW
from analyzer.engine.preflights import TRIED_AGAIN
from analyzer.engine.target import REMEMBERED

PAGE = (Path(__file__).parents[4] / "docs" / "preflight.md").read_text(encoding="utf-8")


def test_every_check_is_told_in_order_with_its_level() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", PAGE, re.MULTILINE)
    assert told == [(check.name, check.level.value) for check in CHECKS]


def test_checks_that_are_left_out_when_only_observing_are_named() -> None:
    named = re.findall(r"`([a-z-]+)`", PAGE.split("the checks about writing", 1)[1])
    assert named == [check.name for check in CHECKS if check.acting]


def test_times_are_those_of_the_code() -> None:
    assert f"ready for {SEEN_AFTER:g} s" in PAGE
    assert f"at most {SKEW:g} s" in PAGE
    assert f"after {TRIED_AGAIN:g} seconds" in PAGE
    assert REMEMBERED == 60
