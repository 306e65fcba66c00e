"""The namespaces that are watched are those in which somebody still has something to do."""

from __future__ import annotations

from dataclasses import replace

from analyzer.bootstrap.watched_namespaces import Visiting, WatchedNamespaces
from analyzer.model.target import Target
from tests.scenarios.stage import DEMO_TARGET, Stage


def target(name: str, namespace: str) -> Target:
    return replace(DEMO_TARGET, name=name, namespace=namespace)


SHOP, MARKET = target("shop", "shop"), target("market", "market")


class Watched:
    """The namespaces that were to be watched, in order."""

    def __init__(self, watched: WatchedNamespaces) -> None:
        self.told: list[set[str]] = []
        watched.tell(lambda namespaces: self.told.append(set(namespaces)))


def test_configured_namespaces_are_watched() -> None:
    watched = WatchedNamespaces([SHOP, MARKET])
    assert watched.namespaces == {"shop", "market"}
    assert watched.namespace_of("market") == "market"
    assert watched.namespace_of("unknown") is None


def test_a_new_target_adds_its_namespace() -> None:
    watched = WatchedNamespaces([SHOP])
    visited = Watched(watched)
    watched.configure([SHOP, MARKET])
    assert visited.told == [{"shop", "market"}]


def test_a_removed_target_that_is_looked_at_keeps_its_namespace_until_nobody_looks_any_more() -> None:
    watched = WatchedNamespaces([SHOP, MARKET])
    visited = Watched(watched)
    watched.visit(MARKET)
    watched.configure([SHOP])
    assert visited.told[-1] == {"shop", "market"}
    assert watched.namespace_of("market") == "market"
    watched.visit(MARKET)
    watched.configure([SHOP])
    assert visited.told[-1] == {"shop", "market"}
    watched.configure([SHOP])
    assert visited.told[-1] == {"shop"}
    assert watched.namespace_of("market") is None


def test_a_removed_target_that_was_never_looked_at_goes_at_once() -> None:
    watched = WatchedNamespaces([SHOP, MARKET])
    visited = Watched(watched)
    watched.configure([SHOP])
    assert visited.told == [{"shop"}]


def test_a_removed_target_that_is_found_on_record_is_watched_there() -> None:
    watched = WatchedNamespaces([SHOP])
    visited = Watched(watched)
    watched.visit(MARKET)
    watched.visit(MARKET)
    assert visited.told == [{"shop", "market"}]
    assert watched.namespace_of("market") == "market"


def test_a_target_that_moved_is_watched_in_both_places_until_its_release_has_ended() -> None:
    watched = WatchedNamespaces([SHOP])
    visited = Watched(watched)
    watched.visit(SHOP)
    moved = replace(SHOP, namespace="mall")
    watched.configure([moved])
    watched.visit(SHOP)
    assert visited.told[-1] == {"shop", "mall"}
    assert watched.namespace_of("shop") == "shop"
    watched.visit(moved)
    assert visited.told == [{"shop", "mall"}, {"mall"}]
    assert watched.namespace_of("shop") == "mall"


def test_a_target_that_moved_and_was_found_in_mid_release_after_a_restart_is_watched_there() -> None:
    watched = WatchedNamespaces([replace(SHOP, namespace="mall")])
    visited = Watched(watched)
    watched.visit(SHOP)
    watched.visit(SHOP)
    assert visited.told == [{"shop", "mall"}]


def test_whoever_looks_at_a_target_has_its_namespace_watched_first() -> None:
    stage = Stage()
    watched = WatchedNamespaces([])
    visiting = Visiting(stage.cluster, watched)
    snapshot = visiting.snapshot(DEMO_TARGET, DEMO_TARGET.roles)
    assert snapshot.stable is not None
    assert watched.namespaces == {DEMO_TARGET.namespace}
