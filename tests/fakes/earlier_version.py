"""The program as an earlier version, which knows only the legacy prefix of labels and annotations.

To a cluster such a daemon differs from today's in the keys alone: it finds documents and commands by the legacy
labels; it claims a Deployment, tests and raises the epoch under the legacy key as if there were no other, and takes a
Deployment without that key as unclaimed. So it is today's code with the other prefixes left out. Its patches are
pinned, word for word, in `tests/unit/actuation/test_fence.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.actuation.workloads import KubeWorkloads
from analyzer.model import metadata_keys
from analyzer.model.target import Roles, Target
from analyzer.model.workload import Move


@contextmanager
def earlier_version() -> Iterator[None]:
    """Everything that is done within is done as an earlier version does it, in all threads of this process."""
    present = metadata_keys.PREFIXES
    metadata_keys.PREFIXES = (metadata_keys.LEGACY_PREFIX,)
    try:
        yield
    finally:
        metadata_keys.PREFIXES = present


class EarlierWorkloads(KubeWorkloads):
    """The writes of a daemon of an earlier version, beside one of this version in the same process."""

    def apply(self, target: Target, move: Move, epoch: int) -> None:
        with earlier_version():
            super().apply(target, move, epoch)

    def claim(self, target: Target, roles: Roles, epoch: int) -> None:
        with earlier_version():
            super().claim(target, roles, epoch)
