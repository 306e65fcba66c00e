"""Canaries that conflict with each other, over all files. Called by `load`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from analyzer.config.inherit import Inherited
from analyzer.config.keys_file import DefaultsKeys
from analyzer.config.place import FilePosition
from analyzer.model.errors import Problem

_NAMESPACE = DefaultsKeys.model_fields["namespace"].default

_K = TypeVar("_K")


def target_mistakes(canaries: Sequence[Inherited]) -> Iterator[Problem]:
    """Names given twice, and Deployments used more than once."""
    names: dict[str, FilePosition] = {}
    deployments: dict[tuple[str, str], FilePosition] = {}
    for canary in canaries:
        merged = canary.merged()
        name = merged.get("name")
        if isinstance(name, str):
            yield from _taken(names, name, canary.place(("name",)), f"the name {name!r} is already used")
        if isinstance(merged.get("stable"), str) and merged["stable"] == merged.get("canary"):
            yield canary.place(("canary",)).problem("expected a Deployment other than that of stable")
            continue
        for side in ("stable", "canary"):
            deployment, namespace = merged.get(side), merged.get("namespace", _NAMESPACE)
            if isinstance(deployment, str) and isinstance(namespace, str):
                message = f"Deployment {deployment!r} in namespace {namespace!r} is already used"
                yield from _taken(deployments, (namespace, deployment), canary.place((side,)), message)


def _taken(seen: dict[_K, FilePosition], key: _K, place: FilePosition, message: str) -> Iterator[Problem]:
    first = seen.setdefault(key, place)
    if first is not place:
        yield place.problem(f"{message} {first.seen_from(place)}; use another")
