"""How each kind of release behaves."""

from __future__ import annotations

import pytest

from analyzer.model.errors import SandboxError
from analyzer.sandbox.shop import ReleaseKind, Shop, ShopSettings

SETTINGS = ShopSettings(error_rate=0.04, seed=3)


def test_only_bad_and_broken_releases_have_more_errors_than_stable() -> None:
    rates = {kind: SETTINGS.behaviour(kind)["ERROR_RATE"] for kind in ReleaseKind}
    assert (rates.pop(ReleaseKind.BAD), rates.pop(ReleaseKind.BROKEN)) == ("0.12", "0.8")
    assert set(rates.values()) == {"0.04"}


def test_only_a_slow_release_is_slower_than_stable() -> None:
    medians = {kind: SETTINGS.behaviour(kind)["LATENCY_MS"] for kind in ReleaseKind}
    assert medians.pop(ReleaseKind.SLOW) == "15"
    assert set(medians.values()) == {"5"}


def test_each_kind_takes_back_the_faults_of_the_kind_before() -> None:
    assert SETTINGS.behaviour(ReleaseKind.SLOW_START)["START_DELAY"] == "8"
    assert SETTINGS.behaviour(ReleaseKind.CRASH_LOOP)["CRASH_AFTER"] == "1"
    good = SETTINGS.behaviour(ReleaseKind.GOOD)
    assert (good["START_DELAY"], good["CRASH_AFTER"]) == (None, None)


def test_says_so_when_used_before_it_was_started() -> None:
    with pytest.raises(SandboxError, match="is not started"):
        _ = Shop(SETTINGS).workloads


def test_can_be_stopped_before_it_was_started() -> None:
    shop = Shop(SETTINGS)
    shop.stop()
    assert not shop.directory.exists()
