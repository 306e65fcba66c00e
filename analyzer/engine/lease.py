"""A lease for a single daemon on one machine, as in the sandbox."""

from __future__ import annotations


class SoleHolder:
    """A `Lease` that is always held, under one epoch."""

    def __init__(self, epoch: int = 1) -> None:
        self._epoch = epoch

    def held(self) -> int | None:
        """The epoch under which this process may write now."""
        return self._epoch
