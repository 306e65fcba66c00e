"""A `Cached` that is never behind: it looks into a `FakeApi` directly, without a call and without threads."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.kube.errors import NotFoundError, StaleError
from analyzer.kube.objects import Json, Kind
from analyzer.kube.transform import transformed
from tests.fakes.kube_api import FakeApi


class FakeCache:
    """What a synced cache would hold. `stale` (a reason) lets every read raise StaleError."""

    def __init__(self, api: FakeApi) -> None:
        self.stale: str | None = None
        self.taken_in: list[Json] = []
        """Objects that were `put`."""
        self._api = api

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        self._check()
        try:
            return transformed(kind, self._api.see(kind, namespace, name))
        except NotFoundError:
            return None

    def items(self, kind: Kind, namespace: str) -> Sequence[Json]:
        self._check()
        return [transformed(kind, found) for found in self._api.all(kind, namespace)]

    def owned(self, kind: Kind, namespace: str, owner_uid: str) -> Sequence[Json]:
        return [found for found in self.items(kind, namespace) if owner_uid in _owners(found)]

    def put(self, kind: Kind, found: Json) -> None:
        self.taken_in.append(found)

    def _check(self) -> None:
        if self.stale is not None:
            raise StaleError(self.stale)


def _owners(found: Json) -> set[str]:
    return {owner["uid"] for owner in found["metadata"].get("ownerReferences") or ()}
