"""Shelves: what is newest wins, whatever the order in which it arrives."""

from __future__ import annotations

from typing import Any

from analyzer.kube.objects import Change
from analyzer.kube.shelf import Shelf


def thing(name: str, version: int, *owners: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "resourceVersion": str(version)}
    metadata["ownerReferences"] = [{"uid": uid} for uid in owners]
    return {"metadata": metadata, **more}


def names(shelf: Shelf, namespace: str = "shop") -> list[str]:
    return [found["metadata"]["name"] for found in shelf.items(namespace)]


def test_finds_by_name_namespace_and_owner() -> None:
    shelf = Shelf()
    shelf.restock([thing("b", 1, "u"), thing("a", 2, "u", "v"), thing("c", 3, namespace="other")], 9)
    assert names(shelf) == ["a", "b"]
    assert shelf.get("shop", "a") == thing("a", 2, "u", "v")
    assert shelf.get("shop", "c") is None
    assert shelf.owned("shop", "u") == [thing("a", 2, "u", "v"), thing("b", 1, "u")]
    assert shelf.owned("other", "u") == []
    assert len(shelf) == 3


def test_follows_changes_and_their_versions() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 1, "u")], 5)
    shelf.take(Change("MODIFIED", thing("a", 6, "v")))
    shelf.take(Change("ADDED", thing("b", 7)))
    assert (names(shelf), shelf.version) == (["a", "b"], 7)
    assert shelf.owned("shop", "u") == []
    assert shelf.owned("shop", "v") == [thing("a", 6, "v")]
    shelf.take(Change("DELETED", thing("a", 8)))
    shelf.take(Change("BOOKMARK", {"metadata": {"resourceVersion": "12"}}))
    assert (names(shelf), shelf.version) == (["b"], 12)


def test_an_own_write_is_seen_at_once_and_not_undone_by_older_news() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 1)], 5)
    shelf.put(thing("a", 8))
    shelf.take(Change("MODIFIED", thing("a", 7)))
    assert shelf.get("shop", "a") == thing("a", 8)
    shelf.take(Change("DELETED", thing("a", 9)))
    assert shelf.get("shop", "a") is None


def test_the_answer_to_a_write_does_not_bring_back_what_was_deleted_meanwhile() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 1)], 5)
    shelf.take(Change("DELETED", thing("a", 9)))
    shelf.put(thing("a", 8))
    assert shelf.get("shop", "a") is None


def test_the_answer_to_an_older_write_changes_nothing() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 6)], 5)
    shelf.put(thing("a", 4))
    assert shelf.get("shop", "a") == thing("a", 6)


def test_a_list_keeps_only_own_writes_that_are_newer() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 1), thing("old", 2)], 5)
    shelf.put(thing("a", 12))
    shelf.put(thing("mine", 11))
    shelf.restock([thing("a", 9)], 10)
    assert names(shelf) == ["a", "mine"]
    assert shelf.get("shop", "a") == thing("a", 12)


def test_a_server_that_was_set_back_is_believed() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 90), thing("gone", 80)], 95)
    shelf.restock([thing("a", 3)], 10)
    assert (names(shelf), shelf.version) == (["a"], 10)
    assert shelf.get("shop", "a") == thing("a", 3)


def test_forgets_namespaces_that_are_not_wanted() -> None:
    shelf = Shelf()
    shelf.restock([thing("a", 1, "u"), thing("b", 2, "u", namespace="other")], 5)
    shelf.keep(frozenset({"other"}))
    assert (names(shelf), names(shelf, "other")) == ([], ["b"])
    assert shelf.owned("shop", "u") == []
