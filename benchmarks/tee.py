"""Output to the screen and to a file. Used by the programs that write documents."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


class Tee:
    """Text goes to all places."""

    def __init__(self, *places: TextIO) -> None:
        self._places = places

    def write(self, text: str) -> int:
        """Write everywhere."""
        for place in self._places:
            place.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush everywhere."""
        for place in self._places:
            place.flush()


@contextlib.contextmanager
def teed(out: Path | None) -> Iterator[None]:
    """What is printed in here goes to `out` too, if there is one."""
    if out is None:
        yield
        return
    with out.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(Tee(sys.stdout, file)):
        yield
