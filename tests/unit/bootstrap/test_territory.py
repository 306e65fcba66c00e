"""The namespaces that are watched are those in which somebody still has something to do."""

from __future__ import annotations

from dataclasses import replace

from analyzer.bootstrap.territory import Territory, Visiting
from analyzer.model.target import Target
from tests.scenarios.stage import DEMO_TARGET, Stage


def target(name: str, namespace: str) -> Target:
    return replace(DEMO_TARGET, name=name, namespace=namespace)


SHOP, MARKET = target("shop", "shop"), target("market", "market")


class Watched:
    """What somebody was told to follow, in order."""

    def __init__(self, territory: Territory) -> None:
        self.told: list[set[str]] = []
        territory.tell(lambda namespaces: self.told.append(set(namespaces)))


def test_configured_namespaces_are_watched() -> None:
    territory = Territory([SHOP, MARKET])
    assert territory.namespaces == {"shop", "market"}
    assert territory.namespace_of("market") == "market"
    assert territory.namespace_of("unknown") is None


def test_a_new_target_adds_its_namespace() -> None:
    territory = Territory([SHOP])
    watched = Watched(territory)
    territory.configure([SHOP, MARKET])
    assert watched.told == [{"shop", "market"}]


def test_a_removed_target_that_is_looked_at_keeps_its_namespace_until_nobody_looks_any_more() -> None:
    territory = Territory([SHOP, MARKET])
    watched = Watched(territory)
    territory.visit(MARKET)
    territory.configure([SHOP])
    assert watched.told[-1] == {"shop", "market"}
    assert territory.namespace_of("market") == "market"
    territory.visit(MARKET)
    territory.configure([SHOP])
    assert watched.told[-1] == {"shop", "market"}
    territory.configure([SHOP])
    assert watched.told[-1] == {"shop"}
    assert territory.namespace_of("market") is None


def test_a_removed_target_that_was_never_looked_at_goes_at_once() -> None:
    territory = Territory([SHOP, MARKET])
    watched = Watched(territory)
    territory.configure([SHOP])
    assert watched.told == [{"shop"}]


def test_a_removed_target_that_is_found_on_record_is_followed_there() -> None:
    territory = Territory([SHOP])
    watched = Watched(territory)
    territory.visit(MARKET)
    territory.visit(MARKET)
    assert watched.told == [{"shop", "market"}]
    assert territory.namespace_of("market") == "market"


def test_a_target_that_moved_is_watched_in_both_places_until_its_release_has_ended() -> None:
    territory = Territory([SHOP])
    watched = Watched(territory)
    territory.visit(SHOP)
    moved = replace(SHOP, namespace="mall")
    territory.configure([moved])
    territory.visit(SHOP)
    assert watched.told[-1] == {"shop", "mall"}
    assert territory.namespace_of("shop") == "shop"
    territory.visit(moved)
    assert watched.told == [{"shop", "mall"}, {"mall"}]
    assert territory.namespace_of("shop") == "mall"


def test_a_target_that_moved_and_was_found_in_mid_release_after_a_restart_is_followed_there() -> None:
    territory = Territory([replace(SHOP, namespace="mall")])
    watched = Watched(territory)
    territory.visit(SHOP)
    territory.visit(SHOP)
    assert watched.told == [{"shop", "mall"}]


def test_whoever_looks_at_a_target_has_its_namespace_followed_first() -> None:
    stage = Stage()
    territory = Territory([])
    visiting = Visiting(stage.cluster, territory)
    snapshot = visiting.snapshot(DEMO_TARGET, DEMO_TARGET.roles)
    assert snapshot.stable is not None
    assert territory.namespaces == {DEMO_TARGET.namespace}
