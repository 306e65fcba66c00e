"""Keys of a canary target but for `plan` and `analysis`; defaults filled in; targets that conflict with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field

from analyzer.config.fields import KubernetesLabel, KubernetesName, Word
from analyzer.config.keys import KeyPath, Keys
from analyzer.config.yaml import FilePosition, YamlDocument
from analyzer.model.errors import Problem
from analyzer.model.plan import Mode, OnDrift

_ABSENT = object()
_NAMESPACE = "default"
_K = TypeVar("_K")


def _built(strategy: object) -> object:
    if strategy in ("recreate", "rolling", "blueGreen"):
        raise ValueError(f"{strategy!r} is not supported yet: use `canary`")
    return strategy


class TargetKeys(Keys):
    """Where a target is, and what the daemon may do there."""

    namespace: KubernetesLabel = Field(default=_NAMESPACE, description="Namespace of both Deployments.")
    mode: Word[Mode] = Field(
        default=Mode.ACT,
        description="`act`, or `observe`: judges, alerts and shows, but never changes a Deployment.",
    )
    strategy: Annotated[Literal["canary"], BeforeValidator(_built)] = Field(
        default="canary", description="Only `canary` is supported."
    )
    on_drift: Word[OnDrift] = Field(
        default=OnDrift.PAUSE,
        description="What happens when another client scales or edits a Deployment during a release: `pause` and "
        "alert, `reassert` what was set, or `abort`.",
    )


class IdentityKeys(Keys):
    """Name and Deployments of a canary target."""

    name: KubernetesLabel = Field(description="Name of the target in all messages. Unique.")
    stable: KubernetesName = Field(description="Deployment that serves.")
    canary: KubernetesName = Field(description="Deployment that gets the new version.")
    service: KubernetesLabel | None = Field(
        default=None,
        description="Service in front of both. Checked before each release: it must select both, by a label "
        "that they share.",
    )


@dataclass(frozen=True, slots=True)
class Inherited:
    """One canary of a document over the defaults of (perhaps) another one."""

    document: YamlDocument
    index: int
    defaults: YamlDocument | None

    @property
    def own(self) -> Mapping[str, Any]:
        """The canary's own keys; empty when it is not even a mapping."""
        own = self.document.value["canaries"][self.index]
        return own if isinstance(own, Mapping) else {}

    @property
    def given(self) -> Mapping[str, Any]:
        """The defaults; empty when there are none, or no usable ones."""
        given = self.defaults.value.get("defaults") if self.defaults else None
        return given if isinstance(given, Mapping) else {}

    def merged(self) -> Any:
        """The canary's keys over the defaults, key by key; lists and plain values replace."""
        own = self.document.value["canaries"][self.index]
        return _merge(self.given, own) if isinstance(own, Mapping) else own

    def place(self, path: KeyPath) -> FilePosition:
        """Where a path of the merged value stands; for one that is not there, the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if _find(self.own, path[:length]) is not _ABSENT:
                break
            if self.defaults and _find(self.given, path[:length]) is not _ABSENT:
                return self.defaults.place(("defaults", *path))
        return self.document.place(("canaries", self.index, *path))


def inherited(document: YamlDocument, defaults: YamlDocument | None) -> tuple[Inherited, ...]:
    """The canaries of a document; what is no list has none."""
    listed = document.value.get("canaries")
    return tuple(
        Inherited(document, index, defaults) for index in range(len(listed) if isinstance(listed, list) else 0)
    )


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, Mapping) and isinstance(value, Mapping)
        result[key] = _merge(under, value) if both else value  # type: ignore[arg-type]
    return result


def _find(value: Any, path: KeyPath) -> Any:
    for part in path:
        match value, part:
            case dict(), str() if part in value:
                value = value[part]
            case list(), int() if part < len(value):
                value = value[part]
            case _:
                return _ABSENT
    return value


def target_mistakes(canaries: Sequence[Inherited]) -> Iterator[Problem]:
    """Names given twice, and Deployments used more than once."""
    names: dict[str, FilePosition] = {}
    deployments: dict[tuple[str, str], FilePosition] = {}
    for canary in canaries:
        merged = _merge(canary.given, canary.own)
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
