"""A lease that can be lost and won."""

from __future__ import annotations


class FakeLease:
    """A `Lease`; `epoch` is what it gives, None while another process holds it."""

    def __init__(self, epoch: int | None = 1) -> None:
        self.epoch = epoch

    def held(self) -> int | None:
        return self.epoch

    def lose(self) -> None:
        """Another process holds it from now on."""
        self.epoch = None

    def win(self, epoch: int) -> None:
        """Hold it under this epoch."""
        self.epoch = epoch
