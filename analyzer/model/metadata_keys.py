"""The keys of the program's own labels and annotations: `canary-analyzer.io/NAME`, until lately `canary-analyzer/NAME`.

A daemon of an earlier version may run beside this one: the other replica of a rolling update, or the one that a
roll-back brings back. It knows only the legacy keys. So until the next minor version every label and annotation is
written under both keys and read under either. Adapters ask here for keys and never spell one out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

PREFIX = "canary-analyzer.io"

LEGACY_PREFIX = "canary-analyzer"
"""The prefix of earlier versions; it has no dot, so it is no domain that anyone owns. The next minor version stops
writing it. Reading it stays: a document that has not changed since the upgrade has the legacy keys alone."""

PREFIXES: tuple[str, ...] = (PREFIX, LEGACY_PREFIX)
"""Under which prefixes every key is written and read, the present one first. Looked up at each use, so that a test can
run the program as an earlier version (see `tests.fakes.earlier_version`)."""

_T = TypeVar("_T")


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of one label or annotation, such as `epoch`, the present one first."""
    return tuple(f"{prefix}/{name}" for prefix in PREFIXES)


def entries(name: str, value: _T) -> dict[str, _T]:
    """One label or annotation under all of its keys."""
    return dict.fromkeys(keys_of(name), value)


def values_of(found: Mapping[str, str], name: str) -> tuple[str, ...]:
    """What stands under the keys of one label or annotation, the present one first; keys that are missing are not
    counted."""
    return tuple(found[key] for key in keys_of(name) if key in found)


def complete(found: Mapping[str, str]) -> bool:
    """Do all our keys stand there, with one value under each prefix? If not, another version has written last."""
    first, *others = (_under(found, prefix) for prefix in PREFIXES)
    return all(other == first for other in others)


def _under(found: Mapping[str, str], prefix: str) -> dict[str, str]:
    start = f"{prefix}/"
    return {key.removeprefix(start): value for key, value in found.items() if key.startswith(start)}
