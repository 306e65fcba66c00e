"""How much is simulated: shared by every program of tables, so that each says it in the same words."""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Size:
    """Simulated releases per cell, the seed of all of them, and whether time matters less than precision."""

    runs: int
    seed: int = 1
    long: bool = False

    def rng(self, *cell: object) -> np.random.Generator:
        """Random numbers that depend on the seed and on what the cell is called, not on what ran before."""
        return np.random.default_rng([self.seed, zlib.crc32(repr(cell).encode())])

    def __str__(self) -> str:
        return f"{self.runs} releases per cell, seed {self.seed}"


def progress(text: str) -> None:
    """Say on stderr what is being simulated."""
    print(f"benchmarks: {text}", file=sys.stderr, flush=True)
