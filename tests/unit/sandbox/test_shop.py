"""How each kind of release behaves."""

from __future__ import annotations

import pytest

from analyzer.model.errors import SandboxError
from analyzer.sandbox.shop import ReleaseKind, Shop, ShopSettings

SETTINGS = ShopSettings(error_rate=0.04, seed=3)


def test_a_bad_release_triples_the_errors_and_no_other_kind_does() -> None:
    rates = {kind: SETTINGS.behaviour(kind)["ERROR_RATE"] for kind in ReleaseKind}
    assert rates.pop(ReleaseKind.BAD) == "0.12"
    assert set(rates.values()) == {"0.04"}


def test_each_kind_takes_back_the_faults_of_the_kind_before() -> None:
    assert SETTINGS.behaviour(ReleaseKind.SLOW_START)["START_DELAY"] == "8"
    assert SETTINGS.behaviour(ReleaseKind.CRASH_LOOP)["CRASH_AFTER"] == "1"
    good = SETTINGS.behaviour(ReleaseKind.GOOD)
    assert (good["START_DELAY"], good["CRASH_AFTER"]) == (None, None)


def test_says_so_when_used_before_it_was_started() -> None:
    with pytest.raises(SandboxError, match="not been started"):
        _ = Shop(SETTINGS).workloads


def test_can_be_stopped_before_it_was_started() -> None:
    shop = Shop(SETTINGS)
    shop.stop()
    assert not shop.directory.exists()
