"""The indexer: what is newest wins, whatever the order in which it arrives."""

from __future__ import annotations

from typing import Any

from analyzer.kube.indexer import Indexer
from analyzer.kube.objects import Change


def thing(name: str, version: int, *owners: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "resourceVersion": str(version)}
    metadata["ownerReferences"] = [{"uid": uid} for uid in owners]
    return {"metadata": metadata, **more}


def names(indexer: Indexer, namespace: str = "shop") -> list[str]:
    return [found["metadata"]["name"] for found in indexer.items(namespace)]


def test_finds_by_name_namespace_and_owner() -> None:
    indexer = Indexer()
    indexer.replace([thing("b", 1, "u"), thing("a", 2, "u", "v"), thing("c", 3, namespace="other")], 9)
    assert names(indexer) == ["a", "b"]
    assert indexer.get("shop", "a") == thing("a", 2, "u", "v")
    assert indexer.get("shop", "c") is None
    assert indexer.owned("shop", "u") == [thing("a", 2, "u", "v"), thing("b", 1, "u")]
    assert indexer.owned("other", "u") == []
    assert len(indexer) == 3


def test_follows_changes_and_their_versions() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 1, "u")], 5)
    indexer.take(Change("MODIFIED", thing("a", 6, "v")))
    indexer.take(Change("ADDED", thing("b", 7)))
    assert (names(indexer), indexer.version) == (["a", "b"], 7)
    assert indexer.owned("shop", "u") == []
    assert indexer.owned("shop", "v") == [thing("a", 6, "v")]
    indexer.take(Change("DELETED", thing("a", 8)))
    indexer.take(Change("BOOKMARK", {"metadata": {"resourceVersion": "12"}}))
    assert (names(indexer), indexer.version) == (["b"], 12)


def test_an_own_write_is_seen_at_once_and_not_undone_by_older_news() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 1)], 5)
    indexer.put(thing("a", 8))
    indexer.take(Change("MODIFIED", thing("a", 7)))
    assert indexer.get("shop", "a") == thing("a", 8)
    indexer.take(Change("DELETED", thing("a", 9)))
    assert indexer.get("shop", "a") is None


def test_the_answer_to_a_write_does_not_bring_back_what_was_deleted_meanwhile() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 1)], 5)
    indexer.take(Change("DELETED", thing("a", 9)))
    indexer.put(thing("a", 8))
    assert indexer.get("shop", "a") is None


def test_the_answer_to_an_older_write_changes_nothing() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 6)], 5)
    indexer.put(thing("a", 4))
    assert indexer.get("shop", "a") == thing("a", 6)


def test_a_list_keeps_only_own_writes_that_are_newer() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 1), thing("old", 2)], 5)
    indexer.put(thing("a", 12))
    indexer.put(thing("mine", 11))
    indexer.replace([thing("a", 9)], 10)
    assert names(indexer) == ["a", "mine"]
    assert indexer.get("shop", "a") == thing("a", 12)


def test_a_server_that_was_set_back_is_believed() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 90), thing("gone", 80)], 95)
    indexer.replace([thing("a", 3)], 10)
    assert (names(indexer), indexer.version) == (["a"], 10)
    assert indexer.get("shop", "a") == thing("a", 3)


def test_forgets_namespaces_that_are_not_wanted() -> None:
    indexer = Indexer()
    indexer.replace([thing("a", 1, "u"), thing("b", 2, "u", namespace="other")], 5)
    indexer.keep(frozenset({"other"}))
    assert (names(indexer), names(indexer, "other")) == ([], ["b"])
    assert indexer.owned("shop", "u") == []
